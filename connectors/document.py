"""A Document is one text; every page, heading and table is an exact range of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ragkit.connectors.failure import Failure
from ragkit.connectors.plain import plain

MarkKind = Literal["page", "slide", "sheet", "heading", "table", "code", "list"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A typed range of a document's text: `document.text[mark.start:mark.end]` is what it marks."""

    kind: MarkKind
    start: int
    end: int
    label: str = ""
    """What it is called: a heading's text, a sheet's name, a printed page number, a language, a symbol."""
    level: int | None = None
    """A heading's depth, from 1."""
    number: int | None = None
    """The place of a page, slide or sheet in its file, from 1."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a source says, and where in it. Marks are ordered by start and nest; they never cross."""

    uri: str
    text: str
    title: str = ""
    marks: tuple[Mark, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """As JSON values: front matter, PDF info, mail headers, other fields of a record."""
    media_type: str = "text/plain"
    children: tuple["Document", ...] = ()
    """Documents inside this one: attachments of a mail, members of an archive, records of a JSONL file."""
    failures: tuple[Failure, ...] = ()
    """What is inside this one and could not be read."""
    content_hash: str = field(init=False)
    """Of what the document says (text, marks, metadata), not of what it is called or where it lies."""

    def __post_init__(self) -> None:
        _check_marks(self)
        object.__setattr__(self, "metadata", plain(self.metadata))
        said = json.dumps(
            [self.text, [[m.kind, m.start, m.end, m.label, m.level, m.number] for m in self.marks], self.metadata],
            sort_keys=True,
        )
        object.__setattr__(self, "content_hash", hashlib.sha256(said.encode()).hexdigest())


def _check_marks(document: Document) -> None:
    """The promise that citations rest on, checked once where every document comes into being."""
    open_marks: list[Mark] = []
    before = (0, -len(document.text))
    for mark in document.marks:
        if not 0 <= mark.start <= mark.end <= len(document.text):
            raise ValueError(f"{document.uri}: {mark} lies outside the text, which has {len(document.text)} characters")
        if (mark.start, -mark.end) < before:
            raise ValueError(f"{document.uri}: {mark} is out of order; sort marks by start, longer ones first")
        while open_marks and open_marks[-1].end <= mark.start:
            open_marks.pop()
        if open_marks and open_marks[-1].end < mark.end:
            raise ValueError(f"{document.uri}: {mark} crosses {open_marks[-1]}; marks may nest, never cross")
        open_marks.append(mark)
        before = (mark.start, -mark.end)
