"""Which sentences make the answer: the best, then what adds to it; what others say alike is cited, and said once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragkit.candidates import Candidate
from ragkit.model import Quote
from ragkit.weighing import Question, Weighed

_MOST = 3
_LEAST = 0.15
"""The share of the question that the best sentence must have words of, with its title and what stands before it."""
_ENOUGH = 0.6
"""Of the best one's worth, what a further one must have."""
_LESS = 0.3
"""The same, when it adds something."""
_PART, _LITTLE = 0.4, 0.05
"""And when the best one has words of less than this part of the question: it takes several, then."""
_MORE = 0.15
"""Of the question's weight, what it must have words of that no sentence before it had, to add something."""
_NEW = 2.5
"""How much these count beside its worth."""
_SHARED = 2
"""Words of the question that it must have then: with one alone, it speaks of something else more often than not."""
_SURE = 0.7
"""Of the question's weight, what a sentence must have words of to be the whole answer to when, who or how many."""
_FULL = 0.8
"""The same, where there is no kind of thing to look for."""
_HELD = 0.6
_ALIKE = 0.75
_SLACK = 0.05
"""What says the same below another title is cited too, unless the question names this one's."""
_LONGEST = 60
"""Terms that a sentence may have that is brought along."""
_SUBJECT = 80
"""Signs of a title that may be put before a sentence which begins with he, it or this."""
_DIRECT = frozenset({"when", "who", "where", "count", "amount"})
_PLAIN = frozenset({"other", "yes-no", "definition"})
_TOLD = frozenset({"how", "list"})
_NUMBER = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True, slots=True)
class Chosen:
    said: Candidate
    first: Candidate
    """Where the range begins: a sentence before it that it leans on, or itself."""
    subject: str
    """The title, where it says who he, it or this is. On a line of its own: the quote does not have it."""
    text: str
    alike: tuple[Candidate, ...]
    """Sentences of other passages that say the same."""

    @property
    def quote(self) -> Quote:
        return Quote(self.said.passage.number, self.first.start, self.said.end)


def choose(question: Question, ranked: Sequence[Weighed]) -> list[Chosen]:
    """`ranked` has the best first. Nothing, when even that has little to do with the question."""
    if not ranked or not ranked[0].own or ranked[0].own + ranked[0].near < _LEAST:
        return []
    best = ranked[0]
    picked = [best]
    room = _MOST - _length(best.said)
    settled = _settles(question, best)
    asked = frozenset(question.terms)
    words = min(_SHARED, len(asked))
    less = _LESS if best.own + best.near >= _PART * question.reach else _LITTLE
    while room > 0 and not settled:
        covered = frozenset[str]().union(*(one.said.known for one in picked))
        further = [
            (one, question.share(one.said.known - covered))
            for one in ranked
            if _length(one.said) <= room and _adds(one, picked)
        ]
        following = max(
            (
                (one, new)
                for one, new in further
                if one.worth
                >= (less if new >= _MORE and len(one.said.known & asked) >= words else _ENOUGH) * best.worth
            ),
            key=lambda each: each[0].worth / best.worth + _NEW * each[1],
            default=None,
        )
        if following is None:
            break
        picked.append(following[0])
        room -= _length(following[0].said)
    told = [one.said for one in picked]
    return _ordered(question, [_chosen(one, told, ranked) for one in picked])


def leaning(said: Candidate) -> Candidate:
    """The sentence before, for one that begins with he, it or this; itself where it stands alone."""
    before = said.previous
    return before if said.leans and before is not None and len(before.known) <= _LONGEST else said


def _length(said: Candidate) -> int:
    return 1 if leaning(said) is said else 2


def alike(first: Candidate, second: Candidate) -> bool:
    """They say the same: nearly the same words, and the same numbers."""
    shared = len(first.known & second.known)
    either = len(first.known) + len(second.known) - shared
    return shared >= _ALIKE * either and numbers(first) == numbers(second)


def numbers(one: Candidate) -> frozenset[str]:
    return frozenset(found.rstrip(".,") for found in _NUMBER.findall(one.text))


def _settles(question: Question, best: Weighed) -> bool:
    """Nothing need be added: it is about all that is asked, and holds the kind of thing that is asked for."""
    if not question.named(best.said):
        return False
    if question.kind in _DIRECT:
        return best.own + best.near >= _SURE and best.holds >= _HELD
    return question.kind in _PLAIN and best.own + best.near >= _FULL


def _adds(one: Weighed, picked: Sequence[Weighed]) -> bool:
    return not one.said.heading and not any(
        one.said is other.said
        or alike(one.said, other.said)
        or one.said is leaning(other.said)
        or (one.said.head is None and one.said.row and other.said.head is one.said)
        for other in picked
    )


def _chosen(one: Weighed, told: Sequence[Candidate], ranked: Sequence[Weighed]) -> Chosen:
    said, first = one.said, leaning(one.said)
    if first is not said and any(first is other for other in told):
        first = said
        text, subject = said.text, ""
    else:
        text = said.text if first is said else f"{first.text} {said.text}"
        subject = said.passage.title.split(" > ")[0] if first.leans else ""
        if len(subject) > _SUBJECT or subject.casefold() in text.casefold():
            subject = ""
    others: dict[int, Candidate] = {}
    for other in ranked:
        same = other.said.passage is not said.passage and alike(other.said, said)
        if same and other.own + other.near >= one.own + one.near - _SLACK:
            others.setdefault(other.said.passage.number, other.said)
    return Chosen(said, first, subject, text, tuple(others[number] for number in sorted(others)))


def _ordered(question: Question, chosen: list[Chosen]) -> list[Chosen]:
    """The best first, then as they are told, those of one passage together; steps, lists and rows as they are told."""
    rank = {number: at for at, number in enumerate(dict.fromkeys(one.said.passage.number for one in chosen))}
    told = question.kind in _TOLD or all(one.said.row for one in chosen)
    kept = 0 if told and len(rank) == 1 else 1
    return chosen[:kept] + sorted(chosen[kept:], key=lambda one: (rank[one.said.passage.number], one.said.start))
