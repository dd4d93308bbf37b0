"""Our BM25 against rank-bm25's, term by term, and against itself after deletions."""

import random
from collections import Counter
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rank_bm25 import BM25L, BM25Okapi, BM25Plus

from ragkit.indexes import lexical, rankbm25, segment
from ragkit.indexes.pool import K1, B, Part, Pool
from ragkit.indexes.segment import Segment

WORDS = [f"w{number}" for number in range(60)]


def texts(seed: int, count: int = 80) -> list[list[str]]:
    """As in language: some words in most texts, most words in few."""
    chance = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    return [chance.choices(WORDS, weights, k=chance.randrange(1, 40)) for _ in range(count)]


def segment_of(rows: list[list[str]], first: int = 0) -> Segment:
    ids = range(first, first + len(rows))
    return Segment("", **segment.build(ids, ids, rows, np.zeros((len(rows), 2), np.float32)))


def pool_of(rows: list[list[str]]) -> Pool:
    return Pool([Part(segment_of(rows), None)])


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_rank_bm25_but_for_the_idf(seed: int) -> None:
    rows = texts(seed)
    pool, reference = pool_of(rows), BM25Okapi(rows, k1=K1, b=B)
    frequencies = Counter(word for row in rows for word in set(row))
    reference.idf = {word: lexical.idf(len(rows), count) for word, count in frequencies.items()}
    for query in (["w3"], ["w0", "w1", "w20"], ["w5", "w5", "w9"], WORDS):
        ours = lexical.scores(pool, Counter(query))
        np.testing.assert_allclose(ours, reference.get_scores(query), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_with_okapis_own_idf_they_are_its_own_wherever_it_is_not_cut_off(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """rank-bm25 replaces the idf of words in more than half of the texts; for all others the formulas agree."""
    monkeypatch.setattr(lexical, "idf", lambda count, held: log(count - held + 0.5) - log(held + 0.5))
    rows = texts(seed)
    pool, reference = pool_of(rows), BM25Okapi(rows, k1=K1, b=B)
    held = Counter(word for row in rows for word in set(row))
    rare = [word for word in WORDS if 0 < held[word] < len(rows) / 2]
    assert len(rare) > 20
    for query in (rare[:1], rare[:5], rare):
        np.testing.assert_allclose(
            lexical.scores(pool, Counter(query)), reference.get_scores(query), rtol=1e-4, atol=1e-4
        )


def test_lucenes_idf_is_never_negative_and_falls_with_frequency() -> None:
    values = [lexical.idf(100, held) for held in range(1, 101)]
    assert values == sorted(values, reverse=True)
    assert values[-1] > 0
    assert values[0] == pytest.approx(log(1 + 99.5 / 1.5))


@pytest.mark.parametrize(("name", "engine"), [("bm25-okapi", BM25Okapi), ("bm25-l", BM25L), ("bm25-plus", BM25Plus)])
def test_the_strategies_of_rank_bm25_are_its_own(name: str, engine: type) -> None:
    rows = texts(7)
    query = ["w1", "w4", "w4", "w30"]
    expected = np.asarray(engine(rows, k1=K1, b=B).get_scores(query))
    ours = rankbm25.scores(pool_of(rows), Counter(query), name)
    holding = np.array([bool(set(query) & set(row)) for row in rows])
    np.testing.assert_allclose(ours[holding], expected[holding], rtol=1e-5, atol=1e-5)
    assert not ours[~holding].any()


@given(st.integers(0, 10_000), st.sets(st.integers(0, 79), max_size=70), st.integers(1, 79))
def test_what_was_deleted_counts_for_nothing_and_borders_of_segments_do_not_show(
    seed: int, dead: set[int], border: int
) -> None:
    rows = texts(seed)
    alive = np.array([at not in dead for at in range(len(rows))])
    kept = [row for at, row in enumerate(rows) if at not in dead]
    parts = [
        Part(segment_of(rows[:border]), alive[:border]),
        Part(segment_of(rows[border:], border), alive[border:]),
    ]
    query = Counter({"w0": 1, "w2": 2, "w11": 1, "none": 1})
    fresh = lexical.scores(pool_of(kept), query) if kept else np.zeros(0)
    np.testing.assert_allclose(lexical.scores(Pool(parts), query)[alive], fresh, rtol=1e-6)


@given(st.integers(0, 10_000), st.sets(st.integers(0, 79), max_size=79), st.integers(0, 80))
def test_a_merge_holds_what_is_alive_and_nothing_else(seed: int, dead: set[int], border: int) -> None:
    rows = texts(seed)
    halves = [segment_of(rows[:border]), segment_of(rows[border:], border)]
    alive = [np.array([int(id) not in dead for id in half.ids], bool) for half in halves]
    merged = Segment("", **segment.merge(halves, alive))
    kept = [at for at in range(len(rows)) if at not in dead]
    assert merged.ids.tolist() == kept
    fresh = segment_of([rows[at] for at in kept])
    assert list(merged.terms()) == list(fresh.terms()) == sorted({word for at in kept for word in rows[at]})
    for word in WORDS:
        for ours, expected in zip(merged.postings(word), fresh.postings(word), strict=True):
            assert ours.tolist() == expected.tolist()
