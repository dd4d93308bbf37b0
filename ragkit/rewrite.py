"""Writes an answer's text again: the numbers of passages become those of ranges, and what is not supported is seen."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ragkit.answer import Citation, Claim
from ragkit.source import Source
from ragkit.statements import Marked, Statement
from ragkit.verdict import Support

Policy = Literal["strict", "mark", "off"]
"""What becomes of claims that are not supported: left out, marked, or not even looked at."""
DOUBT = "[?]"
"""Stands in the text after a claim that is not supported."""
Range = tuple[str, str, int, int]
"""Domain, uri, start, end."""
_ROW_END = re.compile(r"(?<=\S)\s*\|\s*\Z")
"""Behind it, a row of a table has no more columns."""


@dataclass(frozen=True, slots=True)
class Resting:
    """A statement with the ranges that it rests on: where the marker stood, and what it names."""

    statement: Statement
    said: str
    places: tuple[tuple[int, Citation], ...]
    sources: tuple[Source, ...] = ()
    told: tuple[str, ...] = ()
    """Texts that it names and that are no range of a document."""
    support: Support | None = None

    @property
    def failed(self) -> bool:
        return self.support is not None and self.support.status in ("unsupported", "uncited")

    def claim(self, start: int, end: int, citations: tuple[Citation, ...]) -> Claim:
        support = self.support
        if support is None:
            return Claim(self.said, start, end, citations)
        return Claim(self.said, start, end, citations, support.score, support.status, support.reason)


@dataclass(frozen=True, slots=True)
class Verified:
    text: str
    citations: tuple[Citation, ...]
    claims: tuple[Claim, ...]
    """Those in the text."""
    left_out: tuple[Claim, ...] = ()

    @property
    def unsupported(self) -> tuple[Claim, ...]:
        return (*self.left_out, *(one for one in self.claims if one.status in ("unsupported", "uncited")))

    @property
    def groundedness(self) -> float | None:
        return share((*self.claims, *self.left_out))


def share(claims: Sequence[Claim]) -> float | None:
    """Of the claims that were checked, those that are supported; None when none was."""
    judged = [one for one in claims if one.status in ("supported", "unsupported", "uncited")]
    return sum(one.status == "supported" for one in judged) / len(judged) if judged else None


def rewrite(marked: Marked, resting: Sequence[Resting], policy: Policy, numbers: dict[Range, int]) -> Verified:
    """`numbers` are those that ranges have already, and are added to."""
    text = _Text(numbers)
    claims: list[Claim] = []
    left_out: list[Claim] = []
    last = 0
    for one in resting:
        between = marked.text[last : one.statement.start]
        last = one.statement.end
        if one.failed and policy == "strict":
            left_out.append(one.claim(0, 0, tuple(place for _, place in one.places)))
            text.gap(between)
            continue
        text.gap(between)
        start = text.length
        own = _sentence(marked.text, one, text)
        if one.statement.claims:
            claims.append(one.claim(start, text.length, own))
    text.gap(marked.text[last:])
    if left_out and not claims:  # a heading of nothing is no answer
        return Verified("", (), (), tuple(left_out))
    return Verified(text.whole.rstrip(), text.citations, tuple(claims), tuple(left_out))


def _sentence(given: str, one: Resting, text: "_Text") -> tuple[Citation, ...]:
    """The sentence, with a number wherever a marker stood in it, or after it."""
    at, end = one.statement.start, one.statement.end
    last = end - len(given[at:end]) + len(_ROW_END.sub("", given[at:end]))
    own: dict[int, Citation] = {}
    score = None if one.support is None else one.support.score
    within = [(position, place) for position, place in one.places if at < position < last]
    for position, place in (*within, *((last, place) for position, place in one.places if not at < position < last)):
        text.add(given[at:position])
        at = position
        made = text.numbered(replace(place, support=score))
        if made.marker not in own:
            own[made.marker] = made
            text.mark(made.marker)
    text.add(given[at:last])
    if one.failed:
        text.add(f" {DOUBT}")
    text.add(given[last:end])
    return tuple(own.values())


class _Text:
    """What is written so far."""

    def __init__(self, numbers: dict[Range, int]) -> None:
        self.length = 0
        self._parts: list[str] = []
        self._numbers = numbers
        self._citations: dict[int, Citation] = {}
        self._marked = False
        """What was added last is a marker."""

    @property
    def whole(self) -> str:
        return "".join(self._parts)

    @property
    def citations(self) -> tuple[Citation, ...]:
        return tuple(self._citations[number] for number in sorted(self._citations))

    def add(self, text: str) -> None:
        if text.startswith("(") and self._marked:
            text = f" {text}"  # or a page would take the marker for a link
        self._marked = self._marked and not text
        if text:
            self._parts.append(text)
            self.length += len(text)

    def gap(self, text: str) -> None:
        """What is between two sentences; only once where one was left out, and none at the beginning."""
        if not self._parts:
            return self.add(text.lstrip())
        before = self._parts[-1][len(self._parts[-1].rstrip()) :]
        after = text[: len(text) - len(text.lstrip())]
        if before and after.count("\n") <= before.count("\n"):
            return self.add(text[len(after) :])
        if before:
            self.length -= len(before)
            self._parts[-1] = self._parts[-1].rstrip()
        self.add(text)

    def mark(self, number: int) -> None:
        follows = self._parts and self._parts[-1].endswith("]")
        self.add(f"[{number}]" if follows else f" [{number}]")
        self._marked = True

    def numbered(self, one: Citation) -> Citation:
        """With its number in this answer. Of several claims that rest on it, the best supported one is shown."""
        number = self._numbers.setdefault((one.domain, one.uri, one.start, one.end), len(self._numbers) + 1)
        one = replace(one, marker=number)
        kept = self._citations.get(number)
        if kept is None or (kept.support or 0) < (one.support or 0):
            self._citations[number] = one
        return one
