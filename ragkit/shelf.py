"""The Shelf of a workspace: its folder, its settings, and its domains, each opened when it is first needed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ragkit import settings
from ragkit.errors import InvalidInput, NotFound, RagkitError, nearest_of
from ragkit.settings import DomainSettings

if TYPE_CHECKING:
    from ragkit.indexes.domain import Domain
    from ragkit.indexes.hit import Hit

FILE = "ragkit.toml"
STATE = ".ragkit"


class Shelf:
    def __init__(self, path: str | Path = ".") -> None:
        self.path = Path(path).expanduser().resolve()
        if self.path.exists() and not self.path.is_dir():
            raise InvalidInput(f"{self.path} is a file.", "Name the folder that is to be the workspace.")
        settings.create(self.path / FILE)
        self.settings = settings.load(self.path / FILE)
        self._open: dict[str, Domain] = {}

    @property
    def domains(self) -> dict[str, DomainSettings]:
        """The domains by name."""
        return dict(self.settings.domains)

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

    def close(self) -> None:
        """Close files and connections. The workspace opens them again when it needs them."""
        for domain in self._open.values():
            domain.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
