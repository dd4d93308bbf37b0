"""Where a claim and the cited texts disagree on what is not a matter of degree: numbers, dates, names, negations.

Each is said in plain words. A claim with one of them is never supported, however alike the words are.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ragkit.actors import exchanged, unknown
from ragkit.moment import missing, moments
from ragkit.quantity import quantities
from ragkit.turns import turned

_CODE = re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[^\W\d_])[A-Z][\w-]*\w(?![\w-])")
"""COVID-19, A320, H1N1: names with numbers in them, whose digits are no quantity."""


_MOST = 100
"""Numbers of a claim that are looked for: one with more is no claim, and must not take for ever."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    kind: Literal["number", "name", "sense"]
    """Dates are numbers; a sense is turned around by a negation, an opposite, or names that changed places."""
    said: str


def disagreements(claim: str, texts: Sequence[str], nearest: Sequence[str]) -> list[Disagreement]:
    """What none of the texts agrees to; `nearest` are their sentences that share most of the claim's words."""
    dates = [f"the date {one.said} stands in none of the cited texts" for one in missing(claim, texts)]
    found = [Disagreement("number", said) for said in (*dates, *_numbers(claim, texts))]
    names = unknown(claim, texts)[:_MOST]
    found += [Disagreement("name", f"the name {one} stands in none of the cited texts") for one in names]
    for contrary in ([turned(claim, one) for one in nearest], [exchanged(claim, one) for one in nearest]):
        if contrary and all(contrary):
            found.append(Disagreement("sense", contrary[0]))
    return found


def _numbers(claim: str, texts: Sequence[str]) -> list[str]:
    claim = _undated(claim)
    there = frozenset().union(*map(_codes, texts))
    found = [
        f"{code} stands in none of the cited texts (there is {other})"
        for code in sorted(_codes(claim) - there)
        if (other := min((one for one in there if _letters(one) == _letters(code)), default=""))
    ]
    amounts = quantities([*texts, *map(_undated, texts)])
    for wanted in quantities([_CODE.sub(" ", claim)]).found[:_MOST]:
        if not amounts.has(wanted):
            near = amounts.near(wanted)
            instead = f" (there is {near.said})" if near is not None else ""
            found.append(f"the number {wanted.said} stands in none of the cited texts{instead}")
    return found


@lru_cache(512)
def _codes(text: str) -> frozenset[str]:
    return frozenset(match[0].replace("-", "").upper() for match in _CODE.finditer(text))


def _letters(code: str) -> str:
    return "".join(filter(str.isalpha, code))


@lru_cache(512)
def _undated(text: str) -> str:
    """With each date as its year alone: the 3rd of May is no three."""
    parts: list[str] = []
    at = 0
    for one in moments(text):
        parts += [text[at : one.start], str(one.year or "")]
        at = one.end
    return "".join([*parts, text[at:]])
