"""Years, quarters and months that a text speaks of, and whether they are those that a question asks about."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
         "september sept sep", "october oct", "november nov", "december dec"), 1,
    )
    for name in names.split()
}  # fmt: skip
_QUARTERS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_YEAR = r"(?:1[89]|20)\d\d"
_PERIOD = re.compile(
    rf"(?P<compared>\b(?:than|above|below|against|after|versus|vs|compared\s+(?:to|with)|(?:up|down|rose|fell|grew)\s+from)\s+"
    r"(?:[\w.,%]+\s+){0,8}?)?"
    rf"(?:\b(?P<day>{_YEAR}-(?:0[1-9]|1[0-2])-\d\d)\b"
    rf"|\bQ(?P<q>[1-4])\b(?:[\s/-]*(?:of\s+)?(?P<qyear>{_YEAR})\b)?"
    rf"|\b(?P<quarter>first|second|third|fourth)\s+quarter\b(?:\s+(?:of\s+)?(?:fiscal\s+)?(?P<quarteryear>{_YEAR})\b)?"
    rf"|(?P<before>\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?)?"
    rf"\b(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
    r"(?P<behind>\s+\d{1,2}(?:st|nd|rd|th)?\b(?!\d))?"
    rf"(?:,?\s*(?:of\s+)?(?P<monthyear>{_YEAR})\b)?"
    rf"|(?<![\w.,$€£-])(?P<year>{_YEAR})(?!\d|[.,]\d|-\d|\s*(?:%|euros?\b|dollars?\b|people\b)))",
    re.IGNORECASE,
)
_WORDS = frozenset({"may", "march", "mar", "sep", "dec", "jan", "sept"})
"""Months by themselves only with a capital and a day or a year."""
_INSIDE = -0.8
"""What a quarter is, to who asks about its year: nearly another period."""


@dataclass(frozen=True, slots=True)
class Period:
    year: int = 0
    quarter: int = 0
    month: int = 0
    """0 where it is left open."""
    compared: bool = False
    """What is said of another period is measured against it: above the third quarter of 2024."""
    text: str = ""

    def agrees(self, other: "Period") -> bool:
        return all(
            one == two
            for one, two in ((self.year, other.year), (self.quarter, other.quarter), (self.month, other.month))
            if one and two
        )

    def within(self, other: "Period") -> float:
        """How much it is the other one, when both agree: a quarter is little of a year that is asked for."""
        return _INSIDE if self.quarter and not self.month and not other.quarter else 1.0


@lru_cache(4096)
def periods(text: str) -> tuple[Period, ...]:
    found = []
    for match in _PERIOD.finditer(text):
        month = _MONTHS.get((match["month"] or "").lower(), 0)
        year = match["qyear"] or match["quarteryear"] or match["monthyear"] or match["year"] or ""
        said = match[0][len(match["compared"] or "") :]
        day = match["before"] or match["behind"]
        if month and not (year or day) and (not said[0].isupper() or said.lower() in _WORDS):
            continue
        if match["day"]:
            year, month = match["day"][:4], int(match["day"][5:7])
        quarter = (month + 2) // 3 if month else _QUARTERS.get((match["q"] or match["quarter"] or "").lower(), 0)
        found.append(Period(int(year or 0), quarter, month, bool(match["compared"]), said))
    return tuple(found)


def fit(asked: Sequence[Period], own: Sequence[Period], around: Sequence[Period]) -> float:
    """From 1, where a sentence speaks of a period that is asked about, to -1, where it speaks of others.

    `around` are those of its title and headings: they hold for what names none, and fill what it leaves open.
    """
    return max((_fit(one, own, around) for one in asked), default=0.0)


def _fit(asked: Period, own: Sequence[Period], around: Sequence[Period]) -> float:
    near = max((one.within(asked) for one in around if asked.agrees(one)), default=0.0)
    far = bool(around) and not near
    spoken = [one for one in own if not one.compared]
    if not spoken:
        return 0.7 * near if near else -0.7 * far
    agreeing = [one for one in spoken if asked.agrees(one)]
    if not agreeing:
        return -0.5 if near and any(one.compared for one in own) else -1.0
    best = max(one.within(asked) for one in agreeing)
    if asked.year and not any(one.year for one in agreeing):
        return best * (0.9 if near else -0.8 if far else 0.5)
    return best * (0.7 if far else 1.0)
