"""What of a claim stands in the cited texts, as figures that a small model weighs.

Words are matched by stem, and weigh by how rare they are. Tokens are matched by meaning in their context, each with the
nearest one of the texts: Zhang et al., BERTScore: Evaluating Text Generation with BERT (2020), its recall. Only those
sentences of the texts are read by the model that share most with the claim, so that a long text costs little more
than a short one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ragkit.groundweights import rarity
from ragkit.indexes.analyzer import Analyzer
from ragkit.indexes.sentences import sentences

if TYPE_CHECKING:
    from ragkit.indexes.tokens import Tokens

_ANALYZER = Analyzer()
_MOST = 8
"""Sentences that are read for one claim."""
_SINGLE = 3
"""The first of them are those that alone have most of it; the others have what these lack."""
_LONGEST = 600
"""Characters of one sentence; what is longer is no sentence, and read in parts."""
_ALIKE = 0.6
"""Share of the claim's words that a sentence must have for what it denies to matter."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found for one claim."""

    claim: str
    chosen: tuple[str, ...]
    """The sentences of the texts that share most with it."""
    nearest: tuple[str, ...]
    """Those that say nearly all of it: what they deny, it may not say."""
    coverage: float
    missing: tuple[str, ...]
    """Words of the claim that stand nowhere, the rarest first."""


def evidence(claim: str, texts: Sequence[str]) -> Evidence:
    worth = {term: rarity().of_stem(term) for term in terms(claim)}
    total = sum(worth.values()) or 1.0
    parts = list(dict.fromkeys(part for text in texts for part in pieces(text)))
    shares = [sum(worth[term] for term in terms(part) & worth.keys()) / total for part in parts]
    everywhere = frozenset().union(*map(terms, parts))
    missing = sorted(worth.keys() - everywhere, key=lambda term: (-worth[term], term))
    best = max(shares, default=0.0)
    alike = sorted(
        (at for at, share in enumerate(shares) if share >= max(_ALIKE, best - 0.1)), key=lambda at: -shares[at]
    )
    return Evidence(
        claim,
        tuple(parts[at] for at in _choice(parts, shares, worth)),
        tuple(parts[at] for at in alike[:_MOST]),
        1 - sum(worth[term] for term in missing) / total if worth else 0.0,
        tuple(missing),
    )


def by_words(found: Evidence, numbers: int, names: int) -> dict[str, float]:
    """The features that need no model; `numbers` and `names` are how many disagree."""
    return {"coverage": found.coverage, "numbers": float(numbers > 0), "names": float(names > 0)}


def by_tokens(found: Evidence, read: Mapping[str, "Tokens"]) -> dict[str, float]:
    """How near the claim's tokens, and all of it, come to anything in the chosen sentences."""
    import numpy

    claim, parts = read[found.claim], [read[part] for part in found.chosen]
    parts = [part for part in parts if part.ids]
    if not parts or not claim.ids:
        return {"middle": 0.0, "deep": 0.0, "sentence": 0.0}
    weight = numpy.array([rarity().of_piece(piece) for piece in claim.ids])
    middle = (claim.middle @ numpy.concatenate([part.middle for part in parts]).T).max(axis=1)
    deep = (claim.deep @ numpy.concatenate([part.deep for part in parts]).T).max(axis=1)
    return {
        "middle": float(middle @ weight / weight.sum()),
        "deep": float(deep @ weight / weight.sum()),
        "sentence": float(max(part.vector @ claim.vector for part in parts)),
    }


@lru_cache(4096)
def terms(text: str) -> frozenset[str]:
    return frozenset(_ANALYZER.terms(text))


@lru_cache(256)
def pieces(text: str) -> tuple[str, ...]:
    """The sentences of a text; what is too long for one is cut."""
    found: list[str] = []
    for start, end in sentences(text, 0, len(text)):
        found += [text[at : min(at + _LONGEST, end)] for at in range(start, end, _LONGEST)]
    return tuple(found)


def _choice(parts: Sequence[str], shares: Sequence[float], worth: Mapping[str, float]) -> list[int]:
    """The places of the sentences to read, in the order of the text."""
    ranked = sorted(range(len(parts)), key=lambda at: (-shares[at], at))
    chosen = ranked[:_SINGLE]
    lacking = set(worth).difference(*(terms(parts[at]) for at in chosen))
    while lacking and len(chosen) < _MOST:
        gains = {at: sum(worth[term] for term in terms(parts[at]) & lacking) for at in ranked if at not in chosen}
        at = max(gains, key=lambda one: gains[one], default=-1)
        if at < 0 or not gains[at]:
            break
        chosen.append(at)
        lacking -= terms(parts[at])
    chosen += [at for at in ranked if at not in chosen][: _MOST - len(chosen)]
    return sorted(chosen)
