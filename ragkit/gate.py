"""The Gate: before anything is written, whether the passages that were found can hold the answer at all.

A model reads the passages and says by itself that they do not hold it. For what is written without one, evidence that
is too weak is told instead of a sentence that only sounds like an answer: see `Abstention.weak`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ragkit.abstention import Abstention, filtered_out, found_nothing, not_enough
from ragkit.collection import collection_of
from ragkit.enough import weigh
from ragkit.indexes.domain import Domain
from ragkit.indexes.hit import Hit


@dataclass(frozen=True, slots=True)
class Gate:
    domains: Mapping[str, Domain]
    least: float | None
    """The probability from which on there is an answer; None for the learnt one."""
    where: Mapping[str, Any] | None
    unfiltered: Callable[[str, Sequence[str] | None], Sequence[Hit]]
    """The same search without the filter."""

    def look(
        self, question: str, hits: Sequence[Hit], names: Sequence[str] | None
    ) -> tuple[float | None, Abstention | None]:
        """How likely an answer is, and why there is none."""
        chosen = [self.domains[name] for name in names or self.domains]
        collection = collection_of(chosen, question)
        if not hits:
            if self.where and self.unfiltered(question, names):
                return None, filtered_out(collection.names, collection.passages, self.where)
            return None, found_nothing(collection.names, collection.passages)
        evidence = weigh(question, hits, collection, self.least)
        if evidence.enough:
            return evidence.score, None
        return evidence.score, not_enough(collection.names, collection.passages, evidence)
