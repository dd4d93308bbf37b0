"""The Facts of the demo company: its figures, checked against each other, as the words and tables of its documents."""

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Rows = list[list[str]]

FACTS: dict[str, Any] = tomllib.loads((Path(__file__).parent / "facts.toml").read_text("utf-8"))
QUARTERS: list[str] = FACTS["quarters"]
BUDGETS = ["2025", "draft", "approved", "revised"]


def check() -> None:
    """Parts add up to their wholes. Raised before anything is written, for a demo that contradicts itself by mistake
    would teach readers to distrust what it contradicts itself in on purpose."""
    for at, quarter in enumerate(QUARTERS):
        revenue = FACTS["results"]["Revenue"][at]
        for parts in ("regions", "streams"):
            _same(_total(parts, at), revenue, f"{parts} and revenue of {quarter}")
        results = FACTS["results"]
        earned = results["Gross margin"][at] - results["Operating costs"][at]
        _same(earned, results["Operating result"][at], f"the operating result of {quarter}")
        _same(_total("teams", at), FACTS["departments"]["Engineering"][at], f"teams and engineering of {quarter}")
    costs = sum(FACTS["results"]["Operating costs"][at] for at in _year("2025"))
    _same(_total("budget", 0), costs * 1_000_000, "departments and operating costs of 2025")
    marketing = sum(_total("channels", at) for at in _year("2025"))
    _same(marketing * 1000, FACTS["budget"]["Marketing"][0], "marketing's spend in 2025")


def _same(one: float, other: float, what: str) -> None:
    if abs(one - other) > 1e-6 * max(1, abs(other)):
        raise ValueError(f"facts.toml contradicts itself: {what}: {one:g} and {other:g}.")


def _year(year: str) -> list[int]:
    return [at for at, quarter in enumerate(QUARTERS) if quarter.startswith(year)]


def _total(kind: str, at: int) -> float:
    return float(sum(series[at] for series in FACTS[kind].values()))


def _at(kind: str, name: str, when: str) -> float:
    """One figure: of a quarter or a whole year, of one series or, as "all", of their sum."""
    quarters = [QUARTERS.index(when)] if when in QUARTERS else _year(when)
    return float(sum(_total(kind, at) if name == "all" else FACTS[kind][name][at] for at in quarters))


def figure(kind: str, name: str, when: str) -> str:
    return _shown(kind, _at(kind, name, when))


def change(kind: str, name: str, when: str, before: str) -> str:
    """By how many per cent, to a whole number."""
    return f"{_change(kind, name, when, before):.0f} %"


def exactly(kind: str, name: str, when: str, before: str) -> str:
    """The same, to a tenth."""
    return f"{_change(kind, name, when, before):.1f} %"


def _change(kind: str, name: str, when: str, before: str) -> float:
    return (_at(kind, name, when) / _at(kind, name, before) - 1) * 100


def each(kind: str, name: str, per: str, per_name: str, when: str) -> str:
    """What one costs or brings: revenue a head, spend a customer, in euros to the nearest ten."""
    unit = {"results": 1_000_000, "channels": 1000}[kind]
    return f"{round(_at(kind, name, when) * unit / _at(per, per_name, when), -1):,.0f}"


def share(kind: str, name: str, when: str) -> str:
    return f"{_at(kind, name, when) / _at(kind, 'all', when) * 100:.0f} %"


def price(name: str, year: str) -> str:
    return f"{FACTS['prices'][name][int(year) - 2025]:,.2f}"


def budget(name: str, which: str) -> str:
    at = BUDGETS.index(which)
    return f"{_total('budget', at) if name == 'all' else FACTS['budget'][name][at]:,.0f}"


def _shown(kind: str, value: float) -> str:
    return f"{value:,.1f}" if kind in ("results", "regions", "streams") else f"{value:,.0f}"


def _plain(quarter: str) -> str:
    return f"{quarter[5:]} {quarter[:4]}" if "-" in quarter else f"Year {quarter}"


_UNITS = {"channels": "Thousand euros", "departments": "Department", "teams": "Team", "funnel": "Count"}


def beside(kind: str, when: str, before: str, change: str = "") -> Rows:
    """Two quarters or years next to each other, with their sum where there is one, and the change if it is wanted."""
    names = [*FACTS[kind], *(["all"] if kind not in ("results", "funnel") else [])]
    rows = [[_UNITS.get(kind, "Million euros"), _plain(when), _plain(before), *(["Change"] if change else [])]]
    for name in names:
        row = ["Total" if name == "all" else name, figure(kind, name, when), figure(kind, name, before)]
        rows.append([*row, *([f"{_change(kind, name, when, before):+.1f}%"] if change else [])])
    return rows


def over_time(kind: str, year: str = "20") -> Rows:
    """A row a quarter, a column a series."""
    summed = [] if kind in ("results", "funnel") else ["Total"]
    rows = [["Quarter", *FACTS[kind], *summed]]
    for at in _year(year):
        values = [_shown(kind, series[at]) for series in FACTS[kind].values()]
        rows.append([_plain(QUARTERS[at]), *values, *([_shown(kind, _total(kind, at))] if summed else [])])
    return rows


def funnel() -> Rows:
    rows = [["Quarter", "Spend in euros", "Qualified leads", "New customers", "Spend a new customer"]]
    for at, quarter in enumerate(QUARTERS):
        leads, customers = FACTS["funnel"]["Qualified leads"][at], FACTS["funnel"]["New customers"][at]
        spent = f"{_total('channels', at) * 1000:,.0f}"
        rows.append(
            [
                _plain(quarter),
                spent,
                f"{leads:,}",
                str(customers),
                each("channels", "all", "funnel", "New customers", quarter),
            ]
        )
    return rows


def budgets(*which: str) -> Rows:
    """Departments by versions of the budget, with the change from the first to the last of them."""
    heads = {"2025": "Year 2025", "draft": "Draft 2026", "approved": "Approved 2026", "revised": "Revised 2026"}
    rows = [["Department", *(heads[one] for one in which), "Change"]]
    for name in [*FACTS["budget"], "all"]:
        values = [budget(name, one) for one in which]
        first, last = (float(value.replace(",", "")) for value in (values[0], values[-1]))
        rows.append(["Total" if name == "all" else name, *values, f"{(last / first - 1) * 100:+.1f}%"])
    return rows


def prices(*years: str) -> Rows:
    return [
        ["Article", *(f"Price {year}" for year in years)],
        *([name, *(price(name, y) for y in years)] for name in FACTS["prices"]),
    ]


def incidents(year: str) -> Rows:
    head = ["Incident", "Day", "Severity", "Service", "Minutes", "Customers affected", "Cause", "Owner"]
    found = [one for one in FACTS["incidents"] if one["day"].startswith(year)]
    return [head, *([str(value) for value in one.values()] for one in found)]


def incidents_by_year() -> Rows:
    rows = [["Incidents", "Severity 1", "Severity 2", "Severity 3", "Minutes in all"]]
    for year in ("2024", "2025"):
        found = [one for one in FACTS["incidents"] if one["day"].startswith(year)]
        counts = [str(sum(one["severity"] == severity for one in found)) for severity in (1, 2, 3)]
        rows.append([f"Year {year}", *counts, str(sum(one["minutes"] for one in found))])
    return rows


WORDS: dict[str, Callable[..., str]] = {
    "figure": figure, "change": change, "exactly": exactly, "each": each, "share": share, "price": price,
    "budget": budget,
}  # fmt: skip
TABLES: dict[str, Callable[..., Rows]] = {
    "beside": beside, "over_time": over_time, "funnel": funnel, "budgets": budgets, "prices": prices,
    "incidents": incidents, "incidents_by_year": incidents_by_year,
}  # fmt: skip


def markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *rest = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *rest])
