"""Narrows what a claim cites: from a passage to the sentences and rows of it that the claim rests on."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from math import log

from ragkit.indexes.analyzer import Analyzer
from ragkit.indexes.sentences import Range, sentences

_ANALYZER = Analyzer()
_MOST = 3
_WORTH = 0.2
"""A further sentence must hold this share of what the claim says, and no sentence before it did."""
_LEAST = 0.15
"""Below, the words of claim and passage have nothing to do with each other: it may still be true, in other words."""
_NUMBER = re.compile(r"\d")
_HEAVY = 2.0
"""A number is what a claim is checked for first."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A passage as it is looked into; many claims cite the same one."""

    pieces: list[Range]
    held: list[frozenset[str]]
    often: Counter[str]


@lru_cache(256)
def _read(passage: str) -> _Read:
    pieces = sentences(passage, 0, len(passage))
    held = [frozenset(_ANALYZER.terms(passage[start:end])) for start, end in pieces]
    return _Read(pieces, held, Counter(term for terms in held for term in terms))


def narrow(claim: str, passage: str) -> list[Range]:
    """Ranges of the passage, in its order; none where no part of it stands out."""
    read = _read(passage)
    pieces, held = read.pieces, read.held
    left = {
        term: log(1 + len(pieces) / (0.5 + read.often[term])) * (_HEAVY if _NUMBER.search(term) else 1)
        for term in _ANALYZER.terms(claim)
    }
    whole = sum(left.values())
    chosen: list[int] = []
    while len(chosen) < min(_MOST, len(pieces)):
        gains = [
            (sum(left[term] for term in terms & left.keys()) / (1 + 0.002 * len(terms)), -at)
            for at, terms in enumerate(held)
        ]
        gain, at = max(gains)
        if not chosen and gain < _LEAST * whole:
            break
        if gain <= 0 or (chosen and gain < _WORTH * whole):
            break
        chosen.append(-at)
        left = {term: worth for term, worth in left.items() if term not in held[-at]}
    return _joined(sorted(chosen), pieces)


def _joined(chosen: list[int], pieces: list[Range]) -> list[Range]:
    """Neighbours are one range."""
    found: list[Range] = []
    for count, at in enumerate(chosen):
        start, end = pieces[at]
        if count and chosen[count - 1] == at - 1:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found
