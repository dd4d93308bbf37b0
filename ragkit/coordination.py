"""Names that stand side by side: A, B and C; A in 2018 and B in 2019. And the periods that a question names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragkit.wording import Word

PERIOD = re.compile(
    r"\b(?:Q[1-4]|H[12]|FY)(?:[\s-]?(?:FY)?\d{2,4})?\b|\b(?:19|20)\d\d\b"
    r"|\b(?:last|this|next|previous|past|current) (?:year|quarter|month|week|season)\b"
)


@dataclass(frozen=True, slots=True)
class Row:
    start: int
    end: int
    """In words, behind the last item."""
    items: tuple[str, ...]
    joined: str
    """By which word: and, or."""
    dated: bool
    """The items have periods of their own."""


def rows(words: Sequence[Word], text: str) -> list[Row]:
    found: list[Row] = []
    at = 0
    while at < len(words):
        row = _row(words, text, at)
        if row is None:
            at += 1
            continue
        found.append(row)
        at = row.end
    return found


def _row(words: Sequence[Word], text: str, start: int) -> Row | None:
    if start and words[start - 1].kind in ("name", "poss"):
        return None
    items: list[tuple[int, int]] = []
    at, joined, dated = start, "", False
    while True:
        item = _item(words, at, bool(items) and words[items[0][0]].kind == "num")
        if item is None:
            break
        items.append(item)
        dated = dated or any(word.kind == "num" for word in words[item[0] + 1 : item[1]])
        end = at = item[1]
        if joined:
            break
        if at < len(words) and words[at].text == ",":
            at += 1
        if at < len(words) and words[at].kind in ("and", "or"):
            joined = words[at].low
            at += 1
        if at == end:
            break
    if len(items) < 2 or not joined:
        return None
    if len({words[first].kind == "num" for first, _ in items}) > 1:
        return None
    texts = tuple(text[words[first].start : words[last - 1].end] for first, last in items)
    return Row(start, items[-1][1], texts, joined, dated)


def _item(words: Sequence[Word], at: int, years: bool) -> tuple[int, int] | None:
    begin = at
    if at < len(words) and words[at].low == "the" and not years:
        at += 1
    if at >= len(words):
        return None
    if words[at].kind == "num" and begin == at:
        return (at, at + 1) if PERIOD.fullmatch(words[at].text) else None
    if words[at].kind != "name":
        return None
    if begin == at and at + 1 < len(words) and PERIOD.fullmatch(f"{words[at].text} {words[at + 1].text}"):
        return at, at + 2  # Q3 2024
    while at < len(words):
        if words[at].kind == "name":
            at += 1
        elif at + 1 < len(words) and words[at].low in ("of", "the") and words[at + 1].kind == "name":
            at += 2
        else:
            break
    if at + 1 < len(words) and words[at].low in ("in", "for", "during"):
        more = at + 1
        while more < len(words) and words[more].kind == "name" and more == at + 1:
            more += 1
        if more < len(words) and words[more].kind == "num" and PERIOD.fullmatch(words[more].text):
            at = more + 1
    return begin, at


def periods(text: str) -> list[str]:
    return list(dict.fromkeys(PERIOD.findall(text)))


def shared_period(items: Sequence[str]) -> list[str]:
    """The items, each with the period that only some of them name, when it is one and the same."""
    said = list(dict.fromkeys(period for item in items for period in periods(item)))
    if len(said) != 1:
        return list(items)
    period = said[0]
    word = period if " " in period and period.split()[0].islower() else f"in {period}"
    return [item if periods(item) else f"{item} {word}" for item in items]
