"""What each format says beside its text: titles, metadata, structure, what lies inside. One group a format."""

import io
import json
import random
import re
import zipfile
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Any

import docx as python_docx
import openpyxl
import pptx as python_pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE

from ragkit.connectors.document import Document
from ragkit.connectors.parser import parse
from ragkit.errors import Unreadable

from . import made


def read(name: str, data: str | bytes) -> Document:
    return parse(name, name, data.encode() if isinstance(data, str) else data)


def marked(document: Document, kind: str) -> list[str]:
    return [document.text[mark.start : mark.end] for mark in document.marks if mark.kind == kind]


# --- Markdown ---


def test_markdown_front_matter_is_metadata_and_the_text_stays_as_written() -> None:
    document = read("a.md", "---\ntitle: The plan\ntags: [a, b]\ndate: 2026-03-01\n---\n# Head\n\nSome *text*.\n")
    assert document.title == "The plan"
    assert document.metadata == {"title": "The plan", "tags": ["a", "b"], "date": "2026-03-01"}
    assert document.text == "# Head\n\nSome *text*."


def test_a_rule_at_the_top_of_markdown_is_no_front_matter() -> None:
    assert read("a.md", "---\nJust words: here: and there\n---\nText").text.startswith("---\nJust words")


def test_markdown_headings_fences_tables_and_nested_lists_are_marked() -> None:
    text = "Title\n=====\n\n```python\n# no heading\n```\n\n- a\n  - b\n\n|x|y|\n|-|-|\n|1|2|\n\n> # quoted\n"
    document = read("a.md", text)
    headings = [(mark.label, mark.level) for mark in document.marks if mark.kind == "heading"]
    assert headings == [("Title", 1), ("quoted", 1)]
    assert marked(document, "code") == ["```python\n# no heading\n```"]
    assert [mark.label for mark in document.marks if mark.kind == "code"] == ["python"]
    assert marked(document, "list") == ["- a\n  - b", "- b"]
    assert marked(document, "table") == ["|x|y|\n|-|-|\n|1|2|"]


@pytest.mark.parametrize("block", ["date: 2024-13-45", "a: &a [*a]", "a: &a [x, x]\nb: [*a, *a]"])
def test_front_matter_that_is_none_stays_text(block: str) -> None:
    assert read("a.md", f"---\n{block}\n---\nText.").text.startswith("---\n")


# --- HTML ---


def test_html_leaves_out_what_is_no_content() -> None:
    page = (
        "<html lang=en><head><title>The page</title><meta name=author content=Ann></head><body>"
        "<header><a>Logo</a></header><nav>Menu</nav><div style='display:none'>Hidden</div><p hidden>Hidden</p>"
        "<i aria-hidden=true>x</i><p>Text &amp; more.</p>"
        "<script>bad()</script><aside>Related</aside><button>Buy</button><footer>Imprint</footer></body></html>"
    )
    document = read("a.html", page)
    assert document.text == "Text & more."
    assert document.title == "The page"
    assert document.metadata == {"author": "Ann", "language": "en", "title": "The page"}


def test_html_keeps_what_the_declared_content_holds() -> None:
    page = "<p>Around.</p><main><header><h1>Head</h1></header><aside>A note.</aside><p>Long text here.</p></main>"
    assert read("a.html", page).text == "Head\n\nA note.\n\nLong text here."


def test_html_keeps_every_article_and_headings_of_all_kinds() -> None:
    articles = "".join(f"<article><p>Answer {at}. {'word ' * 20**at}</p></article>" for at in range(3))
    text = read("a.html", f"<body>{articles}</body>").text
    assert all(f"Answer {at}." in text for at in range(3))
    page = (
        "<header><h3>Section</h3><p>Lead.</p></header><h1>Annual<br>Report</h1>"
        "<h2><button>How do I pay?</button></h2><p>By card.</p><button>Buy</button>"
    )
    document = read("a.html", page)
    assert marked(document, "heading") == ["Section", "Annual Report", "How do I pay?"]
    assert "Lead." in document.text
    assert "Buy" not in document.text


def test_html_lists_code_tables_and_line_breaks() -> None:
    page = (
        "<p>One<br>two<br><br>three</p><ol><li>first<ul><li>inner</li></ul></li><li><p>second</p></li></ol>"
        "<pre>a  b\n  c</pre><table><caption>Cap</caption><tr><th>k</th><th>v</th></tr>"
        "<tr><td>x</td><td>1</td></tr></table>"
    )
    document = read("a.html", page)
    assert document.text.startswith("One\ntwo\n\nthree\n\n1. first\n  - inner\n2. second\n\na  b\n  c\n\nCap\nk | v")
    assert marked(document, "code") == ["a  b\n  c"]
    assert marked(document, "table") == ["Cap\nk | v\nx | 1"]
    assert marked(document, "list") == ["1. first\n  - inner\n2. second", "  - inner"]


def test_a_merged_cell_says_its_words_in_every_row_and_column() -> None:
    page = (
        "<table><tr><th rowspan=2>Year</th><th colspan=2>Sales</th></tr><tr><th>North</th><th>South</th></tr>"
        "<tr><td>2026</td><td>1</td><td rowspan=99999999999>2</td></tr></table>"
    )
    assert read("a.html", page).text == "Year | Sales | Sales\nYear | North | South\n2026 | 1 | 2"
    for claim in ("9999", "9" * 5000):
        wide = f"<table><tr><td colspan={claim}>a</td><td rowspan={claim}>b</td></tr><tr><td>c</td></tr></table>"
        assert len(read("a.html", wide).text) < 2000


def test_html_in_its_declared_encoding() -> None:
    assert read("a.html", b"<meta charset=koi8-r><p>\xf0\xd2\xc9\xd7\xc5\xd4</p>").text == "Привет"
    assert read("a.html", "<meta charset=windows-1251><p>Привет, мир</p>".encode("cp1251")).text == "Привет, мир"


def test_a_page_nested_a_thousand_deep_is_read() -> None:
    assert read("a.html", "<div>" * 5000 + "deep" + "</div>" * 5000).text == "deep"


# --- Office ---


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


# --- tables and records ---


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_with_a_header_names_every_value(delimiter: str) -> None:
    rows = [["name", "city"], ["Ann", "Oslo"], ["Bo", "Rome"]]
    document = read("a.csv", "\r\n".join(delimiter.join(row) for row in rows))
    assert document.text == "name | city\nname: Ann | city: Oslo\nname: Bo | city: Rome"


def test_csv_without_a_header_and_with_quotes() -> None:
    assert read("a.csv", '1,"a, ""b""\nc"\n2,d\n').text == '1 | a, "b" c\n2 | d'


def test_jsonl_maps_id_title_and_text_and_keeps_the_rest() -> None:
    records = [
        {"_id": "d1", "title": "One", "text": "First.", "year": 2026},
        {"id": 7, "contents": "Second."},
        ["bare", 1],
    ]
    document = read("a.jsonl", "\n".join(map(json.dumps, records)))
    assert [(child.uri, child.title, child.text) for child in document.children] == [
        ("a.jsonl#d1", "One", "First."), ("a.jsonl#7", "", "Second."), ("a.jsonl#L3", "", "[0]: bare\n[1]: 1"),
    ]  # fmt: skip
    assert document.children[0].metadata == {"year": 2026, "title": "One"}


def test_json_and_jsonl_are_told_apart_by_what_they_hold() -> None:
    lines = '{"id": 1, "text": "one"}\n{"id": 2, "text": "two"}'
    assert [one.uri for one in read("a.json", lines).children] == ["a.json#1", "a.json#2"]
    assert read("a.jsonl", '{\n  "text": "one"\n}').text == "one"
    assert read("a.json", "<!doctype html><p>A page.</p>").text == "A page."


def test_json_is_records_one_record_or_a_line_a_value() -> None:
    assert [one.uri for one in read("a.json", '[{"id": 1, "text": "x"}, {"text": "y"}]').children] == [
        "a.json#1",
        "a.json#[1]",
    ]
    assert read("a.json", '{"title": "T", "text": "x"}').title == "T"
    assert read("a.json", '{"a": {"b": [1, true, null, "c"]}}').text == "a.b[0]: 1\na.b[1]: true\na.b[3]: c"
    with pytest.raises(Unreadable, match="no valid JSON"):
        read("a.json", "{")


# --- mail ---


def test_mail_headers_are_metadata_and_attachments_are_children() -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ann <ann@example.org>", "Bo <bo@example.org>", "Größe"
    message["Date"] = "Tue, 03 Mar 2026 10:00:00 +0100"
    message.set_content("See the plan.")
    message.add_alternative("<p>See the <b>plan</b>.</p>", subtype="html")
    message.add_attachment(b"# Plan\n\nDo it.", maintype="text", subtype="markdown", filename="plan.md")
    message.add_attachment(b"\x00\x01\x02" * 50, maintype="application", subtype="octet-stream", filename="x.dat")
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="logo.png")
    document = read("a.eml", message.as_bytes())
    assert (document.title, document.text) == ("Größe", "Größe\n\nSee the plan.")
    assert document.metadata["date"] == "2026-03-03T10:00:00+01:00"
    assert document.metadata["from"] == "Ann <ann@example.org>"
    assert [(child.uri, child.title) for child in document.children] == [("a.eml#plan.md", "Plan")]
    assert [failure.uri for failure in document.failures] == ["a.eml#x.dat"]


def test_bodies_and_attachments_are_found_however_they_nest() -> None:
    page, words = MIMEText("<p>The body.</p>", "html"), MIMEText(" ", "plain")
    notes, more = MIMEText("Notes.", "plain"), MIMEText("More notes.", "plain")
    for part in (notes, more):
        part.add_header("Content-Disposition", "attachment", filename="notes.txt")
    inner = MIMEMultipart("mixed", _subparts=[page, notes, more])
    signature = MIMEApplication(b"AAAA", "pkcs7-signature")
    for outer in (
        MIMEMultipart("alternative", _subparts=[words, inner]),
        MIMEMultipart("signed", _subparts=[MIMEMultipart("alternative", _subparts=[words, inner]), signature]),
    ):
        outer["Subject"] = "Nested"
        document = read("a.eml", outer.as_bytes())
        assert document.text == "Nested\n\nThe body."
        assert [(child.uri, child.text) for child in document.children] == [
            ("a.eml#notes.txt", "Notes."), ("a.eml#notes.txt~2", "More notes."),
        ]  # fmt: skip
        assert not document.failures


def test_a_mail_to_everyone_is_read_at_once() -> None:
    everyone = ", ".join(f"Person {at} <p{at}@example.org>" for at in range(20_000))
    assert "p19999@" in read("a.eml", f"To: {everyone}\nSubject: All\n\nHello.").metadata["to"]


def test_a_mailbox_holds_its_mails() -> None:
    mail = "From ann@example.org Tue Mar  3 10:00:00 2026\nFrom: a@b\nSubject: {}\n\nHi {}\n>From here on.\n\n"
    document = read("a.mbox", mail.format("one", "Ann") + mail.format("two", "Bo"))
    assert [(child.uri, child.title) for child in document.children] == [
        ("a.mbox#1.eml", "one"),
        ("a.mbox#2.eml", "two"),
    ]
    assert document.children[0].text == "one\n\nHi Ann\nFrom here on."


def test_mails_in_mails_end_somewhere() -> None:
    inner = EmailMessage()
    inner["Subject"] = "innermost"
    inner.set_content("deep")
    for depth in range(6):
        outer = EmailMessage()
        outer["Subject"] = f"around {depth}"
        outer.set_content("see inside")
        outer.add_attachment(inner)
        inner = outer
    document, depth = read("a.eml", inner.as_bytes()), 0
    while document.children:
        document, depth = document.children[0], depth + 1
    assert depth == 3
    assert "files deep inside others" in document.failures[0].reason


# --- archives ---


def test_an_archive_keeps_hostile_names_inside() -> None:
    files = {
        "../../etc/passwd.txt": b"x y",
        "/abs.txt": b"a b",
        "C:\\win\\c.txt": b"c d",
        ".hidden/a.txt": b"h",
        "pic.png": b"p",
    }
    document = read("a.zip", made.zipped(files))
    assert [child.uri for child in document.children] == ["a.zip#etc/passwd.txt", "a.zip#abs.txt", "a.zip#C:/win/c.txt"]


def test_one_corrupt_member_costs_only_itself() -> None:
    archive = bytearray(made.zipped({"a.txt": b"words and words " * 99, "b.txt": b"Words."}))
    archive[40:60] = bytes(20)
    document = read("a.zip", bytes(archive))
    assert [child.uri for child in document.children] == ["a.zip#b.txt"]
    assert [failure.uri for failure in document.failures] == ["a.zip#a.txt"]


def test_an_archive_that_lies_about_its_size_is_stopped() -> None:
    honest = bytearray(made.zipped({"a.txt": b"words " * 1000, "b.txt": b"Words."}))
    at = honest.rfind((6000).to_bytes(4, "little"))  # the central directory's word for the unpacked size
    honest[at : at + 4] = (100).to_bytes(4, "little")
    document = read("a.zip", bytes(honest))
    assert [child.uri for child in document.children] == ["a.zip#b.txt"]
    assert [failure.uri for failure in document.failures] == ["a.zip#a.txt"]


def test_an_archive_that_would_unpack_to_too_much_is_refused() -> None:
    big = bytearray(made.zipped({"a.txt": random.Random(1).randbytes(2_000_000)}))
    at = big.rfind((2_000_000).to_bytes(4, "little"))
    big[at : at + 4] = (600_000_000).to_bytes(4, "little")
    with pytest.raises(Unreadable, match=r"1 files with 600 MB.*ZIP bomb"):
        read("a.zip", bytes(big))


# --- notebooks, source, XML, reStructuredText ---


def test_a_notebook_keeps_cells_in_order_with_what_they_printed() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Head\n", "\n", "Text."]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"output_type": "stream", "text": ["1\n"]}]},
    ]
    kernel = {"kernelspec": {"language": "python"}}
    document = read("a.ipynb", json.dumps({"nbformat": 4, "metadata": kernel, "cells": cells}))
    assert document.text == "# Head\n\nText.\n\nprint(1)\n\n1"
    assert [(mark.kind, mark.label) for mark in document.marks] == [("heading", "Head"), ("code", "python")]


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("a.py", "import os\n\n@cache\ndef one():\n    pass\n\nclass Two:\n    def inner(self): ...\n", ["one", "Two"]),
        ("b.py", "print 'of another age'\ndef one():\n    pass\n\nclass Two:\n    one = 1.\n", ["one", "Two"]),
        ("a.go", "package a\n\nfunc One() int {\n\treturn 1\n}\n\ntype Two struct {\n\tA int\n}\n", ["One", "Two"]),
        ("a.rs", "fn one() {\n    inner();\n}\n\npub struct Two {\n    a: u8,\n}\n", ["one", "Two"]),
        ("a.js", "function one() {\n  return 1\n}\nclass Two {\n  inner() {}\n}\n", ["one", "Two"]),
        ("a.ts", "export const one = (a) => {\n  return a\n}\nconst k = 1\nexport class Two {}\n", ["one", "Two"]),
        ("a.sh", "echo hello\n", []),
        ("a.java", "package a;\nclass One {\n    void inner() {}\n}\n", ["One"]),
    ],
)  # fmt: skip
def test_source_code_marks_what_is_defined_at_the_top(name: str, text: str, names: list[str]) -> None:
    document = read(name, text)
    assert document.text == text
    assert [mark.label for mark in document.marks] == names
    for mark in document.marks:
        assert mark.label in document.text[mark.start : mark.end]
        assert document.text[mark.end - 1] in "}s.", "to its end and no further"


def test_xml_feeds_read_as_their_entries_and_entities_are_not_expanded() -> None:
    feed = (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY lol "lol"><!ENTITY file SYSTEM "file:///etc/passwd">]>'
        "<rss><channel><title>News</title><item><title>Big &lol; day</title>"
        "<description>&lt;p&gt;It &lt;b&gt;happened&lt;/b&gt;.&lt;/p&gt;</description><author>&file;Ann</author></item>"
        "</channel></rss>"
    )
    document = read("a.xml", feed)
    assert document.title == "News"
    assert "It happened." in document.text
    assert "Big &lol; day" in document.text
    assert "&file;Ann" in document.text
    assert "root:" not in document.text


def test_broken_xml_is_read_as_far_as_it_goes_and_says_so() -> None:
    document = read("a.xml", "<a><p>One.</p><p>Two.</a>")
    assert "One." in document.text
    assert "broken" in document.failures[0].reason


def test_xml_prose_keeps_its_words_together_and_long_texts_whole() -> None:
    assert (
        read("a.xml", "<a><p>Hello <b>bold</b> and <i>italic</i> words.</p></a>").text == "Hello bold and italic words."
    )
    assert read("a.xml", f"<a><p>{'word ' * 2_500_000}</p><p>after</p></a>").text.endswith("after")


def test_xml_that_keeps_its_data_in_attributes_is_read() -> None:
    document = read("a.xml", '<countries version="1"><country id="7" code="NO" name="Norway"/></countries>')
    assert document.text == "country | code: NO | name: Norway"


def test_xml_with_a_prefix_that_stands_for_nothing_is_read() -> None:
    assert read("a.xml", "<n:a><n:p>Words.</n:p></n:a>").text == "Words."


def test_rst_marks_sections_and_includes_nothing() -> None:
    text = "Title\n=====\n\n.. include:: /etc/passwd\n\nSub\n---\n\n.. code-block:: python\n\n   x = 1\n\nEnd.\n"
    document = read("a.rst", text)
    assert document.text == text.strip("\n")
    headings = [(mark.label, mark.level) for mark in document.marks if mark.kind == "heading"]
    assert headings == [("Title", 1), ("Sub", 2)]
    assert marked(document, "code") == [".. code-block:: python\n\n   x = 1"]


def test_epub_chapters_come_in_reading_order_with_the_books_data() -> None:
    document = read("a.epub", made.epub([made.Section("One", ("First.",)), made.Section("Two", ("Second.",))]))
    assert document.text == "One\n\nFirst.\n\nTwo\n\nSecond."
