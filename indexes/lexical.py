"""BM25 over segments: exact scores from the statistics of what is alive.

Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), with Lucene's idf, which is
never negative. Numbers of documents, their mean length and each term's frequency are counted anew for every state of
the index, without what was deleted: an index that was synced a thousand times gives the scores of a new one.
"""

from collections.abc import Mapping
from math import log1p

import numpy as np

from ragkit.indexes.pool import K1, Pool
from ragkit.indexes.segment import Array


def scores(pool: Pool, terms: Mapping[str, int]) -> Array:
    """One score a row, 0 where no term stands. A term that the question repeats counts as often."""
    total = np.zeros(len(pool), np.float32)
    for term, times in terms.items():
        postings = [(part, *part.postings(term)) for part in pool.parts]
        frequency = sum(len(rows) for _, rows, _ in postings)
        if not frequency:
            continue
        weight = np.float32(times * idf(pool.alive_count, frequency) * (K1 + 1))
        for part, rows, counts in postings:
            total[part.rows][rows] += weight * counts / (counts + pool.norms[part.rows][rows])
    return total


def idf(documents: int, frequency: int) -> float:
    """How much a term says: little when it stands in most documents."""
    return log1p((documents - frequency + 0.5) / (frequency + 0.5))
