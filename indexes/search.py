"""One question to some domains: rank what is allowed, and show the best as ranges of documents."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ragkit.errors import InvalidInput, RagkitError, nearest_of
from ragkit.indexes import filters, fusion, lexical, links, rankbm25, vectors
from ragkit.indexes.analyzer import Analyzer
from ragkit.indexes.chunk import indexed
from ragkit.indexes.domain import Changed, Domain, Found
from ragkit.indexes.hit import Hit
from ragkit.indexes.made import Made
from ragkit.indexes.pool import Part, Pool
from ragkit.indexes.ranking import best
from ragkit.indexes.reranker import DEPTH, Reranker, rerank
from ragkit.indexes.segment import Array
from ragkit.indexes.snapshot import Snapshot

DEFAULT = "hybrid"
MOST_CHARACTERS = 10_000
"""Of a question. Nobody types more; who pastes a document is told to ask about it instead."""
VECTOR_SHARE = 0.6
_DEPTH = 1000
"""How far down each of two rankings is looked at before they are made one."""
_PATIENCE = 50

_Scored = tuple[float, Domain, Found, dict[str, float]]
"""What becomes a hit, with its score before and what that was made of after it."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows, best first, with their scores and what those were made of."""

    rows: Array
    scores: Array
    parts: Mapping[str, Array]


class _Question:
    """What a strategy may ask for, made once and only when asked for."""

    def __init__(
        self,
        pool: Pool,
        allowed: Array,
        terms: Mapping[str, int],
        made: Made,
        group: Sequence[tuple[Domain, Snapshot]],
        embed: Callable[[], Array],
    ) -> None:
        self.pool, self.allowed, self.terms = pool, allowed, terms
        self._made, self._group, self._embed = made, group, embed
        self._vector: Array | None = None

    @property
    def vector(self) -> Array:
        if self._vector is None:
            self._vector = self._embed()
        return self._vector

    def by_words(self, n: int, scores: Array) -> tuple[Array, Array]:
        """The best `n` rows that hold a word of the question."""
        rows = best(np.where(self.allowed, scores, 0), n, above=0)
        return rows, scores[rows]

    def by_meaning(self, n: int) -> tuple[Array, Array]:
        return vectors.nearest(self.pool, self.vector, self.allowed, n)

    def by_both(self, n: int) -> tuple[Array, "_Both"]:
        """The rows that are among the best `n` of either ranking, rising, and the scales of the two."""
        words = lexical.scores(self.pool, self.terms)
        by_words, top_words = self.by_words(n, words)
        by_meaning, top_meaning = self.by_meaning(n)
        return np.union1d(by_words, by_meaning), _Both(words, _scale(top_words, 0), _scale(top_meaning))

    def links(self, ranking: Ranking) -> list[links.Link]:
        """What these rows point to."""
        places, ids = self.pool.domains[ranking.rows].tolist(), self.pool.ids[ranking.rows].tolist()
        read = [
            domain.found([id for place, id in zip(places, ids, strict=True) if place == at])
            for at, (domain, _) in enumerate(self._group)
        ]
        passages = [
            links.Passage(row, score, read[place][id].text)
            for row, score, place, id in zip(ranking.rows.tolist(), ranking.scores.tolist(), places, ids, strict=True)
        ]
        called = [links.titles(domain, state) for domain, state in self._group]
        return links.links(self.pool, self.allowed, called, Analyzer(self._made.recipe.analyzer), passages)


@dataclass(frozen=True, slots=True)
class _Both:
    """Words and meaning, each with its scale: by them, any row has a score."""

    words: Array
    """The score of every row."""
    by_word: tuple[float, float] | None
    by_meaning: tuple[float, float] | None

    def ranking(self, question: _Question, rows: Array) -> Ranking:
        words, cosines = self.words[rows], vectors.cosines(question.pool, question.vector, rows)
        by_word = np.zeros(len(rows)) if self.by_word is None else fusion.scaled(words, *self.by_word)
        meant = np.zeros(len(rows)) if self.by_meaning is None else fusion.scaled(cosines, *self.by_meaning)
        return Ranking(rows, VECTOR_SHARE * meant + (1 - VECTOR_SHARE) * by_word, {"bm25": words, "vector": cosines})


def _scale(top: Array, low: float | None = None) -> tuple[float, float] | None:
    """A ranking's first score and its thousandth; where it has fewer, `low`, or the last one."""
    if not len(top):
        return None
    if low is None or len(top) >= _DEPTH:
        low = float(top[:_DEPTH][-1])
    return float(top[0]), low


def _bm25(question: _Question, n: int) -> Ranking:
    rows, scores = question.by_words(n, lexical.scores(question.pool, question.terms))
    return Ranking(rows, scores, {"bm25": scores})


def _vector(question: _Question, n: int) -> Ranking:
    rows, scores = question.by_meaning(n)
    return Ranking(rows, scores, {"vector": scores})


def _hybrid(question: _Question, n: int) -> Ranking:
    """Score fusion: each ranking on a scale from 0 to 1; what only one of them found is scored by the other, too."""
    rows, both = question.by_both(max(n, _DEPTH))
    return _first(both.ranking(question, rows), n)


def _linked(question: _Question, n: int) -> Ranking:
    """Score fusion, and a gain for what the best passages point to. Where none points anywhere, it is score fusion."""
    rows, both = question.by_both(max(n, _DEPTH))
    ranking = both.ranking(question, rows)
    found = question.links(_first(ranking, links.FIRST))
    if not found:
        return _first(ranking, n)
    further = np.setdiff1d(np.concatenate([link.rows for link in found]), rows)
    if len(further):
        ranking = _joined(ranking, both.ranking(question, further))
    gains = links.gains(question.pool, question.terms, found, ranking.rows, ranking.scores)
    return _first(Ranking(ranking.rows, ranking.scores + gains, {**ranking.parts, "links": gains}), n)


def _first(ranking: Ranking, n: int) -> Ranking:
    """The best of rows that rise."""
    order = best(ranking.scores, n)
    parts = {name: values[order] for name, values in ranking.parts.items()}
    return Ranking(ranking.rows[order], ranking.scores[order], parts)


def _joined(one: Ranking, other: Ranking) -> Ranking:
    """Of different rows, rising."""
    rows = np.concatenate([one.rows, other.rows])
    order = np.argsort(rows)
    scores = np.concatenate([one.scores, other.scores])[order]
    parts = {name: np.concatenate([values, other.parts[name]])[order] for name, values in one.parts.items()}
    return Ranking(rows[order], scores, parts)


def _rrf(question: _Question, n: int) -> Ranking:
    depth = max(n, _DEPTH)
    words = lexical.scores(question.pool, question.terms)
    by_words, _ = question.by_words(depth, words)
    by_meaning, _ = question.by_meaning(depth)
    rows, scores = fusion.reciprocal_ranks([by_words, by_meaning])
    rows, scores = rows[:n], scores[:n]
    cosines = vectors.cosines(question.pool, question.vector, rows)
    return Ranking(rows, scores, {"bm25": words[rows], "vector": cosines})


def _reference(name: str) -> Callable[[_Question, int], Ranking]:
    def rank(question: _Question, n: int) -> Ranking:
        rows, scores = question.by_words(n, rankbm25.scores(question.pool, question.terms, name))
        return Ranking(rows, scores, {name: scores})

    return rank


STRATEGIES: dict[str, Callable[[_Question, int], Ranking]] = {
    "hybrid": _hybrid,
    "linked": _linked,
    "bm25": _bm25,
    "vector": _vector,
    "rrf": _rrf,
    **{name: _reference(name) for name in rankbm25.VARIANTS},
}


def search(
    domains: Sequence[Domain],
    query: str,
    *,
    strategy: str = "default",
    k: int = 10,
    where: Mapping[str, Any] | None = None,
    reranker: Reranker | None = None,
) -> list[Hit]:
    """The `k` best ranges, or all that match if they are fewer.

    A reranker scores all of the strategy's first `DEPTH` (or `k`) anew, and the best `k` by its scores come back. What
    is further down is not looked at, so that no two hits have scores that cannot be compared.
    """
    rank = _checked(query, strategy, k, where)
    if reranker is None:
        found = _patiently(domains, query, rank, k, where)
    else:
        found = _reranked(reranker, query, _patiently(domains, query, rank, max(k, DEPTH), where))[:k]
    return [_hit(rank, *one) for rank, one in enumerate(found, 1)]


def _patiently(
    domains: Sequence[Domain],
    query: str,
    rank: Callable[[_Question, int], Ranking],
    k: int,
    where: Mapping[str, Any] | None,
) -> list[_Scored]:
    """Again and again, where others change what is searched."""
    for _ in range(_PATIENCE):
        try:
            return _search(domains, query, rank, k, where)
        except Changed:  # a writer committed meanwhile: what was ranked is no longer what is there
            continue
        except IndexError:  # rows that cannot be: a disk or a program altered an index file
            if not any(domain.heal() for domain in domains):
                raise
    if any(domain.heal() for domain in domains):
        return _patiently(domains, query, rank, k, where)
    raise RagkitError("The domains change too fast to be searched.", "Try again in a moment.")


def _checked(query: str, strategy: str, k: int, where: Mapping[str, Any] | None) -> Callable[[_Question, int], Ranking]:
    if len(query) > MOST_CHARACTERS:
        raise InvalidInput(
            f"The question has {len(query):,} characters; at most {MOST_CHARACTERS:,} can be searched for.",
            "Ask a shorter one. To search in a text, put it into a file and ingest that.",
        )
    if k < 1:
        raise InvalidInput(f"k={k} asks for no result.", "Ask for at least 1.")
    if where:
        filters.check(where)
    name = DEFAULT if strategy == "default" else strategy
    if name not in STRATEGIES:
        raise InvalidInput(
            f"There is no strategy {strategy!r}.{nearest_of(strategy, STRATEGIES)}",
            f"Choose one of: {', '.join(STRATEGIES)}.",
        )
    return STRATEGIES[name]


def _search(
    domains: Sequence[Domain],
    query: str,
    rank: Callable[[_Question, int], Ranking],
    k: int,
    where: Mapping[str, Any] | None,
) -> list[_Scored]:
    found: list[_Scored] = []
    groups = [(made, group, _terms(made, query)) for made, group in _comparable(domains)]
    if not any(terms for _, _, terms in groups):
        raise InvalidInput(
            f"{_shortened(query)!r} holds no word to search for.", "Add a word that says what you look for."
        )
    for made, group, terms in groups:
        pool, allowed = _pool(group, where)
        question = _Question(pool, allowed, terms, made, group, lambda: made.load_embedder().query(query))  # noqa: B023
        found += _rows(question, rank, k, [domain for domain, _ in group])
    found.sort(key=lambda one: (-one[0], one[1].name, one[2].uri, one[2].chunk.start))
    return found[:k]


def _reranked(reranker: Reranker, query: str, found: Sequence[_Scored]) -> list[_Scored]:
    """By the text that each hit shows, under the header that it was indexed with."""
    passages = [indexed(one.chunk.header, one.text) for _, _, one, _ in found]
    return [(score, *found[at][1:]) for at, score in rerank(reranker, query, passages)]


def _terms(made: Made, query: str) -> Counter[str]:
    """In a fixed order, so that sums come out the same to the last bit."""
    return Counter(sorted(Analyzer(made.recipe.analyzer).terms(query)))


def _comparable(domains: Sequence[Domain]) -> Iterator[tuple[Made, list[tuple[Domain, Snapshot]]]]:
    """Domains grouped by embedder and analyzer: within a group, scores mean the same."""
    groups: dict[tuple[str, str], tuple[Made, list[tuple[Domain, Snapshot]]]] = {}
    for domain in domains:
        snapshot = domain.snapshot()
        if snapshot.made is not None:
            key = (snapshot.made.embedder, snapshot.made.recipe.analyzer.language)
            groups.setdefault(key, (snapshot.made, []))[1].append((domain, snapshot))
    yield from groups.values()


def _pool(group: Sequence[tuple[Domain, Snapshot]], where: Mapping[str, Any] | None) -> tuple[Pool, Array]:
    """All rows of some domains, and which of them may be found."""
    if len(group) == 1:
        pool = group[0][1].pool
    else:
        parts = [
            Part(part.segment, part.alive, at) for at, (_, snapshot) in enumerate(group) for part in snapshot.parts
        ]
        pool = Pool(parts)
    if not where:
        return pool, pool.alive
    allowed = pool.alive.copy()
    for at, (domain, snapshot) in enumerate(group):
        ids = np.array(domain.matching(snapshot, where), np.int64)
        for part in pool.parts:
            if part.domain == at:
                allowed[part.rows] &= np.isin(part.segment.documents, ids)
    return pool, allowed


def _rows(
    question: _Question, rank: Callable[[_Question, int], Ranking], k: int, domains: Sequence[Domain]
) -> list[_Scored]:
    """The best `k` that are read differently: of chunks that lead to the same passage, the best one counts."""
    n = k
    while True:
        ranking = rank(question, n)
        places = question.pool.domains[ranking.rows]
        ids = question.pool.ids[ranking.rows]
        found: dict[tuple[int, str, int, int], _Scored] = {}
        details = [domain.found(ids[places == at].tolist()) for at, domain in enumerate(domains)]
        for at, (place, id) in enumerate(zip(places.tolist(), ids.tolist(), strict=True)):
            one = details[place][id]
            parts = {name: float(values[at]) for name, values in ranking.parts.items()}
            key = (place, one.uri, one.chunk.read_start, one.chunk.read_end)
            found.setdefault(key, (float(ranking.scores[at]), domains[place], one, parts))
        if len(found) >= k or len(ranking.rows) < n:
            return list(found.values())[:k]
        n *= 2


def _hit(rank: int, score: float, domain: Domain, found: Found, parts: Mapping[str, float]) -> Hit:
    chunk = found.chunk
    return Hit(
        rank=rank,
        score=score,
        domain=domain.name,
        uri=found.uri,
        title=found.title,
        start=chunk.read_start,
        end=chunk.read_end,
        text=found.text,
        pages=chunk.pages,
        headings=chunk.headings,
        matched=(chunk.start, chunk.end),
        parts=parts,
    )


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
