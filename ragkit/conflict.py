"""Sources that give different figures for the same thing: an answer shows both, and takes no side.

Careful on purpose. Two sentences are about the same thing when they have nearly the same words, match the same words of
the question, name nothing and no time that the other does not, and differ in one figure of one unit, or in one date.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragkit.amounts import Figure, dates, figures, unit_of
from ragkit.candidates import Candidate
from ragkit.indexes.stopwords import STOP_WORDS
from ragkit.selection import alike
from ragkit.weighing import Question, Weighed

_KINDS = frozenset({"when", "count", "amount", "other", "yes-no"})
_CLOSE = 0.2
"""Of the best one's worth, what the other must have: it may stand in a passage that was found last."""
_SHARED = 0.6
"""Of the words of both, figures left out, those that they share."""
_ALL = 0.9
_LEAST = 0.25
"""Of the question, what the best one must have words of, for its figures to be what was asked for."""
_COUNTS = 0.75
"""Of what can be had of the question, what each of two counts of one thing must have words of, with its title."""
_COUNTED = re.compile(r"\bhow\s+many\s+(?:new\s+)?([^\W\d_]{3,})", re.IGNORECASE)
_SOME = re.compile(
    r"\b(?:of\s+(?:which|whom|them|these|the)|others?|more|fewer|each|another|additional)\b", re.IGNORECASE
)
"""A part, or a difference, is no count of the whole."""
_AS_OF = re.compile(r"\bas\s+of\b", re.IGNORECASE)
"""The day of what is said, not what is said."""
_NAME = re.compile(r"\b[A-Z][\w'’-]*")
_STOP = STOP_WORDS["english"]
_DIGIT = re.compile(r"\d")
_MONTHS = frozenset(
    {"januari", "februari", "march", "april", "may", "june", "juli", "august", "septemb", "octob", "novemb", "decemb"}
)
"""As terms."""


@dataclass(frozen=True, slots=True)
class Side:
    value: str
    said: tuple[Candidate, ...]


Conflict = tuple[Side, ...]


def conflict(question: Question, ranked: Sequence[Weighed]) -> Conflict:
    """The sides, the best first; empty where the sources agree or speak of different things."""
    best = ranked[0]
    if question.kind not in _KINDS or best.said.row or best.own + best.near < _LEAST:
        return ()
    close = [
        one
        for one in ranked
        if one.worth >= _CLOSE * best.worth and one.said.passage.number != best.said.passage.number
    ]
    if (noun := _COUNTED.search(question.text)) and (told := _by_count(question, noun[1], best, close)):
        return told
    mine: str = ""
    sides: dict[str, list[Candidate]] = {}
    for other in close:
        pair = _differing(question, best.said, other.said)
        if pair:
            mine = mine or pair[0]
            if pair[0] == mine:
                sides.setdefault(pair[1], []).append(other.said)
    if not sides:
        return ()
    agreeing = [one.said for one in close if alike(one.said, best.said)]
    return (Side(mine, (best.said, *agreeing)), *(Side(value, tuple(said)) for value, said in sides.items()))


def _by_count(question: Question, noun: str, best: Weighed, close: Sequence[Weighed]) -> Conflict:
    """23 customers were hit, says one document; 27 customers got alerts late, says another, of the same day."""
    sides: dict[float, list[Candidate]] = {}
    for one in (best, *close):
        counts = [each.value for each in figures(one.said.text) if each.unit == unit_of(noun)]
        about = one.own + one.near >= _COUNTS * question.reach and one.spoken >= 0 and not one.said.row
        if len(counts) != 1 or not about or _SOME.search(one.said.text):
            if one is best:
                return ()
            continue
        sides.setdefault(counts[0], []).append(one.said)
    titles = {said.passage.title.partition(" > ")[0] for each in sides.values() for said in each[:1]}
    if len(sides) < 2 or len(titles) < len(sides):
        return ()
    return tuple(Side(f"{value:g}", tuple(said)) for value, said in sides.items())


def _differing(question: Question, one: Candidate, other: Candidate) -> tuple[str, str] | None:
    asked = frozenset(question.terms)
    if (one.known | one.around) & asked != (other.known | other.around) & asked:
        return None
    if _names(one) != _names(other) or not (_one_fact(question, one, other) or _one_wording(one, other)):
        return None
    when = question.kind == "when"
    mine, yours = (set(dates(each.text)) for each in (one, other))
    if mine != yours:
        if any(_AS_OF.search(each.text) for each in (one, other)):
            return None
        new, old = sorted(mine - yours), sorted(yours - mine)
        return (new[0], old[0]) if when and len(new) == len(old) == 1 and _same_figures(one, other) else None
    if when:
        return None
    return _by_figure(figures(one.text), figures(other.text))


def _one_wording(one: Candidate, other: Candidate) -> bool:
    """They differ in figures only, or nearly."""
    words, others = _words(one), _words(other)
    shared = len(words & others)
    return shared >= max(2, _SHARED * len(words | others))


def _one_fact(question: Question, one: Candidate, other: Candidate) -> bool:
    """Each has all words of a question for a figure, and one figure of its kind: the tower is 43 m high, or 45 m."""
    return question.kind in ("count", "amount") and all(
        question.share(each.known) >= _ALL and len(figures(each.text)) == 1 and not dates(each.text)
        for each in (one, other)
    )


def _names(one: Candidate) -> set[str]:
    text = one.text
    for date in dates(text):
        text = text.replace(date, " ")
    return {found.casefold() for found in _NAME.findall(text)} - _STOP


def _same_figures(one: Candidate, other: Candidate) -> bool:
    return {(each.value, each.unit) for each in figures(one.text)} == {
        (each.value, each.unit) for each in figures(other.text)
    }


def _by_figure(mine: Sequence[Figure], yours: Sequence[Figure]) -> tuple[str, str] | None:
    """The one figure in which they differ."""
    if [each.unit for each in mine] != [each.unit for each in yours]:
        return None
    differ = [(first, second) for first, second in zip(mine, yours, strict=True) if first.value != second.value]
    return (differ[0][0].text, differ[0][1].text) if len(differ) == 1 else None


def _words(one: Candidate) -> frozenset[str]:
    return frozenset(term for term in one.known if not _DIGIT.search(term) and term not in _MONTHS)
