import pytest

from ragkit.model import Quote
from ragkit.statements import bare, read


def said(text: str) -> list[tuple[str, list[int]]]:
    marked = read(text)
    return [(marked.text[one.start : one.end], [mark.number for mark in one.marks]) for one in marked.statements]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A grew [1]. B fell [2].", [("A grew.", [1]), ("B fell.", [2])]),
        ("A grew. [1] B fell. [2][3]", [("A grew.", [1]), ("B fell.", [2, 3])]),
        ("A grew [1], B fell [2, 3].", [("A grew, B fell.", [1, 2, 3])]),
        ("[4] A grew.", [("A grew.", [4])]),
        ("A grew [1].\n[2] B fell.", [("A grew.", [1]), ("B fell.", [2])]),
        ("- A grew [1]\n- B fell [2]", [("- A grew", [1]), ("- B fell", [2])]),
        ("A | 12 % [1]\nB | 3 % [2]", [("A | 12 %", [1]), ("B | 3 %", [2])]),
        ("No marker at all.", [("No marker at all.", [])]),
        ("", []),
        ("[1]", []),
    ],
)
def test_each_marker_belongs_to_its_sentence(text: str, expected: list[tuple[str, list[int]]]) -> None:
    assert said(text) == expected


def test_ranges_that_a_model_names_stay_with_their_markers() -> None:
    marked = read("A [1, 2]. B [3].", [Quote(1, 0, 4), None, Quote(3, 5, 9)])
    assert [mark.quote for one in marked.statements for mark in one.marks] == [Quote(1, 0, 4), None, Quote(3, 5, 9)]


@pytest.mark.parametrize(
    ("sentence", "claims"),
    [
        ("Revenue grew by 12 %.", True),
        ("## Revenue", False),
        ("These are the reasons:", False),
        ("How much did revenue grow?", False),
        ("The passages do not say who wrote it.", False),
        ("Nothing about marketing is in the documents provided.", False),
        ("The documents were signed by Ann.", True),
    ],
)
def test_what_no_source_could_support_is_no_claim(sentence: str, claims: bool) -> None:
    assert [one.claims for one in read(sentence).statements] == [claims]


def test_without_markers_a_text_can_stand_in_a_question() -> None:
    assert bare("Ann Kay [1] and Bo [2].") == "Ann Kay and Bo."
