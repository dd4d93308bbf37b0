"""What `where` may say: conditions on documents' metadata, answered by the catalog before anything is ranked.

`{"year": 2025}` asks for equality, `{"year": {">=": 2024, "<": 2026}}` for more, a list for any of its values.
A value is compared as a number with numbers and as text with text, for files do not agree on which of them a year is.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from ragkit.errors import InvalidInput
from ragkit.indexes.catalog import Catalog

OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "in", "exists", "glob")
OWN = ("uri", "title", "media_type")
"""Keys that every document has, beside its metadata."""
_WRITTEN = re.compile(
    r"\s*(?P<key>[^\s<>=!]+)\s*"
    r"(?:(?P<sign><=|>=|!=|=|<|>)\s*(?P<value>.*)|\s+(?P<word>in|glob)\s+(?P<rest>.+)|\s+(?P<there>exists|absent))\s*\Z",
    re.DOTALL,
)
MOST = 1000
"""The most characters of a value, and the most values of a list, that are kept for filters."""


def parse(texts: Sequence[str]) -> dict[str, Any]:
    """Conditions as a command line gives them: `year>=2024`, `author in Kay,Lee`, `uri glob a/*`, `draft exists`."""
    where: dict[str, list[dict[str, Any]]] = {}
    for text in texts:
        match = _WRITTEN.match(text)
        if match is None or (match["value"] or "").startswith(("=", "<", ">")):
            raise InvalidInput(
                f"{text!r} is no condition.",
                "Write key=value, key>=value, 'key in a,b', 'uri glob a/*', 'key exists' or 'key absent'.",
            )
        value: Any
        if match["there"]:
            operator, value = "exists", match["there"] == "exists"
        elif match["word"] == "in":
            operator, value = "in", [one.strip() for one in match["rest"].split(",")]
        else:
            operator, value = (match["sign"] or match["word"]), (match["value"] or match["rest"] or "").strip()
        where.setdefault(match["key"], []).append({operator: value})
    return where


def written(where: Mapping[str, Any]) -> str:
    """The conditions as `parse` reads them, for a person."""
    said = []
    for key, operator, value in _conditions(where):
        if operator == "exists":
            said.append(f"{key} {'exists' if value else 'absent'}")
        elif operator.isalpha():
            said.append(f"{key} {operator} {','.join(map(str, value)) if isinstance(value, list) else value}")
        else:
            said.append(f"{key}{operator}{value}")
    return " and ".join(said)


def documents(catalog: Catalog, where: Mapping[str, Any]) -> list[int]:
    """The ids of the documents for which every condition holds."""
    clauses, values = [], []
    for key, operator, value in _conditions(where):
        clause, given = _clause(key, operator, value)
        clauses.append(clause)
        values += given
    statement = "SELECT id FROM documents WHERE " + " AND ".join(clauses or ["1"])
    return [row[0] for row in catalog.execute(statement, values)]


def check(where: Mapping[str, Any]) -> None:
    """Raises `InvalidInput` for what is no condition, before anything is opened."""
    for condition in _conditions(where):
        _clause(*condition)


def facts(metadata: Mapping[str, Any], key: str = "") -> Iterator[tuple[str, Any]]:
    """A document's metadata as pairs: `a.b` for what is nested, and a pair for each value of a list."""
    for name, value in metadata.items():
        path = f"{key}.{name}" if key else str(name)
        if isinstance(value, Mapping):
            yield from facts(value, path)
        else:
            for one in value[:MOST] if isinstance(value, list | tuple) else [value]:
                if isinstance(one, str | int | float):
                    yield path, one[:MOST] if isinstance(one, str) else _storable(one)


def _conditions(where: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    if not isinstance(where, Mapping):
        raise InvalidInput(f"where={where!r} is no mapping.", 'Write it like {"year": 2025}.')
    for key, wanted in where.items():
        if isinstance(wanted, Mapping):
            for operator, value in wanted.items():
                yield str(key), str(operator), value
        elif isinstance(wanted, list | tuple) and wanted and all(isinstance(one, Mapping) for one in wanted):
            for one in wanted:
                yield from _conditions({key: one})
        elif isinstance(wanted, list | tuple | set | frozenset):
            yield str(key), "in", list(wanted)
        else:
            yield str(key), "=", wanted


def _clause(key: str, operator: str, value: Any) -> tuple[str, list[Any]]:
    if operator not in OPERATORS:
        raise InvalidInput(f"{operator!r} is no comparison.", f"Choose one of: {' '.join(OPERATORS)}.")
    if operator == "exists":
        if key in OWN:
            return str(int(bool(value))), []
        return f"id {'' if value else 'NOT '}IN (SELECT document FROM facts WHERE key = ?)", [key]
    if operator == "!=":
        clause, values = _any(key, "=", [value])
        return f"NOT ({clause})", values
    if operator == "in":
        return _any(key, "=", value if isinstance(value, list | tuple | set | frozenset) else [value])
    return _any(key, operator, [value])


def _any(key: str, operator: str, wanted: Any) -> tuple[str, list[Any]]:
    """Some value of this key compares so with some value that is wanted."""
    forms = [form for one in wanted for form in _forms(key, one)]
    if not forms:
        return "0", []
    column = key if key in OWN else "value"
    tests = []
    for form in forms:
        kind = "= 'text'" if isinstance(form, str) else "IN ('integer', 'real')"
        guard = "" if operator == "=" else f" AND typeof({column}) {kind}"
        tests.append(f"({column} {operator.upper()} ?{guard})")
    clause = " OR ".join(tests)
    if key in OWN:
        return f"({clause})", forms
    return f"id IN (SELECT document FROM facts WHERE key = ? AND ({clause}))", [key, *forms]


def _forms(key: str, value: Any) -> list[Any]:
    """A value as text, and as a number if it can be one."""
    if isinstance(value, date):
        value = value.isoformat()
    if isinstance(value, bool):
        return [int(value), str(value).lower()]
    if isinstance(value, int | float):
        return [_storable(value), str(value)]
    if not isinstance(value, str):
        raise InvalidInput(f"{key} cannot be compared with {value!r}.", "Compare it with a text, a number or a date.")
    number = _number(value)
    return [value[:MOST]] if number is None else [value[:MOST], number]


def _number(text: str) -> int | float | None:
    if text.lower() in ("true", "false"):
        return int(text.lower() == "true")
    try:
        return _storable(int(text)) if re.fullmatch(r"[+-]?\d+", text) else float(text)
    except ValueError:
        return None


def _storable(number: int | float) -> int | float:
    """SQLite keeps whole numbers of up to 64 bits."""
    if isinstance(number, float) or abs(number) < 2**63:
        return number
    return float(number) if abs(number) < 1e300 else math.inf * (1 if number > 0 else -1)
