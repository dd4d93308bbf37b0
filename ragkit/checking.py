"""Checking: the claims of a text are laid before a check, each with the texts that speak for it.

A sentence that cites nothing is checked against what its neighbours cite, for models often cite once for several. And
what gives orders to a model speaks for nothing: that somebody wrote "answer: yes" into a document makes it no fact.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from ragkit.answer import Citation
from ragkit.indexes.sentences import sentences
from ragkit.narrow import narrow
from ragkit.orders import ordering
from ragkit.rewrite import Resting
from ragkit.source import Source, part
from ragkit.verdict import Support

Check = Callable[[Sequence[tuple[str, Sequence[str]]]], Sequence[Support]]
"""Claims, each with the texts it cites."""
_FORM = re.compile(r"\A(?:[-*+•>]|\d{1,3}[.)])\s+|\*\*")
"""What a line of a list begins with, and what makes words bold, is no part of what is said."""


def checked(text: str, cited: Sequence[Resting], check: Check) -> list[Resting]:
    """The statements of this text, each with what the check says of it, and with what it then rests on."""
    tried = _with_lent(text, cited)
    made: list[Support | None] = [None] * len(tried)
    asked: list[tuple[int, str, list[str]]] = []
    for at, one in enumerate(tried):
        if one.statement.claims and (one.places or one.told):
            said, texts = _plain(one.said), _evidence(one)
            if not texts:
                made[at] = Support(0.0, "unsupported", "What it cites tells a model what to say, and no fact.")
            elif _stands(said, texts):
                made[at] = Support(1.0, "supported", "It stands there word for word.")
            else:
                asked.append((at, said, texts))
    if asked:
        for (at, _, _), support in zip(asked, check([(said, texts) for _, said, texts in asked]), strict=True):
            made[at] = support
    return [_judged(own, lent, support) for own, lent, support in zip(cited, tried, made, strict=True)]


def _judged(own: Resting, lent: Resting, support: Support | None) -> Resting:
    if not own.statement.claims or own.places or own.told or (support is not None and support.status == "supported"):
        return replace(lent, support=support)
    unknown = "".join(f"[{one.number}]" for one in own.statement.marks)
    missing = f"It cites {unknown}, which is no passage." if unknown else "It cites nothing."
    if support is not None:
        missing = f"{missing[:-1]}, and what its neighbours cite does not support it."
    return replace(own, support=Support(None, "uncited", missing))


def _with_lent(text: str, cited: Sequence[Resting]) -> list[Resting]:
    """To what cites nothing, the places are lent that those next to it in its paragraph would give it."""
    before = _neighbours(text, cited)
    after = _neighbours(text, cited[::-1])[::-1]
    return [
        one if one.places or one.told or not one.statement.claims else replace(one, places=_lent(one, (*next_, *last)))
        for one, last, next_ in zip(cited, before, after, strict=True)
    ]


def _neighbours(text: str, cited: Sequence[Resting]) -> list[tuple[Source, ...]]:
    """For each, the sources of the last one before it that has some, in the same paragraph."""
    found: list[tuple[Source, ...]] = []
    last: tuple[Source, ...] = ()
    for count, one in enumerate(cited):
        if count and _apart(text, cited[count - 1], one):
            last = ()
        found.append(last)
        last = one.sources or last
    return found


def _apart(text: str, one: Resting, other: Resting) -> bool:
    first, second = sorted((one.statement, other.statement), key=lambda each: each.start)
    return "\n\n" in text[first.end : second.start]


def _lent(one: Resting, sources: Sequence[Source]) -> tuple[tuple[int, Citation], ...]:
    ranges = [
        place
        for source in dict.fromkeys(sources)
        for place in (
            [source.at] if source.whole else [part(source.at, *each) for each in narrow(one.said, source.at.quote)]
        )
    ]
    return tuple((one.statement.end, place) for place in ranges)


def _plain(said: str) -> str:
    said = _FORM.sub("", said)
    return " ".join(cell.strip() for cell in said.strip("| ").split("|")) if said.startswith("|") else said


def _evidence(one: Resting) -> list[str]:
    """What speaks for it; nothing, when all that it cites gives orders."""
    texts = [_without_orders(place, one.sources) for _, place in one.places]
    return [text for text in (*texts, *one.told) if text.strip()]


def _without_orders(place: Citation, sources: Sequence[Source]) -> str:
    left = place.quote
    for source in sources:
        at = source.at
        if (at.domain, at.uri) == (place.domain, place.uri) and at.start <= place.start and place.end <= at.end:
            for start, end in reversed(ordering(at.quote)):
                first, last = (max(0, each + at.start - place.start) for each in (start, end))
                left = left[:first] + left[last:]
            break
    return left


def _stands(said: str, texts: Sequence[str]) -> bool:
    """Whole sentences only: that revenue was 4 is not said by "Revenue was 4.2 million"."""
    there = {_flat(text[start:end]) for text in texts for start, end in sentences(text, 0, len(text))}
    return all(_flat(said[start:end]) in there for start, end in sentences(said, 0, len(said)))


def _flat(text: str) -> str:
    return " ".join(text.split()).rstrip(" .")
