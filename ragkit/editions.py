"""Editions of one document: version 2 takes the place of version 1, what was revised that of the draft.

Only where the titles say so. Reports and minutes stand beside each other, whatever their dates.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ragkit.periods import periods

_VERSION = re.compile(r"\b(?:version|revision|edition|rev\.?|v\.?)\s*(\d{1,3}(?:\.\d+)*)\b", re.IGNORECASE)
_STAGES: tuple[tuple[int, re.Pattern[str]], ...] = (
    (0, re.compile(r"\b(?:draft|proposed|preliminary|superseded|obsolete|old)\b", re.IGNORECASE)),
    (2, re.compile(r"\b(?:revised|updated|amended|final|new)\b", re.IGNORECASE)),
    (1, re.compile(r"\b(?:approved|adopted)\b", re.IGNORECASE)),
)
_HOLDS = re.compile(
    r"\b(?:polic(?:y|ies)|handbook|guide(?:lines?)?|manual|terms|rules|price(?:s|\s+list)?|tariffs?|programme|program|"
    r"regulations?|budget)\b",
    re.IGNORECASE,
)
"""What holds until the next one: a year says which it is."""
_WORD = re.compile(r"[^\W\d_]+")
_MARKS = re.compile(
    r"\b(?:of|in|the|an?|for|from|and|on|january|february|march|april|may|june|july|august|september|october|november|"
    r"december|q|first|second|third|fourth|quarter|version|revision|edition|rev|v)\b",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:old|older|previous\w*|former\w*|earlier|originally|first|drafts?|proposed|before|used\s+to|version|edition|"
    r"chang\w+|differ\w*|compar\w+)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Edition:
    name: frozenset[str]
    version: tuple[int, ...]
    stage: int | None
    date: tuple[int, int]

    def before(self, other: "Edition") -> bool:
        if self.name != other.name or not self.name:
            return False
        if self.version and other.version:
            return self.version < other.version
        if self.stage is not None and other.stage is not None and self.stage != other.stage:
            return self.stage < other.stage
        return bool(self.date[0] and other.date[0]) and self.date < other.date


def superseded(question: str, titles: Iterable[str]) -> frozenset[str]:
    """Those titles that another one takes the place of, unless the question looks back itself."""
    if _PAST.search(question):
        return frozenset()
    known = {title: edition(title.split(" > ")[0]) for title in titles}
    return frozenset(title for title, own in known.items() if any(own.before(other) for other in set(known.values())))


@lru_cache(1024)
def edition(title: str) -> Edition:
    version = _VERSION.search(title)
    stage = next((number for number, said in _STAGES if said.search(title)), None)
    dated = [(one.year, one.month) for one in periods(title)] if stage is not None or _HOLDS.search(title) else []
    bare = _MARKS.sub(" ", title)
    for _, said in _STAGES:
        bare = said.sub(" ", bare)
    words = frozenset(map(str.casefold, _WORD.findall(bare)))
    number = tuple(map(int, version[1].split("."))) if version else ()
    return Edition(words, number, stage, max(dated, default=(0, 0)))
