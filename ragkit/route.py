"""A Route: where a question goes, how sure that is, and why. What a selector says on the way to it is a Selection."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ragkit.indexes.recipe import EmbedderSettings
    from ragkit.indexes.segment import Array


@dataclass(frozen=True, slots=True)
class Route:
    tools: tuple[tuple[str, float], ...]
    """Every domain and tool that was looked at, the best first, each with how probable it is that the question belongs
    there. What is lacking to 1 is how probable it is that it belongs to none."""
    chosen: tuple[str, ...]
    """Where it goes: one, several when it is not clear which one, none when it belongs to none of them."""
    confident: bool
    reason: str
    by: str
    """The selector that had the last word."""
    margin: float
    """How far the first is before the second."""

    @property
    def none(self) -> bool:
        return not self.chosen


def as_json(route: Route) -> dict[str, Any]:
    return {
        "tools": [{"name": name, "score": round(score, 4)} for name, score in route.tools],
        "chosen": list(route.chosen),
        "confident": route.confident,
        "none": route.none,
        "reason": route.reason,
        "by": route.by,
        "margin": round(route.margin, 4),
    }


@dataclass(frozen=True, slots=True)
class Selection:
    """What one selector says: a score for each tool on the selector's own scale, and why the first is first."""

    by: str
    scores: Mapping[str, float]
    reason: str

    @property
    def best(self) -> str:
        """The first of equals in the order of names, so that it is always the same one; "" where all are."""
        return "" if self.flat else min(self.scores, key=lambda name: (-self.scores[name], name))

    @property
    def flat(self) -> bool:
        """Whether it tells nothing apart. Then no tool is the first, least of all the one that is listed first."""
        values = list(self.scores.values())
        return not values or (max(values) == min(values) and (len(values) > 1 or not values[0]))

    @property
    def margin(self) -> float:
        top = sorted(self.scores.values(), reverse=True)
        return top[0] - top[1] if len(top) > 1 else (top[0] if top else 0.0)


class Inquiry:
    """A question, of which terms and vectors are made once, and only when someone asks for them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._vectors: dict[EmbedderSettings, Array] = {}
        self._terms: dict[str, Counter[str]] = {}

    def vector(self, embedder: "EmbedderSettings") -> "Array":
        if embedder not in self._vectors:
            from ragkit.indexes.made import embedder_for

            self._vectors[embedder] = embedder_for(embedder).query(self.text)
        return self._vectors[embedder]

    def give(self, embedder: "EmbedderSettings", vector: "Array") -> None:
        """A vector that somebody has made already."""
        self._vectors[embedder] = vector

    def terms(self, language: str) -> Counter[str]:
        if language not in self._terms:
            from ragkit.indexes.analyzer import Analyzer
            from ragkit.indexes.recipe import AnalyzerSettings

            analyzer = _analyzers.setdefault(language, Analyzer(AnalyzerSettings(language=language)))
            self._terms[language] = Counter(sorted(analyzer.terms(self.text)))
        return self._terms[language]


_analyzers: dict[str, Any] = {}


class Selector(Protocol):
    """Made of the profiles of what it chooses among. It may be used alone, or in a cascade with others."""

    @property
    def name(self) -> str: ...

    def select(self, question: Inquiry) -> Selection: ...


def choose(selection: Selection, names: Sequence[str]) -> Route:
    """A selector's word alone as a route: the best one, and nothing where it tells none apart from the others."""
    best = selection.best
    ranked = sorted(((name, selection.scores.get(name, 0.0)) for name in names), key=lambda one: (-one[1], one[0]))
    return Route(tuple(ranked), (best,) if best else (), False, selection.reason, selection.by, selection.margin)
