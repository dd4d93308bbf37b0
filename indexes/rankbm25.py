"""The variants of BM25 in the package rank-bm25, as strategies to compare with and as the reference of our own.

Trotman, Puurula and Burgess, Improvements to BM25 and Language Models Examined (2014). Every search goes over every
chunk in Python: fine for thousands of them, slow for hundreds of thousands.
"""

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ragkit.indexes.pool import K1, B, Pool
from ragkit.indexes.segment import Array

VARIANTS = {"bm25-okapi": "BM25Okapi", "bm25-l": "BM25L", "bm25-plus": "BM25Plus"}
_made: WeakKeyDictionary[Pool, dict[str, Any]] = WeakKeyDictionary()


def scores(pool: Pool, terms: Mapping[str, int], strategy: str) -> Array:
    """One score a row; 0 for what was deleted and for what holds no term of the question."""
    total = np.zeros(len(pool), np.float32)
    if pool.alive_count:
        engines = _made.setdefault(pool, {})
        if strategy not in engines:
            engines[strategy] = _engine(pool, strategy)
        asked = [term for term, times in terms.items() for _ in range(times)]
        total[pool.alive] = engines[strategy].get_scores(asked)
        total[~matching(pool, terms)] = 0  # BM25Plus gives a score to what holds none of them
    return total


def matching(pool: Pool, terms: Mapping[str, int]) -> Array:
    """A truth value a row: whether a term stands in it."""
    found = np.zeros(len(pool), bool)
    for term in terms:
        for part in pool.parts:
            found[part.rows][part.postings(term)[0]] = True
    return found


def _engine(pool: Pool, strategy: str) -> Any:
    import rank_bm25

    return getattr(rank_bm25, VARIANTS[strategy])(texts(pool), k1=K1, b=B)


def texts(pool: Pool) -> list[list[str]]:
    """The terms of each living row, in the order of the alphabet, which BM25 does not mind."""
    rows: list[list[str]] = [[] for _ in range(len(pool))]
    for part in pool.parts:
        for term in part.segment.terms():
            for row, count in zip(*part.postings(term), strict=True):
                rows[part.first + row] += [term] * int(count)
    return [row for row, alive in zip(rows, pool.alive.tolist(), strict=True) if alive]
