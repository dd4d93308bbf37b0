"""The cascade: the cheap selectors first, evidence where they are not sure, a model where evidence is not either.

Scores of selectors are added, as each sees what the others do not; the constants by which they are brought to one scale
are the same for all collections. What the sum means is a matter of calibration.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from anyio import to_thread

from ragkit import telemetry
from ragkit.attributes import legal
from ragkit.calibration import UNKNOWN, Scale
from ragkit.errors import RagkitError
from ragkit.evidenceselector import EvidenceSelector
from ragkit.indexes.segment import Array
from ragkit.keywordselector import KeywordSelector
from ragkit.model import ModelError
from ragkit.modelselector import Ask, ModelSelector
from ragkit.profile import Profile
from ragkit.route import Inquiry, Route, Selection, Selector, choose
from ragkit.semanticselector import SHARE, SemanticSelector

if TYPE_CHECKING:
    from opentelemetry.trace import Span

KEYWORDS = 0.015
"""What a keyword's logarithm weighs against a cosine. Between .01 and .03 hardly anything changes, on any set."""
MOST_CHOSEN = 3
"""Where a question goes at most when it is not clear where it belongs."""
ENOUGH = 0.95
"""That many are chosen, so that it is so probable that the right one is among them."""
LEAST = 0.02
"""... and none that is less probable than that."""
BELONGS = 0.8
"""So probable must it be that a question belongs anywhere, for a route to be sure where only documents are known."""


_TOOLS, _CHOSEN = "ragkit.route.tools", "ragkit.route.chosen"
_BY, _SURE = "ragkit.route.by", "ragkit.route.sure"


@dataclass(frozen=True)
class Scales:
    """Of the sum of keyword and semantic selector, and of that with evidence. None: there is nothing to learn from."""

    cheap: Scale | None = None
    full: Scale | None = None


class Cascade:
    name = "cascade"

    def __init__(self, profiles: Sequence[Profile], scales: Scales | None = None) -> None:
        self.profiles = list(profiles)
        self.scales = scales or Scales()
        self.keyword = KeywordSelector(profiles)
        self.semantic = SemanticSelector(profiles)
        self.evidence = EvidenceSelector(profiles)

    def selector(self, name: str) -> Selector | None:
        """One by itself."""
        known: dict[str, Selector] = {"keyword": self.keyword, "semantic": self.semantic, "evidence": self.evidence}
        return known.get(name)

    def cheap(self, question: Inquiry) -> tuple[Array, Array]:
        """The sum of the first two, and how near each tool is."""
        said = self.keyword.select(question)
        near, learnt = self.semantic.parts(question)
        words = np.array([said.scores[one.name] for one in self.profiles])
        return near + SHARE * learnt + KEYWORDS * words, near

    def full(self, question: Inquiry, cheap: Array, near: Array, without: tuple[int, int] | None = None) -> Array:
        """With evidence. A tool without an index is neither favoured nor punished: how near it is counts as that."""
        return self._with(cheap, near, self.evidence.parts(question, without)[0])

    def _with(self, cheap: Array, near: Array, scores: Array) -> Array:
        found = np.array(near)
        found[self.evidence.places] = scores[self.evidence.places]
        total: Array = cheap + found
        return total

    def decide(self, question: Inquiry) -> Route:
        """Without a model."""
        if not self.profiles:
            return Route((), (), False, "There is no domain and no tool to choose among.", self.name, 0.0)
        try:
            cheap, near = self.cheap(question)
        except RagkitError as error:  # the embedder is a server that is down
            route = choose(self.keyword.select(question), self._names)
            return replace(route, reason=f"{route.reason} Nothing else could be compared: {error.reason}")
        if not self.evidence.places:
            return self._route(cheap, self.scales.cheap, lambda: self.semantic.select(question), question)
        if self.scales.cheap is not None:
            route = self._route(cheap, self.scales.cheap, lambda: self.semantic.select(question), question)
            if route.confident and not route.none:
                return route
        found = self.evidence.parts(question)
        totals = self._with(cheap, near, found[0])
        return self._route(totals, self.scales.full, lambda: self.evidence.said(*found), question)

    def _route(self, totals: Array, known: Scale | None, say: Callable[[], Selection], question: Inquiry) -> Route:
        scale = known or UNKNOWN
        odds = scale.odds(totals)
        chances = odds * scale.belonging(float(totals.max()))
        order = sorted(range(len(totals)), key=lambda at: (-totals[at], self._names[at]))
        tools = tuple((self._names[at], float(chances[at])) for at in order)
        said = say()
        margin = float(odds[order[0]] - (odds[order[1]] if len(order) > 1 else 0))
        if scale.inside is not None and totals[order[0]] < scale.inside:
            reason = f"None of these: even {tools[0][0]} is further from it than from nearly all of its own."
            return Route(tools, (), True, reason, said.by, margin)
        if len(order) > 1 and np.ptp(totals) == 0:
            return Route(tools, (), False, "Nothing is known that would tell the tools apart.", said.by, 0.0)
        if odds[order[0]] >= scale.sure:
            reason = self._reason(said, tools[0][0], question)
            # sentences of documents say less about where questions end than questions do
            doubtful = known is not None and self.scales.cheap is None and chances.sum() < BELONGS
            if doubtful:
                reason += " It is not clear that it belongs to any of them."
            return Route(tools, (tools[0][0],), not doubtful, reason, said.by, margin)
        chosen: list[str] = []
        together = 0.0
        for at in order[:MOST_CHOSEN]:
            if chosen and (together >= ENOUGH or odds[at] < LEAST):
                break
            chosen.append(self._names[at])
            together += float(odds[at])
        reason = self._reason(said, tools[0][0], question)
        also = f" It is not clear: {', '.join(chosen[1:])} may hold it, too." if len(chosen) > 1 else ""
        return Route(tools, tuple(chosen), False, reason + also, said.by, margin)

    def _reason(self, said: Selection, best: str, question: Inquiry) -> str:
        """Of the selector that agrees with what was decided."""
        if said.best == best:
            return said.reason
        words = self.keyword.select(question)
        return words.reason if words.best == best else f"{best} is the first by all signs together. {said.reason}"

    @property
    def _names(self) -> list[str]:
        return [one.name for one in self.profiles]


def decide_now(cascade: Cascade, question: Inquiry, by: str = "cascade") -> Route:
    """Without a model, in this thread."""
    with telemetry.span("route", {_TOOLS: len(cascade.profiles)}) as span:
        return _told(span, _first(cascade, question, by))


async def decide(cascade: Cascade, question: Inquiry, by: str = "cascade", ask: Ask | None = None) -> Route:
    """With a model, where there is one and the rest is not sure."""
    with telemetry.span("route", {_TOOLS: len(cascade.profiles)}) as span:
        return _told(span, await _decide(cascade, question, by, ask))


async def _decide(cascade: Cascade, question: Inquiry, by: str, ask: Ask | None) -> Route:
    names = [one.name for one in cascade.profiles]
    if by == "model" and ask is not None:
        return _chosen(await ModelSelector(cascade.profiles, ask).select(question.text), names)
    route = await to_thread.run_sync(_first, cascade, question, by, abandon_on_cancel=True)
    if by != cascade.name or ask is None or not names or (route.confident and not route.none):
        return route
    try:
        said = await ModelSelector(cascade.profiles, ask).select(question.text)
    except ModelError as error:
        return replace(route, reason=f"{route.reason} No model could help: {error.reason}")
    return replace(_chosen(said, names), tools=_reordered(route.tools, said))


def _first(cascade: Cascade, question: Inquiry, by: str) -> Route:
    selector = cascade.selector(by)
    if selector is None:
        return cascade.decide(question)
    return choose(selector.select(question), [one.name for one in cascade.profiles])


def _told(span: "Span", route: Route) -> Route:
    said = {_CHOSEN: list(route.chosen), _BY: route.by, _SURE: route.confident}
    span.set_attributes(legal(said))
    return route


def _chosen(said: Selection, names: Sequence[str]) -> Route:
    ranked = sorted(((name, said.scores[name]) for name in names), key=lambda one: (-one[1], one[0]))
    chosen = tuple(name for name, score in ranked if score > 0)
    return Route(tuple(ranked), chosen, True, said.reason, said.by, said.margin)


def _reordered(tools: tuple[tuple[str, float], ...], said: Selection) -> tuple[tuple[str, float], ...]:
    """What the model chose comes first; the rest keeps its order, and less than any of them."""
    chosen = [(name, score) for name, score in said.scores.items() if score > 0]
    rest = [(name, min(score, 0.5) * (0.5 if chosen else 0.2)) for name, score in tools if not said.scores.get(name)]
    return (*sorted(chosen, key=lambda one: -one[1]), *rest)
