"""A Chunk is a range of a document: small enough to be embedded whole, and found by what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ragkit.connectors.document import Document

if TYPE_CHECKING:
    from ragkit.indexes.recipe import ChunkerSettings


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is searched (`start` to `end`), and what is then read (`read_start` to `read_end`), mostly the same."""

    start: int
    end: int
    text: str
    """`document.text[start:end]`, always."""
    headings: tuple[str, ...] = ()
    """The path of headings that it stands under, the outermost first."""
    header: str = ""
    """Title and headings that are no part of the text, but are embedded and indexed with it."""
    pages: tuple[int, ...] = ()
    """The numbers of the pages or slides that it stands on, from 1."""
    read_start: int = -1
    read_end: int = -1

    def __post_init__(self) -> None:
        if self.read_start < 0:
            object.__setattr__(self, "read_start", self.start)
            object.__setattr__(self, "read_end", self.end)

    @property
    def indexed(self) -> str:
        """What is embedded and looked up: the header, then the text."""
        return indexed(self.header, self.text)


def indexed(header: str, text: str) -> str:
    return f"{header}\n{text}" if header else text


class Ruler(Protocol):
    """What chunks are measured with. An `Embedder` is one, so that sizes are in its own tokens."""

    @property
    def window(self) -> int:
        """The most tokens that one text may have; what goes beyond would be cut off without a word."""
        ...

    def count(self, texts: Sequence[str]) -> list[int]:
        """The tokens of each text, with those that the model adds at its ends."""
        ...


class Chunker(Protocol):
    """The seam: any way of cutting a document. Ways can be compared, because all of them speak in ranges."""

    def split(self, document: Document, ruler: Ruler) -> list[Chunk]:
        """In order of start. Together they cover all of the text but blanks."""
        ...


def make_chunker(settings: "ChunkerSettings") -> Chunker:
    """The way of cutting that the settings name."""
    if settings.kind == "fixed":
        from ragkit.indexes.fixed import Fixed

        return Fixed(settings.size, settings.overlap or 0)
    if settings.kind == "recursive":
        from ragkit.indexes.recursive import Recursive

        return Recursive(settings.size, settings.overlap or 0)
    if settings.kind == "sentence-window":
        from ragkit.indexes.sentencewindow import SentenceWindow

        return SentenceWindow(settings.size, settings.around)
    if settings.kind == "parent-child":
        from ragkit.indexes.parentchild import ParentChild

        return ParentChild(settings.size, settings.parent)
    from ragkit.indexes.structure import OVERLAP, Structure

    return Structure(settings.size, OVERLAP if settings.overlap is None else settings.overlap)
