"""A Result: what one strategy found and answered for one question. A Run: its results for a whole question set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ragkit.eval.answered import Answered


@dataclass(frozen=True, slots=True)
class Found:
    """A hit as it is kept: a range of a document, in the order of ranks."""

    domain: str
    uri: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Result:
    question: str
    """The question's id."""
    hits: tuple[Found, ...]
    seconds: float
    error: str = ""
    """Why there are none, when the search failed: a row that scores 0, never a gap."""
    answer: Answered | None = None
    """None where the strategy has no model: it only retrieves."""


@dataclass(frozen=True)
class Run:
    name: str
    """The strategy's."""
    question_set: str
    settings: Mapping[str, Any]
    """All that could change a result: strategy, questions, documents, versions. Nothing is drawn, so no seed."""
    results: Mapping[str, Result] = field(default_factory=dict)
    """By question id, one for every question."""
    made: str = ""
    """When it was finished: ISO 8601, UTC."""

    @property
    def answers(self) -> bool:
        """Whether its strategy answers, and does not only retrieve."""
        return any(result.answer is not None for result in self.results.values())

    def documents(self, question: str) -> dict[str, float]:
        """The documents that were found, each with the score of its best hit, which came first."""
        best: dict[str, float] = {}
        for hit in self.results[question].hits:
            best.setdefault(hit.uri, hit.score)
        return best
