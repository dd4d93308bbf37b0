"""PDFs made on the spot: what a layout looks like, and what must come out of it."""

import io
from typing import Any

import pypdf
import pytest
from pypdf.constants import PageLabelStyle
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from ragkit.connectors.document import Document
from ragkit.connectors.parser import parse
from ragkit.errors import Unreadable


def pdf(*pages: list[tuple[float, float, str]], **info: str) -> bytes:
    """Lines at (left, base) on pages, in 11-point Helvetica; a line beginning with # is a heading in 18."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=1)
    if "title" in info:
        canvas.setTitle(info["title"])
    for lines in pages:
        for left, base, text in lines:
            canvas.setFont("Helvetica", 18 if text.startswith("#") else 11)
            canvas.drawString(left, base, text.lstrip("# "))
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def read(data: bytes) -> Document:
    return parse("a.pdf", "a.pdf", data)


def lines(*texts: str, top: float = 700, left: float = 72, step: float = 13) -> list[tuple[float, float, str]]:
    return [(left, top - at * step, text) for at, text in enumerate(texts)]


def marked(document: Document, kind: str) -> list[str]:
    return [document.text[mark.start : mark.end] for mark in document.marks if mark.kind == kind]


def test_lines_become_paragraphs_and_hyphens_at_line_ends_are_mended() -> None:
    page = lines(
        "The first paragraph is long enough to fill its lines and shows how a repre-",
        "sentation is joined again, while well-known words keep the hyphen: it is well-",
        "known that they do.",
    ) + lines("A second paragraph stands apart from the first one.", top=640)
    assert read(pdf(page)).text == (
        "The first paragraph is long enough to fill its lines and shows how a representation is joined again, "
        "while well-known words keep the hyphen: it is well-known that they do.\n\n"
        "A second paragraph stands apart from the first one."
    )


def test_a_hyphen_at_a_line_end_stays_where_the_document_shows_that_it_is_one() -> None:
    page = lines(
        "The space is of a high dimension, and dimensional arguments hold in it for the high-",
        "dimensional case, with pre- and post-processing that is left for the next step, in pre-",
        "and post-war times alike, which ends this example.",
    )
    text = read(pdf(page)).text
    assert "for the high-dimensional case" in text
    assert "in pre- and post-war times" in text


def test_running_heads_and_page_numbers_are_left_out_and_named() -> None:
    pages = [
        [(72, 800, "Annual report 2026"), *lines(f"Body of page {word}."), (280, 30, f"Page {at} of 4")]
        for at, word in enumerate(("one", "two", "three", "four"), 1)
    ]
    document = read(pdf(*pages))
    assert marked(document, "page") == [f"Body of page {word}." for word in ("one", "two", "three", "four")]
    assert document.metadata["running_heads"] == ["Annual report 2026", "Page 1 of 4"]


def test_figures_and_clauses_at_the_edges_of_pages_are_no_running_heads() -> None:
    def row(at: int, row: int) -> tuple[str, str]:
        return f"2026-01-{at * 4 + row + 1:02d}", f"{(at * 7 + row) * 311}.50"

    pages = []
    for at in range(6):
        cells = [
            (left, 780 - r * 14.0, text) for r in range(4) for left, text in zip((72.0, 300.0), row(at, r), strict=True)
        ]
        pages.append(cells + lines(f"Clause {at * 3}. See section {at}.", top=60))
    text = read(pdf(*pages)).text
    for at in range(6):
        assert f"Clause {at * 3}." in text
        for r in range(4):
            assert " | ".join(row(at, r)) in text


def test_the_head_of_a_table_that_goes_on_is_kept_once() -> None:
    head = [(72.0, 780.0, "Date"), (300.0, 780.0, "Amount")]
    rows = [[(72.0, 766 - row * 14.0, f"day {row * 7 + at}"), (300.0, 766 - row * 14.0, f"{at}{row}.00")]
            for at in range(4) for row in range(3)]  # fmt: skip
    pages = [head + [cell for row in rows[at * 3 : at * 3 + 3] for cell in row] for at in range(4)]
    assert read(pdf(*pages)).text.count("Date | Amount") == 1


def test_what_recurs_on_two_pages_only_is_kept() -> None:
    document = read(pdf(*[[(72, 800, "Contract"), *lines(f"Clause {at}.")] for at in range(2)]))
    assert document.text.count("Contract") == 2


def test_a_sentence_goes_on_over_the_page_and_pages_stay_exact() -> None:
    first = lines("#Chapter", top=780) + lines("A sentence that is not finished at the foot of this page but", top=60)
    second = lines("goes on at the top of the next one.", top=780)
    document = read(pdf(first, second))
    assert "this page but\ngoes on at the top" in document.text
    assert marked(document, "page")[1] == "goes on at the top of the next one."


def test_columns_set_apart_are_cells_of_a_table() -> None:
    rows = [("Item", "2025", "2026"), ("Revenue", "$ 1,200", "$ 1,450"), ("Costs", "800", "(90)")]
    page = [
        (left, 700 - at * 14.0, cell)
        for at, row in enumerate(rows)
        for left, cell in zip((72.0, 250.0, 400.0), row, strict=True)
    ]
    document = read(pdf(lines("#Figures", top=760) + page))
    assert marked(document, "table") == ["Item | 2025 | 2026\nRevenue | $ 1,200 | $ 1,450\nCosts | 800 | (90)"]
    assert marked(document, "heading") == ["Figures"]


def test_larger_type_makes_headings_and_the_title_comes_from_the_info_or_the_first_heading() -> None:
    page = lines("#The large heading", top=760) + lines(
        "Some text in the usual size, and more of it than of the heading."
    )
    assert read(pdf(page)).title == "The large heading"
    document = read(pdf(page, title="Microsoft Word - Real title"))
    assert document.title == "Real title"
    (heading,) = (mark for mark in document.marks if mark.kind == "heading")
    assert (heading.label, heading.level) == ("The large heading", 1)


def test_an_outline_that_fits_names_the_headings() -> None:
    body = "Words in the usual size that fill this page, more of them than of anything else on it."
    pages = [lines("#The book", top=780) if at == 0 else [] for at in range(3)]
    titles = (
        "1 First things",
        "2 Second things",
        "3 Third things that are",
    )
    pages = [page + lines(title, body, body, top=700) for page, title in zip(pages, titles, strict=True)]
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(*pages)))
    parent = writer.add_outline_item(title="1. First things", page_number=0)
    writer.add_outline_item(title="2. Second things", page_number=1, parent=parent)
    writer.add_outline_item(title="3. Third things that are", page_number=2)
    target = io.BytesIO()
    writer.write(target)
    headings = [(mark.label, mark.level) for mark in read(target.getvalue()).marks if mark.kind == "heading"]
    assert headings == [("The book", 1), ("1 First things", 2), ("2 Second things", 3), ("3 Third things that are", 2)]


def test_pages_without_text_are_counted_and_named() -> None:
    document = read(pdf(lines("Words."), [], lines("More words.")))
    assert document.metadata["pages_without_text"] == [2]
    pages = [mark for mark in document.marks if mark.kind == "page"]
    assert [(page.number, page.end - page.start > 0) for page in pages] == [(1, True), (2, False), (3, True)]


def test_a_scan_says_how_to_make_it_readable() -> None:
    with pytest.raises(Unreadable, match=r"2 pages but no text layer.*ocrmypdf"):
        read(pdf([], []))


def encrypted(data: bytes, user: str, owner: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    writer.encrypt(user_password=user, owner_password=owner, algorithm="AES-256")
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def test_a_password_is_asked_for_only_where_one_is_needed() -> None:
    plain = pdf(lines("Secret words."))
    assert read(encrypted(plain, "", "owner")).text == "Secret words."
    with pytest.raises(Unreadable, match="protected by a password"):
        read(encrypted(plain, "user", "owner"))


def test_form_fields_that_are_filled_in_are_read() -> None:
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=1)
    canvas.drawString(72, 700, "Application")
    canvas.acroForm.textfield(name="applicant", tooltip="Applicant", value="Ada Lovelace", x=72, y=650)
    canvas.acroForm.textfield(name="empty", tooltip="Nothing", value="", x=72, y=600)
    canvas.save()
    text = read(target.getvalue()).text
    assert "Applicant: Ada Lovelace" in text
    assert "Nothing" not in text


def test_printed_page_numbers_are_the_labels() -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(*[lines(f"Page {at}.") for at in "abc"])))
    writer.set_page_label(0, 1, style=PageLabelStyle.LOWERCASE_ROMAN)
    writer.set_page_label(2, 2, style=PageLabelStyle.DECIMAL, start=1)
    target = io.BytesIO()
    writer.write(target)
    labels: list[Any] = [(mark.label, mark.number) for mark in read(target.getvalue()).marks if mark.kind == "page"]
    assert labels == [("i", 1), ("ii", 2), ("1", 3)]
