"""Nearest vectors over segments, by FAISS: exact, or by a graph (HNSW) in segments so large that exact takes long.

Malkov and Yashunin, Efficient and robust approximate nearest neighbor search using HNSW graphs (2016). The graph holds
each number of a vector in a byte; what it finds is scored again by the vectors themselves.
"""

from typing import Any
from weakref import WeakKeyDictionary

import faiss
import numpy as np

from ragkit.indexes.pool import Part, Pool
from ragkit.indexes.ranking import best
from ragkit.indexes.segment import Array, Segment

GRAPH_FROM = 500_000
"""Rows from which a segment gets a graph. An exact search takes 5 ms of one core for every 100,000 rows of 384 numbers;
a graph answers in less than one, finds 99 % of the first ten, and takes half a minute for every 100,000 to build."""
_FEW = 0.05
"""The share of rows below which those that a filter allows are compared one by one."""
_LINKS, _BUILD, _SEARCH, _AGAIN = 32, 80, 128, 4
_graphs: WeakKeyDictionary[Segment, Any] = WeakKeyDictionary()


def nearest(pool: Pool, query: Array, allowed: Array, n: int) -> tuple[Array, Array]:
    """The `n` allowed rows with the highest cosines, best first, and the cosines. `allowed`: a truth value a row."""
    rows, cosines = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    for part in pool.parts:
        found, near = _in_part(part, query, allowed[part.rows], n)
        rows.append(found + part.first)
        cosines.append(near)
    joined, scores = np.concatenate(rows), np.concatenate(cosines)
    order = best(scores, n)
    return joined[order], scores[order]


def cosines(pool: Pool, query: Array, rows: Array) -> Array:
    """The cosines of these rows."""
    scores = np.zeros(len(rows), np.float32)
    for part in pool.parts:
        inside = (rows >= part.first) & (rows < part.first + len(part))
        if inside.any():
            scores[inside] = part.segment.vectors[rows[inside] - part.first] @ query
    return scores


def _in_part(part: Part, query: Array, allowed: Array, n: int) -> tuple[Array, Array]:
    count = int(allowed.sum())
    n = min(n, count)
    if n == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    vectors = part.segment.vectors
    if count < len(part) * _FEW:
        rows = np.flatnonzero(allowed)
        scores = vectors[rows] @ query
        order = best(scores, n)
        return rows[order], scores[order]
    if len(part.segment.graph):
        found = _by_graph(part.segment, None if count == len(part) else _Selector(allowed), query, n)
        if len(found[0]) == n:
            return found  # else the graph lost its way: what is allowed lies far from the question
    scores = _all(vectors, query)
    if count < len(part):
        scores[~allowed] = -np.inf
    rows = best(scores, n)
    return rows, scores[rows]


class _Selector:
    """The bits live as long as what points to them."""

    def __init__(self, allowed: Array) -> None:
        self.bits = np.packbits(allowed, bitorder="little")
        self.selector = faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(self.bits))


def _all(vectors: Array, query: Array) -> Array:
    """The cosine of every row: what faiss.IndexFlatIP computes, on the mapped file itself, so opening costs nothing.

    Its own choice of the best rows is left out: for a thousand of 100,000 it takes as long again as the cosines.
    """
    query = np.ascontiguousarray(query, np.float32)
    scores = np.empty(len(vectors), np.float32)
    faiss.fvec_inner_products_ny(  # type: ignore[attr-defined]
        faiss.swig_ptr(scores), faiss.swig_ptr(query), faiss.swig_ptr(vectors), vectors.shape[1], len(vectors)
    )
    return scores


def _by_graph(segment: Segment, selector: _Selector | None, query: Array, n: int) -> tuple[Array, Array]:
    wanted = min(len(segment), max(_AGAIN * n, 40))
    parameters = faiss.SearchParametersHNSW(  # type: ignore[attr-defined]
        efSearch=max(_SEARCH, wanted)
    )
    if selector is not None:
        parameters.sel = selector.selector
    _, found = _opened(segment).search(query[None], wanted, params=parameters)
    rows = found[0][found[0] >= 0]
    scores = segment.vectors[rows] @ query
    order = best(scores, n)
    return rows[order], scores[order]


def graph(vectors: Array) -> Array:
    """For a large segment, its graph as a file of FAISS; for others nothing."""
    if len(vectors) < GRAPH_FROM:
        return np.zeros(0, np.uint8)
    index = faiss.IndexHNSWSQ(vectors.shape[1], faiss.ScalarQuantizer.QT_8bit, _LINKS, faiss.METRIC_INNER_PRODUCT)  # type: ignore[arg-type]
    index.hnsw.efConstruction = _BUILD
    index.train(vectors)
    index.add(vectors)
    serialized: Array = faiss.serialize_index(index)
    return serialized


def _opened(segment: Segment) -> Any:
    if segment not in _graphs:
        _graphs[segment] = faiss.deserialize_index(segment.graph)
    return _graphs[segment]
