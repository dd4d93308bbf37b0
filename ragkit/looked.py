"""A question and the passages that were found for it, taken apart: for each name, which document is about it, and which
of its places says most of what is asked."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import fsum

from ragkit.collection import Collection
from ragkit.indexes.hit import Hit
from ragkit.kinds import holds
from ragkit.places import Passage, Place, by_document, passages_of
from ragkit.sought import FILLERS, Date, Name, Sought, dates_in, seek

_NEAR = 3
"""Two neighbours of the question, such as "cash flow", are so near each other in a text that means them."""
_STEM, _ALIKE = 5, 0.6
"""Terms with the same first letters are of one family (acquire, acquisition), which is most of what a term says."""
_BEST = 6
"""So many of a document's places are looked at for date and kind."""
_TOGETHER, _MOST = 3, 20
"""Places that are read together, and among how many they are chosen."""
_SIDE_BY_SIDE = 0.9
"""What two neighbouring sentences say together, beside what one says alone."""

Weights = Mapping[str, float]
Pairs = Mapping[tuple[str, str], float]
"""Neighbours in the question, as "cash flow", with their weights."""


@dataclass(frozen=True, slots=True)
class Said:
    """A place, and how much of what is asked it holds."""

    passage: Passage
    place: Place
    words: float


@dataclass(frozen=True, slots=True)
class Anchor:
    """The document that is most about a name, and its best place for what is asked."""

    name: str
    """Empty where the question names nothing."""
    dates: tuple[Date, ...]
    """That were asked of it."""
    held: float
    """How much of the name the document holds."""
    passages: tuple[Passage, ...]
    sentence: float
    """How much of what is asked its best place holds."""
    three: float
    """And the best three together."""
    union: float
    """And all its passages."""
    pairs: float
    """How many neighbours of the question are neighbours there, too."""
    dated: float
    """Whether the best place is of a date that was asked for."""
    typed: float
    """Whether it holds something of the kind that was asked for."""
    together: float
    """The best place by words, date and kind at once."""
    best: Said | None


@dataclass(frozen=True, slots=True)
class Looked:
    question: str
    sought: Sought
    terms: Weights
    """Of the question."""
    content: Weights
    """Without the words by which one asks; all of them where it has no other ones."""
    named: Mapping[str, frozenset[str]]
    """The terms of each name."""
    rest: Weights
    """What is asked of these names: the terms without names, dates and the words by which one asks."""
    passages: tuple[Passage, ...]
    anchors: tuple[Anchor, ...]
    """One a name; one without a name where there is none."""


def look(question: str, hits: Sequence[Hit], collection: Collection) -> Looked:
    cut = collection.analyzer.terms
    sought = seek(question)
    order = cut(question)
    terms = {term: collection.weight(term) for term in dict.fromkeys(order)}
    named = {name: frozenset(cut(name.text)) for name in sought.names}
    content = {term: weight for term, weight in terms.items() if term not in _fillers(cut)} or terms
    outside = _fillers(cut).union(*(cut(name.whole) for name in named), *(cut(str(date)) for date in sought.dates))
    rest = {term: weight for term, weight in terms.items() if term not in outside}
    pairs = {(one, two): min(rest[one], rest[two]) for one, two in pairwise(order) if one in rest and two in rest}
    passages = passages_of(hits, collection.analyzer)
    said = {id(one): _said(one, rest) for one in passages}
    groups = [[(one, said[id(one)]) for one in group] for group in by_document(passages).values()]
    subjects = {name: {term: terms.get(term, 1.0) for term in own} for name, own in named.items() if own}
    asked: Mapping[Name, Weights] = subjects or {Name("", "", ()): {}}
    anchors = tuple(_anchor(name, own, groups, sought, rest, pairs) for name, own in asked.items())
    own = {name.text: terms_of for name, terms_of in named.items() if terms_of}
    return Looked(question, sought, terms, content, own, rest, passages, anchors)


Group = Sequence[tuple[Passage, Sequence[Said]]]
"""The passages of a document, and what each place of them says."""


def covered(weights: Weights, *held: AbstractSet[str]) -> float:
    """The share of all weight whose terms are held. All of it when nothing weighs."""
    total = fsum(weights.values())
    if not total:
        return 1.0
    there = weights.keys() & held[0] if len(held) == 1 else weights.keys() & frozenset[str]().union(*held)
    return min(1.0, fsum(map(weights.__getitem__, there)) / total)


@lru_cache(maxsize=8)
def _fillers(cut: Callable[[str], list[str]]) -> frozenset[str]:
    return frozenset(term for word in FILLERS for term in cut(word))


def _said(passage: Passage, rest: Weights) -> list[Said]:
    """Each place with what it says of `rest`, if need be together with the sentence before it."""
    total = fsum(rest.values())
    if not total:
        return [Said(passage, place, 1.0) for place in passage.places]
    above = rest.keys() & passage.context
    families = _families(rest.keys() - above, passage)
    made = []
    before: AbstractSet[str] = frozenset()
    akin_before: AbstractSet[str] = frozenset()
    for place in passage.places:
        now = above | (rest.keys() & place.terms)
        akin = frozenset(term for term, family in families.items() if not place.terms.isdisjoint(family))
        alone = _weight(rest, now, akin)
        both = _weight(rest, now | before, akin | akin_before) if before or akin_before else 0.0
        made.append(Said(passage, place, max(alone, _SIDE_BY_SIDE * both) / total))
        before, akin_before = now, akin
    return made


def _families(terms: AbstractSet[str], passage: Passage) -> Mapping[str, AbstractSet[str]]:
    """For each of the terms, those of the passage that begin like it; where there are none, it is left out."""
    first = {term[:_STEM] for term in terms if len(term) >= _STEM}
    found: dict[str, set[str]] = {}
    for term in passage.terms:
        if term[:_STEM] in first:
            found.setdefault(term[:_STEM], set()).add(term)
    return {term: found[term[:_STEM]] for term in terms if term[:_STEM] in found}


def _weight(rest: Weights, held: AbstractSet[str], akin: AbstractSet[str]) -> float:
    """`fsum`, since sets have no order: the same question must get the same score, to the last bit."""
    return fsum(map(rest.__getitem__, held)) + _ALIKE * fsum(map(rest.__getitem__, akin - held))


def _anchor(name: Name, own: Weights, groups: Sequence[Group], sought: Sought, rest: Weights, pairs: Pairs) -> Anchor:
    """Of the documents that hold most of the name, the one that says most."""
    held = [covered(own, *(one.terms for one, _ in group)) for group in groups]
    most = max(held, default=0.0)
    about = [group for group, share in zip(groups, held, strict=True) if share >= most - 1e-9]
    made = [_of_document(name, most, rest, pairs, sought, group) for group in about]
    nothing = Anchor(name.text, name.dates, 0, (), 0, 0, 0, 0, 0, 0, 0, None)
    return max(made, key=lambda one: (one.together, one.three), default=nothing)


def _of_document(name: Name, held: float, rest: Weights, pairs: Pairs, sought: Sought, group: Group) -> Anchor:
    said = sorted((one for _, own in group for one in own), key=lambda one: -one.words)
    dates = name.dates or sought.dates
    spread = frozenset(date for passage, _ in group for date in dates_in(passage.hit.text)) if dates else frozenset()
    best, together, dated, typed = None, -1.0, 0.0, 0.0
    for one in said[:_BEST]:
        date = _dated(dates, one, spread)
        kind = float(holds(sought.kind, one.place.text))
        score = one.words * (0.4 + 0.6 * date) * (0.6 + 0.4 * kind)
        if score > together:
            best, together, dated, typed = one, score, date, kind
    return Anchor(
        name=name.text,
        dates=dates,
        held=held,
        passages=tuple(passage for passage, _ in group),
        sentence=said[0].words if said else 0.0,
        three=_three(rest, said),
        union=covered(rest, *(passage.terms for passage, _ in group)),
        pairs=_paired(pairs, group),
        dated=dated,
        typed=typed,
        together=held * max(together, 0.0),
        best=best,
    )


def _three(rest: Weights, said: Sequence[Said]) -> float:
    """What the best place and the two that add most to it say together."""
    total = fsum(rest.values())
    left = rest.keys() | frozenset[str]()
    for _ in range(_TOGETHER):
        gains = (left & (one.place.terms | one.passage.context) for one in said[:_MOST])
        left = left - max(gains, key=lambda own: fsum(map(rest.__getitem__, own)), default=frozenset[str]())
    return 1 - fsum(map(rest.__getitem__, left)) / total if total else 1.0


def _dated(dates: Sequence[Date], said: Said, spread: AbstractSet[Date]) -> float:
    """The best of the asked dates: 1 where it stands in the place itself, less where only the document is of it."""
    if not dates:
        return 1.0
    hit = said.passage.hit
    there = dates_in(said.place.text)
    above = dates_in(" ".join((hit.title, *hit.headings, hit.uri.rpartition("/")[2].replace("_", " "))))
    return max(_share(asked, there, above, spread) for asked in dates)


def _share(asked: Date, there: Sequence[Date], above: Sequence[Date], spread: AbstractSet[Date]) -> float:
    if any(asked.within(one) for one in (*there, *above)):
        return 1.0
    year = any(one.year == asked.year for one in (*above, *spread))
    if asked.month is None:
        other = any(one.year is not None for one in there)
        return 0.0 if other or not year else 0.7
    if any(one.month == asked.month and one.year is None for one in there):
        return 0.9 if year else 0.6
    if any(one.month is not None for one in there):
        return 0.0
    return 0.4 if any(asked.within(one) for one in spread) else 0.2 if year else 0.0


def _paired(pairs: Pairs, group: Group) -> float:
    """How many of the question's neighbours are neighbours in the document, by weight."""
    total = sum(pairs.values())
    if not total:
        return 1.0
    places = [place for passage, _ in group for place in passage.places]
    return (
        sum(
            weight
            for (one, two), weight in pairs.items()
            if any(one in place.terms and two in place.terms and _near(place.order, one, two) for place in places)
        )
        / total
    )


def _near(order: Sequence[str], one: str, two: str) -> bool:
    firsts = [at for at, term in enumerate(order) if term == one]
    return any(abs(at - first) <= _NEAR for at, term in enumerate(order) if term == two for first in firsts)
