"""A marked text: what a model wrote, its markers `[2]` taken out, and each with the sentence that it stands for.

Code decides what a marker means; here is only found where it stands.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ragkit.indexes.sentences import sentences
from ragkit.markers import single, unmarked
from ragkit.model import Quote

_MARKER = re.compile(r"^\[(\d{1,4})\][^\S\n]?|[^\S\n]?\[(\d{1,4})\]", re.MULTILINE)
"""With the blank before it, but no line end; at the beginning of a line, with the one behind it."""
_WITHIN = re.compile(r"\[((?:\[\d{1,4}\][,; ]{0,2})+)\]")
_SAYS = re.compile(r"[^\W_]")
_NO_CLAIM = re.compile(r"\s*#{1,6}\s|.*[:?]\W*\Z|\s*\|?(?:\s*:?-{2,}:?\s*\|)+", re.DOTALL)
"""A heading, what leads to a list, a question, the line under a table's head."""
_HEAD_OF = re.compile(r"[^\S\n]*\n[^\S\n]*\|?(?:[^\S\n]*:?-+:?[^\S\n]*\|)+")
"""What follows the names of a table's columns."""
_RULE = 400
_OF_THE_SOURCES = re.compile(
    r"\b(?:passages?|documents?|sources?|texts?)\b.{0,60}\b(?:not|n[o']t|no|nothing|nowhere|without)\b"
    r"|\b(?:not|no|nothing)\b.{0,60}\b(?:passages?|documents?|sources?|provided|given)\b",
    re.IGNORECASE | re.DOTALL,
)
"""That something is not said is true of the passages, but no passage says it."""


@dataclass(frozen=True, slots=True)
class Mark:
    at: int
    """Where it stood in the text, when all markers are taken out."""
    number: int
    quote: Quote | None
    """The range that the model itself named."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of the text without markers, and the markers that stand for it."""

    start: int
    end: int
    marks: tuple[Mark, ...]
    claims: bool
    """It says something that a source could support."""


@dataclass(frozen=True, slots=True)
class Marked:
    text: str
    """Without markers."""
    statements: tuple[Statement, ...]


def bare(text: str) -> str:
    """Without markers, to stand in another question."""
    return unmarked(_MARKER.sub("", _single(text))).strip()


def read(text: str, quotes: Sequence[Quote | None] = (), unfinished: bool = False) -> Marked:
    """`quotes` are those of the markers, in their order, when there are any. The last words of an `unfinished` text may
    not have come to their marker: they claim nothing yet."""
    text = _single(text)
    parts: list[str] = []
    marks: list[Mark] = []
    last = length = 0
    for count, match in enumerate(_MARKER.finditer(text)):
        parts.append(text[last : match.start()])
        length += match.start() - last
        last = match.end()
        marks.append(Mark(length, int(match[1] or match[2]), quotes[count] if count < len(quotes) else None))
    parts.append(text[last:])
    whole = unmarked("".join(parts))  # of `[[1]2]`, `[2]` would be left, which nobody wrote
    ranges = [(start, end) for start, end in sentences(whole, 0, len(whole)) if _SAYS.search(whole, start, end)]
    found = _statements(whole, ranges, marks)
    if unfinished and found and not found[-1].marks:
        found[-1] = replace(found[-1], claims=False)
    return Marked(whole, tuple(found))


def _single(text: str) -> str:
    """With each marker on its own, also those of `[[1]]`."""
    return _WITHIN.sub(r"\1", single(text))


def _statements(text: str, ranges: Sequence[tuple[int, int]], marks: Sequence[Mark]) -> list[Statement]:
    """A marker belongs to the sentence before it; at the beginning of a line, to the one after it."""
    own: list[list[Mark]] = [[] for _ in ranges]
    starts = [start for start, _ in ranges]
    for mark in marks:
        before = bisect_left(starts, mark.at) - 1
        if before < 0 or ("\n" in text[ranges[before][1] : mark.at] and before + 1 < len(ranges)):
            before += 1
        if before < len(ranges):
            own[before].append(mark)
    return [
        Statement(start, end, tuple(marked), bool(marked) or _claims(text[start:end], text[end : end + _RULE]))
        for (start, end), marked in zip(ranges, own, strict=True)
    ]


def _claims(sentence: str, following: str) -> bool:
    if _HEAD_OF.match(following):
        return False
    return not (_NO_CLAIM.fullmatch(sentence) or _NO_CLAIM.match(sentence) or _OF_THE_SOURCES.search(sentence))
