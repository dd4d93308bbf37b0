"""Text without what cannot be seen, and whatever a file says of itself as JSON values."""

import datetime
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

# What no reader can see and no store should hold: control characters, soft hyphens, byte-order marks, lone surrogates.
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\ufeff\ufffe\uffff\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028]")
_LIGATURE = re.compile("[\ufb00-\ufb06]")


def clean(text: str) -> str:
    """One kind of line end, letters for ligatures, and nothing that cannot be seen or stored."""
    text = _LINE_ENDS.sub("\n", text).replace("\u2029", "\n\n")
    return _UNSEEN.sub("", _LIGATURE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text))


def plain(value: Any) -> Any:
    """Whatever a file says of itself, as JSON values: dates become ISO strings, the unknown its text."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {clean(str(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, Iterable):
        return [plain(inner) for inner in value]
    return clean(str(value))
