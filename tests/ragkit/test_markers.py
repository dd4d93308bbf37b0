import random

import pytest

from ragkit.markers import MARKER, marked, single


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("None. [a] [12345] []", []),
        ("It rose [1].", [(8, 1)]),
        ("It rose [1][3] [2, 4;5].", [(8, 1), (11, 3), (15, 2), (15, 4), (15, 5)]),
        ("[[1, 2]] [1, [2]", [(1, 1), (1, 2), (13, 2)]),
    ],
)
def test_markers_are_found_where_they_open(text: str, found: list[tuple[int, int]]) -> None:
    assert marked(text) == found


def test_they_are_those_of_the_text_with_single_ones() -> None:
    chance = random.Random(5)
    for _ in range(20_000):
        text = "".join(chance.choices("[[[]]]123,; ax", k=chance.randint(1, 24)))
        assert [number for _, number in marked(text)] == [int(one[1]) for one in MARKER.finditer(single(text))], text
