"""Markers: the numbers in square brackets by which a text names its passages. `[1, 2]` is two of them.

Models are asked for `[1][2]`, and most write that. What some write instead is read as the same: groups, `[1-3]`,
`[passage 2]`, `【4】`. Else it would stand in an answer as a number that means nothing there.
"""

import re

MARKER = re.compile(r"\s?\[(\d{1,4})\]")
_ONE = r"(?:(?:passages?|sources?|documents?)\s{1,2})?\d{1,4}"
_EITHER = re.compile(
    rf"[\[【](?:\d{{1,2}}\s?[–-]\s?\d{{1,2}}|{_ONE}(?:\s*(?:[,;&]|\band|\bund)\s*{_ONE})*)(?:†[^\[\]【】\n]{{0,60}})?[\]】]",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"(\d+)\s?[–-]\s?(\d+)")
_NUMBER = re.compile(r"\d+")


def single(text: str) -> str:
    """`[1, 2]` as `[1][2]`."""
    return _EITHER.sub(lambda match: "".join(f"[{one}]" for one in _numbers(match[0])), text)


def marked(text: str) -> list[tuple[int, int]]:
    """Where the bracket of each marker opens, and its number, in the order in which they stand in `single(text)`."""
    return [(match.start(), int(one)) for match in _EITHER.finditer(text) for one in _numbers(match[0])]


def unmarked(text: str) -> str:
    """The text with `(1)` for `[1]`, as long as it was: its numbers are not those of passages."""
    return _EITHER.sub(lambda match: f"({match[0][1:-1]})", text)


def _numbers(group: str) -> list[str]:
    if (match := _BETWEEN.search(group)) is not None and int(match[1]) < int(match[2]):
        return [str(one) for one in range(int(match[1]), int(match[2]) + 1)]
    return _NUMBER.findall(group.partition("†")[0])
