"""From lines on pages to text in paragraphs: running heads out, hyphens mended, headings and tables marked."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from ragkit.connectors.builder import Builder

_EDGE = 2
"""How many lines at the top and at the bottom of a page may be running heads."""
_SAME_PLACE = 3.0
"""In points: how far a running head may wander between pages."""
_ITEM = re.compile(r"[•‣▪●○◦■□➢–—∙·*-]\s|\(?(?:\d{1,3}|[a-z]|[ivxlc]{1,5})[.)]\s|[A-Z]\)\s|\[\d{1,3}\]\s")
_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*")
_LAST_WORD = re.compile(r"([^\W_]+(?:-[^\W_]+)*)-?$")
_FIRST_WORD = re.compile(r"[^\W_]+")
_CONJUNCTIONS = frozenset(("and", "or", "to", "und", "oder", "bis", "et", "ou"))
"""What follows a hyphen that stands for the rest of a word: "pre- and post-war"."""
_CURRENCY = frozenset("$€£¥₹(")
_CLOSING = frozenset(("%", ")", ")%"))
_RAGGED = 3.0
"""In font sizes: how far the lines of a paragraph may stop short of the column's edge with room for another word."""
_HEADING_SIZE = 1.12
_HEADING_LENGTH = 160


@dataclass(slots=True)
class Line:
    """A line as it stands on the page; lengths in points, `base` measured from the page's bottom."""

    text: str
    cells: tuple[str, ...] = ()
    left: float = 0.0
    right: float = 0.0
    base: float = 0.0
    size: float = 0.0
    bold: bool = False
    hyphenated: bool = False
    """It ends within a word, at a hyphen that is not part of the text any more."""

    @property
    def is_row(self) -> bool:
        return len(self.cells) > 1


@dataclass(slots=True)
class Page:
    number: int
    height: float
    lines: list[Line]
    label: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list)


def compose(pages: Sequence[Page], out: Builder) -> None:
    running = _take_out_running_heads(pages)
    if running:
        out.metadata["running_heads"] = running
    for page in pages:
        page.lines = list(_join_rows(page.lines))
        for line in page.lines:
            line.cells = _join_signs(line.cells)
    levels = _heading_levels(pages)
    words = _whole_words(pages)
    last: Line | None = None
    for page in pages:
        blocks = list(_blocks(page, levels))
        if last and blocks and blocks[0].kind == "text" and _goes_on_overleaf(last, blocks[0].lines[0]):
            blocks[0].goes_on = True
        with out.mark("page", label=page.label or str(page.number), number=page.number):
            for block in blocks:
                last = _write(block, last, levels, words, out)
            for name, value in page.fields:
                out.block(f"{name}: {value}", gap="\n")
        if blocks and blocks[-1].kind != "text":
            last = None


# --- running heads ---------------------------------------------------------------------------------------------


def _take_out_running_heads(pages: Sequence[Page]) -> list[str]:
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


def _join_rows(lines: Sequence[Line]) -> Iterator[Line]:
    """Put back together what stands side by side in one row: raised footnote marks, fractions, changes of font."""
    marks: list[Line] = []
    last: Line | None = None
    for line in lines:
        if last and not marks and _goes_on_beside(last, line):
            gap = " " if line.left - last.right > 0.15 * line.size else ""
            last.text += gap + line.text
            last.cells = (*last.cells[:-1], last.cells[-1] + gap + line.cells[0], *line.cells[1:])
            last.right, last.hyphenated = line.right, line.hyphenated
            continue
        if marks and _is_raised(marks[-1], line) and abs(line.left - marks[-1].right) < 0.5 * line.size:
            mark = marks.pop()
            line.text, line.left = mark.text + line.text, mark.left
            line.cells = (mark.text + line.cells[0], *line.cells[1:])
        yield from marks
        marks = []
        if line.size and len(line.text) <= 3:
            marks = [line]
        else:
            yield line
        last = line
    yield from marks


def _goes_on_beside(last: Line, line: Line) -> bool:
    size = max(last.size, line.size)
    beside = -0.5 * size < line.left - last.right < 0.8 * size
    return bool(size) and beside and abs(line.base - last.base) < 0.6 * size and not last.hyphenated


def _is_raised(mark: Line, line: Line) -> bool:
    return 0 < mark.size < 0.85 * line.size and len(mark.text) <= 3 and -0.3 < (mark.base - line.base) / line.size < 0.8


# --- headings --------------------------------------------------------------------------------------------------


def _heading_levels(pages: Sequence[Page]) -> dict[tuple[float, bool], int]:
    """The types (size, bold) that headings are set in, the largest first: larger than the body's, or bold."""
    types: Counter[tuple[float, bool]] = Counter()
    for page in pages:
        for line in page.lines:
            types[_type(line)] += len(line.text)
    if not types:
        return {}
    body = types.most_common(1)[0][0][0]
    mostly_bold = sum(count for (_, bold), count in types.items() if bold) > 0.25 * types.total()
    found = [
        (size, bold)
        for size, bold in types
        if body * _HEADING_SIZE < size < body * 6 or (bold and not mostly_bold and body * 0.97 < size < body * 6)
    ]
    return {type: min(level, 6) for level, type in enumerate(sorted(found, reverse=True), 1)}


def _type(line: Line) -> tuple[float, bool]:
    return (round(line.size * 2) / 2, line.bold)


def _level(line: Line, levels: dict[tuple[float, bool], int]) -> int:
    """A heading's level, or 0 for what is none."""
    letters = sum(character.isalpha() for character in line.text)
    if line.is_row or letters < 2 or letters * 2 < len(line.text) or len(line.text) > _HEADING_LENGTH:
        return 0
    if line.hyphenated or line.text[0] == "(" or line.text[-1] in ",;" or (line.bold and line.text[-1] in ".:"):
        return 0
    return levels.get(_type(line), 0)


# --- blocks ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Block:
    kind: str
    """`text`, `heading` or `table`."""
    lines: list[Line]
    goes_on: bool = False
    """It goes on where the page before broke off."""


def _blocks(page: Page, levels: dict[tuple[float, bool], int]) -> Iterator[_Block]:
    lines = page.lines
    pitch = _pitch(lines)
    at = 0
    while at < len(lines):
        rows = _table_length(lines[at:], pitch)
        if rows:
            yield _Block("table", lines[at : at + rows])
            at += rows
            continue
        level = _level(lines[at], levels)
        end = at + 1
        if level:
            while end < len(lines) and _level(lines[end], levels) == level and _below(lines[end - 1], lines[end], 1.6):
                end += 1
            yield _Block("heading", lines[at:end])
        else:
            right = _right_edge(lines, at)
            while end < len(lines) and not _level(lines[end], levels) and not _table_length(lines[end:], pitch):
                if not _continues(lines[end - 1], lines[end], right, pitch):
                    break
                end += 1
                right = max(right, lines[end - 1].right)
            yield _Block("text", lines[at:end])
        at = end


def _pitch(lines: Sequence[Line]) -> float:
    """From one line to the next, in font sizes: 1.2 in most books, 2 where typed double-spaced."""
    steps = [
        (above.base - below.base) / above.size
        for above, below in pairwise(lines)
        if above.size and 0.8 < (above.base - below.base) / above.size < 3 and abs(above.size - below.size) < 1
    ]
    return median(steps) if steps else 1.3


def _below(above: Line, below: Line, pitch: float) -> bool:
    size = max(above.size, below.size)
    return 0 < above.base - below.base <= pitch * 1.3 * size and abs(above.size - below.size) <= 0.2 * size


def _right_edge(lines: Sequence[Line], at: int) -> float:
    """How far right the column reaches that the line stands in."""
    here = lines[at]
    edge = here.right
    for line in lines[at + 1 : at + 60]:
        if line.is_row or line.base >= here.base or line.left > here.right or line.right < here.left:
            break
        edge = max(edge, line.right)
    return edge


def _continues(above: Line, below: Line, right: float, pitch: float) -> bool:
    """Whether the second line goes on with the paragraph of the first."""
    if not above.size:
        return False  # nothing is known of places; a line is all there is
    if above.hyphenated:
        return True
    if above.is_row or below.is_row or _ITEM.match(below.text):
        return False
    size = above.size
    if above.base > below.base:
        first = below.text.split(" ", 1)[0]
        room = right - above.right
        fits = room > (len(first) + 1) * 0.5 * size + _RAGGED * size
        indented = below.left - above.left > 0.8 * size and not _ITEM.match(above.text)
        overlap = below.left < above.right and above.left < below.right
        return overlap and _below(above, below, max(pitch, 0.9)) and not fits and not indented
    return _goes_on_overleaf(above, below)


def _goes_on_overleaf(above: Line, below: Line) -> bool:
    """At the top of the next column or page: a sentence that has not ended, and goes on in lower case."""
    if above.hyphenated:
        return True
    return (
        bool(above.size)
        and abs(above.size - below.size) < 0.6
        and above.text[-1] not in ".:;?!"
        and below.text[0].islower()
        and len(above.text) > 20
        and not below.is_row
        and not above.is_row
    )


def _table_length(lines: Sequence[Line], pitch: float) -> int:
    """How many of the first lines are a table: rows of cells, between which a lone label may stand."""
    if not lines or not lines[0].is_row:
        return 0
    length = rows = 1
    for at in range(1, len(lines)):
        if not 0 < lines[at - 1].base - lines[at].base < max(3.0, 2 * pitch) * max(lines[at].size, 1):
            break
        if lines[at].is_row:
            length, rows = at + 1, rows + 1
        elif at - length >= 2 or len(lines[at].text) > 100:
            break
    return length if rows >= 2 else 0


def _join_signs(cells: tuple[str, ...]) -> tuple[str, ...]:
    """A currency sign set apart from its figure is no cell of its own, nor is a lone closing sign."""
    joined: list[str] = []
    due = ""
    for cell in cells:
        cell = f"{due} {cell}".strip()
        due = cell[-1] if len(cell) > 2 and cell[-2] == " " and cell[-1] in _CURRENCY else ""
        cell = cell.removesuffix(due).strip()
        if joined and (joined[-1] in _CURRENCY or cell in _CLOSING):
            joined[-1] += (" " if joined[-1] in "$€£¥₹" else "") + cell
        else:
            joined.append(cell)
    return (*joined[:-1], f"{joined[-1]} {due}".strip()) if joined else ()


# --- writing ---------------------------------------------------------------------------------------------------


def _write(
    block: _Block, last: Line | None, levels: dict[tuple[float, bool], int], words: Counter[str], out: Builder
) -> Line | None:
    if block.kind == "heading":
        out.heading(" ".join(line.text for line in block.lines), _level(block.lines[0], levels))
        return None
    if block.kind == "table":
        out.table(line.cells or (line.text,) for line in block.lines)
        return None
    if not (block.goes_on and last):
        out.separate()
    elif not (last.hyphenated and not _keeps_hyphen(last, block.lines[0], words)):
        out.separate("-" if last.hyphenated else "\n")
    for line, after in zip(block.lines, [*block.lines[1:], None], strict=True):
        out.write(" | ".join(line.cells) if line.is_row else line.text)
        if after is not None:
            out.write(_between(line, after, words))
    return block.lines[-1]


def _whole_words(pages: Sequence[Page]) -> Counter[str]:
    """How often the document writes each word, counting no halves of words broken at a line's end."""
    words: Counter[str] = Counter()
    broken = False
    for page in pages:
        for line in page.lines:
            found = _WORD.findall(line.text.lower())
            words.update(found[broken : -1 if line.hyphenated else None])
            broken = line.hyphenated
    return words


def _between(line: Line, after: Line, words: Counter[str]) -> str:
    if line.hyphenated:
        if after.text.split(" ", 1)[0] in _CONJUNCTIONS:
            return "- "
        return "-" if _keeps_hyphen(line, after, words) else ""
    return " "


def _keeps_hyphen(line: Line, after: Line, words: Counter[str]) -> bool:
    """Of a word broken at a line's end: whether the hyphen is its own, as the rest of the document writes it."""
    head, tail = _LAST_WORD.search(line.text), _FIRST_WORD.match(after.text)
    if not head or not tail or not tail[0][0].islower() or head[1][-1].isdigit():
        return True
    start = head[1].lower()
    joined, hyphened = start + tail[0].lower(), f"{start}-{tail[0].lower()}"
    if words[joined] != words[hyphened]:
        return words[hyphened] > words[joined]
    apart = len(start) > 2 and len(tail[0]) > 3 and words[start] and words[tail[0].lower()]
    return bool("-" in start or apart)
