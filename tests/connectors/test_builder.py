import datetime

import pytest

from ragkit.connectors.builder import Builder
from ragkit.connectors.plain import clean, plain


def test_a_mark_begins_at_its_first_character_not_at_the_gap_before() -> None:
    out = Builder()
    out.block("before")
    with out.mark("page", number=1):
        out.heading("Head", 2)
        out.block("body")
    document = out.build("a")
    assert document.text == "before\n\nHead\n\nbody"
    assert [(mark.kind, document.text[mark.start : mark.end]) for mark in document.marks] == [
        ("page", "Head\n\nbody"),
        ("heading", "Head"),
    ]


def test_a_mark_of_nothing_is_dropped_but_an_empty_page_stays() -> None:
    out = Builder()
    with out.mark("list"):
        out.write("")
    with out.mark("page", number=1):
        pass
    out.block("text")
    assert [(mark.kind, mark.start, mark.end) for mark in out.build("a").marks] == [("page", 0, 0)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("page\x0cbreak\u2028line", "page\nbreak\nline"),
        ("nul\x00 soft\xadhyphen \ufeffmark \ud800surrogate", "nul softhyphen mark surrogate"),
        ("e\ufb03cient", "efficient"),
        ("tab\tand 日本", "tab\tand 日本"),
    ],
)
def test_text_is_cleaned_of_what_cannot_be_seen(given: str, kept: str) -> None:
    assert clean(given) == kept
    assert clean(kept) == kept


def test_metadata_become_json_values() -> None:
    day = datetime.date(2026, 3, 1)
    assert plain({"on": day, 1: (day, {"x": float("nan")}), "odd": object}) == {
        "on": "2026-03-01",
        "1": ["2026-03-01", {"x": "nan"}],
        "odd": str(object),
    }


def test_a_table_drops_empty_rows_and_trailing_cells() -> None:
    out = Builder()
    out.table([["a", "b", ""], ["", "", ""], ["", "d\ne", ""]])
    assert out.build("a").text == "a | b\n| d e"


def test_without_a_title_the_first_of_the_highest_headings_is_it() -> None:
    out = Builder()
    out.heading("Small print", 3)
    out.heading("Annual report", 1)
    out.heading("Another part", 1)
    document = out.build("a")
    assert document.title == "Annual report"
    assert "title" not in document.metadata
