"""The keyword selector: the words that a domain declares, and those that it uses more than the others do.

Naive Bayes over words and pairs of words of the examples, and over the terms of the indexes, with a Dirichlet prior
(Zhai and Lafferty, A Study of Smoothing Methods for Language Models, 2004): a domain of ten words says little about
the words that it lacks. No vector is needed, so it is the cheapest of all.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from ragkit.indexes.segment import Array
from ragkit.profile import Profile
from ragkit.route import Inquiry, Selection

PRIOR_OF_TEXTS, PRIOR_OF_INDEX = 50.0, 1000.0
"""How many words of the mean domain are added to each domain's own."""
DECLARED = 4.0
"""What a declared keyword adds: as much as a word that is fifty times as frequent here as elsewhere."""
_SHOWN = 3
_WORD = re.compile(r"\w+")


class KeywordSelector:
    name = "keyword"

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self._names = [profile.name for profile in profiles]
        texts = [Counter(word for text in one.texts for word in features(text)) for one in profiles]
        self._texts = _Table(texts, PRIOR_OF_TEXTS)
        self._languages: dict[str, _Table] = {}
        for language in {_language(one) for one in profiles if one.indexed}:
            counts = [_index(one) if one.indexed and _language(one) == language else {} for one in profiles]
            self._languages[language] = _Table(counts, PRIOR_OF_INDEX)
        declared: dict[str, list[int]] = {}
        for at, one in enumerate(profiles):
            for keyword in {_normal(word) for word in one.keywords}:
                declared.setdefault(keyword, []).append(at)
        self._declared = {keyword: places for keyword, places in declared.items() if keyword.strip()}

    def select(self, question: Inquiry) -> Selection:
        total = np.zeros(len(self._names))
        said: list[tuple[str, Array]] = [
            (word.strip(), weights) for word, weights in self._texts.weights(features(question.text))
        ]
        for language, table in self._languages.items():
            said += table.weights(question.terms(language).elements())
        text = _normal(question.text)
        for keyword, places in self._declared.items():
            if keyword in text:
                weights = np.zeros(len(self._names))
                weights[places] = DECLARED / len(places)
                said.append((keyword.strip(), weights))
        for _, weights in said:
            total += weights
        scores = dict(zip(self._names, total.tolist(), strict=True))
        return Selection(self.name, scores, self._reason(said, total))

    def _reason(self, said: Sequence[tuple[str, Array]], total: Array) -> str:
        if not said or not total.any():
            return "No word of the question tells the tools apart."
        best = int(total.argmax())
        weights: Counter[str] = Counter()
        for word, each in said:
            weights[word] += float(each[best])  # type: ignore[assignment]
        words = [f"“{word}”" for word, weight in weights.most_common(_SHOWN) if weight > 0]
        return (
            f"Words of {self._names[best]}: {', '.join(words)}." if words else f"Words rather of {self._names[best]}."
        )


class _Table:
    """How much more frequent each word is in one place than in the mean of all, as a logarithm."""

    def __init__(self, counts: Sequence[Mapping[str, int]], prior: float) -> None:
        self._rows: dict[str, int] = {}
        for one in counts:
            for word in one:
                self._rows.setdefault(word, len(self._rows))
        table = np.zeros((len(self._rows), len(counts)), np.float32)
        for at, one in enumerate(counts):
            if one:
                rows = np.fromiter((self._rows[word] for word in one), np.int64, len(one))
                table[rows, at] = np.fromiter(one.values(), np.float32, len(one))
        masses = table.sum(axis=0)
        part = masses > 0  # who has no words at all is neither praised nor blamed for it
        shares = table[:, part] / masses[part]
        mean = shares.mean(axis=1, keepdims=True) if part.any() else np.zeros((len(table), 1), np.float32)
        smooth = (table[:, part] + prior * mean) / (masses[part] + prior)
        self._weights = np.zeros_like(table)
        if len(table) and part.sum() > 1:
            self._weights[:, part] = np.log(smooth / smooth.mean(axis=1, keepdims=True))

    def weights(self, words: Iterable[str]) -> list[tuple[str, Array]]:
        return [(word, self._weights[self._rows[word]]) for word in words if word in self._rows]


def features(text: str) -> set[str]:
    """Words as they stand, with the small ones, and pairs of neighbours: in questions they say much."""
    words = _WORD.findall(text.lower())
    return {*words, *(f"{one} {two}" for one, two in pairwise(words))}


def _normal(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.lower()))} "


def _language(profile: Profile) -> str:
    snapshot = profile.snapshot
    return snapshot.made.recipe.analyzer.language if snapshot is not None and snapshot.made is not None else ""


def _index(profile: Profile) -> dict[str, int]:
    """In how many chunks each term stands. Chunks deleted since the last merge still count: a few, for a while."""
    counts: Counter[str] = Counter()
    for part in profile.snapshot.parts if profile.snapshot is not None else ():
        sizes = np.diff(part.segment.row_ends.astype(np.int64), prepend=0)
        counts.update(dict(zip(part.segment.terms(), sizes.tolist(), strict=True)))
    return dict(counts)
