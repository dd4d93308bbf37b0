"""The routing face of a workspace: where a question goes, and the examples from which that is learnt."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ragkit.errors import NotFound, nearest_of
from ragkit.workspaceask import Asks

if TYPE_CHECKING:
    from ragkit.model import Reply, Request
    from ragkit.models import Asked
    from ragkit.modelselector import Ask
    from ragkit.route import Route
    from ragkit.router import Places, Ready
    from ragkit.tools import Tool


class Routes(Asks):
    def route(
        self,
        question: str,
        domains: Sequence[str] | None = None,
        tools: "Sequence[Tool] | None" = None,
        *,
        by: str = "cascade",
        model: "Asked | None" = None,
        seconds: float | None = None,
    ) -> "Route":
        """Where a question goes: to which of these domains (all, if none are named) and tools, and how sure that is.

        `tools` are looked at beside those that were added. `by` names one selector alone: `"keyword"`, `"semantic"`,
        `"evidence"` or `"model"`. A model is asked when the others are not sure, if there is one: by default that of
        `ragkit.toml`; `"extractive"` is none.
        """
        places, all_tools, ask = self._routed(domains, tools, model, seconds)
        if ask is None:
            return self._router.now(question, places, all_tools, by)
        return self._asking.engine.run(lambda: self._decided(question, places, all_tools, by, ask))

    async def aroute(
        self,
        question: str,
        domains: Sequence[str] | None = None,
        tools: "Sequence[Tool] | None" = None,
        *,
        by: str = "cascade",
        model: "Asked | None" = None,
        seconds: float | None = None,
    ) -> "Route":
        """`route`, for who awaits."""
        places, all_tools, ask = self._routed(domains, tools, model, seconds)
        return await self._asking.engine.arun(lambda: self._decided(question, places, all_tools, by, ask))

    def fit_routes(
        self, path: str | Path, domains: Sequence[str] | None = None, tools: "Sequence[Tool] | None" = None
    ) -> "Ready":
        """Learn from a file of examples where questions belong: `{"question": "…", "domain": "finance"}` a line, with
        null or "none" for what belongs nowhere. What was learnt before is replaced."""
        from ragkit.calibration import learnt_from, read_examples

        places, all_tools, _ = self._routed(domains, tools, "extractive", None)
        learnt = learnt_from(read_examples(Path(path)))
        known = [*places, *(tool.name for tool in all_tools)]
        for name in learnt.examples:
            if name not in known:
                raise NotFound(
                    f"{path} has examples for {name!r}, which is no domain and no tool.{nearest_of(name, known)}",
                    f"There are: {', '.join(known) or 'none'}.",
                )
        return self._router.fit(learnt, places, all_tools)

    async def _decided(
        self, question: str, places: "Places", tools: "list[Tool]", by: str, ask: "Ask | None"
    ) -> "Route":
        """A model is shown what the guards leave of the question."""
        said = question if ask is None else await self._asking.permitted(question)
        return await self._router.route(said, places, tools, by, ask)

    def _routed(
        self,
        domains: Sequence[str] | None,
        tools: "Sequence[Tool] | None",
        model: "Asked | None",
        seconds: float | None,
    ) -> "tuple[Places, list[Tool], Ask | None]":
        """What is to be routed among, and the model that may be asked, if there is one."""
        from ragkit.model import LOCAL

        named = (
            {}
            if domains is not None and not domains
            else self._named([domains] if isinstance(domains, str) else domains)
        )
        places = {name: (one, self._domain(name)) for name, one in named.items()}
        all_tools = [*self._tools.values(), *(tools or ())]
        asked = self.settings.model if model is None else model
        if isinstance(asked, str) and asked in LOCAL:
            return places, all_tools, None

        async def ask(request: "Request") -> "Reply":
            return await self._asking.reply(request, asked, seconds)

        return places, all_tools, ask
