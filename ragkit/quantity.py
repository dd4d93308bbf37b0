"""Quantities: what numbers in a text amount to, with their scale and unit, so that two ways of writing are one value.

`1.2 million`, `1,200,000` and, in a table in thousands, `1,200` are the same; `5 days` and `5 weeks` are not. Where the
sign between digits may mean two things (`1.200`), a number has both values: a claim is not blamed for a custom.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORDS = {word: float(value) for value, word in enumerate(_SMALL.split())}
_WORDS |= {word: 10.0 * value for value, word in enumerate(_TENS.split(), 2)}
_WORDS |= {"dozen": 12.0, "hundred": 100.0}
_SCALES = {
    **dict.fromkeys(("hundred", "hundreds"), 1e2),
    **dict.fromkeys(("thousand", "thousands", "k", "tausend", "mille", "mil"), 1e3),
    **dict.fromkeys(("million", "millions", "mio", "mn", "m", "millionen", "millones"), 1e6),
    **dict.fromkeys(("billion", "billions", "bn", "b", "mrd", "milliarden", "milliards"), 1e9),
    **dict.fromkeys(("trillion", "trillions", "tn"), 1e12),
}
_UNITS: dict[str, tuple[str, float]] = {}
for _kind, _listed in {
    "percent": "%:1 percent:1 pct:1 prozent:1 percentage:1 pour-cent:1",
    "length": "m:1 metre:1 meter:1 km:1000 kilometre:1000 kilometer:1000 cm:.01 centimetre:.01 centimeter:.01 mm:.001 "
    "mile:1609.344 ft:.3048 foot:.3048 feet:.3048 inch:.0254 inche:.0254 yard:.9144",
    "mass": "kg:1 kilogram:1 kilo:1 g:.001 gram:.001 mg:1e-6 tonne:1000 lb:.45359237 pound:.45359237 ounce:.02834952",
    "time": "ms:.001 millisecond:.001 second:1 minute:60 min:60 hour:3600 hr:3600 h:3600 day:86400 week:604800 "
    "month:2629800 year:31557600 decade:315576000 century:3155760000",
    "heat": "°c:1 celsius:1 °f:1000003 fahrenheit:1000003",
    "data": "kb:1e3 mb:1e6 gb:1e9 tb:1e12 byte:1",
    "power": "w:1 watt:1 kw:1e3 mw:1e6 gw:1e9 kilowatt:1e3 megawatt:1e6 gigawatt:1e9",
}.items():
    for _one in _listed.split():
        _name, _, _factor = _one.rpartition(":")
        _UNITS[_name] = (_kind, float(_factor))
_MONEY = {
    "$": "USD", "usd": "USD", "dollar": "USD", "us$": "USD", "€": "EUR", "eur": "EUR", "euro": "EUR", "£": "GBP",
    "gbp": "GBP", "¥": "JPY", "yen": "JPY", "jpy": "JPY", "chf": "CHF", "franc": "CHF", "inr": "INR", "₹": "INR",
}  # fmt: skip
_DIGITS = r"\d+(?:[.,'’ \u00a0\u202f]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?"
_SPOKEN = "|".join(sorted((*_WORDS, "half"), key=len, reverse=True))
_NUMBER = re.compile(
    rf"""
    (?P<before>US\$|[$€£¥₹]|\b(?:USD|EUR|GBP|CHF|JPY|INR)\b)?\s?
    (?:(?<![\w.,/])(?P<digits>{_DIGITS})(?:st|nd|rd|th)?(?!\w*\d)|\b(?P<spoken>(?:{_SPOKEN})(?:[ -](?:{_SPOKEN}))*)\b)
    (?:\s?-?(?P<scale>{"|".join(sorted(_SCALES, key=len, reverse=True))})\b)?
    (?:[\s-]?(?P<after>%|°\s?[CF]\b|[€$£¥]|per\s?cent\b|[^\W\d_]+))?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ABOUT = re.compile(r"\b(?:about|around|approximately|approx|roughly|nearly|almost|some|over|more than|up to|ca)\W*\Z")
_IN = re.compile(r"\b(?:in|USD|EUR|GBP|[$€£])\s?(?P<scale>thousands|millions|billions|k|m|mn|mio|bn)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quantity:
    said: str
    """As it stands in the text."""
    values: tuple[float, ...]
    kind: str = ""
    """What the unit measures; empty for a bare number or a noun that is no unit."""
    factor: float = 1.0
    rough: bool = False
    """It is rounded: `about` or a scale says so."""


@dataclass(frozen=True, slots=True)
class Quantities:
    """All of one text, or of several."""

    found: tuple[Quantity, ...]
    scales: frozenset[float] = frozenset()
    """What bare numbers may stand for, as `in thousands` says in the text."""
    percents: bool = False

    def has(self, wanted: Quantity) -> bool:
        return any(self._same(wanted, one) for one in self.found)

    def near(self, wanted: Quantity) -> "Quantity | None":
        """One of the same kind with another value, to tell a reader."""
        return next((one for one in self.found if one.kind == wanted.kind and wanted.kind), None)

    def _same(self, wanted: Quantity, one: Quantity) -> bool:
        if wanted.kind and one.kind and wanted.kind != one.kind:
            return False
        if wanted.kind == "percent" and not one.kind and not self.percents:
            return False
        if one.kind == "percent" and not wanted.kind:
            return False
        scale = wanted.factor / one.factor if wanted.kind == one.kind else 1.0
        mine = [value * scale for value in wanted.values]
        theirs = [*one.values]
        if not one.kind or one.kind in _MONEY.values():
            theirs += [value * factor for value in one.values for factor in self.scales]
        return any(_equal(a, b, wanted) for a in mine for b in theirs)


def quantities(texts: Sequence[str]) -> Quantities:
    """What the numbers of these texts amount to."""
    parts = [_of_text(text) for text in texts]
    return Quantities(
        tuple(one for part in parts for one in part.found),
        frozenset().union(*(part.scales for part in parts)),
        any(part.percents for part in parts),
    )


@lru_cache(512)
def _of_text(text: str) -> Quantities:
    found = tuple(filter(None, (_quantity(text, match) for match in _NUMBER.finditer(text))))
    scales = frozenset(_SCALES[match["scale"].lower()] for match in _IN.finditer(text))
    return Quantities(found, scales, "%" in text or "percent" in text.lower() or "per cent" in text.lower())


def _quantity(text: str, match: re.Match[str]) -> Quantity | None:
    spoken, scale = match["spoken"], (match["scale"] or "").lower()
    unit = (match["before"] or match["after"] or "").lower()
    kind, factor = _unit(unit)
    if spoken:
        if spoken.lower() in ("one", "half", "zero", "hundred", "dozen") and not (scale or kind):
            return None  # one of them; half of it
        values: tuple[float, ...] = (_spoken(spoken.lower()),)
    else:
        values = tuple(_values(match["digits"]))
    if scale in ("m", "k", "b") and not match["before"]:  # 5 m are metres, unless money is meant
        kind, factor = _unit(scale) if not kind else (kind, factor)
        size = 1.0 if kind and kind not in _MONEY.values() else _SCALES[scale]
    else:
        size = _SCALES.get(scale, 1.0)
    rough = size > 100 or _ABOUT.search(text[max(0, match.start() - 20) : match.start()].lower()) is not None
    said = " ".join(text[match.start() : match.end()].split())
    if not kind and match["after"]:
        said = " ".join(text[match.start() : match.start("after")].split())
    return Quantity(said, tuple(value * size for value in values), kind, factor, rough)


def _unit(word: str) -> tuple[str, float]:
    word = "".join(word.split())
    word = "percent" if word == "percent" or word.startswith("percentage") else word
    for name in (word, word.removesuffix("s"), word.removesuffix("es")):
        if name in _MONEY:
            return _MONEY[name], 1.0
        if name in _UNITS:
            return _UNITS[name]
    return "", 1.0


def _values(digits: str) -> Iterable[float]:
    """A sign before three digits may group them or begin a fraction; before fewer or more it is a fraction."""
    plain = re.sub(r"['’ \u00a0\u202f]", "", digits)
    signs = re.findall(r"[.,]", plain)
    if not signs:
        return [float(plain)]
    if len(set(signs)) == 2:  # the last one is the fraction's
        whole, _, fraction = plain.rpartition(signs[-1])
        return [float(re.sub(r"[.,]", "", whole) + "." + fraction)]
    if len(signs) > 1:
        return [float(plain.replace(signs[0], ""))]
    whole, _, fraction = plain.partition(signs[0])
    as_fraction = float(f"{whole}.{fraction}")
    if len(fraction) != 3 or whole == "0":
        return [as_fraction]
    grouped = float(whole + fraction)
    return [grouped] if signs[0] == "," else [as_fraction, grouped]


def _spoken(words: str) -> float:
    total = 0.0
    for word in re.split(r"[ -]", words):
        value = 0.5 if word == "half" else _WORDS[word]
        total = max(total, 1.0) * value if word in ("hundred", "dozen") else total + value
    return total


def _equal(a: float, b: float, wanted: Quantity) -> bool:
    if abs(a - b) <= 1e-6 * max(abs(a), abs(b)):
        return True
    if not wanted.rough or not a or not math.isfinite(a):
        return False
    return abs(a - b) <= 0.5 * _place(a)


def _place(value: float) -> float:
    """What the last digit of a rounded number is worth: a hundred thousand in 1.2 million."""
    digits = f"{abs(value):.6g}"
    number = float(digits)
    place = 10.0**12
    while place > 1e-6 and abs(number / place - round(number / place)) > 1e-6:
        place /= 10
    return place
