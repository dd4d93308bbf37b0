"""Writes a document's text and its marks in one go, so that no offset is ever searched for afterwards."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ragkit.connectors.document import Document, Mark, MarkKind
from ragkit.connectors.failure import Failure
from ragkit.connectors.plain import clean

_TITLE_WITHIN = 3000


class _Open:
    """A mark being written: it starts at the first character written, not at the gap before it."""

    def __init__(self, order: int) -> None:
        self.start: int | None = None
        self.order = order


class Builder:
    """What a parser writes into: text in reading order, marks around it, and what else the file says of itself.

    ```pycon
    >>> out = Builder()
    >>> out.heading("Revenue", level=1)
    >>> out.block("Up 12 %.")
    >>> document = out.build("report.txt")
    >>> document.text
    'Revenue\\n\\nUp 12 %.'
    >>> [document.text[m.start : m.end] for m in document.marks]
    ['Revenue']

    ```
    """

    def __init__(self) -> None:
        self.title = ""
        self.metadata: dict[str, Any] = {}
        self.children: list[Document] = []
        self.failures: list[Failure] = []
        self._parts: list[str] = []
        self._length = 0
        self._gap = ""
        self._open: list[_Open] = []
        self._opened = 0
        self._marks: list[tuple[int, int, int, Mark]] = []

    def __len__(self) -> int:
        """The characters written so far: where the next ones go, unless a gap is due before them."""
        return self._length

    def write(self, text: str) -> None:
        """Append text as it stands."""
        text = clean(text)
        if not text:
            return
        if self._gap and self._length:
            self._parts.append(self._gap)
            self._length += len(self._gap)
        self._gap = ""
        for mark in self._open:
            if mark.start is None:
                mark.start = self._length
        self._parts.append(text)
        self._length += len(text)

    def separate(self, gap: str = "\n\n") -> None:
        """Ask for a gap before whatever is written next; of several, the longest counts."""
        if len(gap) > len(self._gap):
            self._gap = gap

    def block(self, text: str, gap: str = "\n\n") -> None:
        """A paragraph or a line, with a gap before and after it."""
        self.separate(gap)
        self.write(clean(text).strip())
        self.separate(gap)

    def heading(self, text: str, level: int) -> None:
        text = " ".join(clean(text).split())
        if not text:
            return
        self.separate()
        with self.mark("heading", label=text, level=max(1, level)):
            self.write(text)
        self.separate()

    def table(self, rows: Iterable[Sequence[str]]) -> None:
        """Rows of cells, a line each, cells apart by a bar. Empty rows are left out."""
        self.separate()
        with self.mark("table"):
            for row in rows:
                cells = [" ".join(clean(cell).split()) for cell in row]
                while cells and not cells[-1]:
                    cells.pop()
                if cells:
                    self.block(" | ".join(cells), gap="\n")
        self.separate()

    @contextmanager
    def mark(
        self, kind: MarkKind, *, label: str = "", level: int | None = None, number: int | None = None
    ) -> Iterator[None]:
        """Mark whatever is written inside. A mark of nothing is dropped, but a place (page, slide, sheet) stays."""
        self._opened += 1
        opened = _Open(self._opened)
        self._open.append(opened)
        try:
            yield
        finally:
            self._open.remove(opened)
            start = self._length if opened.start is None else opened.start
            if start < self._length or number is not None:
                mark = Mark(kind, start, self._length, clean(label), level, number)
                self._marks.append((start, -self._length, opened.order, mark))

    def build(self, uri: str, media_type: str = "text/plain") -> Document:
        title = " ".join(clean(self.title).split())
        if title:
            self.metadata.setdefault("title", title)
        marks = tuple(mark for *_, mark in sorted(self._marks, key=lambda entry: entry[:3]))
        return Document(
            uri=uri,
            text="".join(self._parts),
            title=title or _first_heading(marks),
            marks=marks,
            metadata=self.metadata,
            media_type=media_type,
            children=tuple(self.children),
            failures=tuple(self.failures),
        )


def _first_heading(marks: Iterable[Mark]) -> str:
    """What a document without a title calls itself: of the headings near its start, the first of the highest."""
    near = [mark for mark in marks if mark.kind == "heading" and mark.start < _TITLE_WITHIN]
    return min(near, key=lambda mark: mark.level or 0).label if near else ""
