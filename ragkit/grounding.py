"""Grounding: whether what a claim cites supports it, told in a few milliseconds and without a language model.

What stands in the cited texts word for word is supported. Else figures of how much of the claim they have
(`groundfeatures`) are weighed by what people found supported (`groundweights`); and where the texts disagree on a
number, a date, a name or a negation (`disagreement`), no likeness helps.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ragkit.disagreement import Disagreement, disagreements
from ragkit.groundfeatures import Evidence, by_tokens, by_words, evidence, pieces, terms
from ragkit.groundweights import weights
from ragkit.indexes.tokens import TokenReader, Tokens
from ragkit.verdict import Support

Pair = tuple[str, Sequence[str]]

_LEFT = 0.9
"""Of what is needed to be supported, at most so much is left to a claim that the texts disagree with."""
_WORDS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Found:
    evidence: Evidence
    disagreements: tuple[Disagreement, ...]


class Grounding:
    """A `Scorer`. Cheap to make: MiniLM comes with the first claim that is no quotation.

    With `model=False` no model is ever loaded: words, numbers and names must do (docs/decisions/grounding.md says what
    that costs).
    """

    def __init__(self, model: bool = True) -> None:
        self._reader = _reader() if model else None

    def support(self, claim: str, cited: Sequence[str]) -> Support:
        return self.supports([(claim, cited)])[0]

    def supports(self, pairs: Sequence[Pair]) -> list[Support]:
        """Of each claim with what it cites, in their order; the model reads all of them at once."""
        known = [_plainly(claim, cited) for claim, cited in pairs]
        due = [_look(*pair) for pair, verdict in zip(pairs, known, strict=True) if verdict is None]
        read = self._read([one.evidence for one in due])
        judged = iter([self._judge(one, read) for one in due])
        return [next(judged) if verdict is None else verdict for verdict in known]

    def features(self, pairs: Sequence[Pair]) -> list[dict[str, float]]:
        """What the model weighs, also of claims that it is not needed for."""
        found = [_look(*pair) for pair in pairs]
        read = self._read([one.evidence for one in found])
        return [self._features(one, read) for one in found]

    def disagreements(self, claim: str, cited: Sequence[str]) -> tuple[Disagreement, ...]:
        """What the cited texts do not agree to, of what is no matter of degree."""
        return _look(claim, cited).disagreements

    def _read(self, found: Sequence[Evidence]) -> dict[str, Tokens]:
        if self._reader is None:
            return {}
        texts = list(dict.fromkeys(text for one in found for text in (one.claim, *one.chosen)))
        return dict(zip(texts, self._reader.read(texts), strict=True))

    def _features(self, found: _Found, read: dict[str, Tokens]) -> dict[str, float]:
        counts = [sum(one.kind == kind for one in found.disagreements) for kind in ("number", "name")]
        features = by_words(found.evidence, *counts)
        return features if self._reader is None else features | by_tokens(found.evidence, read)

    def _judge(self, found: _Found, read: dict[str, Tokens]) -> Support:
        learnt = weights()
        line = learnt.words if self._reader is None else learnt.tokens
        score = line.score(self._features(found, read))
        if found.disagreements:
            said = "; ".join(dict.fromkeys(one.said for one in found.disagreements))
            return Support(min(score, _LEFT * learnt.supported), "unsupported", f"{said[0].upper()}{said[1:]}.")
        if score >= learnt.supported:
            return Support(score, "supported")
        return Support(score, "unsupported", _lacking(found.evidence))


@lru_cache(1)
def _reader() -> TokenReader:
    """One for the process, however many ask: it holds a model, and remembers what it read."""
    return TokenReader()


def _plainly(claim: str, cited: Sequence[str]) -> Support | None:
    """What needs no weighing."""
    if not terms(claim) and not re.search(r"\w", claim):
        return Support(None, "unreadable", "The claim has no words to look for.")
    if not any(text.strip() for text in cited):
        return Support(0.0, "unsupported", "The cited texts are blank.")
    own = _even(claim)
    if any(own == _even(text) for text in cited):
        return Support(1.0, "supported", "It is what the cited text says.")
    there = {_even(part) for text in cited for part in pieces(text)}
    if all(_even(part) in there for part in pieces(claim)):
        return Support(1.0, "supported", "It stands in the cited texts word for word.")
    return None


def _look(claim: str, cited: Sequence[str]) -> _Found:
    found = evidence(claim, cited)
    return _Found(found, tuple(disagreements(claim, cited, found.nearest if len(pieces(claim)) == 1 else ())))


def _lacking(found: Evidence) -> str:
    if found.missing:
        return f"The cited texts do not have {_listed(found.missing)}."
    return "The cited texts have its words, but do not say it."


def _listed(missing: Sequence[str]) -> str:
    shown = ", ".join(f"“{term}”" for term in missing[:_WORDS_SHOWN])
    more = len(missing) - _WORDS_SHOWN
    return f"{shown} and {more} more of its words" if more > 0 else f"its words {shown}"


def _even(text: str) -> str:
    return " ".join(text.split())
