"""Running heads, page numbers and stamps of a PDF: what recurs from page to page and is no part of its text."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from ragkit.connectors.pdfpage import Line, Page

_EDGE = 2
"""How many lines at the top and at the bottom of a page may be running heads."""
_SAME_PLACE = 3.0
"""In points: how far a running head may wander between pages."""


def take_out_running_heads(pages: Sequence[Page]) -> list[str]:
    """Drop what recurs from page to page: at the edges but for its numbers, elsewhere to the letter and the place."""
    edge: dict[str, list[tuple[int, Line]]] = defaultdict(list)
    anywhere: dict[str, list[tuple[int, Line]]] = defaultdict(list)
    drop: dict[int, Line] = {}
    for at, page in enumerate(pages):
        ordered = sorted((line for line in page.lines if line.size), key=lambda line: line.base)
        for line in {id(line): line for line in ordered[:_EDGE] + ordered[-_EDGE:]}.values():
            edge[_numberless(line.text)].append((at, line))
        for line in ordered[:1] + ordered[-1:]:
            if len(pages) > 1 and line.text.strip("-–— ") in (page.label, str(page.number)):
                drop[id(line)] = line
        for line in ordered:
            anywhere[line.text].append((at, line))
    for text, found in edge.items():
        # A numbered one may stand right below the last paragraph, wherever the page ends.
        for same in [found] if "#" in text else _at_same_place(found):
            if len({at for at, _ in same}) >= max(3, 0.12 * len(pages)):
                drop.update((id(line), line) for _, line in same)
    for found in anywhere.values():
        for same in _at_same_place(found):
            if len({at for at, _ in same}) >= max(3, 0.6 * len(pages)):
                drop.update((id(line), line) for _, line in same)
    for page in pages:
        page.lines = [line for line in page.lines if id(line) not in drop]
    heads = {_numberless(line.text): line.text for line in reversed(drop.values())}
    return sorted(text for text in heads.values() if not text.strip("-–— ").isdigit())


def _numberless(text: str) -> str:
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", text.lower())


def _at_same_place(found: list[tuple[int, Line]]) -> Iterator[list[tuple[int, Line]]]:
    group: list[tuple[int, Line]] = []
    for at, line in sorted(found, key=lambda pair: pair[1].base):
        if group and line.base - group[-1][1].base > _SAME_PLACE:
            yield group
            group = []
        group.append((at, line))
    yield group
