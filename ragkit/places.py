"""A Place: a sentence or a table row of a passage, with the title and headings that it stands under.

What supports an answer stands in one place, not spread over a page: that the name is on the first line and the year on
the last one says nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ragkit.indexes.analyzer import Analyzer
from ragkit.indexes.hit import Hit
from ragkit.indexes.sentences import sentences


@dataclass(frozen=True, slots=True)
class Place:
    start: int
    """In the hit's text."""
    text: str
    order: tuple[str, ...]
    """Its terms as they stand there."""
    terms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Passage:
    """A hit, taken apart."""

    hit: Hit
    context: frozenset[str]
    """The terms of title, headings and file name: they hold for every sentence below them."""
    places: tuple[Place, ...]
    terms: frozenset[str]
    """Of all places and the context."""


def passages_of(hits: Sequence[Hit], analyzer: Analyzer) -> tuple[Passage, ...]:
    return tuple(_passage(hit, analyzer) for hit in hits)


def by_document(passages: Sequence[Passage]) -> Mapping[tuple[str, str], list[Passage]]:
    """In the order of their best passages."""
    documents: dict[tuple[str, str], list[Passage]] = {}
    for one in passages:
        documents.setdefault((one.hit.domain, one.hit.uri), []).append(one)
    return documents


def _passage(hit: Hit, analyzer: Analyzer) -> Passage:
    name = hit.uri.rpartition("/")[2].rpartition("#")[2].replace("_", " ")
    context = frozenset(analyzer.terms(" \n".join((hit.title, *hit.headings, name))))
    places = []
    for start, end in sentences(hit.text, 0, len(hit.text)):
        order = tuple(analyzer.terms(hit.text[start:end]))
        places.append(Place(start, hit.text[start:end], order, frozenset(order)))
    return Passage(hit, context, tuple(places), context.union(*(place.terms for place in places)))
