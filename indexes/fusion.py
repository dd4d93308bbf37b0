"""Two rankings made one."""

from collections.abc import Sequence

import numpy as np

from ragkit.indexes.segment import Array

_RANK = 60


def scaled(scores: Array, high: float, low: float) -> Array:
    """Scores on a scale on which a ranking runs from 0 to 1 (min-max)."""
    return (scores - low) / (high - low) if high > low else np.where(scores >= high, 1.0, 0.0)


def reciprocal_ranks(rankings: Sequence[Array]) -> tuple[Array, Array]:
    """Rows of several rankings, best first, with the sum of 1 / (60 + rank).

    Cormack, Clarke and Büttcher, Reciprocal rank fusion outperforms Condorcet and individual rank learning methods
    (2009).
    """
    total: dict[int, float] = {}
    for ranking in rankings:
        for rank, row in enumerate(ranking.tolist(), 1):
            total[row] = total.get(row, 0.0) + 1 / (_RANK + rank)
    rows = np.array(sorted(total, key=lambda row: (-total[row], row)), np.int64)
    return rows, np.array([total[row] for row in rows.tolist()])
