"""Kinds of what can be asked for, and whether a text holds something of a kind. By plain patterns, English only."""

import re
from typing import Literal

Kind = Literal[
    "person", "date", "amount", "share", "count", "place", "reason", "way", "list", "comparison", "yes-no",
    "definition", "other",
]  # fmt: skip

_MONTHS = (
    "Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec|"
    "January|February|March|April|August|September|October|November|December"
)
_HELD: dict[Kind, re.Pattern[str]] = {
    "person": re.compile(
        r"[A-Z][\w’'-]+ (?:[A-Z]\. |van |de |von |al-)?[A-Z][\w’'-]+|\b[Tt]he [a-z]+(?:er|or|ee|ist)s?\b"
    ),
    "date": re.compile(
        rf"\b(?:1\d|20)\d\d\b|\b(?:{_MONTHS})\b|\b\d{{1,2}}:\d\d\b|\bcentur|\b(?:after|before|within)\b"
    ),
    "amount": re.compile(
        r"[$€£¥]\s?\d|\b\d[\d,.]*\s?(?:million|billion|thousand|dollars?|euros?|pounds?|USD|EUR|GBP|RMB|yuan|%)"
        r"|\(\s?\d[\d,.]*\s?\)|\b\d{1,3}(?:,\d{3})+\b",
        re.IGNORECASE,
    ),
    "share": re.compile(r"\d\s?%|\bper ?cent|\b(?:half|third|quarter)\b|\b0?\.\d", re.IGNORECASE),
    "count": re.compile(
        r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred|"
        r"thousand|million|dozen|once|twice|no|none|several|annual|monthly|quarterly|daily|weekly)\w*\b",
        re.IGNORECASE,
    ),
    "place": re.compile(r"\b(?:in|at|near|from|to|of|on|into)\s+(?:the\s+)?[A-Z]\w+|[A-Z]\w+, [A-Z]\w+"),
    "reason": re.compile(
        r"\b(?:because|since|due to|owing|as a result|so that|in order|therefore|thus|hence|caus\w+|reason\w*|led to|"
        r"aim\w*|to \w+|driven|result\w*|by)\b",
        re.IGNORECASE,
    ),
}
LACKED: dict[Kind, str] = {
    "person": "no name of a person", "date": "no date", "amount": "no amount", "share": "no percentage",
    "count": "no number", "place": "no name of a place", "reason": "no reason",
}  # fmt: skip
"""What to say when it is not there."""


def holds(kind: Kind, text: str) -> bool:
    """Whether a text holds something of the kind. What cannot be told is taken as there."""
    pattern = _HELD.get(kind)
    return pattern is None or pattern.search(text) is not None
