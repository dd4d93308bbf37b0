"""A Collection: all that some domains hold, as far as it says how much a word of a question weighs.

Rarity is counted over everything that was searched, not over the few passages that were found: these were chosen for
holding the question's words, so that among them the rare ones look common.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragkit.indexes.analyzer import Analyzer
from ragkit.indexes.lexical import idf
from ragkit.indexes.recipe import AnalyzerSettings

if TYPE_CHECKING:
    from ragkit.indexes.domain import Domain


@dataclass(frozen=True)
class Collection:
    names: tuple[str, ...]
    """Of its domains."""
    passages: int
    embedders: frozenset[str]
    """The identities of those that it was embedded by: what a cosine means differs from one to the other."""
    analyzer: Analyzer
    frequency: Mapping[str, int]
    """How many passages hold a term, of those that were asked for; what is not here stands in none."""

    def weight(self, term: str) -> float:
        """What a term says: the more, the fewer passages hold it."""
        return idf(max(self.passages, self.frequency.get(term, 0)), self.frequency.get(term, 0))


@dataclass
class _Analyzers:
    """Kept, since an analyzer remembers the words that it has cut."""

    known: dict[str, Analyzer] = field(default_factory=dict)

    def of(self, language: str) -> Analyzer:
        if language not in self.known:
            self.known[language] = Analyzer(AnalyzerSettings(language=language))
        return self.known[language]


_ANALYZERS = _Analyzers()


def collection_of(domains: "Sequence[Domain]", text: str) -> Collection:
    """What these domains know of the words of this text. Words are cut as the first domain cuts them."""
    states = [domain.snapshot() for domain in domains]
    made = [state.made for state in states if state.made is not None]
    analyzer = _ANALYZERS.of(made[0].recipe.analyzer.language if made else "english")
    frequency = {
        term: sum(len(part.postings(term)[0]) for state in states for part in state.parts)
        for term in dict.fromkeys(analyzer.terms(text))
    }
    return Collection(
        tuple(domain.name for domain in domains),
        sum(state.pool.alive_count for state in states),
        frozenset(one.embedder for one in made),
        analyzer,
        frequency,
    )
