"""The evidence selector: what the index of each domain really finds.

The cosines of the nearest chunks and BM25, counted over all domains as if they were one, so that the scores of two
domains mean the same (the centralised sample of Si and Callan, Relevant Document Distribution Estimation Method for
Resource Selection, 2003). BM25 is put on a scale of 0 to 1 by the most that the question's words could score: a word
that no domain knows counts against all of them.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from ragkit.indexes import lexical
from ragkit.indexes.pool import K1, Part, Pool
from ragkit.indexes.recipe import EmbedderSettings
from ragkit.indexes.segment import Array
from ragkit.profile import Profile, cosines_of
from ragkit.route import Inquiry, Selection

NEAREST, MATCHING = 3, 5
"""Of so many chunks the mean counts: a single one may be there by accident."""
WORDS = 0.5
"""What BM25's 0 to 1 weighs against a cosine."""
MOST = 16_384
"""Vectors of chunks that a question is compared with, evenly out of the domains."""


class EvidenceSelector:
    name = "evidence"

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self._profiles = list(profiles)
        self.places = [at for at, one in enumerate(profiles) if one.indexed]
        groups: dict[tuple[EmbedderSettings, str], list[int]] = {}
        for at in self.places:
            snapshot = profiles[at].snapshot
            assert snapshot is not None and snapshot.made is not None  # noqa: PT018 - it is indexed
            key = (snapshot.made.recipe.embedder, snapshot.made.recipe.analyzer.language)
            groups.setdefault(key, []).append(at)
        share = MOST // max(1, len(self.places))
        self._groups = [
            (*key, places, _Found([profiles[at] for at in places], share)) for key, places in groups.items()
        ]

    def select(self, question: Inquiry) -> Selection:
        return self.said(*self.parts(question))

    def said(self, scores: Array, cosines: Array, words: Array) -> Selection:
        names = [self._profiles[at].name for at in self.places]
        reason = "No domain holds documents."
        if names:
            best = self.places[int(scores[self.places].argmax())]
            reason = (
                f"Found in {self._profiles[best].name}: passages of cosine {cosines[best]:.2f} that match "
                f"{words[best]:.0%} of what the question's words weigh."
            )
        return Selection(self.name, dict(zip(names, scores[self.places].tolist(), strict=True)), reason)

    def parts(self, question: Inquiry, without: "tuple[int, int] | None" = None) -> tuple[Array, Array, Array]:
        """The score of each, and what it is made of. `without`: a profile's place and one of its documents, which is to
        be as if it were not there."""
        cosines, words = np.zeros(len(self._profiles)), np.zeros(len(self._profiles))
        for embedder, language, places, found in self._groups:
            left = (places.index(without[0]), without[1]) if without and without[0] in places else None
            terms = question.terms(language)
            cosines[places] = found.cosines(question.vector(embedder), left)
            words[places] = found.words(terms, left)
        return cosines + WORDS * words, cosines, words


_MOST_TERMS = 2_000


class _Found:
    """Domains of one embedder and analyzer."""

    def __init__(self, profiles: Sequence[Profile], share: int) -> None:
        parts, vectors, documents, ends = [], [], [], [0]
        for at, one in enumerate(profiles):
            own = one.snapshot.parts if one.snapshot is not None else []
            step = max(1, -(-sum(map(len, own)) // share))
            for part in own:
                parts.append(Part(part.segment, part.alive, at))
                rows = np.arange(len(part)) if part.alive is None else np.flatnonzero(part.alive)
                vectors.append(part.segment.vectors[rows[::step]])
                documents.append(part.segment.documents[rows[::step]])
            ends.append(sum(map(len, vectors)))
        self._pool = Pool(parts)
        sizes = np.bincount([part.domain for part in self._pool.parts], [len(part) for part in self._pool.parts])
        self._spans = [0, *np.cumsum(sizes).astype(int).tolist()]
        self._vectors = np.ascontiguousarray(np.concatenate(vectors), np.float32)
        self._documents = np.concatenate(documents)
        self._ends = ends
        self._norms = self._pool.norms
        self._known: dict[str, tuple[Array, Array]] = {}

    def cosines(self, vector: Array, without: tuple[int, int] | None) -> Array:
        all_ = cosines_of(self._vectors, vector)
        if without:
            place, document = without
            span = slice(self._ends[place], self._ends[place + 1])
            all_[span][self._documents[span] == document] = 0
        return _tops(all_, self._ends, NEAREST)

    def words(self, terms: Mapping[str, int], without: tuple[int, int] | None) -> Array:
        scores, most = self._scored(terms)
        if without:
            place, document = without
            span = slice(self._spans[place], self._spans[place + 1])
            scores[span][self._pool.documents[span] == document] = 0
        return _tops(scores, self._spans, MATCHING) / max(most, 1e-9)

    def _scored(self, terms: Mapping[str, int]) -> tuple[Array, float]:
        """BM25 as `lexical.scores` has it, and the most that these terms could score."""
        scores = np.zeros(len(self._pool), np.float32)
        most = 0.0
        for term, times in terms.items():
            rows, counts = self._postings(term)
            weight = np.float32(times * lexical.idf(self._pool.alive_count, len(rows)) * (K1 + 1))
            most += float(weight)
            scores[rows] += weight * counts / (counts + self._norms[rows])
        return scores, most

    def _postings(self, term: str) -> tuple[Array, Array]:
        """Kept for terms that were asked for: a lookup in fifty indexes takes longer than all the sums."""
        known = self._known.get(term)
        if known is None:
            if len(self._known) >= _MOST_TERMS:
                self._known.clear()
            found = [(part.first, *part.postings(term)) for part in self._pool.parts]
            rows = np.concatenate([np.asarray(own, np.int64) + first for first, own, _ in found])
            known = self._known[term] = (rows, np.concatenate([counts for _, _, counts in found]))
        return known


def _tops(scores: Array, ends: Sequence[int], count: int) -> Array:
    """The mean of the highest scores of each span."""
    means = []
    for start, end in pairwise(ends):
        own = scores[start:end]
        k = min(count, len(own))
        means.append(float(np.partition(own, len(own) - k)[len(own) - k :].sum()) / k if k else 0.0)
    return np.array(means)
