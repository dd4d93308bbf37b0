"""A Hit: a range of a document that was found, and why."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hit:
    rank: int
    """From 1."""
    score: float
    domain: str
    uri: str
    title: str
    start: int
    end: int
    text: str
    """`document.text[start:end]`, always."""
    pages: tuple[int, ...]
    """The numbers of the pages or slides that the range stands on, from 1."""
    headings: tuple[str, ...]
    """The path of headings that it stands under, the outermost first."""
    matched: tuple[int, int]
    """The range that was found; `start` to `end` is what is read of it, and may be more."""
    parts: Mapping[str, float]
    """What the strategy's score was made of: `bm25` and `vector` (a cosine), as far as it asks for them, and what was
    gained by `links`. A reranker's score has no parts."""

    @property
    def heading(self) -> str:
        return " > ".join(self.headings)
