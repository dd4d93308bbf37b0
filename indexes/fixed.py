"""Windows of so many tokens, cut between words: what other ways of cutting have to be better than."""

import re
from bisect import bisect_left, bisect_right
from itertools import accumulate

from ragkit.connectors.document import Document
from ragkit.indexes.atoms import Atom, Border, Kind, measured
from ragkit.indexes.chunk import Chunk, Ruler
from ragkit.indexes.fitting import fitted
from ragkit.indexes.measure import Measure
from ragkit.indexes.outline import Outline
from ragkit.indexes.sentences import Range

_WORD = re.compile(r"\S+")


class Fixed:
    def __init__(self, size: int, overlap: int = 0) -> None:
        self.size = size
        self.overlap = overlap

    def split(self, document: Document, ruler: Ruler) -> list[Chunk]:
        text = document.text
        if not text.strip():
            return []
        measure = Measure(ruler, self.size)
        ranges = windows(*_words(text, measure), measure.room, self.overlap)
        return fitted(Outline(document), ranges, measure, headed=False)


def _words(text: str, measure: Measure) -> tuple[list[Range], list[float]]:
    """With what each costs; parts of those that are longer than a chunk."""
    spans = [match.span() for match in _WORD.finditer(text)]
    short = [(start, end) for start, end in spans if end - start <= measure.characters]
    costs = measure.costs([text[max(0, start - 1) : end] for start, end in short])
    if len(short) == len(spans) and max(costs) <= measure.room:
        return short, costs
    known = {span: cost for span, cost in zip(short, costs, strict=True) if cost <= measure.room}
    long = [Atom(*span, Kind.WORDS, Border.WORD, 0) for span in spans if span not in known]
    parts, part_costs = measured(text, long, measure, lambda _: measure.room)
    known.update({(part.start, part.end): cost for part, cost in zip(parts, part_costs, strict=True)})
    found = sorted(known)
    return found, [known[span] for span in found]


def windows(parts: list[Range], costs: list[float], room: float, overlap: float) -> list[Range]:
    """As many parts as go into the room, again and again; the next window repeats what fits into the overlap."""
    sums = [0.0, *accumulate(costs)]
    found: list[Range] = []
    at = begin = 0
    while at < len(parts):
        stop = max(at + 1, bisect_right(sums, sums[begin] + room) - 1)
        found.append((parts[begin][0], parts[stop - 1][1]))
        back = bisect_left(sums, sums[stop] - overlap, begin + 1, stop)
        at = stop
        if at < len(parts):
            while back < at and sums[at + 1] - sums[back] > room:
                back += 1
            begin = back
    return found
