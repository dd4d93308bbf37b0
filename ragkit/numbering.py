"""Numbers of citations that are unique among the parts of a question, in the parts' order, however they were asked."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter

from ragkit.answer import Answer, Citation
from ragkit.markers import MARKER
from ragkit.rewrite import Range


def numbered(parts: Sequence[Answer], numbers: dict[Range, int]) -> tuple[Answer, ...]:
    return tuple(_numbered(part, numbers) for part in parts)


def moved(answer: Answer, by: int) -> Answer:
    """Its claims as they stand in a longer text, which holds its own from there on."""
    claims = tuple(replace(one, start=one.start + by, end=one.end + by) for one in answer.claims)
    return replace(answer, claims=claims)


def _numbered(part: Answer, numbers: dict[Range, int]) -> Answer:
    new: dict[int, int] = {}
    for one in part.citations:
        new[one.marker] = numbers.setdefault((one.domain, one.uri, one.start, one.end), len(numbers) + 1)
    pieces: list[str] = []
    shifts: list[tuple[int, int]] = [(0, 0)]
    last = 0
    for match in MARKER.finditer(part.text):
        if (number := new.get(int(match[1]))) is not None:
            pieces += [part.text[last : match.start(1)], str(number)]
            last = match.end(1)
            shifts.append((last, shifts[-1][1] + len(str(number)) - len(match[1])))
    text = "".join([*pieces, part.text[last:]])

    def place(at: int) -> int:
        return at + shifts[bisect_right(shifts, at, key=itemgetter(0)) - 1][1]

    def renamed(citations: Sequence[Citation]) -> tuple[Citation, ...]:
        return tuple(replace(one, marker=new[one.marker]) for one in citations)

    claims = tuple(
        replace(one, start=place(one.start), end=place(one.end), citations=renamed(one.citations))
        for one in part.claims
    )
    return replace(part, text=text, citations=renamed(part.citations), claims=claims)
