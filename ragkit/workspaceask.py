"""The asking face of a workspace: answers, streams, plans, and what a model says."""

import os
import threading
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragkit.errors import InvalidInput
from ragkit.shelf import STATE, Shelf

if TYPE_CHECKING:
    from ragkit.answer import Answer
    from ragkit.asking import Asking, OnAbstain, Search, Work
    from ragkit.events import Event
    from ragkit.guard import Guard
    from ragkit.indexes.hit import Hit
    from ragkit.model import Reply, Request
    from ragkit.models import Asked
    from ragkit.plan import Plan
    from ragkit.router import Router
    from ragkit.telemetry import Listener
    from ragkit.tools import Tool

PARTS = "linked"
"""The strategy for a part of a question: what one part finds names what the next is about."""
_inherited: list[object] = []
"""Of the parent of a fork: its connections may neither be used here nor closed."""


class Asks(Shelf):
    def __init__(self, path: str | Path = ".") -> None:
        super().__init__(path)
        self._listeners: list[Listener] = []
        self._tools: dict[str, Tool] = {}
        self._guards: list[Guard] = []
        self._hooks: list[OnAbstain] = []
        self._shared: Asking | None = None
        self._begin()

    def ask(
        self,
        question: str,
        domains: Sequence[str] | None = None,
        *,
        model: "Asked | None" = None,
        strategy: str = "default",
        k: int = 8,
        where: Mapping[str, Any] | None = None,
        reranker: str | None = None,
        seconds: float | None = None,
        tools: "Sequence[Tool]" = (),
    ) -> "Answer":
        """An answer to a question, from the `k` best passages of these domains (of all, if none are named).

        `model` is what `ragkit.toml` says by default: a name such as `"anthropic:NAME"` or `"openai:NAME"`, several in
        the order in which they are to be asked, or a model of your own. `"extractive"` needs none: it answers with
        sentences of the documents. `seconds` is what the whole may take. `tools` are for this question only, beside
        those that were added.

        When time or budget is used up, or a text breaks off, the answer is what there is, and `missing` says what it
        lacks. When no model answers, it is a `ModelError`.
        """
        work = self._work(question, domains, model, strategy, k, where, reranker, seconds, tools)
        return self._asking.engine.run(lambda: work(None))

    def stream(
        self,
        question: str,
        domains: Sequence[str] | None = None,
        *,
        model: "Asked | None" = None,
        strategy: str = "default",
        k: int = 8,
        where: Mapping[str, Any] | None = None,
        reranker: str | None = None,
        seconds: float | None = None,
        tools: "Sequence[Tool]" = (),
    ) -> "Iterator[Event | Answer]":
        """The same as it is made: `Found` passages, then `Piece` after `Piece` of the text, and last the `Answer`."""
        work = self._work(question, domains, model, strategy, k, where, reranker, seconds, tools)
        return self._asking.engine.stream(work)

    async def aask(
        self,
        question: str,
        domains: Sequence[str] | None = None,
        *,
        model: "Asked | None" = None,
        strategy: str = "default",
        k: int = 8,
        where: Mapping[str, Any] | None = None,
        reranker: str | None = None,
        seconds: float | None = None,
        tools: "Sequence[Tool]" = (),
    ) -> "Answer":
        """`ask`, for who awaits. To cancel it ends the calls that are under way."""
        work = self._work(question, domains, model, strategy, k, where, reranker, seconds, tools)
        return await self._asking.engine.arun(lambda: work(None))

    def astream(
        self,
        question: str,
        domains: Sequence[str] | None = None,
        *,
        model: "Asked | None" = None,
        strategy: str = "default",
        k: int = 8,
        where: Mapping[str, Any] | None = None,
        reranker: str | None = None,
        seconds: float | None = None,
        tools: "Sequence[Tool]" = (),
    ) -> "AsyncGenerator[Event | Answer, None]":
        """`stream`, for who awaits."""
        work = self._work(question, domains, model, strategy, k, where, reranker, seconds, tools)
        return self._asking.engine.astream(work)

    def plan(
        self,
        question: str,
        domains: Sequence[str] | None = None,
        *,
        model: "Asked | None" = None,
        tools: "Sequence[Tool]" = (),
    ) -> "Plan":
        """What would be asked to answer this, without asking it."""
        search = self._search(domains, "default", 1, None, None, tools)
        return self._asking.engine.run(lambda: self._asking.plan(question, search, model))

    def reply(self, request: "Request", model: "Asked | None" = None, *, seconds: float | None = None) -> "Reply":
        """What a model says, with all that asks give it: retries, fallbacks, limits and memory."""
        return self._asking.engine.run(lambda: self._asking.reply(request, model, seconds))

    async def areply(
        self, request: "Request", model: "Asked | None" = None, *, seconds: float | None = None
    ) -> "Reply":
        """`reply`, for who awaits."""
        return await self._asking.engine.arun(lambda: self._asking.reply(request, model, seconds))

    def add_tool(self, tool: "Tool") -> None:
        """Let questions go to this function, too. It takes the place of another one of its name."""
        if tool.name in self.settings.domains:
            raise InvalidInput(f"There is a domain {tool.name!r}.", "Give the tool another name.")
        self._tools[tool.name] = tool

    def add_guard(self, guard: "Guard") -> None:
        """Let this guard look at questions and answers, too, after those of `ragkit.toml` and those added before."""
        self._guards.append(guard)

    def on_abstain(self, hook: "OnAbstain") -> None:
        """Tell this function of every ask that ends without an answer. What it gives back, if anything, is the answer:
        so an application may ask a person. It is called in a thread of its own."""
        self._hooks.append(hook)

    def listen(self, listener: "Listener") -> None:
        """Tell this listener of every step of every ask, as it begins and ends."""
        self._listeners.append(listener)

    def close(self) -> None:
        """Close files and connections. The workspace opens them again when it needs them."""
        self._leave_parent()
        with self._making:
            asking, self._shared = self._shared, None
        if asking is not None:
            asking.close()
        super().close()

    @property
    def _asking(self) -> "Asking":
        self._leave_parent()
        with self._making:  # two threads may ask first
            if self._shared is None:
                self._shared = self._make_asking()
            return self._shared

    def _make_asking(self) -> "Asking":
        from ragkit.asking import Asking

        return Asking(self.path / STATE, self.settings, self._router, self._listeners, self._guards, self._hooks)

    @cached_property
    def _router(self) -> "Router":
        """One for all: what it knows of the domains is made once."""
        from ragkit.router import Router

        return Router(self.path / STATE / "routing")

    def _leave_parent(self) -> None:
        """In the child of a fork: threads and connections stayed with its parent, and its lock may be held."""
        if self._process != os.getpid():
            _inherited.append(self._shared)
            self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._making = threading.Lock()
        self._shared = None

    def _work(
        self,
        question: str,
        domains: Sequence[str] | None,
        model: "Asked | None",
        strategy: str,
        k: int,
        where: Mapping[str, Any] | None,
        reranker: str | None,
        seconds: float | None,
        tools: "Sequence[Tool]",
    ) -> "Work":
        return self._asking.work(question, self._search(domains, strategy, k, where, reranker, tools), model, seconds)

    def _search(
        self,
        domains: Sequence[str] | None,
        strategy: str,
        k: int,
        where: Mapping[str, Any] | None,
        reranker: str | None,
        tools: "Sequence[Tool]" = (),
    ) -> "Search":
        """What an ask may look into, and how."""
        from ragkit.asking import Search

        lost: list[str] = []
        indexed = self._usable(lost) if domains is None else self._indexed(domains)

        def find(query: str, names: Sequence[str] | None, part: bool) -> "list[Hit]":
            chosen = PARTS if part and strategy == "default" else strategy
            inside = names or [one.name for one in indexed]
            return self.search(query, inside, chosen, k, where, reranker=reranker)

        def unfiltered(query: str, names: Sequence[str] | None) -> "list[Hit]":
            return self.search(query, names or [one.name for one in indexed], strategy, 1)

        all_tools = [*self._tools.values(), *tools]
        names = [tool.name for tool in all_tools]
        for name in names:
            if name in self.settings.domains or names.count(name) > 1:
                raise InvalidInput(f"{name!r} names two things that could be asked.", "Give the tool another name.")
        said = self.settings.ask.model_dump(include={"claims", "evidence", "judge"})
        how = repr((strategy, k, where, reranker, sorted(names), said))
        return Search(find, unfiltered, where, indexed, self.settings.domains, all_tools, domains is None, lost, how)
