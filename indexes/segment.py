"""A Segment: an immutable file with the postings and vectors of some chunks, in the safetensors format.

Written whole before the catalog names it, and never changed after: what is deleted is noted in the catalog, and small
segments are merged into larger ones. Rows are in the order of chunk ids. Nothing in it is truth; it can be made anew
from the catalog.
"""

import hashlib
import json
import os
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Damaged(Exception):
    """The file is not what was written."""


@dataclass(frozen=True, eq=False)
class Segment:
    """The arrays of one file, mapped into memory and read when touched."""

    name: str
    ids: Array
    """The chunk of each row, rising."""
    documents: Array
    """The document of each row."""
    lengths: Array
    """The number of terms of each row."""
    words: Array
    """All terms, sorted, end to end as UTF-8; `word_ends` says where each one ends."""
    word_ends: Array
    rows: Array
    """The rows that hold a term, term after term; `row_ends` says where those of each one end."""
    row_ends: Array
    counts: Array
    """How often the term stands in that row."""
    vectors: Array
    graph: Array
    """Of a large segment, the graph through which near vectors are found; else empty."""

    def __len__(self) -> int:
        return len(self.ids)

    def postings(self, term: str) -> tuple[Array, Array]:
        """The rows that hold this term, and how often each one does."""
        at = self._find(term.encode())
        if at is None:
            return self.rows[:0], self.counts[:0]
        start = int(self.row_ends[at - 1]) if at else 0
        end = int(self.row_ends[at])
        return self.rows[start:end], self.counts[start:end]

    def terms(self) -> Iterator[str]:
        """Every term, in order."""
        return (self._word(at).decode() for at in range(len(self.word_ends)))

    def _word(self, at: int) -> bytes:
        start = int(self.word_ends[at - 1]) if at else 0
        return self._blob[start : int(self.word_ends[at])]

    def _find(self, word: bytes) -> int | None:
        at = bisect_left(range(len(self.word_ends)), word, key=self._word)
        return at if at < len(self.word_ends) and self._word(at) == word else None

    @cached_property
    def _blob(self) -> bytes:
        return self.words.tobytes()


_FIELDS = tuple(name for name in Segment.__dataclass_fields__ if name != "name")


def build(
    ids: Sequence[int], documents: Sequence[int], terms: Sequence[Sequence[str]], vectors: Array
) -> dict[str, Array]:
    """The arrays for some chunks, given in the order of their ids."""
    numbers: dict[str, int] = {}
    flat: list[int] = []
    for row in terms:
        flat += [numbers.setdefault(term, len(numbers)) for term in row]
    lengths = np.fromiter(map(len, terms), np.uint32, len(terms))
    # A pair of term and row as one number: sorted, they are the postings.
    pairs = np.array(flat, np.int64) * max(1, len(terms)) + np.repeat(np.arange(len(terms)), lengths)
    pairs, counts = np.unique(pairs, return_counts=True)
    owner, rows = np.divmod(pairs, max(1, len(terms)))
    words, order = _sorted([word.encode() for word in numbers])
    return {
        "ids": np.asarray(ids, np.int64),
        "documents": np.asarray(documents, np.int64),
        "lengths": lengths,
        **_postings(words, order[owner], rows, counts),
        "vectors": np.ascontiguousarray(vectors, np.float32),
        "graph": np.zeros(0, np.uint8),
    }


def merge(segments: Sequence[Segment], alive: Sequence[Array]) -> dict[str, Array]:
    """The rows of several segments that are still alive, as the arrays of one. Segments come in the order of ids."""
    words, order = _sorted([segment._word(at) for segment in segments for at in range(len(segment.word_ends))])
    owners, rows, counts = [], [], []
    first_word, first_row = 0, 0
    for segment, live in zip(segments, alive, strict=True):
        kept = live[segment.rows]
        place = np.cumsum(live) - 1 + first_row
        sizes = np.diff(segment.row_ends, prepend=0)
        owners.append(order[first_word + np.repeat(np.arange(len(sizes)), sizes)[kept]])
        rows.append(place[segment.rows[kept]])
        counts.append(segment.counts[kept])
        first_word += len(sizes)
        first_row += int(live.sum())
    simple = {
        name: np.concatenate([getattr(segment, name)[live] for segment, live in zip(segments, alive, strict=True)])
        for name in ("ids", "documents", "lengths", "vectors")
    }
    postings = _postings(words, np.concatenate(owners), np.concatenate(rows), np.concatenate(counts))
    return {**simple, **postings, "graph": np.zeros(0, np.uint8)}


def _sorted(words: Sequence[bytes]) -> tuple[list[bytes], Array]:
    """The different words in order, and for each word given its place among them."""
    unique = sorted(set(words))
    place = {word: at for at, word in enumerate(unique)}
    return unique, np.fromiter((place[word] for word in words), np.int64, len(words))


def _postings(words: Sequence[bytes], owner: Array, rows: Array, counts: Array) -> dict[str, Array]:
    """Terms without a row any more are left out."""
    order = np.lexsort((rows, owner))
    sizes = np.bincount(owner, minlength=len(words))
    kept = [word for word, size in zip(words, sizes.tolist(), strict=True) if size]
    return {
        "words": np.frombuffer(b"".join(kept), np.uint8),
        "word_ends": np.cumsum([len(word) for word in kept], dtype=np.uint32),
        "rows": rows[order].astype(np.uint32),
        "row_ends": np.cumsum(sizes[sizes > 0], dtype=np.int64),
        "counts": np.minimum(counts[order], 65_535).astype(np.uint16),
    }


def save(path: Path, arrays: Mapping[str, Array]) -> tuple[int, str]:
    """Write a file that is on the disk when this returns; its size and its checksum."""
    from safetensors.numpy import save as to_bytes

    data = to_bytes({name: np.ascontiguousarray(arrays[name]) for name in _FIELDS})
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    sync_folder(path.parent)
    return len(data), hashlib.sha256(data).hexdigest()


def sync_folder(path: Path) -> None:
    """A new name in a folder is safe once the folder is."""
    if os.name == "nt":  # which knows no such thing
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_TYPES = {"F32": np.float32, "I64": np.int64, "U32": np.uint32, "U16": np.uint16, "U8": np.uint8}


def load(path: Path, size: int) -> Segment:
    """Map a file into memory. Raises `Damaged` when it is missing, cut off or no such file.

    safetensors' own reader copies what it reads, and a search touches little of a large file: hence the mapping.
    """
    try:
        if path.stat().st_size != size:
            raise Damaged(f"{path.name} has {path.stat().st_size} bytes, not {size}")
        data = np.memmap(path, np.uint8, "r")
        begin = 8 + int.from_bytes(bytes(data[:8]), "little")
        header = json.loads(bytes(data[8:begin]))
        arrays = {}
        for name in _FIELDS:
            entry = header[name]
            start, end = (begin + offset for offset in entry["data_offsets"])
            arrays[name] = data[start:end].view(_TYPES[entry["dtype"]]).reshape(entry["shape"]).view(np.ndarray)
        return Segment(path.name, **arrays)
    except FileNotFoundError:
        raise Damaged(f"{path.name} is missing") from None
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{path.name} is no segment: {error}") from error


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
