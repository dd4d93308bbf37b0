from hypothesis import given
from hypothesis import strategies as st

from ragkit.narrow import narrow

REPORT = (
    "Revenue was 4.2 million in the third quarter. It grew by 12 % over the second. Costs stayed flat.\n"
    "Headcount rose to 85 engineers. Marketing spent 300,000 on events.\n\n"
    "Region | Revenue\nNorth | 2.1\nSouth | 1.4\nWest | 0.7"
)


def parts(claim: str, passage: str = REPORT) -> list[str]:
    return [passage[start:end] for start, end in narrow(claim, passage)]


def test_a_claim_rests_on_its_sentence_not_on_the_passage() -> None:
    assert parts("There are 85 engineers.") == ["Headcount rose to 85 engineers."]


def test_neighbours_are_one_range() -> None:
    assert parts("Revenue was 4.2 million in the third quarter and grew by 12 % over the second.") == [
        "Revenue was 4.2 million in the third quarter. It grew by 12 % over the second."
    ]


def test_sentences_that_lie_apart_are_two_ranges() -> None:
    found = parts("Revenue was 4.2 million in the third quarter, marketing spent 300,000 on events.")
    assert found == [
        "Revenue was 4.2 million in the third quarter.",
        "Marketing spent 300,000 on events.",
    ]


def test_a_row_of_a_table_is_a_range() -> None:
    assert parts("The south had 1.4.") == ["South | 1.4"]


def test_nothing_stands_out_for_what_shares_no_word_with_it() -> None:
    assert parts("Ganz andere Worte.") == []


def test_nothing_is_cited_of_a_blank_passage() -> None:
    assert parts("Revenue", " \n ") == []


@given(st.text(max_size=60), st.text(max_size=300))
def test_ranges_are_in_order_apart_and_not_blank(claim: str, passage: str) -> None:
    last = 0
    for start, end in narrow(claim, passage):
        assert last <= start < end <= len(passage)
        assert passage[start:end] == passage[start:end].strip()
        last = end
