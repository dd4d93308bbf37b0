"""What an answer looks like in a terminal of 80 columns."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ragkit.answerview import hang, show_text
from ragkit.terminal import plain


def console(width: int = 80) -> Console:
    return Console(file=io.StringIO(), emoji=False, width=width)


def lines(of: Console) -> list[str]:
    assert isinstance(of.file, io.StringIO)
    return [line.rstrip() for line in of.file.getvalue().splitlines()]


def shown(text: str, width: int = 80) -> list[str]:
    place = console(width)
    show_text(text, place)
    return lines(place)


def test_a_table_of_an_answer_is_a_table_and_keeps_its_markers() -> None:
    text = "| | |\n|---|---|\n| Alpha | 5 % [1] |\n| Beta Corp | 6 % [2]; 7 % [3] |\n\nAlpha grew. [1]"
    assert shown(text) == ["Alpha      5 % [1]", "Beta Corp  6 % [2]; 7 % [3]", "", "Alpha grew. [1]"]


def test_its_heads_stand_above_it_and_a_masked_pipe_is_a_pipe() -> None:
    text = "| Domain | years |\n|:--|--:|\n| a \\| b | 3 [1] | more |"
    assert shown(text) == ["Domain  years", "a | b   3 [1]  more"]


@pytest.mark.parametrize(
    "text",
    ["Quarter: Q3 | Total: 151 [1]", "| one row |", "| a | b |\n| c | d |\n| e | f |", "|", "|---|", "|a|\n|---|"],
)
def test_what_is_no_table_stays_as_it_is(text: str) -> None:
    assert shown(text) == text.splitlines()


def test_a_wide_table_is_wrapped_by_words() -> None:
    rows = shown(f"| | |\n|---|---|\n| {'growth of revenue ' * 4}| {'twelve percent ' * 5}[1] |", width=60)
    assert all(len(row) <= 60 for row in rows)
    assert set(" ".join(rows).split()) == {"growth", "of", "revenue", "twelve", "percent", "[1]"}


def test_later_lines_begin_below_the_first() -> None:
    place = console(40)
    hang("[bold]\\[1][/] ", plain("report-2025-q3.pdf, page 1 › Report on the third quarter"), place)
    assert lines(place) == ["[1] report-2025-q3.pdf, page 1 › Report", "    on the third quarter"]


@given(st.text(alphabet="\\[]/abred=- :", max_size=40))
def test_nothing_of_it_is_obeyed(text: str) -> None:
    place = console(200)
    hang("  ", plain(text), place)
    said = "".join(text.split())
    assert "".join("".join(lines(place)).split()) == "".join("".join(shown(text, 200)).split()) == said
