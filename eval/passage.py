"""A Passage: what a hit says, short enough to be read, with the gold in it told apart."""

from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 420
"""Characters shown of a hit at most; a page with thousands of them must stay one that a browser opens at once."""
_BEFORE = 80
"""Characters shown before gold that begins later than what would be shown."""

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    gold: bool


@dataclass(frozen=True, slots=True)
class Passage:
    pieces: tuple[Piece, ...]
    cut_before: bool = False
    cut_after: bool = False


def passage(text: str, start: int, end: int, gold: Iterable[Range], width: int = WIDTH) -> Passage:
    """The range of a text, or as much of it as fits, around the first gold if there is some.

    Gold that is all of the text marks nothing: that the document is right is said once, not by painting it.
    """
    start, end = max(0, start), min(end, len(text))
    marked = [
        (max(first, start), min(last, end))
        for first, last in sorted(gold)
        if first < end and last > start and (first, last) != (0, len(text))
    ]
    first, last = _window(text, start, end, marked, width)
    pieces: list[Piece] = []
    at = first
    for begin, stop in marked:
        begin, stop = max(begin, at), min(stop, last)
        if stop > begin:
            pieces += [Piece(text[at:begin], False), Piece(text[begin:stop], True)]
            at = stop
    pieces.append(Piece(text[at:last], False))
    return Passage(tuple(piece for piece in pieces if piece.text), first > start, last < end)


def _window(text: str, start: int, end: int, marked: list[Range], width: int) -> Range:
    if end - start <= width:
        return start, end
    wanted = marked[0][0] - _BEFORE if marked and marked[0][1] > start + width else start
    first = max(start, min(wanted, end - width))
    last = first + width
    # At a blank where there is one near, so that no word is cut.
    if first > start:
        blank = text.find(" ", first, first + 30)
        first = blank + 1 if blank >= 0 and not (marked and blank >= marked[0][0]) else first
    if last < end:
        blank = text.rfind(" ", last - 30, last)
        last = blank if blank > first else last
    return first, last
