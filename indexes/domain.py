"""A Domain: one collection of documents with its catalog and indexes, as its readers see it."""

import hashlib
import json
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragkit.connectors.document import Document, Mark
from ragkit.connectors.failure import Failure
from ragkit.errors import NotFound, nearest_of
from ragkit.indexes import filters, repair, snapshot
from ragkit.indexes.catalog import FILE, Catalog, told
from ragkit.indexes.chunk import Chunk
from ragkit.indexes.snapshot import EMPTY, Broken, Snapshot
from ragkit.indexes.writer import grouped, marks


class Changed(Exception):
    """A writer committed something since the snapshot was taken."""


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk with the document that it is a range of."""

    id: int
    uri: str
    title: str
    chunk: Chunk
    text: str
    """What is read of it."""


class Domain:
    """A folder with a catalog and index files. Any number may have it open, in any number of processes and threads."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self._lock = threading.RLock()
        self._catalog: Catalog | None = None
        self._file = (0, 0)
        """Which file that is, for another may take its place."""
        self._snapshot = EMPTY

    def snapshot(self) -> Snapshot:
        """The newest state. Index files that are missing or damaged are made anew from the catalog first."""
        with self._lock:
            catalog = self._opened()
            if catalog is None:
                return EMPTY
            with told(catalog.path):
                if self._snapshot is EMPTY or catalog.generation != self._snapshot.generation:
                    self._snapshot = self._load(catalog)
            return self._snapshot

    def _load(self, catalog: Catalog) -> Snapshot:
        while True:
            generation = catalog.generation
            try:
                return snapshot.load(catalog, self._snapshot)
            except Broken as broken:
                if catalog.generation == generation:  # and not just replaced by a writer
                    repair.rebuild(self.folder, self.name, broken)

    def heal(self) -> bool:
        """Make anew the index files that are not what was written, though they look like it. Whether there were any."""
        with self._lock:
            catalog = self._opened()
            wrong = {} if catalog is None else repair.altered(catalog)
            if wrong:
                repair.rebuild(self.folder, self.name, Broken(wrong))
                self._snapshot = EMPTY
            return bool(wrong)

    def matching(self, state: Snapshot, where: Mapping[str, Any]) -> list[int]:
        """The documents of this state for which the conditions hold. Raises `Changed` if it is no longer the state."""
        with self._reading() as catalog, catalog.view():
            if catalog.generation != state.generation:
                raise Changed
            return filters.documents(catalog, where)

    def titles(self, state: Snapshot) -> list[tuple[int, str]]:
        """Every document of this state with its title. Raises `Changed` if it is no longer the state."""
        with self._reading() as catalog, catalog.view():
            if catalog.generation != state.generation:
                raise Changed
            return catalog.execute("SELECT id, title FROM documents ORDER BY id").fetchall()

    def found(self, chunks: Sequence[int]) -> dict[int, Found]:
        """What a hit shows of each chunk. Raises `Changed` if one of them is no longer there."""
        if not chunks:
            return {}
        rows: list[Any] = []
        with self._reading() as catalog, catalog.view():
            for group in grouped(chunks):
                rows += catalog.execute(
                    f"""SELECT chunks.id, {snapshot.CHUNK}, document, uri, title,
                        substr(text, min(start, read_start) + 1, max("end", read_end) - min(start, read_start))
                        FROM chunks JOIN documents ON documents.id = document
                        WHERE chunks.id IN ({marks(group)})""",
                    group,
                )
            if len(rows) < len(chunks):
                raise Changed
            return {row[0]: _found(catalog, row) for row in rows}

    def document(self, uri: str) -> Document:
        with self._reading() as catalog:
            row = catalog.execute(
                "SELECT uri, text, title, marks, metadata, media_type FROM documents WHERE uri = ?", (uri,)
            ).fetchone()
            if row is None:
                names = [name for (name,) in catalog.execute("SELECT uri FROM documents LIMIT 10000")]
                raise NotFound(
                    f"The domain {self.name!r} holds no document {uri!r}.{nearest_of(uri, names)}",
                    "Search shows the uris that there are.",
                )
        return as_document(*row)

    def documents(self) -> Iterator[Document]:
        """All of them, in the order of their uris."""
        with self._reading() as catalog:
            uris = [uri for (uri,) in catalog.execute("SELECT uri FROM documents ORDER BY uri")]
        for uri in uris:
            with suppress(NotFound):  # deleted meanwhile
                yield self.document(uri)

    def count(self) -> tuple[int, int]:
        """Documents and chunks."""
        with self._lock:
            catalog = self._opened()
            return (0, 0) if catalog is None else counts(catalog)

    def content_hash(self) -> str:
        """Of all that its documents say, and of what they are called: the same for the same documents."""
        with self._reading() as catalog:
            rows = catalog.execute("SELECT uri, content_hash FROM documents ORDER BY uri").fetchall()
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()

    def failures(self) -> list[Failure]:
        """What could not be read when it was last tried."""
        with self._lock:
            catalog = self._opened()
            if catalog is None:
                return []
            with told(catalog.path):
                return [Failure(*row) for row in catalog.execute("SELECT uri, reason, hint FROM failures ORDER BY uri")]

    def _opened(self) -> Catalog | None:
        """The catalog for reading; None while there is none."""
        try:
            status = (self.folder / FILE).stat()
        except OSError:
            self.close()
            return None
        file = (status.st_dev, status.st_ino)
        if self._catalog is not None and file != self._file:  # removed, and made anew by someone
            self.close()
        if self._catalog is None:
            catalog = Catalog(self.folder)
            if catalog.empty:
                catalog.close()
                return None
            self._catalog, self._file = catalog, file
            weakref.finalize(self, catalog.close)
        return self._catalog

    @contextmanager
    def _reading(self) -> Iterator[Catalog]:
        with self._lock:
            catalog = self._opened()
            if catalog is None:
                raise NotFound(f"The domain {self.name!r} holds nothing yet.", "Ingest a folder into it first.")
            with told(catalog.path):
                yield catalog

    def close(self) -> None:
        with self._lock:
            if self._catalog is not None:
                self._catalog.close()
            self._catalog, self._snapshot = None, EMPTY


def as_document(uri: str, text: str, title: str, marks: str, metadata: str, media_type: str) -> Document:
    return Document(
        uri=uri,
        text=text,
        title=title,
        marks=tuple(Mark(*mark) for mark in json.loads(marks)),
        metadata=json.loads(metadata),
        media_type=media_type,
    )


def counts(catalog: Catalog) -> tuple[int, int]:
    """Documents, and chunks of the recipe in use."""
    rows = catalog.one("SELECT coalesce(sum(rows), 0) FROM segments WHERE recipe = ?", (catalog.meta("recipe"),))
    return catalog.one("SELECT count(*) FROM documents"), rows - catalog.one("SELECT count(*) FROM dead")


def _found(catalog: Catalog, row: Sequence[Any]) -> Found:
    id, (start, end, read_start, read_end, *rest), (document, uri, title, text) = row[0], row[1:8], row[8:]
    first, last = min(start, read_start), max(end, read_end)
    if len(text) != last - first:  # SQLite's substr stops at a NUL
        text = catalog.one("SELECT text FROM documents WHERE id = ?", (document,))[first:last]
    chunk = snapshot.as_chunk((start, end, read_start, read_end, *rest), text[start - first : end - first])
    return Found(id, uri, title, chunk, text[read_start - first : read_end - first])
