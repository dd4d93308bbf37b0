"""Drafts of questions from documents, without a model: many are suggested, the poor ones dropped, a few drawn.

A person reads them before they count: each has the tag "draft". Three sorts are dropped.

- Copies: a question that repeats more than `MOST_COPIED` of what its gold says (beside the answer, where that is only a
  figure or a cell), or `LONGEST_RUN` of its words in a row. Any word search finds those, so that they tell no strategy
  from another.
- Near-duplicates: questions that share `MOST_ALIKE` of their words with one that was drawn before.
- Questions whose answer stands in many places: another sentence holds the answer and the words of the question, so that
  the gold would be only one of several right ones.
"""

import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest

from ragkit.connectors.document import Document
from ragkit.eval.draftkinds import KINDS, Draft, drafts_of
from ragkit.eval.questions import Gold, Question
from ragkit.indexes.sentences import sentences

TAG = "draft"
MOST_COPIED = 0.6
"""A question needs its subject to be understood, which is a third to a half of a sentence of usual length. Beyond six
words in ten nothing is left to be found but the answer."""
LONGEST_RUN = 7
"""Longer than names are; a run of so many words is a sentence copied."""
MOST_ALIKE = 0.8
_WORD = re.compile(r"\w+(?:[.,]\d+)*")
_EMPTY = frozenset(
    word
    for line in (
        "a an the of in on at to for from by with and or as is are was were be been has have had do does did it its",
        "this that these those what which who when where why how many much long say about there their his her not no",
        "than into",
    )
    for word in line.split()
)

Words = frozenset[str]


def draft(documents: Iterable[Document], count: int, seed: int = 0) -> list[Question]:
    """At most `count` questions, as many of each kind and from as many documents as there are; the same for a seed."""
    known = list(documents)
    said = _Sentences(known)
    suggested = chain.from_iterable(drafts_of(document, seed) for document in known)
    useful = [one for one in suggested if not is_copy(one)]
    chosen: list[Draft] = []
    alike = _Alike()
    for one in _in_turn(useful, seed):
        if len(chosen) >= count:
            break
        if not said.elsewhere(one) and alike.is_new(one.question):
            chosen.append(one)
    return [_question(one) for one in chosen]


def is_copy(one: Draft) -> bool:
    """Whether word search finds the gold because the question repeats it."""
    asked, left = _words(one.question), _words(one.quote)
    if one.kind in ("number", "table"):
        left -= _words(one.answer)
    return not left or len(asked & left) / len(left) > MOST_COPIED or _run(one) >= LONGEST_RUN


def _run(one: Draft) -> int:
    """The most words in a row that the question has from its gold."""
    asked, gold = (_WORD.findall(text.lower()) for text in (one.question, one.quote))
    longest, before = 0, [0] * (len(gold) + 1)
    for word in asked:
        now = [0] * (len(gold) + 1)
        for at, other in enumerate(gold, 1):
            if word == other:
                now[at] = before[at - 1] + 1
        longest, before = max(longest, *now), now
    return longest


def _words(text: str) -> Words:
    """The words that say something."""
    return frozenset(_WORD.findall(text.lower())) - _EMPTY


class _Sentences:
    """Every sentence of the documents by its words, to see where else an answer stands."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.places: list[tuple[str, int, int]] = []
        self.holding: dict[str, list[int]] = defaultdict(list)
        for document in documents:
            for start, end in sentences(document.text, 0, len(document.text)):
                for word in _words(document.text[start:end]):
                    self.holding[word].append(len(self.places))
                self.places.append((document.uri, start, end))

    def elsewhere(self, one: Draft) -> bool:
        """Whether another sentence has all of the words that the question shares with its gold, and the answer's.

        What stands under a heading is elsewhere when its first sentence is; a definition when the half of it is.
        """
        if one.kind == "definition":
            return self._defined_elsewhere(one)
        if one.kind == "heading":
            start, end = sentences(one.quote, 0, len(one.quote))[0]
            wanted = _words(one.quote[start:end])
        else:
            wanted = (_words(one.question) & _words(one.quote)) | _words(one.answer)
        return any(not _overlaps(self.places[at], one) for at in self._holding_all(wanted))

    def _defined_elsewhere(self, one: Draft) -> bool:
        """Whether another sentence shares the subject and half of what the definition says."""
        subject, answer = _words(one.question), _words(one.answer)
        shared: dict[int, int] = defaultdict(int)
        others = {at for at in self._holding_all(subject) if not _overlaps(self.places[at], one)}
        for word in answer:
            for at in others.intersection(self.holding.get(word, ())):
                shared[at] += 1
        return any(count >= len(answer) / 2 for count in shared.values())

    def _holding_all(self, words: Words) -> set[int]:
        lists = sorted((self.holding.get(word, []) for word in words), key=len)
        if not lists:
            return set()
        found = set(lists[0])
        for more in lists[1:]:
            found.intersection_update(more)
        return found


def _overlaps(place: tuple[str, int, int], one: Draft) -> bool:
    uri, start, end = place
    return uri == one.uri and start < one.end and one.start < end


class _Alike:
    """The questions drawn so far."""

    def __init__(self) -> None:
        self.drawn: list[Words] = []
        self.having: dict[str, list[int]] = defaultdict(list)

    def is_new(self, question: str) -> bool:
        """Whether none is nearly the same; if so, it is drawn."""
        words = _words(question)
        near = {at for word in words for at in self.having[word]}
        if not words or any(len(words & self.drawn[at]) / len(words | self.drawn[at]) >= MOST_ALIKE for at in near):
            return False
        for word in words:
            self.having[word].append(len(self.drawn))
        self.drawn.append(words)
        return True


def _in_turn(useful: Sequence[Draft], seed: int) -> Iterator[Draft]:
    """One of each kind in turn; within a kind one of each document in turn, in an order drawn by chance."""
    queues = [_by_document([one for one in useful if one.kind == kind], f"{seed} {kind}") for kind in KINDS]
    return (one for row in zip_longest(*queues) for one in row if one is not None)


def _by_document(useful: Sequence[Draft], seed: str) -> list[Draft]:
    chance = random.Random(seed)  # noqa: S311 - draws examples, no secrets
    documents: dict[str, list[Draft]] = defaultdict(list)
    for one in useful:
        documents[one.uri].append(one)
    queues = [documents[uri] for uri in sorted(documents)]
    for queue in queues:
        chance.shuffle(queue)
    chance.shuffle(queues)
    return [one for row in zip_longest(*queues) for one in row if one is not None]


def _question(one: Draft) -> Question:
    name = hashlib.sha256(f"{one.uri}\n{one.start}\n{one.question}".encode()).hexdigest()[:12]
    return Question(
        id=f"draft-{name}",
        question=one.question,
        answers=(one.answer,) if one.answer else (),
        gold=(Gold(uri=one.uri, quote=one.quote, start=one.start),),
        tags=(TAG, one.kind),
    )
