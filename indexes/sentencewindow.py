"""Single sentences are searched, and read with the sentences around them: precise to find, enough to understand."""

from bisect import bisect_right
from dataclasses import replace
from itertools import groupby

from ragkit.connectors.document import Document
from ragkit.indexes.atoms import Border
from ragkit.indexes.chunk import Chunk, Ruler
from ragkit.indexes.fitting import fitted
from ragkit.indexes.measure import Measure
from ragkit.indexes.outline import Outline
from ragkit.indexes.sentences import Range
from ragkit.indexes.structure import Line


class SentenceWindow:
    """A heading is searched with the sentence after it; a table that fits, and code, as a whole."""

    def __init__(self, size: int = 256, around: int = 2) -> None:
        self.size = size
        self.around = around

    def split(self, document: Document, ruler: Ruler) -> list[Chunk]:
        if not document.text.strip():
            return []
        outline, measure = Outline(document), Measure(ruler, self.size)
        line = Line.of(outline, outline.sections, measure)
        found: list[Range] = []
        read: list[Range] = []
        for _, atoms in groupby(range(len(line.atoms)), key=lambda at: line.atoms[at].section):
            section = _searched(line, list(atoms))
            found += section
            for at in range(len(section)):
                last = min(len(section) - 1, at + self.around)
                read.append((section[max(0, at - self.around)][0], section[last][1]))
        starts = [start for start, _ in found]
        chunks = fitted(outline, found, measure)
        windows = [read[bisect_right(starts, chunk.start) - 1] for chunk in chunks]
        return [
            replace(chunk, read_start=start, read_end=end) for chunk, (start, end) in zip(chunks, windows, strict=True)
        ]


def _searched(line: Line, atoms: list[int]) -> list[Range]:
    """One a sentence; parts of a sentence too long stay apart."""
    found: list[Range] = []
    begin = 0
    for at in range(1, len(atoms) + 1):
        following = line.atoms[atoms[at]] if at < len(atoms) else None
        cost = line.sums[atoms[min(at, len(atoms) - 1)] + 1] - line.sums[atoms[begin]]
        if following is None or following.border is not Border.HEADING or cost > line.room(atoms[begin]):
            found.append((line.atoms[atoms[begin]].start, line.atoms[atoms[at - 1]].end))
            begin = at
    return found
