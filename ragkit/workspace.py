"""A workspace: a folder with `ragkit.toml`, the domains named in it, and their indexes in `.ragkit/`."""

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragkit import settings
from ragkit.errors import InvalidInput, NotFound, RagkitError, nearest_of
from ragkit.settings import DomainSettings

if TYPE_CHECKING:
    from ragkit.answer import Answer
    from ragkit.ask import Event
    from ragkit.asking import Asking, Search, Work
    from ragkit.connectors.document import Document
    from ragkit.indexes.doctor import Problem
    from ragkit.indexes.domain import Domain
    from ragkit.indexes.hit import Hit
    from ragkit.indexes.sync import IngestReport, Progress
    from ragkit.model import Reply, Request
    from ragkit.models import Asked
    from ragkit.modelselector import Ask
    from ragkit.plan import Plan
    from ragkit.route import Route
    from ragkit.router import Places, Ready, Router
    from ragkit.telemetry import Listener
    from ragkit.tools import Tool

FILE = "ragkit.toml"
STATE = ".ragkit"
DEFAULT_DOMAIN = "default"
PARTS = "linked"
"""The strategy for a part of a question: what one part finds names what the next is about."""
_inherited: list[object] = []
"""Of the parent of a fork: its connections may neither be used here nor closed."""


def open(path: str | Path = ".") -> "Workspace":
    """The workspace in this folder; it is made if there is none."""
    return Workspace(path)


class Workspace:
    """May be used from several threads. Others, in other processes too, may read and write it meanwhile."""

    def __init__(self, path: str | Path = ".") -> None:
        self.path = Path(path).expanduser().resolve()
        if self.path.exists() and not self.path.is_dir():
            raise InvalidInput(f"{self.path} is a file.", "Name the folder that is to be the workspace.")
        settings.create(self.path / FILE)
        self.settings = settings.load(self.path / FILE)
        self._open: dict[str, Domain] = {}
        self._listeners: list[Listener] = []
        self._shared: Asking | None = None
        self._begin()
        self._tools: dict[str, Tool] = {}

    @property
    def domains(self) -> dict[str, DomainSettings]:
        """The domains by name."""
        return dict(self.settings.domains)

    def add_domain(
        self,
        name: str,
        *,
        description: str | None = None,
        keywords: Sequence[str] | None = None,
        examples: Sequence[str] | None = None,
        chunker: str | Mapping[str, Any] | None = None,
        embedder: str | Mapping[str, Any] | None = None,
        analyzer: str | Mapping[str, Any] | None = None,
    ) -> None:
        """Name a collection of documents. For one that is there, what is given here takes the place of what was.

        `chunker`, `embedder` and `analyzer` are what `ragkit.toml` would say: `"fixed"` or `{"kind": "fixed",
        "size": 200}`. When they change, the next ingest or sync indexes the domain anew.
        """
        asked = {
            "description": description, "keywords": None if keywords is None else list(keywords),
            "examples": None if examples is None else list(examples),
            "chunker": chunker, "embedder": embedder, "analyzer": analyzer,
        }  # fmt: skip
        given = {key: value for key, value in asked.items() if value is not None}
        self.settings = settings.change_domain(self.path / FILE, name, lambda _: given)

    def ingest(
        self,
        source: str | Path | Sequence[str | Path],
        domain: str = DEFAULT_DOMAIN,
        *,
        progress: "Callable[[Progress], None] | None" = None,
    ) -> "IngestReport":
        """Add a folder, a file or a `scheme:place` to a domain, and index what is in it.

        The domain is made if there is none of that name. What was ingested before is only looked at for changes.
        """
        from ragkit.indexes.sync import sync

        places = [self._place(one) for one in ([source] if isinstance(source, str | Path) else source)]
        self.settings = settings.load(self.path / FILE)
        if domain not in self.settings.domains:
            settings.validated({"domains": {domain: {}}}, "This domain")
        known = self.settings.domains.get(domain, DomainSettings()).sources
        for place in places:
            if place not in known:
                self._must_hold_something(place)
        if domain not in self.settings.domains or not set(places) <= set(known):
            self.settings = settings.change_domain(
                self.path / FILE, domain, lambda now: {"sources": list(dict.fromkeys([*now["sources"], *places]))}
            )
        recipe = self.settings.domains[domain].recipe
        return sync(self._folder(domain), domain, recipe, self._absolute(places), whole=False, tell=progress)

    def sync(
        self, domains: Sequence[str] | None = None, *, progress: "Callable[[Progress], None] | None" = None
    ) -> "list[IngestReport]":
        """Look at every source again, and make the domains what these are now.

        A domain that cannot be synced is a report with that failure, unless it is the only one.
        """
        from ragkit.indexes.sync import failed, sync

        self.settings = settings.load(self.path / FILE)
        named = self._named(domains)
        reports = []
        for name, one in named.items():
            try:
                places = self._absolute(one.sources)
                reports.append(sync(self._folder(name), name, one.recipe, places, whole=True, tell=progress))
            except RagkitError as error:
                if len(named) == 1:
                    raise
                reports.append(failed(name, error))  # the others need not suffer
        return reports

    def search(
        self,
        query: str,
        domains: Sequence[str] | None = None,
        strategy: str = "default",
        k: int = 10,
        where: Mapping[str, Any] | None = None,
        *,
        reranker: str | None = None,
    ) -> "list[Hit]":
        """The best `k` passages of these domains (of all, if none are named).

        `where` looks at documents' metadata: `{"year": 2025}`, `{"year": {">=": 2024}}`, `{"author": ["Kay", "Lee"]}`,
        `{"uri": {"glob": "reports/*"}}`, `{"draft": {"exists": False}}`. It says what may be found, before anything is
        ranked: `k` passages come back whenever so many match.

        `reranker` names a model that reads each of the first passages together with the question, and scores them anew:
        `"cross-encoder:<name or path>"`, or one of your own. It is loaded once.
        """
        from ragkit.indexes.reranker import reranker_for
        from ragkit.indexes.search import search

        chosen = None if reranker is None else reranker_for(reranker)
        return search(self._indexed(domains), query, strategy=strategy, k=k, where=where, reranker=chosen)

    def document(self, uri: str, domain: str) -> "Document":
        """A document as it was indexed. A hit's text is `document.text[hit.start:hit.end]`."""
        self._named([domain])
        return self._domain(domain).document(uri)

    def documents(self, domain: str) -> "Iterator[Document]":
        """All documents of a domain, one by one."""
        self._named([domain])
        return self._domain(domain).documents()

    def status(self, domain: str) -> dict[str, int]:
        """How many documents and chunks a domain holds, and how many items could not be read the last time."""
        self._named([domain])
        opened = self._domain(domain)
        documents, chunks = opened.count()
        return {"documents": documents, "chunks": chunks, "failed": len(opened.failures())}

    def content_hash(self, domain: str) -> str:
        """A hash of all that a domain's documents say: the same for the same documents, however they were indexed."""
        self._named([domain])
        return self._domain(domain).content_hash()

    def doctor(self, *, repair: bool = False) -> "list[Problem]":
        """What is wrong with the indexes; with `repair`, after making anew what can be."""
        from ragkit.indexes.doctor import Problem, examine

        problems: list[Problem] = []
        for name in self.settings.domains:
            try:
                problems += examine(self._folder(name), name, repair)
            except RagkitError as error:
                problems.append(Problem(error.reason, name, error.hint))
        return problems

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
    ) -> "Answer":
        """An answer to a question, from the `k` best passages of these domains (of all, if none are named).

        `model` is what `ragkit.toml` says by default: a name such as `"anthropic:NAME"` or `"openai:NAME"`, several in
        the order in which they are to be asked, or a model of your own. `"extractive"` needs none: it answers with
        sentences of the documents. `seconds` is what the whole may take.

        When time or budget is used up, or a text breaks off, the answer is what there is, and `missing` says what it
        lacks. When no model answers, it is a `ModelError`.
        """
        work = self._work(question, domains, model, strategy, k, where, reranker, seconds)
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
    ) -> "Iterator[Event | Answer]":
        """The same as it is made: `Found` passages, then `Piece` after `Piece` of the text, and last the `Answer`."""
        work = self._work(question, domains, model, strategy, k, where, reranker, seconds)
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
    ) -> "Answer":
        """`ask`, for who awaits. To cancel it ends the calls that are under way."""
        work = self._work(question, domains, model, strategy, k, where, reranker, seconds)
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
    ) -> "AsyncGenerator[Event | Answer, None]":
        """`stream`, for who awaits."""
        work = self._work(question, domains, model, strategy, k, where, reranker, seconds)
        return self._asking.engine.astream(work)

    def plan(self, question: str, domains: Sequence[str] | None = None, *, model: "Asked | None" = None) -> "Plan":
        """What would be asked to answer this, without asking it."""
        search = self._search(domains, "default", 1, None, None)
        return self._asking.engine.run(lambda: self._asking.plan(question, search, model))

    def reply(self, request: "Request", model: "Asked | None" = None, *, seconds: float | None = None) -> "Reply":
        """What a model says, with all that asks give it: retries, fallbacks, limits and memory."""
        return self._asking.engine.run(lambda: self._asking.reply(request, model, seconds))

    async def areply(
        self, request: "Request", model: "Asked | None" = None, *, seconds: float | None = None
    ) -> "Reply":
        return await self._asking.engine.arun(lambda: self._asking.reply(request, model, seconds))

    def add_tool(self, tool: "Tool") -> None:
        """Let questions go to this function, too. It takes the place of another one of its name."""
        if tool.name in self.settings.domains:
            raise InvalidInput(f"There is a domain {tool.name!r}.", "Give the tool another name.")
        self._tools[tool.name] = tool

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
        return self._asking.engine.run(lambda: self._router.route(question, places, all_tools, by, ask))

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
        return await self._asking.engine.arun(lambda: self._router.route(question, places, all_tools, by, ask))

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

    def listen(self, listener: "Listener") -> None:
        """Tell this listener of every step of every ask, as it begins and ends."""
        self._listeners.append(listener)

    async def aingest(
        self,
        source: str | Path | Sequence[str | Path],
        domain: str = DEFAULT_DOMAIN,
        *,
        progress: "Callable[[Progress], None] | None" = None,
    ) -> "IngestReport":
        return await asyncio.to_thread(self.ingest, source, domain, progress=progress)

    async def asearch(
        self,
        query: str,
        domains: Sequence[str] | None = None,
        strategy: str = "default",
        k: int = 10,
        where: Mapping[str, Any] | None = None,
        *,
        reranker: str | None = None,
    ) -> "list[Hit]":
        return await asyncio.to_thread(self.search, query, domains, strategy, k, where, reranker=reranker)

    def close(self) -> None:
        """Close files and connections. The workspace opens them again when it needs them."""
        self._leave_parent()
        with self._making:
            asking, self._shared = self._shared, None
        if asking is not None:
            asking.close()
        for domain in self._open.values():
            domain.close()

    @property
    def _asking(self) -> "Asking":
        self._leave_parent()
        with self._making:  # two threads may ask first
            if self._shared is None:
                self._shared = self._make_asking()
            return self._shared

    def _make_asking(self) -> "Asking":
        from ragkit.asking import Asking

        return Asking(self.path / STATE, self.settings, self._listeners)

    def _leave_parent(self) -> None:
        """In the child of a fork: threads and connections stayed with its parent, and its lock may be held."""
        if self._process != os.getpid():
            _inherited.append(self._shared)
            self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._making = threading.Lock()
        self._shared = None

    @cached_property
    def _router(self) -> "Router":
        from ragkit.router import Router

        return Router(self.path / STATE / "routing")

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
    ) -> "Work":
        return self._asking.work(question, self._search(domains, strategy, k, where, reranker), model, seconds)

    def _search(
        self,
        domains: Sequence[str] | None,
        strategy: str,
        k: int,
        where: Mapping[str, Any] | None,
        reranker: str | None,
    ) -> "Search":
        """What an ask may look into, and how."""
        from ragkit.asking import Search

        lost: list[str] = []
        indexed = self._usable(lost) if domains is None else self._indexed(domains)

        def find(query: str, names: Sequence[str] | None, part: bool) -> "list[Hit]":
            chosen = PARTS if part and strategy == "default" else strategy
            inside = names or [one.name for one in indexed]
            return self.search(query, inside, chosen, k, where, reranker=reranker)

        tools = tuple(self._tools.values())
        how = repr((strategy, k, where, reranker, sorted(self._tools)))
        return Search(find, indexed, self.settings.domains, tools, domains is None, lost, how)

    def _usable(self, lost: list[str]) -> "list[Domain]":
        """All domains that hold something. One that cannot be used is said; the others can still answer."""
        found = []
        for name in self._named(None):
            try:
                domain = self._domain(name)
                found += [domain] if domain.snapshot().made is not None else []
            except RagkitError as error:
                lost.append(f"{name} was not looked into: {error}")
        return found or self._indexed(None)  # which says what is missing

    def _place(self, given: str | Path) -> str:
        """As it is kept in the settings: relative to the workspace where it lies inside, so that it can be moved."""
        from ragkit.connectors.folder import Folder
        from ragkit.connectors.place import connect

        if not isinstance(connect(given), Folder):
            return str(given)
        path = Path(os.path.abspath(Path(given).expanduser()))  # noqa: PTH100 - links are followed anew at each sync
        if not path.is_relative_to(self.path):
            return str(path)
        inside = path.relative_to(self.path).as_posix()
        return f"./{inside}" if ":" in inside else inside

    def _absolute(self, places: Sequence[str]) -> dict[str, str]:
        """Sources as they are kept, and where that is."""
        return {place: place if _scheme(place) else str(self.path / place) for place in places}

    def _must_hold_something(self, place: str) -> None:
        from ragkit.connectors.place import connect

        (absolute,) = self._absolute([place]).values()
        if next(iter(connect(absolute).scan()), None) is None:
            raise NotFound(
                f"{absolute} holds nothing that ragkit can read.",
                "Is it the right folder? See what is skipped with: ragkit read",
            )

    def _named(self, names: Sequence[str] | None) -> dict[str, DomainSettings]:
        if names is None:
            return dict(self.settings.domains)
        if not names:
            raise InvalidInput("No domain is named.", "Name one, or leave the domains out to mean all.")
        if not set(names) <= set(self.settings.domains):  # another process may have added it
            self.settings = settings.load(self.path / FILE)
        known = self.settings.domains
        for name in names:
            if name not in known:
                raise NotFound(
                    f"There is no domain {name!r}.{nearest_of(name, known)}",
                    f"There are: {', '.join(known)}." if known else "Make one with: ragkit ingest FOLDER --domain NAME",
                )
        return {name: known[name] for name in names}

    def _indexed(self, names: Sequence[str] | None) -> "list[Domain]":
        """Those that hold something."""
        named = self._named([names] if isinstance(names, str) else names)
        found = [domain for domain in map(self._domain, named) if domain.snapshot().made is not None]
        if not found:
            what = f"The domain {next(iter(named))!r} holds" if len(named) == 1 else "The workspace holds"
            how = "ragkit sync" if any(one.sources for one in named.values()) else "ragkit ingest FOLDER --domain NAME"
            raise NotFound(f"{what} nothing yet.", f"Put documents into it with: {how}")
        return found

    def _domain(self, name: str) -> "Domain":
        from ragkit.indexes.domain import Domain

        if name not in self._open:
            self._open[name] = Domain(self._folder(name), name)
        return self._open[name]

    def _folder(self, domain: str) -> Path:
        return self.path / STATE / "domains" / domain

    def __repr__(self) -> str:
        return f"ragkit.open({str(self.path)!r})"


def _scheme(place: str) -> bool:
    scheme, colon, _ = place.partition(":")
    return bool(colon) and scheme.isidentifier() and len(scheme) > 1
