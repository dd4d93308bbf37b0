"""A Source: what a marker may name. A range of a document, and where it stands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ragkit.answer import Citation
from ragkit.indexes.hit import Hit
from ragkit.model import Passage


@dataclass(frozen=True, slots=True)
class Source:
    at: Citation
    whole: bool = False
    """It is cited as it is; otherwise only the sentences of it that a claim rests on."""


def sources(hits: Sequence[Hit]) -> dict[int, Source]:
    """By the numbers of their passages."""
    return {number: Source(_citation(number, hit)) for number, hit in enumerate(hits, 1)}


def again(citations: Iterable[Citation]) -> dict[int, Source]:
    """What was cited already, for a text that is written from texts that cite it."""
    return {one.marker: Source(one, whole=True) for one in citations}


def passages(given: Mapping[int, Source]) -> tuple[Passage, ...]:
    """As a model reads them."""
    return tuple(
        Passage(number, " > ".join(part for part in (one.at.title, *one.at.headings) if part), one.at.quote)
        for number, one in given.items()
    )


def part(whole: Citation, start: int, end: int) -> Citation:
    """A range of what is cited."""
    return replace(whole, start=whole.start + start, end=whole.start + end, quote=whole.quote[start:end])


def _citation(number: int, hit: Hit) -> Citation:
    return Citation(number, hit.uri, hit.domain, hit.title, hit.pages, hit.headings, hit.start, hit.end, hit.text)
