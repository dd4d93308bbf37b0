"""Which lines of a PDF are headings: those that its outline names, or else those set in larger or bolder type."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from ragkit.connectors.pdfpage import Line, Page

Outline = Mapping[int, Sequence[tuple[str, int]]]
"""By page number, from 1: the titles that point to it, and their levels, from 1."""

_SIZE = 1.12
_LONGEST = 160
_RARE = 0.12
"""The share of a document's characters above which a type is another kind of text, not one of headings."""
_TRUSTED = 0.6
"""The share of an outline's titles that must stand on their pages for the outline to be believed."""
_FEW = 1000
"""Characters that are few in a document of any length."""
_RUN = 4
"""More lines than this below each other are a paragraph, whatever they are set in."""
_NO_LETTER = re.compile(r"[\W_]+")


Type = tuple[float, bool]
"""What a line is set in: the font's size, and whether it is bold."""


class _Types(NamedTuple):
    body: float
    """The size of most of the text."""
    levels: Mapping[Type, int]


def mark_headings(pages: Sequence[Page], outline: Outline) -> None:
    """Give heading lines their level."""
    types = _types(pages)
    named = _lines_of_outline(pages, outline)
    title = _title(pages, types) if named else None
    for page in pages:
        for type, group in groupby(page.lines, _type):
            lines = list(group)
            for line in lines:
                if not named:
                    line.level = _level(line, types) if len(lines) <= _RUN else 0
                elif id(line) in named:
                    line.level = named[id(line)] + (title is not None)
                elif type == title and page is pages[0] and len(lines) <= _RUN:
                    line.level = 1


def _lines_of_outline(pages: Sequence[Page], outline: Outline) -> dict[int, int]:
    """Lines (by identity) and levels of the titles found on their pages; none if too few are."""
    found: dict[int, int] = {}
    hits = 0
    for page in pages:
        texts = [_NO_LETTER.sub("", line.text.lower()) for line in page.lines]
        for title, level in outline.get(page.number, ()):
            lines = _lines_that_say(texts, _NO_LETTER.sub("", title.lower()))
            hits += bool(lines)
            found.update((id(page.lines[at]), level) for at in lines)
    total = sum(len(titles) for titles in outline.values())
    return found if total >= 3 and hits >= _TRUSTED * total else {}


def _lines_that_say(texts: Sequence[str], title: str) -> range:
    """A title stands on one line or on up to three below each other."""
    for at in range(len(texts)):
        said = ""
        for end in range(at, min(at + 3, len(texts))):
            said += texts[end]
            if said == title:
                return range(at, end + 1)
    return range(0)


def _title(pages: Sequence[Page], types: _Types) -> Type | None:
    """The largest type on the first page, in which an outline rarely names the title of the whole."""
    found = [_type(line) for line in pages[0].lines if _level(line, types)] if pages else []
    return max(found, default=None)


def _types(pages: Sequence[Page]) -> _Types:
    """The types of headings: larger than the body's, or bold in the body's size where most of the text is not."""
    counts: Counter[Type] = Counter()
    for page in pages:
        for line in page.lines:
            counts[_type(line)] += len(line.text)
    if not counts:
        return _Types(0, {})
    body = counts.most_common(1)[0][0][0]
    bold = sum(count for (_, bold), count in counts.items() if bold)
    least = body * 0.97 if bold < 0.25 * counts.total() else body * 6
    most = max(_FEW, _RARE * counts.total())
    rare = [type for type, count in counts.items() if count < most and type[0] < body * 6]
    found = [type for type in rare if type[0] > body * _SIZE or (type[1] and type[0] > least)]
    return _Types(body, {type: min(level, 6) for level, type in enumerate(sorted(found, reverse=True), 1)})


def _type(line: Line) -> Type:
    return (round(line.size * 2) / 2, line.bold)


def _level(line: Line, types: _Types) -> int:
    """A heading's level, or 0 for what is none."""
    letters = sum(character.isalpha() for character in line.text)
    if line.is_row or letters < 2 or letters * 2 < len(line.text) or len(line.text) > _LONGEST or line.text[0] == "(":
        return 0
    if line.size <= types.body * _SIZE and (line.hyphenated or line.text[0].islower() or line.text[-1] in ".,:;"):
        return 0  # bold words in the running text, not a title on a line of its own
    return types.levels.get(_type(line), 0)
