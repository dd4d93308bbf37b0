"""The Writer: changes of documents, gathered and committed together with the index files that belong to them.

A commit writes its index file first, then names it in the same transaction that holds the changed documents, and last
removes the files that nothing names any more. Wherever it is stopped, the catalog names whole files only.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ragkit.connectors.document import Document
from ragkit.errors import Unreadable
from ragkit.indexes import filters, segment, snapshot, vectors
from ragkit.indexes.analyzer import Analyzer
from ragkit.indexes.catalog import Catalog
from ragkit.indexes.chunk import Chunk, make_chunker
from ragkit.indexes.embedder import Embedder
from ragkit.indexes.made import Made
from ragkit.indexes.segment import Array, Segment

MOST_CHUNKS = 1000
"""Chunks after which a commit is due: few enough to lose little, many enough to embed fast."""
MOST_STEPS = 2000
_TIMES = 4
"""Each segment is at least so many times as large as the next, or they are merged: few of them, seldom rewritten."""
_EVERY = 5.0
"""Seconds after which a commit is due, so that a slow reader's or embedder's work is kept."""
_GROUP = 250

Tell = Callable[[str, int, int], None]
"""Takes how far something is: which step, how many are done, of how many."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A document made ready: its row, its facts for filters, its chunks."""

    row: tuple[str, ...]
    facts: Sequence[tuple[str, Any]]
    chunks: Sequence[Chunk]


@dataclass(slots=True)
class _Batch:
    """What the next commit will do, in the order in which it was asked for."""

    steps: list[Callable[[], object]] = field(default_factory=list)
    chunks: list[tuple[int, Chunk]] = field(default_factory=list)
    """Each with the id of its document."""
    deleted: list[int] = field(default_factory=list)
    visible: bool = False
    """Whether a reader will see another state."""


class Writer:
    """Writes one recipe's chunks. There is one at a time: whoever makes it holds the domain's lock."""

    def __init__(self, catalog: Catalog, made: Made, embedder: Embedder, tell: Tell) -> None:
        self.catalog, self.made, self.embedder, self._tell = catalog, made, embedder, tell
        self._chunker = make_chunker(made.recipe.chunker)
        self._analyzer = Analyzer(made.recipe.analyzer)
        self._next_document = int(catalog.meta("next_document"))
        self._next_chunk = int(catalog.meta("next_chunk"))
        self._segments = snapshot.open_segments(catalog, made.id, {})
        self._batch = _Batch()
        self._committed = time.monotonic()

    def cut(self, document: Document) -> "Cut":
        """A document as it will be written. Raises what its chunker raises, or `Unreadable`."""
        row = (
            document.title, document.media_type, document.content_hash, _json(document.metadata),
            _json([[m.kind, m.start, m.end, m.label, m.level, m.number] for m in document.marks]), document.text,
        )  # fmt: skip
        try:
            "".join([document.uri, *row]).encode()
        except UnicodeEncodeError:
            raise Unreadable("It holds signs that are no Unicode.", "Mend what makes it.") from None
        return Cut(row, list(filters.facts(document.metadata)), self._chunker.split(document, self.embedder))

    def add(self, item: int, own_uri: str, uri: str, cut: "Cut", replaces: int | None = None) -> None:
        """A new document, or a new version of one."""
        if replaces is not None:
            self.delete(replaces)
        id, self._next_document = self._next_document, self._next_document + 1
        self._do(lambda: self._insert_document((id, item, own_uri, uri, *cut.row), cut.facts))
        self.index(id, cut.chunks)

    def index(self, id: int, chunks: Sequence[Chunk]) -> None:
        """Chunks of a document that the catalog has, or will have by then."""
        self._batch.chunks += [(id, chunk) for chunk in chunks]
        self._batch.visible = True

    def delete(self, id: int) -> None:
        self._batch.deleted.append(id)
        self._do(lambda: self.catalog.execute("DELETE FROM documents WHERE id = ?", (id,)))

    def note(self, statement: str, *values: object, visible: bool = False) -> None:
        """Another statement for the same transaction."""
        self._do(lambda: self.catalog.execute(statement, values))
        self._batch.visible |= visible

    def _do(self, step: Callable[[], object]) -> None:
        self._batch.steps.append(step)

    @property
    def due(self) -> bool:
        """Whether it is time to commit."""
        full = len(self._batch.chunks) >= MOST_CHUNKS or len(self._batch.steps) >= MOST_STEPS
        return full or (bool(self._batch.steps) and time.monotonic() - self._committed > _EVERY)

    def commit(self) -> None:
        """Everything that was gathered, at once."""
        batch, self._batch = self._batch, _Batch()
        if not (batch.steps or batch.chunks):
            return
        chunks = [chunk for _, chunk in batch.chunks]
        keys = [vector_key(self.made.embedder, chunk) for chunk in chunks]
        rows, new = self._embed(keys, chunks)
        ids = range(self._next_chunk, self._next_chunk + len(chunks))
        fresh = self._segment(ids, [id for id, _ in batch.chunks], chunks, rows)
        gone = self._chunks_of(batch.deleted)
        change = self._rearrange(fresh, {chunk for chunk, _ in gone})
        with self.catalog.transaction():
            self.catalog.many("DELETE FROM chunks WHERE document = ?", [(id,) for id in batch.deleted])
            for step in batch.steps:
                step()
            self.catalog.many("INSERT INTO vectors VALUES (?, ?)", new)
            self._insert_chunks(ids, batch.chunks, keys)
            self._forget_vectors({key for _, key in gone})
            change.register(self.catalog, self.made.id)
            self.catalog.set_meta("next_document", self._next_document)
            self.catalog.set_meta("next_chunk", ids.stop)
            if batch.visible or batch.deleted:
                self.catalog.set_meta("generation", self.catalog.generation + 1)
        self._next_chunk = ids.stop
        change.tidy(self.catalog)
        self._segments = snapshot.open_segments(self.catalog, self.made.id, self._segments)
        self._committed = time.monotonic()

    def _embed(self, keys: Sequence[bytes], chunks: Sequence[Chunk]) -> tuple[Array, list[tuple[bytes, bytes]]]:
        """A vector for each chunk, and those that were not known before."""
        known = known_vectors(self.catalog, keys)
        due = {key: chunk.indexed for key, chunk in zip(keys, chunks, strict=True) if key not in known}
        for group in grouped(list(due)):
            known.update(zip(group, self.embedder.passages([due[key] for key in group]), strict=True))
            self._tell("embed", sum(key in known for key in due), len(due))
        rows = np.array([known[key] for key in keys], np.float32).reshape(len(keys), self.made.dimension)
        return rows, [(key, np.asarray(known[key], np.float32).tobytes()) for key in due]

    def _segment(self, ids: Sequence[int], owners: Sequence[int], chunks: Sequence[Chunk], rows: Array) -> Segment:
        terms = [self._analyzer.terms(chunk.indexed) for chunk in chunks]
        return Segment("", **segment.build(ids, owners, terms, rows))

    def _chunks_of(self, documents: Sequence[int]) -> list[tuple[int, bytes]]:
        found: list[tuple[int, bytes]] = []
        for group in grouped(documents):
            found += self.catalog.execute(f"SELECT id, vector FROM chunks WHERE document IN ({marks(group)})", group)
        return found

    def _rearrange(self, fresh: Segment, gone: set[int]) -> "_Rearrangement":
        """Which segments are written anew: the last ones together with the new rows, and those that are mostly dead."""
        dead = np.array(sorted({row[0] for row in self.catalog.execute("SELECT chunk FROM dead")} | gone), np.int64)
        living = [(one, ~np.isin(one.ids, dead)) for one in self._segments.values()]
        group: list[tuple[Segment, Array]] = [(fresh, np.ones(len(fresh), bool))] if len(fresh) else []
        size = len(fresh)
        while group and living and living[-1][1].sum() < _TIMES * size and self._is_sound(living[-1][0]):
            group.insert(0, living.pop())
            size = sum(int(alive.sum()) for _, alive in group)
        sparse = [one for one in living if one[1].sum() * 2 < len(one[0]) and self._is_sound(one[0])]
        groups = [[one] for one in sparse] + [group] * bool(group)
        change = _Rearrangement(gone)
        number = self.catalog.generation + 1
        for at, members in enumerate(groups):
            change.replace(self.catalog, members, f"{number:08d}-{self._next_chunk}-{at}.safetensors")
        return change

    def _is_sound(self, one: Segment) -> bool:
        """What a disk altered must not pass into a new file with a good checksum; the doctor will make it anew."""
        written = self.catalog.one("SELECT checksum FROM segments WHERE name = ?", (one.name,))
        return bool(segment.checksum(self.catalog.folder / one.name) == written)

    def _forget_vectors(self, keys: Iterable[bytes]) -> None:
        """Those of chunks that were deleted, unless another chunk, or a new one, says the same."""
        self.catalog.many(
            "DELETE FROM vectors WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM chunks WHERE vector = ?1)",
            [(key,) for key in keys],
        )

    def _insert_document(self, row: tuple[object, ...], facts: Sequence[tuple[str, Any]]) -> None:
        self.catalog.execute(f"INSERT INTO documents VALUES ({marks(row)})", row)
        rows = [(key, value, row[0]) for key, value in facts]
        self.catalog.many("INSERT OR IGNORE INTO facts VALUES (?, ?, ?)", rows)

    def _insert_chunks(self, ids: Sequence[int], chunks: Sequence[tuple[int, Chunk]], keys: Sequence[bytes]) -> None:
        rows = [
            (
                id, self.made.id, owner, chunk.start, chunk.end, chunk.read_start, chunk.read_end, chunk.header,
                _json(chunk.headings), _json(chunk.pages), key,
            )
            for id, (owner, chunk), key in zip(ids, chunks, keys, strict=True)
        ]  # fmt: skip
        self.catalog.many("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


class _Rearrangement:
    """New index files in the place of old ones: on the disk already, in force once registered."""

    def __init__(self, gone: set[int]) -> None:
        self.dead = gone
        """Chunks that die by this change and keep their rows."""
        self.buried: list[int] = []
        """Dead chunks whose rows are gone with their old file."""
        self.files: list[tuple[str, int, int, int, int, str]] = []
        self.replaced: list[str] = []

    def replace(self, catalog: Catalog, members: Sequence[tuple[Segment, Array]], name: str) -> None:
        arrays = segment.merge([one for one, _ in members], [alive for _, alive in members])
        for one, alive in members:
            self.buried += one.ids[~alive].tolist()
        self.replaced += [one.name for one, _ in members if one.name]
        if len(arrays["ids"]):
            self.files.append(write_segment(catalog, name, arrays))

    def register(self, catalog: Catalog, recipe: int) -> None:
        catalog.many("INSERT OR IGNORE INTO dead VALUES (?)", [(chunk,) for chunk in self.dead])
        catalog.many("DELETE FROM dead WHERE chunk = ?", [(chunk,) for chunk in self.buried])
        catalog.many("DELETE FROM segments WHERE name = ?", [(name,) for name in self.replaced])
        catalog.many(
            "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(name, recipe, first, last, rows, size, check) for name, first, last, rows, size, check in self.files],
        )

    def tidy(self, catalog: Catalog) -> None:
        for name in self.replaced:
            with suppress(OSError):  # where an open file cannot be removed; the next writer will
                (catalog.folder / name).unlink()


def write_segment(catalog: Catalog, name: str, arrays: dict[str, Array]) -> tuple[str, int, int, int, int, str]:
    """A file of these arrays, as its row in the catalog."""
    arrays["graph"] = vectors.graph(arrays["vectors"])
    size, checksum = segment.save(catalog.folder / name, arrays)
    ids = arrays["ids"]
    return name, int(ids[0]), int(ids[-1]), len(ids), size, checksum


def vector_key(embedder: str, chunk: Chunk) -> bytes:
    return hashlib.blake2b(f"{embedder}\0{chunk.indexed}".encode(), digest_size=16).digest()


def known_vectors(catalog: Catalog, keys: Sequence[bytes]) -> dict[bytes, Array]:
    known: dict[bytes, Array] = {}
    for group in grouped(list(dict.fromkeys(keys))):
        rows = catalog.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks(group)})", group)
        known.update((key, np.frombuffer(vector, np.float32)) for key, vector in rows)
    return known


def grouped(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """In groups small enough for one statement."""
    for at in range(0, len(values), _GROUP):
        yield values[at : at + _GROUP]


def marks(values: Sequence[object]) -> str:
    """As many question marks."""
    return ", ".join("?" * len(values))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
