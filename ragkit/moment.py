"""Dates in a text, however written, as year, quarter, month and day: what one leaves open agrees with anything."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache


def _bag(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero", "february feb februar février febrero", "march mar märz mars marzo",
            "april apr avril abril", "may mai mayo", "june jun juni juin junio", "july jul juli juillet julio",
            "august aug août agosto", "september sept sep septembre septiembre",
            "october oct oktober octobre octubre", "november nov novembre noviembre",
            "december dec dezember décembre diciembre",
        ), 1,
    )
    for name in names.split()
}  # fmt: skip
_NAME = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY = r"(?P<{0}>[0-3]?\d)(?:st|nd|rd|th|\.)?"
_FORMS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<![\w-])(?P<year>[12]\d{3})-(?P<month>[01]\d)-(?P<day>[0-3]\d)(?!\d)",
        rf"(?<!\w){_DAY.format('day')}\s(?:of\s|de\s)?(?P<name>{_NAME})\b\.?(?:,?\s(?:of\s|de\s)?(?P<year>[12]\d{{3}})\b)?",
        rf"\b(?P<name>{_NAME})\b\.?\s(?:the\s)?{_DAY.format('day')}(?!\d|[.,]\d|\s?%)(?:,?\s(?P<year>[12]\d{{3}})\b)?",
        rf"\b(?P<name>{_NAME})\b\.?,?\s(?:of\s)?(?P<year>[12]\d{{3}})\b",
        r"\bQ(?P<quarter>[1-4])(?:\s(?:of\s)?|[/-])?(?P<year>[12]\d{3})?\b",
        r"\b(?P<ordinal>first|second|third|fourth)\squarter(?:\s(?:of\s)?(?P<year>[12]\d{3}))?\b",
    )
]
_ALONE = re.compile(rf"\b(?P<name>{_NAME})\b", re.IGNORECASE)
_AMBIGUOUS = _bag("may mar mars march sep dec jan jun")
"""Words as well: they are months by themselves only behind a preposition and with a capital."""
_BEFORE = re.compile(r"\b(?:in|since|until|by|during|of|from|to|last|next|early|late|mid)[\s-]\Z")
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}


@dataclass(frozen=True, slots=True)
class Moment:
    said: str
    start: int
    end: int
    year: int = 0
    quarter: int = 0
    month: int = 0
    day: int = 0

    def agrees(self, other: "Moment") -> bool:
        pairs = [(self.year, other.year), (self.month, other.month), (self.day, other.day)]
        pairs.append((self.quarter or _quarter(self.month), other.quarter or _quarter(other.month)))
        if (self.month and not other.month) or (self.day and not other.day) or (self.quarter and not pairs[-1][1]):
            return False  # the text leaves open what is claimed
        return all(one == two for one, two in pairs if one and two)


def moments(text: str) -> tuple[Moment, ...]:
    """From left to right; each place in the text is of one date."""
    return _of(text)


def missing(claim: str, texts: Sequence[str]) -> tuple[Moment, ...]:
    """Dates of the claim that none of the texts has."""
    there = [one for text in texts for one in moments(text)]
    return tuple(wanted for wanted in moments(claim) if not any(map(wanted.agrees, there)))


@lru_cache(512)
def _of(text: str) -> tuple[Moment, ...]:
    found: list[Moment] = []
    for form in _FORMS:
        for match in form.finditer(text):
            _add(found, text, match)
    for match in _ALONE.finditer(text):
        name = match["name"]
        if name[0].isupper() and (
            name.lower() not in _AMBIGUOUS or _BEFORE.search(text[max(0, match.start() - 8) : match.start()].lower())
        ):
            _add(found, text, match)
    return tuple(sorted(found, key=lambda one: one.start))


def _add(found: list[Moment], text: str, match: re.Match[str]) -> None:
    if any(match.start() < one.end and one.start < match.end() for one in found):
        return
    parts = {name: value for name, value in match.groupdict().items() if value}
    month = _MONTHS[parts["name"].lower()] if "name" in parts else int(parts.get("month", 0))
    quarter = _ORDINALS[parts["ordinal"].lower()] if "ordinal" in parts else int(parts.get("quarter", 0))
    day = int(parts.get("day", 0))
    if day <= 31 and month <= 12:
        said = " ".join(match[0].split())
        found.append(Moment(said, match.start(), match.end(), int(parts.get("year", 0)), quarter, month, day))


def _quarter(month: int) -> int:
    return (month + 2) // 3
