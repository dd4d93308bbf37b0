"""A workspace: a folder with `ragkit.toml`, the domains named in it, and their indexes in `.ragkit/`."""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragkit import settings
from ragkit.errors import NotFound, RagkitError
from ragkit.settings import DomainSettings
from ragkit.shelf import FILE as FILE
from ragkit.shelf import STATE as STATE
from ragkit.workspaceroute import Routes

if TYPE_CHECKING:
    from ragkit.asking import Reform, Work
    from ragkit.chat import Chat
    from ragkit.chatstore import ChatStore, Conversation
    from ragkit.connectors.document import Document
    from ragkit.engine import Engine
    from ragkit.indexes.doctor import Problem
    from ragkit.indexes.hit import Hit
    from ragkit.indexes.sync import IngestReport, Progress
    from ragkit.models import Asked

DEFAULT_DOMAIN = "default"


def open(path: str | Path = ".") -> "Workspace":
    """The workspace in this folder; it is made if there is none."""
    return Workspace(path)


class Workspace(Routes):
    """May be used from several threads. Others, in other processes too, may read and write it meanwhile."""

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

    def document(self, uri: str, domain: str) -> "Document":
        """A document as it was indexed. A hit's text is `document.text[hit.start:hit.end]`."""
        self._named([domain])
        return self._domain(domain).document(uri)

    def chat(
        self,
        id: str | None = None,
        domains: Sequence[str] | None = None,
        *,
        model: "Asked | None" = None,
        strategy: str = "default",
        k: int = 8,
        where: Mapping[str, Any] | None = None,
        reranker: str | None = None,
        seconds: float | None = None,
    ) -> "Chat":
        """A conversation: the one of this id, which begins with its first question, or a new one.

        The rest is as `ask` has it, for each of its questions; it is not kept with the conversation.
        """
        from ragkit.chat import Chat

        def begin(question: str, reform: "Reform") -> "tuple[Engine, Work]":
            asking = self._asking
            search = self._search(domains, strategy, k, where, reranker)
            return asking.engine, asking.work(question, search, model, seconds, reform)

        return Chat(id, self._chats(), begin, self.document)

    def chats(self) -> "tuple[Conversation, ...]":
        """The conversations that are kept, the one that was gone on with last first."""
        return self._chats().list()

    def _chats(self) -> "ChatStore":
        from ragkit.chatstore import FILE as CHATS
        from ragkit.chatstore import ChatStore

        return ChatStore(self.path / STATE / CHATS)

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

    async def aingest(
        self,
        source: str | Path | Sequence[str | Path],
        domain: str = DEFAULT_DOMAIN,
        *,
        progress: "Callable[[Progress], None] | None" = None,
    ) -> "IngestReport":
        """`ingest`, for who awaits."""
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
        """`search`, for who awaits."""
        return await asyncio.to_thread(self.search, query, domains, strategy, k, where, reranker=reranker)

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
                "Is it the right folder? See what is skipped with: ragkit read FOLDER",
            )

    def __repr__(self) -> str:
        return f"ragkit.open({str(self.path)!r})"


def _scheme(place: str) -> bool:
    scheme, colon, _ = place.partition(":")
    return bool(colon) and scheme.isidentifier() and len(scheme) > 1
