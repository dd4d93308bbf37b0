"""A Pool: the segments that one search looks at, of one domain or of several, as one long list of rows.

Domains that share embedder and analyzer are searched as if they were one: the rarity of a term is counted over all of
them, so that scores can be compared.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from ragkit.indexes.segment import Array, Segment

K1, B = 1.2, 0.75
"""The usual parameters of BM25: how soon a repeated term stops counting, and how much length matters."""


class Part:
    """A segment in a pool, with what of it is still alive and the pool's row that its first one is."""

    def __init__(self, segment: Segment, alive: Array | None, domain: int = 0) -> None:
        self.segment = segment
        self.alive = alive
        """One truth value a row; none at all when nothing of it was deleted."""
        self.domain = domain
        """The place of the domain that it belongs to, among those searched."""
        self.first = 0

    def __len__(self) -> int:
        return len(self.segment)

    @property
    def rows(self) -> slice:
        return slice(self.first, self.first + len(self))

    def postings(self, term: str) -> tuple[Array, Array]:
        """The living rows of this segment that hold a term, and how often each one does."""
        rows, counts = self.segment.postings(term)
        if self.alive is None or not len(rows):
            return rows, counts
        kept = self.alive[rows]
        return rows[kept], counts[kept]


class Pool:
    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = [Part(part.segment, part.alive, part.domain) for part in parts]
        self._size = 0
        for part in self.parts:
            part.first = self._size
            self._size += len(part)

    def __len__(self) -> int:
        return self._size

    @cached_property
    def ids(self) -> Array:
        return self._joined([part.segment.ids for part in self.parts], np.int64)

    @cached_property
    def domains(self) -> Array:
        """The place of the domain of each row."""
        return np.repeat([part.domain for part in self.parts], [len(part) for part in self.parts])

    @cached_property
    def documents(self) -> Array:
        return self._joined([part.segment.documents for part in self.parts], np.int64)

    @cached_property
    def alive(self) -> Array:
        return self._joined(
            [np.ones(len(part), bool) if part.alive is None else part.alive for part in self.parts], np.bool_
        )

    @cached_property
    def alive_count(self) -> int:
        return sum(len(part) if part.alive is None else int(part.alive.sum()) for part in self.parts)

    @cached_property
    def norms(self) -> Array:
        """What BM25 adds to a term's count: more for a row that is longer than the mean of the living."""
        lengths = self._joined([part.segment.lengths for part in self.parts], np.uint32)
        total = int(lengths[self.alive].sum(dtype=np.int64)) if len(self) else 0
        mean = total / self.alive_count if total else 1.0
        return (K1 * (1 - B + B * lengths / mean)).astype(np.float32)

    @staticmethod
    def _joined(arrays: Sequence[Array], kind: type) -> Array:
        if len(arrays) == 1:
            return arrays[0]
        return np.concatenate(arrays) if arrays else np.zeros(0, kind)
