"""Evidence: how probable it is that the passages found for a question hold its answer, and what they lack.

Two small logistic models over the `signs`, multiplied: whether the passages are about what is asked at all, and whether
one place of them says it. As one sum, likeness would make up for the year that is missing, and near-topic questions
would be answered. No weight is negative: more of a sign never speaks against an answer. The weights are readable, in
`enough.json`, with what they were learnt from and by which command.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import exp, log

from pydantic import BaseModel, ConfigDict, Field

from ragkit.collection import Collection
from ragkit.indexes.hit import Hit
from ragkit.lacking import lacking
from ragkit.looked import Looked, look
from ragkit.signs import signs

FILE = "enough.json"
_NO_YEAR = 0.1
"""At most so likely is an answer about a year that stands nowhere. Of 1,389 questions that seven sets answer, none is
about such a year."""
_YEAR = re.compile(r"(?<![\d.,-])(?:1[5-9]|20)\d\d(?![\d-]|[.,]\d)")
_SHORT = r"(?:\b(?:FY|[QH][1-4])\s?|['’]|\d\d/)['’/-]?"
"""Before the last two digits of a year."""
_BOUND = re.compile(r"\b(?:since|before|after|until|till|by|from|between|to|than|the)\s+(?:year\s+)?\Z", re.IGNORECASE)
"""Before a year that need not stand in an answer: what grew since 2010 may be known of 2012."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stage(_Form):
    """A logistic model."""

    offset: float
    weights: dict[str, float]

    def chance(self, signs: Mapping[str, float]) -> float:
        return _logistic(self.offset + sum(weight * signs[name] for name, weight in self.weights.items()))


class Scorer(_Form):
    about: Stage
    """Whether the passages are about what is asked."""
    said: Stage
    """Whether one place says it, if they are."""
    slope: float = Field(gt=0)
    offset: float
    """What makes the product of both a probability (Platt, Probabilistic Outputs for Support Vector Machines, 1999)."""
    enough: float = Field(ge=0, le=1)
    """The probability below which it is better not to answer."""

    def score(self, signs: Mapping[str, float]) -> float:
        product = min(max(self.about.chance(signs) * self.said.chance(signs), 1e-9), 1 - 1e-9)
        return _logistic(self.offset + self.slope * log(product / (1 - product)))


class Weights(_Form):
    version: int
    learnt: dict[str, str]
    """From what, under which licence, and by which command."""
    embedders: list[str]
    """How the identities of those begin whose cosines the first scorer knows."""
    vectors: Scorer
    words: Scorer
    """Without cosines: for other embedders, and for searches by words alone."""


@dataclass(frozen=True, slots=True)
class Closest:
    """The place that came closest: `document.text[start:end] == quote`."""

    domain: str
    uri: str
    title: str
    headings: tuple[str, ...]
    pages: tuple[int, ...]
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Evidence:
    score: float
    """The probability that the passages hold the answer."""
    enough: bool
    closest: Closest | None
    """None when there are no passages."""
    lacking: tuple[str, ...]
    """What was asked for and not found, in plain words, the gravest first. Not empty when it is not enough."""
    signs: Mapping[str, float]


def weigh(question: str, hits: Sequence[Hit], collection: Collection, least: float | None = None) -> Evidence:
    """`least` is the probability that is asked for instead of the learnt one."""
    looked = look(question, hits, collection)
    found = signs(looked, collection)
    weights = shipped()
    known = all(name.startswith(tuple(weights.embedders)) for name in collection.embedders)
    scorer = weights.vectors if known and all("vector" in hit.parts for hit in hits) else weights.words
    asked = bool(hits) and bool(looked.terms)
    score = scorer.score(found) if asked else 0.0
    if _of_no_year(question, hits, collection):
        score = min(score, _NO_YEAR)
    enough = asked and score >= (scorer.enough if least is None else least)
    return Evidence(score, enough, _closest(looked), lacking(looked, collection, enough), found)


def _of_no_year(question: str, hits: Sequence[Hit], collection: Collection) -> bool:
    """Whether it asks of years of which nothing that was searched speaks. A file's name or `FY21` speaks of one."""
    years = {one[0] for one in _YEAR.finditer(question) if not _BOUND.search(question[: one.start()])}
    said = "\n".join(" ".join((hit.uri, hit.title, *hit.headings, hit.text)) for hit in hits)
    return bool(years) and not any(
        collection.frequency.get(year) or re.search(rf"{year}|{_SHORT}{year[2:]}(?!\d)", said) for year in years
    )


@cache
def shipped() -> Weights:
    return Weights.model_validate(json.loads(files("ragkit").joinpath(FILE).read_text("utf-8")))


def _closest(looked: Looked) -> Closest | None:
    if not looked.passages:
        return None
    best = max((one for one in looked.anchors if one.best), key=lambda one: one.together, default=None)
    if best is None or best.best is None:
        hit, start, quote = looked.passages[0].hit, 0, looked.passages[0].hit.text
    else:
        hit, start, quote = best.best.passage.hit, best.best.place.start, best.best.place.text
    first = hit.start + start
    return Closest(hit.domain, hit.uri, hit.title, hit.headings, hit.pages, first, first + len(quote), quote)


def _logistic(value: float) -> float:
    return 1 / (1 + exp(-min(max(value, -60.0), 60.0)))
