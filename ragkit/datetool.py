"""The date tool: what day it is, what day is so long after another one, and how long it is between two."""

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from ragkit.errors import InvalidInput
from ragkit.tools import Tool, tool


def dates(
    start: date,
    end: date | None = None,
    days: int = 0,
    weeks: int = 0,
    months: int = 0,
    years: int = 0,
) -> dict[str, Any]:
    """A day so many years, months, weeks and days after another one (before it, where they are negative), and from
    there to `end`."""
    try:
        months = start.year * 12 + start.month - 1 + 12 * years + months
        year, month = divmod(months, 12)
        last = calendar.monthrange(year, month + 1)[1]  # a month after the 31st of January is the last of February
        day = date(year, month + 1, min(start.day, last)) + timedelta(days, weeks=weeks)
    except (ValueError, OverflowError, calendar.IllegalMonthError) as error:
        raise InvalidInput(f"There is no such day: {error}.", "Years go from 1 to 9999.") from error
    told: dict[str, Any] = {"date": day.isoformat(), "weekday": f"{day:%A}", "week": day.isocalendar().week}
    if end is not None:
        between = (end - day).days
        told |= {"end": end.isoformat(), "days_between": between, "weekdays_between": _working(day, end)}
    return told


def _working(start: date, end: date) -> int:
    """Mondays to Fridays from the first day up to, but without, the last one; negative when that is before."""
    if end < start:
        return -_working(end, start)
    weeks, rest = divmod((end - start).days, 7)
    return weeks * 5 + sum((start.weekday() + day) % 7 < 5 for day in range(rest))


def read(question: str) -> dict[str, Any] | None:
    """Of plain questions: what day is today, and what weekday a day was, written like 2025-03-01."""
    said = question.strip().lower().rstrip("?. ")
    if _TODAY.fullmatch(said):
        return {}
    found = _WEEKDAY.fullmatch(said)
    return {"start": found[1]} if found else None


_TODAY = re.compile(
    r"what (?:day|weekday|date) is (?:it )?today|what(?: is|'s|’s) (?:today['’]s date|the date(?: of)? today)"
)
_WEEKDAY = re.compile(r"(?:what|which) (?:week)?day (?:is|was|will be) (?:the )?(\d{4}-\d{2}-\d{2})")


def date_tool(today: Callable[[], date] = date.today) -> Tool:
    """`today` says what day it is: another one, in a test."""

    def reckon(
        start: date | None = None,
        end: date | None = None,
        days: int = 0,
        weeks: int = 0,
        months: int = 0,
        years: int = 0,
    ) -> dict[str, Any]:
        now = today()
        return {"today": now.isoformat(), **dates(start or now, end, days, weeks, months, years)}

    return tool(
        name="date",
        description="Dates: today, weekdays, the day so long before or after another, the days between two dates.",
        keywords=("today", "weekday", "days between", "days until", "days ago", "what day"),
        examples=(
            "What day is it today?", "How many days are there until the 24th of December?",
            "What date is 90 days after 2025-03-01?", "Which weekday was 4 July 1976?", "How many weeks ago was May 1?",
        ),
        seconds=2,
        read=read,
    )(reckon)  # fmt: skip
