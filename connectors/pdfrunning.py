"""Running heads, page numbers and stamps of a PDF: what recurs from page to page and is no part of its text."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ragkit.connectors.pdfpage import Line, Page

_EDGE = 2
"""How many lines at the top and at the bottom of a page may be running heads."""
_SAME_PLACE = 3.0
"""In points: how far a running head may wander between pages."""
_NUMBER = re.compile(r"\d+|\b[ivxlc]+\b")
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


class _Found(NamedTuple):
    page: int
    line: Line


def take_out_running_heads(pages: Sequence[Page]) -> list[str]:
    """Drop what recurs from page to page: at the edges but for its number, elsewhere to the letter and the place.

    Figures and clauses that stand at the edges of pages look alike, too: only what counts along with the pages is a
    page number. Of a row that recurs, the head of a table that goes on, the first stays.
    """
    edge: dict[str, list[_Found]] = defaultdict(list)
    anywhere: dict[str, list[_Found]] = defaultdict(list)
    drop: dict[int, Line] = {}
    for page in pages:
        ordered = sorted((line for line in page.lines if line.size), key=lambda line: line.base)
        for line in {id(line): line for line in ordered[:_EDGE] + ordered[-_EDGE:]}.values():
            edge[_NUMBER.sub("#", line.text.lower())].append(_Found(page.number, line))
        for line in ordered[:1] + ordered[-1:]:
            if len(pages) > 1 and line.text.strip("-–— ") in (page.label, str(page.number)):
                drop[id(line)] = line
        for line in ordered:
            anywhere[line.text].append(_Found(page.number, line))
    for found in edge.values():
        if _counts_along(found):  # it may stand right below the last paragraph, wherever the page ends
            drop.update((id(line), line) for _, line in found)
    for groups, share in ((edge, 0.12), (anywhere, 0.6)):
        for found in groups.values():
            for same in _at_same_place(found):
                if len({line.text for _, line in same}) > 1:
                    continue
                if len({number for number, _ in same}) >= max(3, share * len(pages)):
                    same.sort(key=lambda one: one.page)
                    drop.update((id(line), line) for _, line in same[same[0].line.is_row :])
    for page in pages:
        page.lines = [line for line in page.lines if id(line) not in drop]
    heads = {_NUMBER.sub("#", line.text.lower()): line.text for line in reversed(drop.values())}
    return sorted(text for text in heads.values() if not text.strip("-–— ").isdigit())


def _counts_along(found: list[_Found]) -> bool:
    """Whether these are one line with the page's number in it: one number changes, in step with the pages."""
    if len({number for number, _ in found}) < 3:
        return False
    numbers = [[_value(number) for number in _NUMBER.findall(line.text.lower())] for _, line in found]
    changing = [column for column in zip(*numbers, strict=True) if len(set(column)) > 1]
    if len(changing) != 1:
        return False
    steps = Counter(value - page for value, (page, _) in zip(changing[0], found, strict=True))
    return steps.most_common(1)[0][1] >= 0.8 * len(found)


def _value(number: str) -> int:
    if number.isdigit():
        return int(number)
    values = [_ROMAN[letter] for letter in number]
    return sum(-one if one < after else one for one, after in zip(values, [*values[1:], 0], strict=True))


def _at_same_place(found: list[_Found]) -> Iterator[list[_Found]]:
    group: list[_Found] = []
    for one in sorted(found, key=lambda one: one.line.base):
        if group and one.line.base - group[-1].line.base > _SAME_PLACE:
            yield group
            group = []
        group.append(one)
    yield group
