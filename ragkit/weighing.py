"""How well a sentence answers a question: shared words by how rare they are, the kind of thing asked for, place."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import exp, log

from ragkit.asked import Kind, kind_of
from ragkit.candidates import Candidate
from ragkit.editions import superseded
from ragkit.held import WHO, holds
from ragkit.indexes.analyzer import Analyzer
from ragkit.periods import Period, fit, periods
from ragkit.roles import ROLES, in_role
from ragkit.stated import states

_FRAME = re.compile(
    r"^\W*(?:please\s+)?(?:tell\s+me|give\s+me|show\s+me|list|name|describe|explain|define|compare|"
    r"summari[sz]e)\b|\bhow\s+(?:much|many|long|often|quickly|soon|fast|well)\b|^\W*may\b|(?-i:\bmay\b)",
    re.IGNORECASE,
)
"""Words that say what is wanted, not what about."""
_OWN, _AROUND, _BEFORE, _HOLDS, _RANK, _LABEL = 3.0, 0.9, 0.4, 1.2, -1.1, 1.0
_OTHER_PERIOD, _OUTDATED, _STATES = 1.5, -1.5, 1.2
_SHORT, _HEADING, _ASKS, _LEADS = -0.5, -1.7, -2.0, -0.5
"""Of a logistic regression, rounded: see docs/decisions/extractive.md."""
_WORDS = 4
"""A sentence of fewer is a fragment."""
_NAMED = re.compile(r"(?<!^)(?<![.?!] )\b[A-Z][\w'’&-]*|\b\w*\d[\w.,-]*")
_FRAGMENT = re.compile(
    r"^\W*(?:see|cf\.?|(?:figure|table|fig\.)\s+\d+\s*[:.]|\[\d+\])\s|[:,]$|\barXiv\b|\bpp\.\s*\d|\bdoi\b"
    r"|\bet al\.?,?\s+\(?\d{4}\)?[a-z]?\.$|https?://\S+$",
    re.IGNORECASE,
)
"""References, captions, and what only leads to something else."""


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    kind: Kind
    terms: tuple[str, ...]
    weight: dict[str, float]
    """Of each term: how rare it is among the sentences. All together are 1."""
    reach: float
    """Of its weight, what some sentence has words of: no answer can have more."""
    names: frozenset[str]
    """Terms of names, numbers and dates that some passage has: an answer must be about these very ones."""
    roles: frozenset[str]
    """Of who heads, leads or owns something: these terms."""
    outdated: frozenset[str]
    """Titles of passages that a newer edition among them takes the place of."""
    periods: tuple[Period, ...]
    """That it asks about. Who asks when wants to be told one."""
    dated: frozenset[str]
    """The terms of these: said of another period, they count for nothing."""

    def share(self, terms: Collection[str]) -> float:
        return sum(each for term, each in self.weight.items() if term in terms)

    def named(self, one: Candidate) -> bool:
        """All the names stand in the sentence, or above it."""
        return self.names <= one.known | one.around


def question_of(text: str, known: Sequence[Candidate], analyzer: Analyzer) -> Question:
    terms = tuple(dict.fromkeys(analyzer.terms(_FRAME.sub(" ", text))))
    often = {term: sum(term in one.known for one in known) for term in terms}
    weight = {term: log(1 + len(known) / (1 + often[term])) for term in terms}
    whole = sum(weight.values()) or 1.0
    names = set(analyzer.terms(" ".join(match[0] for match in _NAMED.finditer(text)))) & set(terms)
    found = frozenset(name for name in names if any(name in one.known or name in one.around for one in known))
    kind = kind_of(text)
    spans = periods(text) if kind != "when" else ()
    roles = ROLES & set(terms) if WHO.search(text) else frozenset[str]()
    dated = frozenset(analyzer.terms(" ".join(one.text for one in spans)))
    old = superseded(text, {one.passage.title for one in known})
    shares = {term: each / whole for term, each in weight.items()}
    reach = sum(each for term, each in shares.items() if often[term])
    return Question(text, kind, terms, shares, reach, found, roles, old, spans, dated)


@dataclass(frozen=True, slots=True)
class Weighed:
    said: Candidate
    worth: float
    """In proportion to the odds that it is a part of the answer."""
    own: float
    """The share of the question that it has words of."""
    near: float
    """And what its title, its table's head and the sentences before it have words of."""
    holds: float
    spoken: float
    """Of the periods that are asked about: 1 of these, -1 of others."""


def weighed(question: Question, known: Sequence[Candidate]) -> list[Weighed]:
    """All that has a word of the question, the best first."""
    found = [each for one in known if (each := _weighed(question, one)).own]
    return sorted(found, key=lambda one: (-one.worth, one.said.range))


def said(question: Question, one: Candidate) -> frozenset[str]:
    """The terms of a sentence; of one that names somebody in a role, also the role that the question has."""
    if not question.roles or one.leans:
        return one.known
    return one.known | question.roles if in_role(one.text) else one.known - question.roles


def _weighed(question: Question, one: Candidate) -> Weighed:
    spoken = _spoken(question, one) if question.periods else 0.0
    wrong = question.dated if spoken < 0 else frozenset[str]()
    own = question.share(said(question, one) - wrong)
    around = question.share(one.around - one.known - wrong)
    before = question.share(one.before - one.known - one.around - wrong)
    held = holds(question.kind, one.text, question.text, one.head.text if one.head else "")
    odds = (
        _OWN * own
        + _AROUND * around
        + _BEFORE * before
        + _HOLDS * held * own
        + _OTHER_PERIOD * min(spoken, 0)
        + _OUTDATED * (one.passage.title in question.outdated)
        + _STATES * states(question.text, one.text)
        + _LABEL * question.share(one.label)
        + _RANK * log(one.passage.number)
        + _SHORT * (len(one.known) < _WORDS)
        + _HEADING * one.heading
        + _ASKS * one.text.endswith("?")
        + _LEADS * bool(_FRAGMENT.search(one.text))
    )
    return Weighed(one, exp(odds), own, around + before, held, spoken)


def _spoken(question: Question, one: Candidate) -> float:
    around = (*periods(one.passage.title), *periods(one.above), *(periods(one.head.text) if one.head else ()))
    return fit(question.periods, periods(one.text), around)
