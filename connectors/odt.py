"""OpenDocument text: headings, paragraphs, lists and tables in order."""

from collections.abc import Iterator

from lxml import etree

from ragkit.connectors.builder import Builder
from ragkit.connectors.container import SAFE_XML, open_zip
from ragkit.connectors.source import Source
from ragkit.errors import Unreadable

_OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
_TEXT, _TABLE, _OFFICE = (f"{{{_OASIS}{name}:1.0}}" for name in ("text", "table", "office"))
_META = {"creator": "author", "date": "modified", "creation-date": "created", "subject": "subject"}


def parse(source: Source, out: Builder) -> None:
    with open_zip(source.data) as package:
        content = etree.fromstring(package.read("content.xml"), SAFE_XML)
        meta = etree.fromstring(package.read("meta.xml"), SAFE_XML) if "meta.xml" in package.namelist() else None
    for element in meta.iter() if meta is not None else ():
        name = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if name == "title":
            out.title = element.text or ""
        elif name in _META and element.text:
            out.metadata[_META[name]] = element.text
    body = content.find(f"{_OFFICE}body/{_OFFICE}text")
    if body is None:
        raise Unreadable("It has no text body, or is encrypted.", "Save a copy without a password.")
    _blocks(body, out, 0)


def _blocks(parent: etree._Element, out: Builder, lists: int) -> None:
    for child in parent:
        if child.tag == f"{_TEXT}h":
            out.heading(_words(child), int(child.get(f"{_TEXT}outline-level", "1")))
        elif child.tag == f"{_TEXT}p":
            out.block("  " * (lists - 1) + "- " * bool(lists) + _words(child), gap="\n" if lists else "\n\n")
        elif child.tag == f"{_TABLE}table":
            out.table([[_words(cell) for cell in _cells(row)] for row in child.iter(f"{_TABLE}table-row")])
        elif child.tag == f"{_TEXT}list":
            out.separate("\n" if lists else "\n\n")
            with out.mark("list"):
                for item in child:
                    _blocks(item, out, lists + 1)
            out.separate("\n" if lists else "\n\n")
        elif child.tag in (f"{_TEXT}section", f"{_TEXT}index-body"):
            _blocks(child, out, lists)


def _cells(row: etree._Element) -> Iterator[etree._Element]:
    return (cell for cell in row if cell.tag in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"))


def _words(element: etree._Element) -> str:
    parts = [element.text or ""]
    for child in element:
        if child.tag == f"{_TEXT}s":
            parts.append(" " * int(child.get(f"{_TEXT}c", "1")))
        elif child.tag in (f"{_TEXT}tab", f"{_TEXT}line-break"):
            parts.append("\t" if child.tag.endswith("tab") else "\n")
        elif child.tag == f"{_OFFICE}annotation":
            parts.append(f" [Comment: {' '.join(_words(child).split())}] ")
        elif isinstance(child.tag, str):
            parts.append(_words(child) + (" " if child.tag == f"{_TEXT}p" else ""))
        parts.append(child.tail or "")
    return "".join(parts)
