"""Markers: the numbers in square brackets by which a text names its passages. `[1, 2]` is two of them."""

import re

SEVERAL = re.compile(r"\[\d{1,4}(?:\s*[,;]\s*\d{1,4})+\]")
MARKER = re.compile(r"\s?\[(\d{1,4})\]")
_EITHER = re.compile(r"\[\d{1,4}(?:\s*[,;]\s*\d{1,4})*\]")
_NUMBER = re.compile(r"\d+")


def single(text: str) -> str:
    """`[1, 2]` as `[1][2]`."""
    return SEVERAL.sub(lambda match: "".join(f"[{one}]" for one in _NUMBER.findall(match[0])), text)


def marked(text: str) -> list[tuple[int, int]]:
    """Where the bracket of each marker opens, and its number, in the order in which they stand in `single(text)`."""
    return [(match.start(), int(one)) for match in _EITHER.finditer(text) for one in _NUMBER.findall(match[0])]
