"""Word, PowerPoint and Excel: what they show beside their text, and what is damaged in them."""

import io
import re
import zipfile
from typing import Any

import docx as python_docx
import openpyxl
import pptx as python_pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE

from ragkit.errors import Unreadable

from . import made
from .parsed import marked, read


def test_word_numbers_lists_as_word_shows_them_and_leaves_deleted_text_out() -> None:
    document = python_docx.Document()
    document.core_properties.title, document.core_properties.author = "The contract", "Ann"
    document.add_heading("Scope", 2)
    for text in ("first", "second"):
        document.add_paragraph(text, style="List Number")
    document.add_paragraph("point", style="List Bullet")
    target = io.BytesIO()
    document.save(target)
    source = zipfile.ZipFile(target)
    body = source.read("word/document.xml").decode()
    deleted = "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
    deleted += "<w:moveFrom><w:r><w:t>moved away</w:t></w:r></w:moveFrom>"
    added = "<w:ins><w:r><w:t> inserted</w:t></w:r></w:ins>"
    body = body.replace("<w:t>point</w:t>", f"<w:t>point</w:t></w:r>{deleted}{added}<w:r><w:t/>")
    files = {name: source.read(name) for name in source.namelist()}
    read_ = read("a.docx", made.zipped({**files, "word/document.xml": body.encode()}))
    assert read_.text == "Scope\n\n1. first\n2. second\n\n- point inserted".replace("\n\n- ", "\n- ")
    assert (read_.title, read_.metadata["author"]) == ("The contract", "Ann")
    assert [(mark.kind, mark.label, mark.level) for mark in read_.marks] == [
        ("heading", "Scope", 2),
        ("list", "", None),
    ]
    assert marked(read_, "list") == ["1. first\n2. second\n- point inserted"]


def test_slides_are_marked_with_number_and_title_and_keep_their_notes() -> None:
    deck = python_pptx.Presentation()
    for title in ("First", "Second"):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = f"{title} body"
        slide.notes_slide.notes_text_frame.text = f"say {title}"
    target = io.BytesIO()
    deck.save(target)
    document = read("a.pptx", target.getvalue())
    assert [(mark.label, mark.number) for mark in document.marks if mark.kind == "slide"] == [
        ("First", 1),
        ("Second", 2),
    ]
    assert marked(document, "slide")[1] == "Second\n\nSecond body\n\nNotes: say Second"


def test_a_sheet_reads_header_value_as_shown_and_is_cut_into_its_tables() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Plan"
    for row in (["Region", "Growth", "Sales"], ["North", 0.125, 1200.0], ["South", -0.5, None]):
        sheet.append(row)
    for cell in ("B2", "B3"):
        sheet[cell].number_format = "0.0%"
    sheet["F6"], sheet["G6"], sheet["F7"], sheet["G7"] = "Name", "Day", "Ann", __import__("datetime").date(2026, 3, 1)
    target = io.BytesIO()
    book.save(target)
    document = read("a.xlsx", target.getvalue())
    assert marked(document, "table") == [
        "Region | Growth | Sales\nRegion: North | Growth: 12.5% | Sales: 1200\nRegion: South | Growth: -50.0%",
        "Name | Day\nName: Ann | Day: 2026-03-01",
    ]
    assert [(mark.label, mark.number) for mark in document.marks if mark.kind == "sheet"] == [("Plan", 1)]


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a.pptx", "a.odt", "a.epub"])
def test_an_office_file_that_is_a_bomb_is_refused(name: str) -> None:
    section = made.Section("Heading", ("Words.",), (("a", "b"), ("1", "2")))
    source = zipfile.ZipFile(io.BytesIO(made.MAKERS[name]([section])))
    files = {inner: source.read(inner) for inner in source.namelist()}
    with pytest.raises(Unreadable, match="ZIP bomb"):
        read(name, made.zipped({**files, "word/media/bomb.bin": b"\0" * 120_000_000}))


def test_a_workbook_repeats_merged_cells_and_names_formulas_without_result() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["Region", "City", "Sales"], ["North", "Oslo", 1], [None, "Bergen", "=C2*2"], ["South", "Rome", 3]):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    target = io.BytesIO()
    book.save(target)
    document = read("a.xlsx", target.getvalue())
    assert "Region: North | City: Bergen" in document.text
    assert document.metadata["formulas_without_result"] == ["Sheet!C3"]


def test_a_stray_cell_in_the_last_corner_costs_little() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["a", "b"], ["1", "2"]):
        sheet.append(row)
    sheet["XFD1048576"] = "stray"
    target = io.BytesIO()
    book.save(target)
    assert read("a.xlsx", target.getvalue()).text == "Sheet\n\na | b\na: 1 | b: 2\n\nstray"


@pytest.mark.parametrize(
    ("value", "format", "text"),
    [
        (0.125, "0.0%", "12.5%"), (1234.5, "#,##0.00", "1,234.50"), (1234.5, '"$"#,##0', "$1,234"),
        (-3, "#,##0.00_);(#,##0.00)", "-3.00"), (5, "[$€-407] #,##0.00", "€5.00"), (2.50, '0.0" kg"', "2.5 kg"),
        (123456789012.34, "General", "123456789012.34"), (-0.00001, None, "-0.00001"), (1e21, None, "1" + "0" * 21),
        (3.0, None, "3"), (True, None, "TRUE"), (12, "0.00E+00", "12"), (7, "@", "7"),
    ],
)  # fmt: skip
def test_numbers_are_as_their_format_shows_them(value: float, format: str | None, text: str) -> None:
    from ragkit.connectors.cellvalue import shown

    assert shown(value, format) == text


def test_one_chart_that_cannot_be_read_costs_only_itself() -> None:
    deck = python_pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Sales"
    data: Any = CategoryChartData()  # type: ignore[no-untyped-call]
    data.categories = ["North", "South"]
    data.add_series("Euros", (1234567, 2.5))
    slide.shapes.add_chart(XL_CHART_TYPE.PIE, 0, 2_000_000, 3_000_000, 3_000_000, data)
    target = io.BytesIO()
    deck.save(target)
    assert "North | 1234567\nSouth | 2.5" in read("a.pptx", target.getvalue()).text
    source = zipfile.ZipFile(target)
    files = {name: source.read(name).replace(b"c:pieChart", b"c:pie3DChart") for name in source.namelist()}
    document = read("a.pptx", made.zipped(files))
    assert document.text == "Sales"
    assert len(document.failures) == 1


@pytest.mark.parametrize("name", ["a.docx", "a.pptx"])
def test_a_file_without_properties_gets_none_made_up(name: str) -> None:
    source = zipfile.ZipFile(io.BytesIO(made.MAKERS[name]([made.Section("Head", ("Words.",))])))
    files = {inner: source.read(inner) for inner in source.namelist() if "core.xml" not in inner}
    files["_rels/.rels"] = re.sub(rb"<Relationship [^>]*core-properties[^>]*/>", b"", files["_rels/.rels"])
    document = read(name, made.zipped(files))
    assert document.title == "Head"
    assert document.metadata == {}


def test_merged_cells_of_word_and_powerpoint_are_repeated() -> None:
    document = python_docx.Document()
    table = document.add_table(2, 3)
    for at, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = str(at)
    table.cell(0, 0).merge(table.cell(1, 0)).text = "both"
    table.cell(0, 1).merge(table.cell(0, 2)).text = "wide"
    target = io.BytesIO()
    document.save(target)
    assert read("a.docx", target.getvalue()).text == "both | wide | wide\nboth | 4 | 5"
    deck = python_pptx.Presentation()
    shapes = deck.slides.add_slide(deck.slide_layouts[6]).shapes
    grid = shapes.add_table(2, 2, 0, 0, 900_000, 900_000).table
    grid.cell(0, 0).merge(grid.cell(1, 0))
    for row, column, text in ((0, 0, "both"), (0, 1, "one"), (1, 1, "two")):
        grid.cell(row, column).text = text
    target = io.BytesIO()
    deck.save(target)
    assert read("a.pptx", target.getvalue()).text == "both | one\nboth | two"
