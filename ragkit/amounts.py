"""Figures with their units, and dates, as a text writes them: to be shown, and compared by what they are worth."""

import re
from dataclasses import dataclass

_MONTH = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?"
)
_DATE = re.compile(
    rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?)?(?:{_MONTH})\b\.?,?(?:\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?!\d))?"
    r"(?:,?\s*\d{4}\b)?|\b\d{4}-\d\d-\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:1[0-9]|20)\d\ds?\b")
_SCALES = {
    "hundred": 1e2, "thousand": 1e3, "k": 1e3, "million": 1e6, "m": 1e6, "billion": 1e9, "bn": 1e9, "trillion": 1e12,
}  # fmt: skip
_UNITS = (
    r"percent(?:age\s+points?)?|per\s?cent|euros?|dollars?|pounds?|cents?|usd|eur|gbp|chf|"
    r"kilomet(?:er|re)s?|met(?:er|re)s?|miles?|feet|foot|ft|inch(?:es)?|km|cm|mm|square\s+\w+|acres?|hectares?|"
    r"kilograms?|kg|tons?|tonnes?|grams?|lbs?|litres?|liters?|"
    r"seconds?|minutes?|hours?|days?|weeks?|months?|years?|ms|mph|km/h|"
    r"tokens?|parameters|bytes|kb|mb|gb|tb|degrees?|°[cf]|watts?|volts?|points?|shares?"
)
_FIGURE = re.compile(
    r"(?P<sign>[$€£¥]|\b(?:usd|eur|gbp|chf)\b)?\s?(?<![\w.])(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?!\d)"
    rf"(?:\s?(?P<scale>hundred|thousand|million|billion|trillion|bn|k|m)\b)?[\s-]?(?P<unit>[%‰]|(?:{_UNITS})\b)?",
    re.IGNORECASE,
)
_WORD_AFTER = re.compile(r"[\s-]*([^\W\d_]{3,})")
_SAME = {
    "percent": "%", "per cent": "%", "dollar": "$", "usd": "$", "euro": "€", "eur": "€", "pound": "£", "gbp": "£",
    "metre": "meter", "litre": "liter", "kilometre": "km", "kilometer": "km", "foot": "feet", "ft": "feet",
}  # fmt: skip
_MEASURES = frozenset(_SAME.values()) | {
    "¥", "‰", "chf", "cent", "mile", "inch", "cm", "mm", "acre", "hectare", "kilogram", "kg", "ton", "tonne", "gram",
    "lb", "second", "minute", "hour", "day", "week", "month", "year", "ms", "mph", "km/h", "token", "parameter", "byte",
    "kb", "mb", "gb", "tb", "degree", "°c", "°f", "watt", "volt", "point", "share",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    text: str
    value: float
    unit: str
    """`%`, `$`, a measure, or the word after the number."""

    @property
    def measured(self) -> bool:
        return self.unit in _MEASURES or self.unit.startswith("square ")


def dates(text: str) -> list[str]:
    """As written, and years that stand in none."""
    return [match[0].strip(" ,") for match in _dates(text)] + _YEAR.findall(_DATE.sub(" ", text))


def figures(text: str) -> list[Figure]:
    """Numbers that are no part of a date, and no year by themselves."""
    taken = [match.span() for match in _dates(text)]
    found = []
    for match in _FIGURE.finditer(text):
        start, end = match.span("number")
        unit, sign, scale = (match[name] or "" for name in ("unit", "sign", "scale"))
        if any(first < end and start < last for first, last in taken):
            continue
        if not (unit or sign or scale) and _YEAR.fullmatch(match["number"]):
            continue
        if not (unit or sign) and (word := _WORD_AFTER.match(text, match.end())):
            unit = word[1]
        value = float(match["number"].replace(",", "")) * _SCALES.get(scale.lower(), 1)
        found.append(Figure(match[0].strip(" -\n\t"), value, unit_of(unit or sign)))
    return found


def _dates(text: str) -> list[re.Match[str]]:
    """What has a number: a month alone may be a name or a verb."""
    return [match for match in _DATE.finditer(text) if any(sign.isdigit() for sign in match[0])]


def unit_of(written: str) -> str:
    low = " ".join(written.lower().split())
    if low.startswith("percentage"):
        return "point"
    one = low.removesuffix("es") if low == "inches" else low.removesuffix("s") if len(low) > 3 else low
    return _SAME.get(low, _SAME.get(one, one))
