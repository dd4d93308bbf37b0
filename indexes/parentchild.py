"""Small pieces are searched, the larger ones that they stand in are read: both follow the document's structure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from ragkit.connectors.document import Document
from ragkit.indexes.chunk import Chunk, Ruler
from ragkit.indexes.fitting import fitted
from ragkit.indexes.measure import Measure
from ragkit.indexes.outline import Outline
from ragkit.indexes.structure import pieces


class ParentChild:
    def __init__(self, size: int = 128, parent: int = 1024) -> None:
        self.size = size
        self.parent = parent

    def split(self, document: Document, ruler: Ruler) -> list[Chunk]:
        if not document.text.strip():
            return []
        outline = Outline(document)
        wide = Measure(_Unbounded(ruler, self.parent), self.parent)
        parents = fitted(outline, pieces(outline, wide), wide)
        starts = [parent.start for parent in parents]
        measure = Measure(ruler, self.size)
        chunks = fitted(outline, pieces(outline, measure, borders=starts), measure)
        homes = [parents[bisect_right(starts, chunk.start) - 1] for chunk in chunks]
        return [
            replace(chunk, read_start=home.start, read_end=home.end) for chunk, home in zip(chunks, homes, strict=True)
        ]


class _Unbounded:
    """A ruler without the model's window: a parent is read, never embedded."""

    def __init__(self, ruler: Ruler, window: int) -> None:
        self._ruler = ruler
        self.window = window

    def count(self, texts: Sequence[str]) -> list[int]:
        return self._ruler.count(texts)
