import random

import pytest

from ragkit.markers import MARKER, marked, single, unmarked


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("None. [a] [12345] []", []),
        ("It rose [1].", [(8, 1)]),
        ("It rose [1][3] [2, 4;5].", [(8, 1), (11, 3), (15, 2), (15, 4), (15, 5)]),
        ("[1-3] [9–8] [100-103]", [(0, 1), (0, 2), (0, 3), (6, 9), (6, 8)]),
        ("[passage 2] [Sources 1 and source 3] 【4】【5†a.md】", [(0, 2), (12, 1), (12, 3), (37, 4), (40, 5)]),
        ("[[1, 2]] [1, [2]", [(1, 1), (1, 2), (13, 2)]),
    ],
)
def test_markers_are_found_where_they_open(text: str, found: list[tuple[int, int]]) -> None:
    assert marked(text) == found


def test_they_are_those_of_the_text_with_single_ones() -> None:
    chance = random.Random(5)
    for _ in range(20_000):
        text = "".join(chance.choices("[[[]]]123,;-&【】 ax", k=chance.randint(1, 24)))
        assert [number for _, number in marked(text)] == [int(one[1]) for one in MARKER.finditer(single(text))], text


def test_numbers_of_others_are_put_in_round_brackets() -> None:
    text = "See [1, 2] and 【3】, a[4] and [12345]."
    assert unmarked(text) == "See (1, 2) and (3), a(4) and [12345]."
    assert marked(unmarked(text)) == []
