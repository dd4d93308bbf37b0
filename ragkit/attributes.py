"""What a span may hold: values that OpenTelemetry knows, texts of a bounded length, and no keys."""

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

Legal = str | bool | int | float | Sequence[str] | Sequence[bool] | Sequence[int] | Sequence[float]


def legal(attributes: Mapping[str, object]) -> dict[str, Legal]:
    """What OpenTelemetry can hold of these; None is left out."""
    return {valid(key): _legal(value) for key, value in attributes.items() if value is not None}


_LONGEST = 2**63


def _legal(value: object) -> Legal:
    from decimal import Decimal
    from enum import Enum

    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if -_LONGEST <= value < _LONGEST else str(value)
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, list | tuple | set | frozenset):
        items = [_legal(item) for item in value if item is not None]
        if {type(item) for item in items} in ({str}, {bool}, {int}, {float}, set()):
            return cast("Sequence[str]", tuple(items))
    return text_of(value)


def text_of(value: object) -> str:
    """Of a bounded length, of valid Unicode, and without keys."""
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, default=_plain) if _is_data(value) else str(value)
    value = redacted(valid(value))
    return value if len(value) <= _LONGEST_TEXT else f"{value[:_LONGEST_TEXT]}… ({len(value):,} characters)"


_LONGEST_TEXT = 100_000


def _is_data(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple | set | frozenset) or hasattr(value, "__dataclass_fields__")


def _plain(value: Any) -> Any:
    """What JSON does not know, as something it knows."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return str(value)


def valid(text: str) -> str:
    """Half a surrogate pair, as some documents have them, can be neither stored nor sent."""
    return text.encode("utf-8", "replace").decode()


_KEY_LIKE = re.compile(r"\b(?:sk|pk)-[\w-]{16,}|(?<=\bBearer )[\w.~+/=-]{8,}")
_HIDDEN = "[hidden]"
_hidden: set[str] = set()


def hide(key: str) -> None:
    """Tell of a key that must never be in a trace, whatever a server's message quotes."""
    if len(key) >= 6:
        _hidden.add(key)


def redacted(text: str) -> str:
    """Without keys: those we were told of, those in `…_API_KEY`, and what looks like one."""
    named = (value for name, value in os.environ.items() if name.endswith("_API_KEY") and len(value) >= 12)
    for key in (*_hidden, *named):
        if key in text:
            text = text.replace(key, _HIDDEN)
    return _KEY_LIKE.sub(_HIDDEN, text)
