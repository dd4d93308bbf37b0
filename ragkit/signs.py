"""The signs by which passages hold the answer to a question, or do not: numbers, each with a name.

They ask whether the question's own name, date and the kind of thing it asks for stand together in one place of a
document that is about it. A passage that is merely similar has all the words, one here and one there.
"""

from collections.abc import Callable, Sequence

from ragkit.collection import Collection
from ragkit.indexes.hit import Hit
from ragkit.looked import Anchor, Looked, covered

_EACH = 2
"""Names that a question may be about at once."""


def signs(looked: Looked, collection: Collection) -> dict[str, float]:
    """All of them. What is made of cosines is 0 where the search had no vectors."""
    hits = [one.hit for one in looked.passages]
    cosines = sorted((hit.parts["vector"] for hit in hits if "vector" in hit.parts), reverse=True)
    terms = looked.terms
    total = sum(terms.values())
    known = sum(weight for term, weight in terms.items() if collection.frequency.get(term))
    return {
        "cosine": max(cosines, default=0.0),
        "cosine of three": sum(cosines[:3]) / 3,
        "agreement": _agreement(hits),
        "known": known / total if total else 0.0,
        "hit": max((covered(looked.content, one.terms) for one in looked.passages), default=0.0),
        **_of_places(looked.anchors),
    }


def _of_places(anchors: Sequence[Anchor]) -> dict[str, float]:
    """A question about two names is answered when both are: what is said of one of them does not make up for it. Of
    many names some are mentioned by the way: the average counts."""

    def least(of: Callable[[Anchor], float]) -> float:
        values = list(map(of, anchors))
        return min(values, default=0.0) if len(values) <= _EACH else sum(values) / len(values)

    return {
        "named": least(lambda one: one.held),
        "asked in a sentence": least(lambda one: one.held * one.sentence),
        "asked in three": least(lambda one: one.held * one.three),
        "asked in a document": least(lambda one: one.held * one.union),
        "asked side by side": least(lambda one: one.pairs),
        "dated": least(lambda one: one.dated),
        "together": least(lambda one: one.together),
        "together on average": sum(one.together for one in anchors) / max(1, len(anchors)),
    }


def _agreement(hits: Sequence[Hit]) -> float:
    """Where the best by words stands by meaning: 1 for the first place, 1/2 for the second."""
    if not hits or not all("bm25" in hit.parts and "vector" in hit.parts for hit in hits):
        return 0.5
    best = max(hits, key=lambda hit: hit.parts["bm25"])
    return 1 / (1 + sum(hit.parts["vector"] > best.parts["vector"] for hit in hits))
