import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragkit.indexes.sentences import sentences


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text, 0, len(text))]


@pytest.mark.parametrize(
    "parts",
    [
        ["Dr. Smith met the U.S. Government.", "He saw No. 5, e.g. the one of Fig. 3."],
        ["J. K. Rowling sued Apple Inc. over v2.1.3 and 3.5 percent.", "She won."],
        ["He works in the U.S.", "The firm is Apple Inc.", "It is large."],
        ["Is it?", "No.", "It is not!", "Well then."],
        ["It fell... and rose again.", "Then it stopped...", "Nothing more."],
        ['"Really?" he asked.', "(It was so.)", "“Quite.”", "So it ends [12].", "Next."],
        ["Ducks fly.[12][13]", "They also swim."],
        ["the flow over a wing .", "the results of it ."],
        ["On p. 5 and in Vol. II, Sec. 3.", "Published in Mar. 2021 by approx. five people."],
    ],
)
def test_stops(parts: list[str]) -> None:
    assert cut(" ".join(parts)) == parts


def test_stops_of_other_scripts_need_no_blank() -> None:
    assert cut("他说。你好！「是吗？」好。") == ["他说。", "你好！", "「是吗？」", "好。"]
    assert cut("ما هذا؟ هذا كتاب۔ نعم") == ["ما هذا؟", "هذا كتاب۔", "نعم"]
    assert cut("यह है। वह था॥ अब") == ["यह है।", "वह था॥", "अब"]


def test_a_blank_line_and_an_item_end_a_sentence() -> None:
    assert cut("Without a stop\n\nthe next") == ["Without a stop", "the next"]
    assert cut("Things:\n1. First one\n2. Second one\n- third") == [
        "Things:",
        "1. First one",
        "2. Second one",
        "- third",
    ]
    assert cut("Name: x\nAge: 3\nCity: Rome") == ["Name: x", "Age: 3", "City: Rome"]


def test_a_line_end_within_a_wrapped_paragraph_ends_nothing() -> None:
    wrapped = (
        "The committee met on the first day of the month and talked at\nlength about what had been decided before."
    )
    assert cut(f"{wrapped} It left.") == [wrapped, "It left."]


def test_a_line_too_long_to_be_wrapped_is_a_paragraph() -> None:
    line = "word " * 40 + "end"
    assert cut(f"{line}\n{line}") == [line, line]


def test_only_the_range_is_cut_in_the_coordinates_of_the_text() -> None:
    text = "Not this. One here. Two here. Nor this."
    assert [text[a:b] for a, b in sentences(text, 10, 29)] == ["One here.", "Two here."]


@given(st.text(alphabet="aB1.!?。 \n\r\f\t\"')(-|,\u0301é", max_size=200), st.integers(0, 50), st.integers(0, 200))
def test_nothing_but_blanks_is_lost(text: str, start: int, end: int) -> None:
    end = min(end, len(text))
    start = min(start, end)
    found = sentences(text, start, end)
    at = start
    for first, last in found:
        assert at <= first < last <= end
        assert not text[at:first].strip()
        assert text[first:last] == text[first:last].strip()
        at = last
    assert not text[at:end].strip()
