"""An Outline: where a document's sections, tables, code and pages lie, looked up by position."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from ragkit.connectors.document import Document, Mark

_DEEPEST = 32
"""Levels beyond count as this one: paths stay short, whatever a file claims."""
_FIGURE = re.compile(r"[^\w]*[\d.,]+(?:\s*[%)])?[^\w]*\Z")
_YEAR = re.compile(r"\W*(?:19|20)\d\d\W*\Z")


@dataclass(frozen=True, slots=True)
class Heading:
    start: int
    end: int
    label: str
    level: int


@dataclass(frozen=True, slots=True)
class Section:
    """From a heading to the next one, or to the border of a sheet or slide."""

    start: int
    end: int
    path: tuple[Heading, ...]
    region: int
    """Sections of two sheets or slides have different ones."""

    @property
    def level(self) -> int:
        return self.path[-1].level if self.path else 0


@dataclass(frozen=True, slots=True)
class Block:
    """A table or a piece of code, whatever else is nested in it."""

    start: int
    end: int
    table: bool


class Outline:
    def __init__(self, document: Document) -> None:
        self.text = document.text
        title = document.metadata.get("title")
        self.title = " ".join(title.split()) if isinstance(title, str) else ""
        self._marks = document.marks
        self.sections = list(self.divided(()))
        self._starts = [section.start for section in self.sections]

    def divided(self, borders: Iterable[int]) -> Iterator[Section]:
        """The sections, which together are the whole text; `borders` divide them further."""
        headings: dict[int, list[Heading]] = {}
        for mark in self._marks:
            if mark.kind == "heading" and (label := _label(mark, self.text)):
                level = min(max(mark.level or 1, 1), _DEEPEST)
                headings.setdefault(mark.start, []).append(Heading(mark.start, mark.end, label, level))
        resets = {0, *(at for mark in self._marks if mark.kind in ("sheet", "slide") for at in (mark.start, mark.end))}
        fresh = {*borders}
        cuts = sorted({*headings, *resets, *fresh} - {len(self.text)})
        path: list[Heading] = []
        region = 0
        for start, end in zip(cuts, [*cuts[1:], len(self.text)], strict=True):
            if start in resets:
                path = []
            region += start in resets or start in fresh
            for heading in headings.get(start, ()):
                path = [above for above in path if above.level < heading.level] + [heading]
            yield Section(start, end, tuple(path), region)

    def section(self, position: int) -> Section:
        return self.sections[max(0, bisect_right(self._starts, position) - 1)]

    @cached_property
    def blocks(self) -> list[Block]:
        """The outermost tables and pieces of code, in order."""
        found: list[Block] = []
        for mark in self._marks:
            if mark.kind in ("table", "code") and mark.start < mark.end and (not found or mark.start >= found[-1].end):
                found.append(Block(mark.start, mark.end, mark.kind == "table"))
        return found

    def pages(self, start: int, end: int) -> tuple[int, ...]:
        """The numbers of the pages and slides that the range stands on."""
        numbers = []
        for at in range(bisect_right(self._page_ends, start), len(self._pages)):
            page = self._pages[at]
            if page.start >= end:
                break
            if page.end > start and page.number is not None:
                numbers.append(page.number)
        return tuple(dict.fromkeys(numbers))

    @cached_property
    def _pages(self) -> list[Mark]:
        return [mark for mark in self._marks if mark.kind in ("page", "slide")]

    @cached_property
    def _page_ends(self) -> list[int]:
        return list(accumulate((page.end for page in self._pages), max))

    def columns(self, position: int) -> str:
        """The names of the columns of the table whose first row stands above `position`, if its rows need them."""
        at = bisect_right(self._block_starts, position) - 1
        if at < 0 or not self.blocks[at].table or position >= self.blocks[at].end:
            return ""
        if at not in self._columns:
            self._columns[at] = self._named(self.blocks[at])
        names, below = self._columns[at]
        return names if position >= below else ""

    @cached_property
    def _block_starts(self) -> list[int]:
        return [block.start for block in self.blocks]

    @cached_property
    def _columns(self) -> dict[int, tuple[str, int]]:
        return {}

    def _named(self, table: Block) -> tuple[str, int]:
        """The first row, and where the rows below it begin."""
        below = self.text.find("\n", table.start, table.end) + 1
        if not below:
            return "", table.end
        following = self.text.find("\n", below, table.end)
        first = self.text[table.start : below].strip()
        second = self.text[below : following if following >= 0 else table.end]
        return (first if _names_columns(first, second) else ""), below


def _label(mark: Mark, text: str) -> str:
    return " ".join((mark.label or text[mark.start : mark.end]).split())


def _names_columns(first: str, second: str) -> bool:
    names = [name.strip() for name in first.strip("| ").split("|")]
    said = [name for name in names if name]
    if len(said) < 2 or any(len(name) > 100 or (_FIGURE.match(name) and not _YEAR.match(name)) for name in said):
        return False
    cells = [cell.strip() for cell in second.split("|")]
    return not any(cell.startswith(f"{name}: ") for cell in cells for name in said)
