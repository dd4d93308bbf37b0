"""Orders: instructions to a model that stand in a document, and what hides them.

A document is data: it is fenced in every prompt and never followed, whether anything is found here or not. This tells
people where somebody tries. Rules catch what is written plainly, in the languages of `orderwords`, also in look-alike
letters; they do not catch what is paraphrased, spelt in code, or painted in a picture.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ragkit import telemetry
from ragkit.folding import fold
from ragkit.indexes.sentences import Range, sentences
from ragkit.model import Passage
from ragkit.orderwords import RULES

if TYPE_CHECKING:
    from opentelemetry.trace import Span

PLANTED = "ragkit.planted"
"""On a span: the numbers of the passages in which something was found, and why, below each other."""

_TAGS = re.compile("[\U000e0020-\U000e007f]{2,}")
"""Letters that no font draws and that a model reads."""
_FLAGS = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")
"""Behind a black flag, a few of them are the flag of a region."""
_HIDDEN = (
    (_TAGS, "text in tag characters, which nobody sees"),
    (re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}"), "text in variation selectors, which nobody sees"),
    (re.compile("[\u200b\u200c\u200d\u2060-\u2064\ufeff]{6,}"), "a run of characters without width"),
    (re.compile("[\u202d\u202e]"), "a sign that turns the direction of reading"),
)


@dataclass(frozen=True, slots=True)
class Order:
    """A range of a text, `text[start:end]`, and why it looks like an instruction."""

    start: int
    end: int
    reason: str


def planted(text: str) -> tuple[Order, ...]:
    """What in a text looks like an instruction to a model, in the text's order; mostly nothing."""
    folded = fold(text)
    said = folded.text
    found = [
        Order(*folded.range(*match.span()), rule.reason)
        for rule in RULES
        if any(cue in said for cue in rule.cues)
        for match in rule.pattern.finditer(said)
    ]
    found += _hidden(text)
    return tuple(sorted(found, key=lambda one: (one.start, one.end, one.reason)))


@lru_cache(256)
def ordering(passage: str) -> tuple[Range, ...]:
    """Ranges that give orders to a model: from the sentence with the order to the end of its paragraph."""
    found: list[Range] = []
    orders = [one for one in planted(passage) if any(map(str.isalnum, passage[one.start : one.end]))]
    pieces = sentences(passage, 0, len(passage)) if orders else []
    for order in orders:
        start = max((first for first, _ in pieces if first <= order.start), default=0)
        end = passage.find("\n\n", order.end)
        if not found or start >= found[-1][1]:
            found.append((start, len(passage) if end < 0 else end))
    return tuple(found)


def suspicious(passages: Sequence[Passage]) -> dict[int, tuple[Order, ...]]:
    """The passages, by number, in whose title or text something was found; ranges are those of the text below the
    title and a line's end."""
    found = {one.number: planted(f"{one.title}\n{one.text}") for one in passages}
    return {number: orders for number, orders in found.items() if orders}


def flag(span: "Span", passages: Sequence[Passage]) -> None:
    """Say on a span which of the passages that a model is given hold something that looks like an instruction."""
    if not span.is_recording():
        return
    found = suspicious(passages)
    if not found:
        return
    reasons = [
        f"{number}: {', '.join(dict.fromkeys(one.reason for one in orders))}" for number, orders in found.items()
    ]
    span.set_attribute(PLANTED, reasons)
    whole = {one.number: f"{one.title}\n{one.text}" for one in passages}
    said = [f"{number}: {whole[number][one.start : one.end]}" for number, orders in found.items() for one in orders]
    telemetry.record(span, {f"{PLANTED}.text": "\n".join(said)})


def _hidden(text: str) -> Iterator[Order]:
    if text.isascii():
        return
    text = _FLAGS.sub(lambda match: " " * len(match[0]), text)
    for rule, reason in _HIDDEN:
        for match in rule.finditer(text):
            yield Order(*match.span(), reason)
