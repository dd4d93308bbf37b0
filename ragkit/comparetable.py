"""A table of the figures that the parts of a question were answered with, where each is sure, and all are of one kind.

A wrong figure in a table is far worse than no table. A value is sure when its sentence says it of the measure and of
the period that were asked for, with nothing between them that could be another measure.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from functools import cache

from ragkit.amounts import Figure, dates, figures
from ragkit.answer import Answer
from ragkit.asked import kind_of
from ragkit.extractive import DIFFER
from ragkit.indexes.analyzer import Analyzer
from ragkit.periods import Period, periods
from ragkit.statements import read

_WORD = re.compile(r"[\w$€£%][\w'’&.,%$-]*[\w%]|\w")
_LETTERS = re.compile(r"[^\W\d_][\w'’-]*")
_OPENING = frozenset(
    "of in for the a an at on by to and or from with is are was were do does did our has have had what which".split()  # noqa: SIM905
)
_ASKING = re.compile(r"^\W*(?:what|which|how\s+(?:much|many|\w+)|when|compare)\b\s*", re.IGNORECASE)
_BEHIND = re.compile(
    r"\b(?:of|in|for|at|by|on|to|from|per|during|than|with|between|since|until)\b|[?,;]", re.IGNORECASE
)
"""What a measure is named before: revenue of Alpha, growth in Q3."""
_CLAUSE = re.compile(r"[,;:](?=\s)|\s(?=(?:and|but|while|whereas|with)\s)")
_PLAIN = frozenset(
    word
    for line in (
        "a about all also amounted an and approximately are around at came climbed declined decreased did do does",
        "dropped fell finally first fiscal for fourth fully grew had has have in increased is it its of on our out",
        "over picked quarter reached rose second spent stood the their then third to total totaled totalled totals up",
        "was we were will year",
    )
    for word in line.split()
)
"""Between a measure and its figure these name no other measure."""
_NO_SUBJECT = frozenset("of to from per than by with as for on excluding without".split())  # noqa: SIM905
"""Before a measure that the sentence is not about: a third of revenue."""
_NOT_BEFORE = re.compile(
    r"(?:\b(?:by|up|down|from|than|with|against|versus|vs\.?|least|most|over|under|above|below|another|additional|plus|"
    r"minus|between|nearly|almost|up\s+to|of\s+which)|[(–~<>≥≤±+-])\s*\Z",
    re.IGNORECASE,
)
_NOT_AFTER = re.compile(
    r"\s*(?:(?:more|less|higher|lower|above|below|up|down|per|of|an?|each|every|to|or|faster|slower|fewer|better|worse|"
    r"ahead|short|larger|smaller|points?|times|increase|decrease|rise|drop|growth)\b|[-–/+])",
    re.IGNORECASE,
)
"""A change, a bound, a share of something or a rate is not the value itself."""
_SHARES = frozenset("growth rate margin share percentage percent ratio proportion increase decrease".split())  # noqa: SIM905


def compare(parts: Sequence[Answer]) -> str:
    """A table in Markdown, one row a part, each value with the marker of its sentence; "" where fewer than two parts
    have a sure value, or these are not of one kind.

    The values are words of the answers; what a row is called is what tells its question from the others.
    """
    answered = list({one.question: one for one in parts if one.text}.values())
    words = [_terms(one.question) for one in answered]
    values = [
        _value(one, frozenset[str]().union(*(other for other in words if other is not own)) - own)
        for one, own in zip(answered, words, strict=True)
    ]
    sure = [one for one in values if one]
    if len(sure) < 2 or len({unit for unit, _ in sure}) > 1:
        return ""
    kind, shown = sure[0]
    unit = "" if kind == "date" or kind.casefold() in shown.casefold() else kind
    labels = _labels([one.question for one in answered])
    lines = [f"| {_cell(label)} | {_cell(one[1] if one else '')} |" for label, one in zip(labels, values, strict=True)]
    return "\n".join([f"| | {_cell(unit)} |" if unit else "| | |", "|---|---|", *lines])


def _value(one: Answer, others: Collection[str]) -> tuple[str, str] | None:
    """Its unit and its text with markers; of sources that differ, what each says."""
    if not one.text.startswith(f"{DIFFER}\n"):
        return _said(one.question, one.text, others)
    sides = [_said(one.question, line, others) for line in one.text.splitlines()[1:] if line]
    known = [side for side in sides if side]
    if not known or len(known) < len(sides) or len({unit for unit, _ in known}) > 1:
        return None
    return known[0][0], "; ".join(text for _, text in known)


def _said(question: str, text: str, others: Collection[str]) -> tuple[str, str] | None:
    """The only value of all sentences. Two that differ leave it open which one was asked for."""
    marked = read(text)
    found: dict[tuple[str, str], str] = {}
    for statement in marked.statements:
        said = marked.text[statement.start : statement.end]
        foreign = {term for term in _terms(said) if term in others and term.isalpha()} - _terms(" ".join(_PLAIN))
        if not statement.marks or foreign or " | " in said:
            continue
        marks = "".join(f"[{mark.number}]" for mark in statement.marks)
        for unit, value in _dates(question, said) if kind_of(question) == "when" else _figures(question, said):
            found.setdefault((unit, value), marks)
    if len(found) != 1:
        return None
    (((unit, value), marks),) = found.items()
    return unit, f"{value} {marks}"


def _dates(question: str, said: str) -> list[tuple[str, str]]:
    last = _LETTERS.findall(question)[-1:]
    return [("date", date) for date in dates(said)] if _terms(" ".join(last)) & _terms(said) else []


def _figures(question: str, said: str) -> list[tuple[str, str]]:
    measure = _measure(question)
    if not measure or not _terms(" ".join(measure)) <= _terms(said):
        return []
    place = _subject(measure, question, said)
    clauses = _in_period(question, said)
    if not place or not clauses:
        return []
    counted = kind_of(question) == "count"
    shares = measure[-1].lower() in _SHARES
    head = _terms(measure[-1])
    found: list[tuple[str, str]] = []
    unsure: set[tuple[int, str]] = set()
    places: list[int] = []
    for figure, start, end in _placed(said):
        if figure.text.casefold() in question.casefold() or _NOT_BEFORE.search(said[:start]):
            continue
        if _NOT_AFTER.match(said, end) or not (_terms(figure.unit) & head if counted else figure.measured):
            continue
        first = next((first for first, last in clauses if first <= start < last), None)
        if first is None or (shares and figure.unit != "%"):
            continue
        between = said[max(first, place if place <= start else first) : start]
        if all(_harmless(word, question) for word in _LETTERS.findall(between)):
            found.append((figure.unit, figure.text))
            places.append(first)
        else:
            unsure.add((first, figure.unit))
    if any((first, unit) in unsure for first, (unit, _) in zip(places, found, strict=True)):
        return []
    values = [one for one in found if shares or one[0] != "%"] or found
    return values if len(values) == 1 else []


def _measure(question: str) -> list[str]:
    """The words that name it, its head last: `revenue growth` of "What is our Q3 revenue growth?"."""
    asked = _ASKING.sub("", question)
    behind = _BEHIND.search(asked)
    words = [word for word in _LETTERS.findall(asked[: behind.start()] if behind else asked) if not periods(word)]
    if kind_of(question) == "count":
        return words[:1]
    return [word for word in words if word.lower() not in _OPENING and not word[0].isupper()]


def _subject(measure: Sequence[str], question: str, said: str) -> int:
    """Where the measure ends in a sentence that is about it, and about no part of it; else 0."""
    head = _terms(measure[-1])
    words = list(_LETTERS.finditer(said))
    for at, word in enumerate(words):
        if not _terms(word[0]) & head:
            continue
        before = words[at - 1][0] if at else ""
        after = words[at + 1][0] if at + 1 < len(words) else ""
        own = not before or before.endswith(("'s", "’s")) or _harmless(before, question)
        if kind_of(question) == "count":
            return word.end()
        if own and before.lower() not in _NO_SUBJECT and (_harmless(after, question) or after.endswith("ed")):
            return word.end()
        if own and before.lower() not in _NO_SUBJECT and figures(said[word.end() :][:12]):
            return word.end()
    return 0


def _harmless(word: str, question: str) -> bool:
    """It names no measure but the one that was asked for."""
    low = word.lower()
    return low in _PLAIN or low.endswith("ly") or bool(periods(word)) or bool(_terms(word) & _terms(question))


def _in_period(question: str, said: str) -> list[tuple[int, int]]:
    """The clauses whose figures are of the period that was asked for: all of them where the sentence names one."""
    asked = {(one.year, one.quarter, one.month): one for one in periods(question)}
    clauses = list(_clauses(said))
    own = [one for one in periods(said) if not one.compared]
    named = {(one.year, one.quarter, one.month) for one in own}
    if not asked:
        return clauses if len(named) < 2 else []
    if len(asked) > 1:
        return []
    (wanted,) = asked.values()
    years = {one.year for one in own if one.year}
    if len(named) == 1:
        return clauses if _is(wanted, own[0], years) else []
    fitting = []
    for first, last in clauses:
        there = [one for one in periods(said[first:last]) if not one.compared]
        if len(there) == 1 and _is(wanted, there[0], years):
            fitting.append((first, last))
    return fitting if len(fitting) == 1 else []


def _is(wanted: Period, one: Period, years: Collection[int]) -> bool:
    """It is as exact: what a year brought is not said of a quarter."""
    if (wanted.quarter, wanted.month) != (one.quarter, one.month):
        return False
    return not wanted.year or one.year == wanted.year or (not one.year and years == {wanted.year})


def _clauses(said: str) -> Iterator[tuple[int, int]]:
    first = 0
    for match in _CLAUSE.finditer(said):
        yield first, match.start()
        first = match.end()
    yield first, len(said)


def _placed(said: str) -> Iterator[tuple[Figure, int, int]]:
    end = 0
    for figure in figures(said):
        start = said.find(figure.text, end)
        if start >= 0:
            end = start + len(figure.text)
            yield figure, start, end


@cache
def _analyzer() -> Analyzer:
    return Analyzer()


def _terms(text: str) -> frozenset[str]:
    return frozenset(_analyzer().terms(text))


def _labels(questions: Sequence[str]) -> list[str]:
    """What each question has between the words that all begin and all end with; all of it where nothing is left."""
    words = [_WORD.findall(one) for one in questions]
    shortest = min(map(len, words))
    first = next((at for at in range(shortest) if len({each[at].lower() for each in words}) > 1), shortest)
    last = next((at for at in range(shortest - first) if len({each[-1 - at].lower() for each in words}) > 1), 0)
    labels = []
    for each, question in zip(words, questions, strict=True):
        own = each[first : len(each) - last]
        while own and (own[0] if len(own[0]) == 1 else own[0].lower()) in _OPENING:
            own = own[1:]
        labels.append(" ".join(own) or question)
    return labels if len(set(labels)) == len(labels) else list(questions)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
