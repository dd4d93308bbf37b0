"""A page of a PDF as lines with their places, and how pieces that stand side by side become one line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_CURRENCY = frozenset("$€£¥₹(")
_CLOSING = frozenset(("%", ")", ")%"))


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

    level: int = 0
    """Of the heading that it is, from 1; 0 for any other line."""

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


def tidy(page: Page) -> None:
    """Put back together what a page only shows together."""
    page.lines = list(_join_rows(page.lines))
    for line in page.lines:
        line.cells = _join_signs(line.cells)


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
