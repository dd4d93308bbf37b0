"""What one file gives, for tests that look at it closely."""

from ragkit.connectors.document import Document
from ragkit.connectors.parser import parse


def read(name: str, data: str | bytes) -> Document:
    return parse(name, name, data.encode() if isinstance(data, str) else data)


def marked(document: Document, kind: str) -> list[str]:
    return [document.text[mark.start : mark.end] for mark in document.marks if mark.kind == kind]
