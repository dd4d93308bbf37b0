"""A cell's value as its reader sees it, as far as the number format tells: 12.5%, $1,234.50, 2026-03-01."""

import datetime
import re
from decimal import Decimal
from typing import Any

_SECTION = re.compile(r";(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)")
_BRACKET = re.compile(r"\[\$?([^\]-]*)[^\]]*\]")
_DIGITS = re.compile(r"[#0?][#0?,]*(?:\.([#0?]+))?")


def shown(value: Any, format: str | None = None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        value = value.date()
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()
    if isinstance(value, int | float):
        return _number(value, format or "General")
    return " ".join(str(value).split())


def _number(value: float, format: str) -> str:
    """Formats of digits, with thousands, decimals, per cent and signs around; anything else as the number itself."""
    section = _SECTION.split(format)[0]
    section = _BRACKET.sub(lambda found: found[1] if "$" in found[0] else "", section)
    section = re.sub(r"[_*].", "", section).replace("\\", "").replace('"', "")
    digits = _DIGITS.search(section)
    if digits is None or re.search(r"[eE][+-]|[dmyhs/]", section.replace(digits[0], "")) or "General" in section:
        return _plainly(value)
    around = section[: digits.start()], section[digits.end() :]
    amount = abs(value) * 100 if "%" in section else abs(value)
    decimals = len(digits[1] or "")
    text = f"{amount:,.{decimals}f}" if "," in digits[0] else f"{amount:.{decimals}f}"
    sign = "-" if value < 0 and text.strip("0.,") else ""
    return f"{sign}{around[0].strip()}{text}{around[1].rstrip()}"


def _plainly(value: float) -> str:
    """All its digits and no exponent."""
    if isinstance(value, int):
        return str(value)
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    return str(int(value)) if value.is_integer() else format(Decimal(f"{value:.15g}"), "f")
