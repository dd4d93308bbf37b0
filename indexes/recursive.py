"""Paragraphs, where too long their lines, then sentences, clauses, words; neighbours merged again up to the size.

After LangChain's RecursiveCharacterTextSplitter: what was parted by a stronger border is never merged over it.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from ragkit.connectors.document import Document
from ragkit.indexes.atoms import Atom, Border, Kind, measured, trimmed
from ragkit.indexes.chunk import Chunk, Ruler
from ragkit.indexes.fitting import fitted
from ragkit.indexes.fixed import windows
from ragkit.indexes.measure import Measure
from ragkit.indexes.outline import Outline
from ragkit.indexes.sentences import Range, sentences

_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*|\f\s*")
_LINE = re.compile(r"[\n\r]\s*")


class _Part(NamedTuple):
    start: int
    end: int
    cost: float
    whole: tuple[int, int]
    """What it is a part of: how deep, and where that begins."""


class Recursive:
    def __init__(self, size: int, overlap: int = 0) -> None:
        self.size = size
        self.overlap = overlap

    def split(self, document: Document, ruler: Ruler) -> list[Chunk]:
        if not document.text.strip():
            return []
        measure = Measure(ruler, self.size)
        ranges: list[Range] = []
        for _, group in groupby(_parts(document.text, measure), key=lambda part: part.whole):
            parts = list(group)
            spans = [(part.start, part.end) for part in parts]
            ranges += windows(spans, [part.cost for part in parts], measure.room, self.overlap)
        return fitted(Outline(document), ranges, measure, headed=False)


def _parts(text: str, measure: Measure) -> list[_Part]:
    """In order: the largest pieces that fit."""
    fine: list[_Part] = []
    coarse: list[Range] = [(0, len(text))]
    for depth in range(3):
        pieces = [(piece, (depth, one[0])) for one in coarse for piece in _pieces(text, *one, depth)]
        short = [pair for pair in pieces if pair[0][1] - pair[0][0] <= measure.characters]
        coarse = [piece for piece, _ in pieces if piece[1] - piece[0] > measure.characters]
        costs = measure.costs([text[start:end] for (start, end), _ in short])
        for ((start, end), within), cost in zip(short, costs, strict=True):
            if cost <= measure.room:
                fine.append(_Part(start, end, cost, within))
            else:
                coarse.append((start, end))
    left = [Atom(start, end, Kind.SENTENCE, Border.SENTENCE, at) for at, (start, end) in enumerate(sorted(coarse))]
    atoms, costs = measured(text, left, measure, lambda _: measure.room)
    fine += [_Part(atom.start, atom.end, cost, (3, atom.section)) for atom, cost in zip(atoms, costs, strict=True)]
    return sorted(fine)


def _pieces(text: str, start: int, end: int, depth: int) -> Iterable[Range]:
    if depth == 2:
        return sentences(text, start, end)
    return _apart(text, start, end, _LINE if depth else _PARAGRAPH)


def _apart(text: str, start: int, end: int, border: re.Pattern[str]) -> Iterator[Range]:
    at = start
    for stop in [*(match.end() for match in border.finditer(text, start, end)), end]:
        first, last = trimmed(text, at, stop)
        if first < last:
            yield first, last
        at = stop
