"""Word: paragraphs in order with headings, lists, tables, text boxes, footnotes and comments; no deleted text.

python-docx opens the package and knows its styles. The body is walked as XML, because its paragraphs leave out what
stands in content controls, tracked insertions, text boxes and equations.
"""

import io
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import groupby
from typing import Any

from lxml import etree

from ragkit.connectors.builder import Builder
from ragkit.connectors.container import SAFE_XML, open_zip
from ragkit.connectors.docxnumbers import Numbers
from ragkit.connectors.office import describe
from ragkit.connectors.source import Source
from ragkit.errors import import_extra

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SKIPPED = frozenset(
    (f"{W}del", f"{W}moveFrom", f"{W}instrText", f"{W}pPr", f"{W}rPr", f"{W}fldData",
     "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback")
)  # fmt: skip
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_NOTES = (("footnotes", f"{W}footnote", "Footnote"), ("endnotes", f"{W}endnote", "Endnote"))


def parse(source: Source, out: Builder) -> None:
    with open_zip(source.data) as archive:
        document = import_extra("docx", "office").Document(io.BytesIO(source.data))
        describe(archive, document.core_properties, out)
    body = _Body(document, out)
    body.blocks(document.element.body)
    for kind, tag, name in _NOTES:
        for note in _part(document, kind).iter(tag):
            if note.get(f"{W}type") not in ("separator", "continuationSeparator", "continuationNotice"):
                out.block(f"{name} {note.get(f'{W}id')}: {' '.join(_texts_of(note))}")
    for comment in _part(document, "comments").iter(f"{W}comment"):
        out.block(f"Comment by {comment.get(f'{W}author') or 'unknown'}: {' '.join(_texts_of(comment))}")


def _part(document: Any, kind: str) -> etree._Element:
    for relation in document.part.rels.values():
        if relation.reltype.endswith("/" + kind):
            return etree.fromstring(relation.target_part.blob, SAFE_XML)
    return etree.Element("none")


def _texts_of(element: etree._Element) -> Iterator[str]:
    for paragraph in element.iter(f"{W}p"):
        text = _text(paragraph).strip()
        if text:
            yield text


def _text(element: etree._Element) -> str:
    """The words in an element, without those of text boxes, which are paragraphs of their own."""
    parts: list[str] = []
    for child in element:
        tag = child.tag
        if tag in (f"{W}t", f"{_MATH}t"):
            parts.append(child.text or "")
        elif tag == f"{W}tab":
            parts.append("\t")
        elif tag in (f"{W}br", f"{W}cr"):
            parts.append("\n")
        elif tag in (f"{W}noBreakHyphen",):
            parts.append("-")
        elif isinstance(tag, str) and tag.startswith(_MATH) and tag.removeprefix(_MATH) in _FORMULAS:
            parts.append(_formula(child))
        elif tag not in _SKIPPED and tag != f"{W}txbxContent" and isinstance(tag, str):
            parts.append(_text(child))
    return "".join(parts)


_FORMULAS = {
    "f": ("({num})/({den})", "num den"),
    "sSup": ("{e}^{sup}", "e sup"),
    "sSub": ("{e}_{sub}", "e sub"),
    "sSubSup": ("{e}_{sub}^{sup}", "e sub sup"),
    "rad": ("√({e})", "e"),
    "d": ("({e})", "e"),
    "nary": ("{sign}_{sub}^{sup} {e}", "sub sup e"),
}


def _formula(element: etree._Element) -> str:
    """A built-up formula in one line: a square stays a square."""
    shape, parts = _FORMULAS[element.tag.removeprefix(_MATH)]
    sign = element.find(f"{_MATH}naryPr/{_MATH}chr")
    words = {part: ", ".join(_text(found) for found in element.findall(_MATH + part)) for part in parts.split()}
    return shape.format(sign=sign.get(f"{_MATH}val", "∫") if sign is not None else "∫", **words)


class _Body:
    def __init__(self, document: Any, out: Builder) -> None:
        self.out = out
        self.styles = {style.style_id: style for style in document.styles}
        self.numbers = Numbers(_part(document, "numbering"))

    def blocks(self, parent: etree._Element) -> None:
        """In order; paragraphs below each other that Word numbers or gives bullets are a list."""
        for numbered, group in groupby(parent, self.is_item):
            with self.out.mark("list") if numbered else nullcontext():
                self.some(group)

    def is_item(self, child: etree._Element) -> bool:
        return child.tag == f"{W}p" and self.numbers.has(child, self.styles) and not self.heading_level(child)

    def some(self, children: Iterable[etree._Element]) -> None:
        for child in children:
            if child.tag == f"{W}p":
                self.paragraph(child)
            elif child.tag == f"{W}tbl":
                self.out.table(self.rows(child))
            elif child.tag in (f"{W}sdt", f"{W}sdtContent", f"{W}ins", f"{W}customXml", f"{W}smartTag"):
                self.blocks(child)

    def paragraph(self, paragraph: etree._Element) -> None:
        text = _text(paragraph).strip()
        number = self.numbers.of(paragraph, self.styles)
        if text:
            level = self.heading_level(paragraph)
            if level:
                self.out.heading(f"{number} {text}", level)
            else:
                self.out.block(f"{number} {text}", gap="\n" if number else "\n\n")
        for box in paragraph.iter(f"{W}txbxContent"):
            if not any(above.tag in _SKIPPED for above in box.iterancestors()):
                self.blocks(box)

    def heading_level(self, paragraph: etree._Element) -> int:
        """By the outline level of the paragraph or of the styles that its own is based on."""
        style_id = paragraph.find(f"{W}pPr/{W}pStyle")
        own = paragraph.find(f"{W}pPr/{W}outlineLvl")
        style = self.styles.get(style_id.get(f"{W}val", "")) if style_id is not None else None
        while own is None and style is not None:
            name = (style.name or "").lower()
            if name == "title":
                return 1
            if name.startswith("heading ") and name[8:].isdigit():
                return int(name[8:])
            own = style.element.find(f"{W}pPr/{W}outlineLvl")
            style = getattr(style, "base_style", None)
        level = int(own.get(f"{W}val", "9")) if own is not None else 9
        return level + 1 if level < 9 else 0

    def rows(self, table: etree._Element) -> Iterator[list[str]]:
        """What a merged cell says is repeated in every row and column that it covers."""
        above: dict[int, str] = {}
        for row in table.iter(f"{W}tr"):
            if next(row.iterancestors(f"{W}tbl")) is not table:
                continue  # of a table inside a cell, whose words are that cell's
            cells: list[str] = []
            for cell in row.iter(f"{W}tc"):
                if next(cell.iterancestors(f"{W}tr")) is not row:
                    continue
                merged, wide = cell.find(f"{W}tcPr/{W}vMerge"), cell.find(f"{W}tcPr/{W}gridSpan")
                goes_on = merged is not None and merged.get(f"{W}val") != "restart"
                text = above.get(len(cells), "") if goes_on else "\n".join(self.cell(cell))
                cells += [text] * min(int(wide.get(f"{W}val") or 1) if wide is not None else 1, 100)
            above = dict(enumerate(cells))
            yield cells

    def cell(self, cell: etree._Element) -> Iterator[str]:
        for paragraph in cell.iter(f"{W}p"):
            number, text = self.numbers.of(paragraph, self.styles), _text(paragraph).strip()
            if text:
                yield f"{number} {text}".strip()
