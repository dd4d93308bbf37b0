"""Word, PowerPoint and Excel files: the same bytes whenever they are made.

Office files are ZIPs with the hour of their making in them, in many places; and zlib's builds differ in what they make
of the same bytes. So each is packed anew: one hour everywhere, nothing compressed.
"""

import io
import re
import zipfile
from datetime import datetime
from typing import Any

import docx
import openpyxl
import pptx
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_BREAK
from draft import Block, Draft
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Cm, Pt

_NUMBER = re.compile(r"^[+-]?[\d,]+(\.\d+)?%?$")
_LAYOUT = 5
"""Of python-pptx's template, the slide with a title alone; the other layouts are removed, which halves the file."""


def word(draft: Draft) -> bytes:
    document = docx.Document()
    _slim(document)
    _describe(document.core_properties, draft)
    document.sections[0].header.paragraphs[0].text = "Norrvik Sensors"
    for block in draft.blocks:
        if block.kind == "heading":
            document.add_heading(block.text, block.level)
        elif block.kind == "text":
            _runs(document.add_paragraph(), block.text)
        elif block.kind in ("bullets", "numbers"):
            for row in block.rows:
                style = "List Bullet" if block.kind == "bullets" else "List Number"
                _runs(document.add_paragraph(style=style), row[0])
        elif block.kind == "table":
            table = document.add_table(len(block.rows), len(block.rows[0]), "Table Grid")
            for at, row in enumerate(block.rows):
                for column, cell in enumerate(row):
                    table.cell(at, column).text = cell
        elif block.kind == "page":
            document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
    return _packed(document, draft)


def _slim(document: Any) -> None:
    """Less what python-docx's template brings along and nothing here uses: nine tenths of the file."""
    _drop(document.part.rels, "stylesWithEffects")
    _drop(document.part.package.rels, "thumbnail")
    for style in list(document.styles):
        if style.type == WD_STYLE_TYPE.TABLE and style.name not in ("Normal Table", "Table Grid"):
            style.delete()


def _drop(relations: Any, kind: str) -> None:
    for key in [key for key, relation in relations.items() if relation.reltype.endswith(f"/{kind}")]:
        relations.pop(key)


def _runs(paragraph: Any, text: str) -> None:
    for at, part in enumerate(re.split(r"\*\*(.+?)\*\*", text)):
        paragraph.add_run(part).bold = at % 2 == 1 or None


def workbook(draft: Draft) -> bytes:
    """A first heading is a sheet, a table is a block of cells, and notes are a comment on the cell above them."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    book.properties.title, book.properties.creator = draft.meta["title"], draft.meta["author"]
    sheet: Any = None
    row = 1
    for block in draft.blocks:
        if block.kind == "heading":
            sheet, row = book.create_sheet(block.text), 1
        elif block.kind == "notes":
            sheet.cell(row - 2, 1).comment = Comment(block.text, draft.meta["author"])
        elif block.kind == "text":
            sheet.cell(row, 1).value = block.text
            row += 2
        elif block.kind == "table":
            _cells(sheet, block, row)
            row += len(block.rows) + 1
    return _packed(book, draft)


def _cells(sheet: Any, block: Block, top: int) -> None:
    for at, cells in enumerate(block.rows, top):
        for column, text in enumerate(cells, 1):
            cell = sheet.cell(at, column)
            cell.value, cell.number_format = _value(text)
            if at == top:
                cell.font = Font(bold=True)
    for column, cells in enumerate(zip(*block.rows, strict=True), 1):
        sheet.column_dimensions[get_column_letter(column)].width = max(map(len, cells)) + 2


def _value(text: str) -> tuple[str | int | float | None, str]:
    """A number with the form in which it was written; anything else as it is."""
    if not _NUMBER.match(text):
        return text or None, "General"
    bare, places = text.replace(",", "").rstrip("%"), len(text.rstrip("%").partition(".")[2])
    form = ("#,##0" if "," in text else "0") + ("." + "0" * places if places else "")
    if text.endswith("%"):
        return round(float(bare) / 100, places + 2), f"{form}%"
    return (float(bare) if places else int(bare)), form


def slides(draft: Draft) -> bytes:
    """A heading is a slide; a table whose first head is "Chart" is drawn."""
    deck = pptx.Presentation()
    _describe(deck.core_properties, draft)
    slide: Any = None
    top: int = Cm(0)
    for block in draft.blocks:
        if block.kind == "heading":
            slide = deck.slides.add_slide(deck.slide_layouts[_LAYOUT])
            slide.shapes.title.text, top = block.text, Cm(4.4)
        elif block.kind == "notes":
            slide.notes_slide.notes_text_frame.text = block.text
        elif block.kind == "table" and block.rows[0][0] == "Chart":
            _chart(slide, block, top)
        elif block.kind == "table":
            rows, columns = len(block.rows), len(block.rows[0])
            table = slide.shapes.add_table(rows, columns, Cm(1.5), top, Cm(22), Cm(rows * 0.9)).table
            for at, row in enumerate(block.rows):
                for column, cell in enumerate(row):
                    table.cell(at, column).text = cell
                    table.cell(at, column).text_frame.paragraphs[0].font.size = Pt(14)
            top += Cm(rows * 0.9 + 0.8)
        else:
            lines = [row[0] for row in block.rows] or [block.text]
            frame = slide.shapes.add_textbox(Cm(1.5), top, Cm(22), Cm(1.2 * len(lines))).text_frame
            frame.word_wrap = True
            for at, line in enumerate(lines):
                paragraph = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
                paragraph.text, paragraph.font.size = line, Pt(20)
            top += Cm(1.6 * len(lines) + 0.6)
    for layout in [one for one in deck.slide_layouts if not one.used_by_slides]:
        deck.slide_layouts.remove(layout)
    _drop(deck.part.package._rels, "thumbnail")  # of the template's empty slide; no public name leads there
    return _packed(deck, draft)


def _chart(slide: Any, block: Block, top: Any) -> None:
    data: Any = CategoryChartData()  # type: ignore[no-untyped-call]
    data.categories = [row[0] for row in block.rows[1:]]
    for column in range(1, len(block.rows[0])):
        data.add_series(block.rows[0][column], [float(row[column].replace(",", "")) for row in block.rows[1:]])
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Cm(1.5), top, Cm(22), Cm(11), data)


def _describe(properties: Any, draft: Draft) -> None:
    properties.title, properties.author = draft.meta["title"], draft.meta["author"]
    properties.created = properties.modified = _when(draft)


def _when(draft: Draft) -> datetime:
    return datetime.fromisoformat(draft.meta["date"]).replace(hour=9)


def _packed(document: Any, draft: Draft) -> bytes:
    made = io.BytesIO()
    document.save(made)
    return _same(made.getvalue(), _when(draft))


def _same(data: bytes, when: datetime) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(packed, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith(".xlsx"):  # a chart has its figures in a workbook of its own
                content = _same(content, when)
            elif name == "docProps/core.xml":  # openpyxl notes the hour of saving, whatever it is told
                stamp = rb"\g<1>" + when.isoformat().encode() + b"Z"
                content = re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", stamp, content)
            member = zipfile.ZipInfo(name, date_time=when.timetuple()[:6])
            member.create_system = 3  # it would say on which system it was made
            target.writestr(member, content)
    return packed.getvalue()
