"""An Atom: the smallest piece that chunks are put together from: a sentence, a table that fits, or a part of one."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

from ragkit.indexes.measure import Measure
from ragkit.indexes.outline import Block, Outline, Section
from ragkit.indexes.sentences import Range, sentences

_GRAIN = 64
"""Characters of a run of words: fine enough to fill a chunk well, and far fewer to count than single words."""
_TITLE = 80
"""Characters of a paragraph without a full stop that may be a title."""
_CLAUSE = re.compile(r"[,;:)،؛.!?…]\s+|[，；：、]|\s[—–|-]\s+|[\n\r]\s*")
_LINE = re.compile(r"[\n\r]\s*")
_EMPTY_LINE = re.compile(r"\n[^\S\n]*\n|\r[^\S\r\n]*\r|\f")
_JOINS = "\u200d\ufe0e\ufe0f"


class Kind(IntEnum):
    HEADING = 0
    SENTENCE = 1
    TABLE = 2
    CODE = 3
    ROW = 4
    LINE = 5
    CLAUSE = 6
    WORDS = 7


_FINER = {
    Kind.TABLE: Kind.ROW,
    Kind.CODE: Kind.LINE,
    Kind.HEADING: Kind.CLAUSE,
    Kind.SENTENCE: Kind.CLAUSE,
    Kind.ROW: Kind.CLAUSE,
}


class Border(IntEnum):
    """What lies before an atom: the higher, the better a place for a chunk to begin."""

    HEADING = 0
    WORD = 1
    CLAUSE = 2
    LEAD_IN = 3
    SENTENCE = 4
    LINE = 5
    PARAGRAPH = 6


class Atom(NamedTuple):
    start: int
    end: int
    kind: Kind
    border: Border
    section: int
    block: int = -1
    """Which of the outline's blocks it is a part of."""


def trimmed(text: str, start: int, end: int) -> Range:
    part = text[start:end]
    first = start + len(part) - len(part.lstrip())
    return first, max(first, start + len(part.rstrip()))


def atoms(outline: Outline, sections: Sequence[Section]) -> list[Atom]:
    """In order, blanks left out; none crosses a border of a section, a heading or a block."""
    found: list[Atom] = []
    before: Atom | None = None
    for start, end, kind, section, block in _stretches(outline, sections):
        if kind is Kind.SENTENCE:
            ranges = sentences(outline.text, start, end)
        else:
            first, last = trimmed(outline.text, start, end)
            ranges = [(first, last)] if first < last else []
        for first, last in ranges:
            border = _border(outline.text, before, first, kind)
            before = Atom(first, last, kind, border, section, block)
            found.append(before)
    return found


def _stretches(outline: Outline, sections: Sequence[Section]) -> Iterator[tuple[int, int, Kind, int, int]]:
    """Parts of sections of one kind each: a heading, a block, or text; with the numbers of section and block."""
    blocks = outline.blocks
    starts = [block.start for block in blocks]
    for number, section in enumerate(sections):
        at = section.start
        if section.path and section.path[-1].start == at:
            stop = min(section.path[-1].end, section.end)
            yield at, stop, Kind.HEADING, number, -1
            at = stop
        block = max(0, bisect_right(starts, at) - 1)
        while block < len(blocks) and blocks[block].start < section.end:
            first, last = max(at, blocks[block].start), min(blocks[block].end, section.end)
            if first < last:
                yield at, first, Kind.SENTENCE, number, -1
                yield first, last, _kind(blocks[block]), number, block
                at = last
            block += 1
        yield at, section.end, Kind.SENTENCE, number, -1


def _kind(block: Block) -> Kind:
    return Kind.TABLE if block.table else Kind.CODE


def _border(text: str, before: Atom | None, start: int, kind: Kind) -> Border:
    if before is None:
        return Border.PARAGRAPH
    if before.kind is Kind.HEADING:
        return Border.HEADING
    gap = text[before.end : start]
    apart = kind is not before.kind or (len(gap) > 1 and _EMPTY_LINE.search(gap) is not None)
    if apart:
        return Border.LEAD_IN if before.kind is Kind.SENTENCE and _leads(text, before) else Border.PARAGRAPH
    return Border.LINE if "\n" in gap else Border.SENTENCE


def _leads(text: str, atom: Atom) -> bool:
    """It belongs to what follows: "as follows:", or a title that is not marked as a heading."""
    sign = text[atom.end - 1]
    return sign == ":" or (atom.end - atom.start < _TITLE and (sign.isalnum() or sign in ",)"))


def measured(
    text: str, whole: Sequence[Atom], measure: Measure, room: Callable[[Atom], float]
) -> tuple[list[Atom], list[float]]:
    """The atoms with what each costs, those that take more than their room cut finer until none does."""
    kept: list[tuple[Atom, float]] = []
    todo: list[Atom] = list(whole)
    while todo:
        small, large = _parted(todo, lambda atom: atom.end - atom.start <= measure.characters)
        counted = measure.costs([text[_with_gap(text, atom.start) : atom.end] for atom in small])
        for atom, cost in zip(small, counted, strict=True):
            if cost <= room(atom) or atom.end - atom.start == 1:
                kept.append((atom, cost))
            else:
                large.append(atom)
        todo = [part for atom in large for part in finer(text, atom)]
    kept.sort(key=lambda pair: pair[0].start)
    return [atom for atom, _ in kept], [cost for _, cost in kept]


def _with_gap(text: str, start: int) -> int:
    """Some tokenizers count the blank before a word, and a line end, as a token or a part of one."""
    at = start
    while at > max(0, start - 2) and text[at - 1].isspace():
        at -= 1
    return at


def _parted(given: Iterable[Atom], test: Callable[[Atom], bool]) -> tuple[list[Atom], list[Atom]]:
    yes: list[Atom] = []
    no: list[Atom] = []
    for atom in given:
        (yes if test(atom) else no).append(atom)
    return yes, no


def finer(text: str, atom: Atom) -> list[Atom]:
    """A table's rows, the lines of code, a sentence's clauses, runs of words, and in the end characters."""
    kind = _FINER.get(atom.kind, Kind.WORDS)
    if kind is Kind.WORDS:
        length = atom.end - atom.start
        ranges = list(runs(text, atom.start, atom.end, _GRAIN if length > _GRAIN else max(1, length // 2)))
    else:
        ranges = list(_cut(text, atom.start, atom.end, _CLAUSE if kind is Kind.CLAUSE else _LINE))
    if len(ranges) == 1:
        return finer(text, atom._replace(kind=kind))
    parts = [Atom(start, end, kind, Border.WORD, atom.section, atom.block) for start, end in ranges]
    borders = [atom.border, *(_inner(text, before, after) for before, after in pairwise(parts))]
    return [part._replace(border=border) for part, border in zip(parts, borders, strict=True)]


def _inner(text: str, before: Atom, after: Atom) -> Border:
    if after.kind in (Kind.ROW, Kind.LINE):
        return _border(text, before, after.start, after.kind)
    return Border.CLAUSE if after.kind is Kind.CLAUSE else Border.WORD


def _cut(text: str, start: int, end: int, after: re.Pattern[str]) -> Iterator[Range]:
    """Apart after each match."""
    at = start
    for border in [*(match.end() for match in after.finditer(text, start, end)), end]:
        first, last = trimmed(text, at, border)
        if first < last:
            yield first, last
        at = border


def runs(text: str, start: int, end: int, grain: int) -> Iterator[Range]:
    """At most `grain` characters each: as many whole words as go in, or a part of a word that is longer."""
    at, end = trimmed(text, start, end)
    while at < end:
        cut = end
        if end - at > grain:
            blank = _last_blank(text[at : at + grain + 1])
            cut = at + blank if blank else whole(text, at + grain, at)
        first, last = trimmed(text, at, cut)
        if first < last:
            yield first, last
        at = cut


def _last_blank(part: str) -> int:
    """Where the last blank stands; 0 where there is none."""
    return next((at for at in range(len(part) - 1, 0, -1) if part[at].isspace()), 0)


def whole(text: str, cut: int, least: int) -> int:
    """`cut`, or a little before it, so that no letter is parted from its accents."""
    at = cut
    while at > max(least, cut - 16) and at < len(text):
        joined = text[at] in _JOINS or text[at - 1] == "\u200d" or unicodedata.combining(text[at])
        if not joined:
            break
        at -= 1
    return at if at > least else cut
