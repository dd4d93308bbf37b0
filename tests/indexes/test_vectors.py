"""FAISS against numpy: exact search to the last rank, the graph within its tolerance, filters and deletions in both."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from ragkit.indexes import segment, vectors
from ragkit.indexes.pool import Part, Pool
from ragkit.indexes.ranking import best
from ragkit.indexes.segment import Segment


def unit(count: int, dimension: int = 48, seed: int = 0) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def segment_of(rows: NDArray[np.float32], first: int = 0) -> Segment:
    ids = range(first, first + len(rows))
    arrays = segment.build(ids, ids, [["x"]] * len(rows), rows)
    arrays["graph"] = vectors.graph(arrays["vectors"])
    return Segment("", **arrays)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.04, 0.001])
@pytest.mark.parametrize("borders", [[0, 3000], [0, 1, 900, 3000]])
def test_exact_search_is_numpys(share: float, borders: list[int]) -> None:
    rows, queries = unit(3000), unit(20, seed=1)
    pool = Pool([Part(segment_of(rows[a:b], a), None) for a, b in pairwise(borders)])
    allowed = np.random.default_rng(2).random(3000) < share
    for query in queries:
        scores = np.where(allowed, rows @ query, -2)
        expected = np.argsort(-scores, kind="stable")[: min(50, int(allowed.sum()))]
        found, cosines = vectors.nearest(pool, query, allowed, 50)
        assert found.tolist() == expected.tolist()
        np.testing.assert_allclose(cosines, scores[expected], atol=1e-5)
        np.testing.assert_allclose(vectors.cosines(pool, query, expected), scores[expected], atol=1e-5)


def test_a_graph_finds_nearly_all_and_scores_it_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "GRAPH_FROM", 2000)
    rows, queries = unit(4000, dimension=24), unit(50, dimension=24, seed=1)
    pool = Pool([Part(segment_of(rows), None)])
    assert len(pool.parts[0].segment.graph)
    for allowed in (np.ones(4000, bool), np.arange(4000) % 3 > 0, np.arange(4000) % 100 == 0):
        hits = 0
        for query in queries:
            scores = np.where(allowed, rows @ query, -2)
            expected = set(np.argsort(-scores)[:10].tolist())
            found, cosines = vectors.nearest(pool, query, allowed, 10)
            assert allowed[found].all()
            np.testing.assert_allclose(cosines, scores[found], atol=1e-5)
            hits += len(expected & set(found.tolist()))
        assert hits >= 0.95 * 10 * len(queries)


def test_a_graph_gives_as_many_as_there_are_however_far_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "GRAPH_FROM", 2000)
    centres = unit(20, dimension=24, seed=3)
    rows = np.repeat(centres, 250, axis=0) + 0.05 * unit(5000, dimension=24, seed=4)
    rows = np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
    pool = Pool([Part(segment_of(rows), None)])
    far = int(np.argmin(centres @ centres[0]))
    allowed = np.arange(5000) // 250 == far
    allowed[250 * ((far + 1) % 20) :][:200] = True
    for n in (10, 200):
        found, _ = vectors.nearest(pool, centres[0], allowed, n)
        assert len(set(found.tolist())) == n
        assert allowed[found].all()


@pytest.mark.parametrize("count", [0, 1, 255, 256, 10_000])
@pytest.mark.parametrize("levels", [2, 50, 100_000])
def test_the_best_rows_are_those_of_a_full_sort(count: int, levels: int) -> None:
    scores = np.random.default_rng(count).integers(0, levels, count).astype(np.float32)
    for n in (1, 7, 100, 20_000):
        for above in (-np.inf, 0.0):
            order = [int(row) for row in np.argsort(-scores, kind="stable") if scores[row] > above]
            assert best(scores, n, above).tolist() == order[:n]
