"""The best rows by a score, without sorting the rest."""

import numpy as np

from ragkit.indexes.segment import Array

_BLOCK = 256
_SHARE = 4
"""Blocks are so small that there are this many times as many of them as rows are wanted."""


def best(scores: Array, n: int, above: float = -np.inf) -> Array:
    """The `n` rows with the highest scores over `above`, best first; of equals, the first row.

    The n-th largest of the blocks' maxima is a lower bound for the n-th score, and few rows reach it. (numpy's
    argpartition over all rows takes fifty times as long where most scores are the same.)
    """
    block = min(_BLOCK, len(scores) // (_SHARE * n))
    if block > 1:
        whole = len(scores) // block * block
        tops = scores[:whole].reshape(-1, block).max(axis=1)
        bound = np.partition(tops, len(tops) - n)[len(tops) - n]
        rows = np.flatnonzero((scores >= bound) & (scores > above))
    else:
        rows = np.flatnonzero(scores > above)
    return rows[np.lexsort((rows, -scores[rows]))][:n]
