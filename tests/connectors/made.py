"""Real files of every format, made from one outline, so that what a parser gives can be held against what went in."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from html import escape
from typing import Any


@dataclass(frozen=True)
class Section:
    """A heading, paragraphs and a table, in this order."""

    heading: str
    paragraphs: tuple[str, ...]
    table: tuple[tuple[str, ...], ...] = ()


Outline = Sequence[Section]


def text(outline: Outline) -> bytes:
    return "\n\n".join(part for section in outline for part in (section.heading, *section.paragraphs)).encode()


def markdown(outline: Outline) -> bytes:
    lines = []
    for section in outline:
        lines += [f"# {section.heading}", "", *(line for part in section.paragraphs for line in (part, ""))]
        if section.table:
            head, *rows = section.table
            lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
            lines += ["| " + " | ".join(row) + " |" for row in rows] + [""]
    return "\n".join(lines).encode()


def html_body(outline: Outline) -> str:
    parts = []
    for section in outline:
        parts.append(f"<h1>{escape(section.heading)}</h1>")
        parts += [f"<p>{escape(part)}</p>" for part in section.paragraphs]
        if section.table:
            rows = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in section.table]
            parts.append("<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>")
    return "".join(parts)


def html(outline: Outline) -> bytes:
    menu = "<nav><a href='/'>Home</a> <a href='/x'>Menu entry</a></nav>"
    page = f"<!doctype html><html><head><meta charset=utf-8><script>var a = 1</script></head><body>{menu}"
    return f"{page}{html_body(outline)}<footer>All rights reserved</footer></body></html>".encode()


def docx(outline: Outline) -> bytes:
    import docx as library

    document = library.Document()
    for section in outline:
        document.add_heading(section.heading, 1)
        for part in section.paragraphs:
            document.add_paragraph(part)
        if section.table:
            table = document.add_table(len(section.table), len(section.table[0]))
            for row, cells in zip(table.rows, section.table, strict=True):
                for cell, words in zip(row.cells, cells, strict=True):
                    cell.text = words
    return _saved(document)


def pptx(outline: Outline) -> bytes:
    import pptx as library

    deck = library.Presentation()
    for section in outline:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = section.heading
        slide.placeholders[1].text_frame.text = "\n".join(section.paragraphs)
        if section.table:
            size = len(section.table), len(section.table[0])
            table = slide.shapes.add_table(*size, 0, 5_000_000, 5_000_000, 900_000).table
            for row, cells in enumerate(section.table):
                for column, words in enumerate(cells):
                    table.cell(row, column).text = words
    return _saved(deck)


def xlsx(outline: Outline) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number, section in enumerate(outline):
        sheet = book.create_sheet(f"Sheet {number}")
        for row in section.table:
            sheet.append(row)
    return _saved(book)


def odt(outline: Outline) -> bytes:
    parts = []
    for section in outline:
        parts.append(f'<text:h text:outline-level="1">{escape(section.heading)}</text:h>')
        parts += [f"<text:p>{escape(part)}</text:p>" for part in section.paragraphs]
        cells = [
            "".join(f"<table:table-cell><text:p>{escape(cell)}</text:p></table:table-cell>" for cell in row)
            for row in section.table
        ]
        if cells:
            rows = "".join(f"<table:table-row>{row}</table:table-row>" for row in cells)
            parts.append(f"<table:table>{rows}</table:table>")
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table")
    )
    body = f"<office:body><office:text>{''.join(parts)}</office:text></office:body>"
    content = f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names}>{body}</office:document-content>'
    return zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": content.encode()})


def epub(outline: Outline) -> bytes:
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><body>{}</body></html>'
    chapters = {f"c{at}.xhtml": page.format(html_body([section])).encode() for at, section in enumerate(outline)}
    items = "".join(f'<item id="i{at}" href="{name}"/>' for at, name in enumerate(chapters))
    order = "".join(f'<itemref idref="i{at}"/>' for at in range(len(chapters)))
    container = '<container><rootfiles><rootfile full-path="book.opf"/></rootfiles></container>'
    package = f"<package><manifest>{items}</manifest><spine>{order}</spine></package>"
    files = {"mimetype": b"application/epub+zip", "META-INF/container.xml": container.encode()}
    return zipped({**files, "book.opf": package.encode(), **chapters})


def pdf(outline: Outline) -> bytes:
    """A page a section, with a running head and a page number."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Table

    styles = getSampleStyleSheet()
    story: list[Any] = []
    for section in outline:
        story.append(Paragraph(escape(section.heading), styles["Heading1"]))
        story += [Paragraph(escape(part), styles["BodyText"]) for part in section.paragraphs]
        if section.table:
            story.append(Table([list(row) for row in section.table], colWidths=140))
        story.append(PageBreak())

    def furniture(canvas: Any, template: Any) -> None:
        canvas.drawString(200, 820, "Running head of the report")
        canvas.drawString(300, 20, str(template.page))

    target = io.BytesIO()
    SimpleDocTemplate(target, pagesize=A4, invariant=1).build(story, onFirstPage=furniture, onLaterPages=furniture)
    return target.getvalue()


def eml(outline: Outline) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ann <ann@example.org>", "Bo <bo@example.org>", "The outline"
    message["Date"] = "Tue, 03 Mar 2026 10:00:00 +0000"
    message.set_content(f"<html><body>{html_body(outline)}</body></html>", subtype="html")
    return message.as_bytes()


def notebook(outline: Outline) -> bytes:
    cells = [
        {"cell_type": "markdown", "source": markdown([section]).decode().splitlines(keepends=True)}
        for section in outline
    ]
    return json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}).encode()


def rst(outline: Outline) -> bytes:
    lines = []
    for section in outline:
        lines += [section.heading, "=" * (2 * len(section.heading) + 3), ""]
        lines += [line for part in section.paragraphs for line in (part, "")]
    return "\n".join(lines).encode()


def xml(outline: Outline) -> bytes:
    parts = []
    for section in outline:
        words = "".join(f"<para>{escape(part)}</para>" for part in section.paragraphs)
        parts.append(f"<section><title>{escape(section.heading)}</title>{words}</section>")
    return f'<?xml version="1.0" encoding="UTF-8"?><book>{"".join(parts)}</book>'.encode()


def table(outline: Outline) -> bytes:
    target = io.StringIO()
    csv.writer(target).writerows(outline[0].table)
    return target.getvalue().encode()


def jsonl(outline: Outline) -> bytes:
    records = (
        {"id": at, "title": section.heading, "text": "\n".join(section.paragraphs), "year": 2026}
        for at, section in enumerate(outline)
    )
    return "\n".join(json.dumps(record) for record in records).encode()


def python(outline: Outline) -> bytes:
    parts = (f"def section_{at}():\n    return {section.paragraphs!r}\n" for at, section in enumerate(outline))
    return "\n\n".join(parts).encode()


def zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


def _saved(library_object: Any) -> bytes:
    target = io.BytesIO()
    library_object.save(target)
    return target.getvalue()


MAKERS: dict[str, Callable[[Outline], bytes]] = {
    "a.txt": text, "a.md": markdown, "a.html": html, "a.docx": docx, "a.pptx": pptx, "a.xlsx": xlsx, "a.odt": odt,
    "a.epub": epub, "a.pdf": pdf, "a.eml": eml, "a.ipynb": notebook, "a.rst": rst, "a.xml": xml, "a.csv": table,
    "a.jsonl": jsonl, "a.py": python,
}  # fmt: skip
WITH_HEADINGS = ("a.md", "a.html", "a.docx", "a.pptx", "a.odt", "a.epub", "a.pdf", "a.eml", "a.ipynb", "a.rst", "a.xml")
WITH_TABLES = ("a.md", "a.html", "a.docx", "a.pptx", "a.xlsx", "a.odt", "a.epub", "a.pdf", "a.eml", "a.ipynb", "a.csv")
