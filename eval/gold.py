"""Resolved gold: what the questions of a set quote, as exact ranges of the documents as these are now.

A quote that no longer stands in its document is a row that says so, never a range somewhere else.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from ragkit.eval.questions import Gold, QuestionSet
from ragkit.eval.quotes import Place, Text

Range = tuple[int, int]
Status = Literal["exact", "moved", "changed", "lost"]


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of one gold range, or of a document that is gold as a whole (it has no quote)."""

    question: str
    """The question's id."""
    uri: str
    quote: str
    status: Status
    """exact: word for word, and where it stood, if that was written down. moved: word for word, elsewhere.
    changed: in other typography (similarity 1) or with words edited; the range begins and ends with words of the quote.
    lost: not there."""
    start: int = 0
    end: int = 0
    text: str = ""
    """What stands there now; of a lost quote nothing, of a whole document nothing."""
    similarity: float = 0.0
    places: int = 0
    """In how many places it stands: the one nearest to where it stood is taken, or the first."""
    reason: str = ""
    """Why it is lost."""


@dataclass(frozen=True)
class Resolved:
    ranges: Mapping[str, Mapping[str, tuple[Range, ...]]]
    """By question id and uri, in order of start. A document that is gold as a whole is one range of all its text.
    What is lost is left out; a question whose gold is all lost has no documents here."""
    reports: tuple[Resolution, ...]
    """One for each gold of each question, in their order."""

    def count(self) -> dict[Status, int]:
        """How many are exact, moved, changed and lost."""
        counted = Counter(report.status for report in self.reports)
        return {status: counted[status] for status in ("exact", "moved", "changed", "lost")}

    @property
    def doubtful(self) -> tuple[Resolution, ...]:
        """What a person should look at: changed, lost, or taken from several places."""
        return tuple(one for one in self.reports if one.status in ("changed", "lost") or one.places > 1)


def resolve(questions: QuestionSet, text_of: Callable[[str], str | None]) -> Resolved:
    """Find all gold in the documents. `text_of` gives a document's text by uri, or None; it is asked once for each."""
    due: dict[str, list[tuple[int, str, Gold]]] = defaultdict(list)
    every = ((question.id, gold) for question in questions for gold in question.gold)
    for order, (question_id, gold) in enumerate(every):
        due[gold.uri].append((order, question_id, gold))
    reports: dict[int, Resolution] = {}
    for uri, wanted in due.items():
        text = text_of(uri)
        document = None if text is None else Text(text)
        for order, question_id, gold in wanted:
            reports[order] = _resolution(question_id, gold, document)
    ordered = tuple(reports[order] for order in sorted(reports))
    return Resolved(_ranges(questions, ordered), ordered)


def _resolution(question: str, gold: Gold, document: Text | None) -> Resolution:
    if document is None:
        return Resolution(question, gold.uri, gold.quote, "lost", reason="There is no such document.")
    if not gold.quote.strip():
        return Resolution(question, gold.uri, "", "exact", 0, len(document.text), similarity=1.0, places=1)
    place = document.find(gold.quote, gold.start)
    if place is None:
        return Resolution(question, gold.uri, gold.quote, "lost", reason=_why(document, gold.quote))
    text = document.text[place.start : place.end]
    return Resolution(
        question,
        gold.uri,
        gold.quote,
        _status(gold, place),
        place.start,
        place.end,
        text,
        place.similarity,
        place.places,
    )


def _status(gold: Gold, place: Place) -> Status:
    if not place.verbatim:
        return "changed"
    return "exact" if gold.start in (None, place.start) else "moved"


def _why(document: Text, quote: str) -> str:
    near = document.nearest(quote)
    if near is None:
        return "The document does not say so."
    shown = " ".join(document.text[near.start : near.end].split())
    return f"The document does not say so; the nearest to it, {near.similarity:.0%} alike, at {near.start}: {shown}"


def _ranges(questions: QuestionSet, reports: tuple[Resolution, ...]) -> dict[str, dict[str, tuple[Range, ...]]]:
    found: dict[str, dict[str, set[Range]]] = {question.id: defaultdict(set) for question in questions}
    for one in reports:
        if one.status != "lost":
            found[one.question][one.uri].add((one.start, one.end))
    return {
        question: {uri: tuple(sorted(ranges)) for uri, ranges in documents.items()}
        for question, documents in found.items()
    }
