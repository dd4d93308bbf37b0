"""Enumerations: one question about several names or periods that are told apart becomes one question for each.

Two names that `and` joins may be one thing (Romeo and Juliet, Marks and Spencer) or may act together; they are
separated only when what is asked exists once for each: their capitals, their revenues, in 2017 and in 2018.
"""

import re
from collections.abc import Sequence

from ragkit.coordination import Row, rows, shared_period
from ragkit.wording import Word, bag, words

_OWN = bag(
    "capitals populations areas ages heights weights birthdays birthdates birthplaces founders ceos presidents "
    "currencies revenues profits sizes lengths prices budgets salaries nationalities mottos headquarters "
    "elevations depths costs mayors governors incomes margins spouses hometowns altitudes speeds diameters gdps "
    "densities"
)
"""Plurals of what each thing has one of: they are said of several things."""
_TOGETHER = bag("between among amongst with from against by like as including than versus")
_SEVERAL = bag("both each respectively respective")
_YEARS = re.compile(
    r"\b(?:each|every) year (?:from|between|in) ((?:19|20)\d\d) (?:to|and|through|until|-|–) ((?:19|20)\d\d)"
)
_QUARTERS = re.compile(r"\b(?:in )?(?:each|every) quarter (?:of|in) ((?:(?:fiscal )?(?:year )?)(?:19|20)\d\d)")
_FOLLOWING = re.compile(r"\bthe following \w+(?: \w+)??\b(?= (?:have|has|had|do|did|won|is|are|was|were)\b|$)")


def members(text: str, most: int) -> list[str] | None:
    """One question a member; None when nothing is enumerated, or more than a plan can hold."""
    made = _years(text) or _listed(text)
    return made if made is not None and 2 <= len(made) <= most else None


def _years(text: str) -> list[str] | None:
    if span := _YEARS.search(text):
        first, last = int(span[1]), int(span[2])
        return [f"{text[: span.start()]}in {year}{text[span.end() :]}" for year in range(first, last + 1)][:100]
    if span := _QUARTERS.search(text):
        return [f"{text[: span.start()]}in Q{number} {span[1]}{text[span.end() :]}" for number in range(1, 5)]
    return None


def _listed(text: str) -> list[str] | None:
    said = words(text)
    if not said or said[0].kind not in ("wh", "order", "prep", "aux"):
        return None
    found = [row for row in rows(said, text) if row.joined == "and" and not _one_name(said, row)]
    if any(word.low == "respectively" for word in said) and len(found) == 2:
        return _paired(text, said, found)
    row = next((row for row in found if _apart(said, row)), None)
    if row is None:
        return None
    start, end = said[row.start].start, said[row.end - 1].end
    before = re.sub(r"\b(?:each of|both)\s+$", "", text[:start])
    if before.rstrip().endswith(":"):
        before = before.rstrip().removesuffix(":")
        named = _FOLLOWING.sub("{}", before)
        if "{}" in named:
            return [" ".join(f"{named.replace('{}', item)}{text[end:]}".split()) for item in row.items]
        return [f"{before}: {item}{text[end:]}" for item in row.items]
    items = row.items if said[row.start].kind == "num" else shared_period(row.items)
    return [re.sub(r"\brespective(?:ly)? ?", "", f"{before}{item}{text[end:]}") for item in items]


def _paired(text: str, said: Sequence[Word], found: Sequence[Row]) -> list[str] | None:
    """A and B in 2019 and 2021, respectively."""
    one, other = found
    if len(one.items) != len(other.items):
        return None
    a, b = said[one.start].start, said[one.end - 1].end
    c, d = said[other.start].start, said[other.end - 1].end
    rest = re.sub(r",?\s*\brespectively\b", "", text[d:])
    return [f"{text[:a]}{x}{text[b:c]}{y}{rest}" for x, y in zip(one.items, other.items, strict=True)]


def _apart(said: Sequence[Word], row: Row) -> bool:
    before = said[row.start - 1] if row.start else None
    if before is None or before.low in _TOGETHER:
        return False
    if before.text == ":":
        return len(row.items) > 2
    several = any(word.low in _SEVERAL for word in said[: row.start]) or any(word.low == "respective" for word in said)
    if said[row.start].kind == "num":
        return before.low in ("in", "for", "during", "years", "of") and not any(
            word.low in ("from", "between") for word in said[: row.start][-3:]
        )
    if before.kind != "prep" and before.low not in ("both", "of"):
        return False
    head = next((word for word in reversed(said[: row.start - 1]) if word.kind in ("noun", "verb")), None)
    return len(row.items) > 2 or row.dated or several or (head is not None and head.low in _OWN)


def _one_name(said: Sequence[Word], row: Row) -> bool:
    """Research and Development costs, the Bill and Melinda Gates Foundation: a noun goes on after the names."""
    return row.end < len(said) and said[row.end].kind in ("noun", "poss")
