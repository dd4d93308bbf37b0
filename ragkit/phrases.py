"""Noun phrases of a question that stand for something to be found out first, and how far they reach.

Three kinds: described by a clause (the state where X is located), a relation to something named (the director of X,
X's birthplace), and a set (the five most populous cities, each borough of X).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragkit.extent import head_of, is_subject, name_end, reach, verb_after
from ragkit.nouns import EMPTY, OWNED, PERSONS, RELATIONS, SHARED, TIMES, VAGUE, nameable
from ragkit.wording import BE, ORDERS, RANKS, Word, plural

_OF_LIVES = ("birth", "death", "origin")


@dataclass(frozen=True, slots=True)
class Phrase:
    start: int
    """The number of its first word, and of the first one after it."""
    end: int
    each: bool
    ask: str
    why: str


def innermost(words: Sequence[Word]) -> Phrase | None:
    """The last phrase to begin, so that what it is about is known before what is about it."""
    for start in range(len(words) - 1, -1, -1):
        found = _set_at(words, start) or _described_at(words, start) or _related_at(words, start)
        if found is not None and _embedded(words, found):
            return found
    return None


def _embedded(words: Sequence[Word], phrase: Phrase) -> bool:
    """Whether something is asked about the phrase; else it is the question itself."""
    outside = [*words[: phrase.start], *words[phrase.end :]]
    return any(
        word.kind == "name"
        or (word.kind in ("noun", "verb") and word.low not in EMPTY | VAGUE | ORDERS)
        or (word.low == "named" and outside[min(number + 1, len(outside) - 1)].low in ("after", "for"))
        for number, word in enumerate(outside)
    ) or (words[0].low == "how" and len(words) > 1 and words[1].low in ("many", "much", "old", "tall", "long", "large"))


def _set_at(words: Sequence[Word], start: int) -> Phrase | None:
    first = words[start]
    if first.low in ("each", "every") and start + 1 < len(words):
        if words[start + 1].low == "of":
            inner = start + 3 if start + 2 < len(words) and words[start + 2].kind == "det" else start + 2
            if inner < len(words) and words[inner].kind == "hole":
                return None
            head = head_of(words, inner)
            if head is None:
                return None
            end = reach(words, start, head)
            return Phrase(start, end, True, _who(words, start + 2, end, head), "the members of a set are not known yet")
        head = head_of(words, start + 1)
        if head is None or words[head].low in TIMES or not _anchored(words, head, reach(words, start, head)):
            return None
        end = reach(words, start, head)
        return Phrase(start, end, True, _who(words, start, end, head), "the members of a set are not known yet")
    if start and (words[start - 1].kind in ("adj", "num", "adv", "noun") or words[start - 1].low in ("the", "these")):
        return None
    begin = start + 1 if first.kind == "det" else start
    if first.kind == "det" and first.low not in ("the", "all"):
        return None
    if first.kind != "det" and first.low not in RANKS | {"most"} and first.kind != "num":
        return None
    head = head_of(words, begin)
    if (
        head is None
        or words[head].low in TIMES
        or not (plural(words[head].low) or words[head].low in ("species", "series"))
    ):
        return None
    before = words[begin:head]
    counted = any(word.kind == "num" and (word.low.isalpha() or re.fullmatch(r"\d{1,3}", word.low)) for word in before)
    ranked = any(word.low in RANKS | {"most", "least", "current"} or _superlative(word) for word in before)
    ranked = ranked or any(re.match(r"\w{2,}est-|(?:most|least|best|top)-", word.low) for word in before)
    end = reach(words, start, head)
    if counted and (ranked or words[head].kind == "name"):
        return Phrase(start, end, True, _who(words, start, end, head), "the members of a set are not known yet")
    if first.kind == "det" and _spread_over(words, start) and _closed_set(words, head, end):
        return Phrase(start, end, True, _who(words, start, end, head), "it is asked of each member of a set")
    return None


def _closed_set(words: Sequence[Word], head: int, end: int) -> bool:
    """A set with a description that names something: the albums released by X, the teams that won in 2011."""
    if words[head].low in VAGUE | SHARED or words[head].kind != "noun" or not nameable(words[head]):
        return False
    near = words[max(head - 3, 0) : head]
    told = words[head + 1 : end]
    return any(word.named or word.kind == "num" for word in told) or any(word.kind == "name" for word in near)


def _spread_over(words: Sequence[Word], start: int) -> bool:
    """Whether what is asked is asked of each: the colours of the flags, but not the causes of the wars."""
    if start < 2 or words[start - 1].low not in ("of", "for", "in", "by"):
        return False
    head = start - 2
    while head > 0 and words[head].kind not in ("noun", "name"):
        head -= 1
    return plural(words[head].low) and words[head].low not in SHARED and words[0].kind in ("wh", "order", "prep")


def _described_at(words: Sequence[Word], start: int) -> Phrase | None:
    """The N that …, the N where …, the N containing …, the N with the most …"""
    bare = start and words[start - 1].kind == "prep" and plural(words[start].low) and words[start].kind == "noun"
    if words[start].low != "the" and not bare:
        return None
    head = start if bare else head_of(words, start + 1)
    if head is None and start + 1 < len(words) and words[start + 1].low in ("one", "ones"):
        head = start + 1
    if head is None or head + 1 >= len(words) or words[head].kind == "name" or words[head].low in VAGUE:
        return None
    if not _opens(words, head + 1, start):
        return None
    if not nameable(words[head]) and words[head + 1].low not in ("who", "where", "whose"):
        return None
    end = reach(words, start, head, opened=True)
    told = words[head + 1].low in ("where", "whose") and nameable(words[head])
    if not (told or _anchored(words, head, end)) or (is_subject(words, start) and not _goes_on(words, start, end)):
        return None
    several = plural(words[head].low)
    why = f"which {words[head].text} is meant must be found first"
    return Phrase(start, end, several, _who(words, start, end, head), why)


def _opens(words: Sequence[Word], at: int, start: int) -> bool:
    """Whether a clause that describes the noun before begins here."""
    word = words[at]
    after = words[at + 1] if at + 1 < len(words) else None
    if after is None:
        return False
    if word.kind == "mark" and word.text == "," and after.low in ("in", "which", "who", "where"):
        return False
    if word.kind == "that" or word.low in ("who", "which", "where", "whose", "whom"):
        return True
    if word.kind == "prep" and after.low in ("which", "whom", "whose"):
        return True
    if word.low == "with":
        return after.kind == "hole" or any(_superlative(one) or one.low == "most" for one in words[at + 1 : at + 4])
    if word.kind == "verb":
        slot = words[start - 1].low if start else ""
        participle = word.low.endswith("ing") or (after.kind in ("prep", "to") and not word.low.endswith("s"))
        return participle and not (slot in BE and is_subject(words, start) and not verb_after(words, at + 1))
    if word.named or word.low == "the":
        verb = next(
            (k for k in range(at + 1, min(at + 9, len(words))) if words[k].kind in ("verb", "aux", "mark")), None
        )
        plain = at - start == 2 or words[at - 1].low in OWNED
        if (
            not plain
            or verb is None
            or words[verb].kind == "mark"
            or any(one.kind in ("prep", "poss") for one in words[at:verb])
        ):
            return False
        return not is_subject(words, start) or verb_after(words, verb + 1)
    return False


def _goes_on(words: Sequence[Word], start: int, end: int) -> bool:
    """A subject must have its verb, before it (is the city where …) or behind it."""
    return words[start - 1].low in BE if start and end >= len(words) - 1 else True


def _related_at(words: Sequence[Word], start: int) -> Phrase | None:
    """The director of X; X's birthplace."""
    first = words[start]
    if first.low == "the" or (first.low in RELATIONS and start and words[start - 1].kind == "prep"):
        head = head_of(words, start if first.low != "the" else start + 1)
        if head is None or head + 2 >= len(words) or words[head + 1].low not in ("of", "for", "from", "by"):
            return None
        at = head + 1
        if words[head].low in ("city", "place", "country", "state") and words[at + 1].low in (
            "birth",
            "death",
            "origin",
        ):
            at += 2
        elif words[head].low not in RELATIONS:
            return None
        at += 2 if at + 2 < len(words) and words[at + 1].low == "the" else 1
        if at >= len(words):
            return None
        chained = start > 1 and words[start - 1].low == "of" and words[start - 2].low in RELATIONS
        if not words[at].named and not (chained and words[at].kind in ("noun", "verb", "adj")):
            return None
        end = name_end(words, at) if words[at].named else reach(words, start, at)
        why = f"{words[head].text} of what is named must be found first"
        return Phrase(start, end, plural(words[head].low), _who(words, start, end, head), why)
    if first.named and (start == 0 or not words[start - 1].named):
        at = name_end(words, start, strict=True)
        if at + 1 >= len(words) or words[at].kind != "poss":
            return None
        head = head_of(words, at + 1)
        if head is None or head - at > 3 or words[head].kind != "noun":
            return None
        end = head + 1
        if end + 1 < len(words) and words[end].low == "of" and words[end + 1].low in _OF_LIVES:
            end += 2
        elif words[head].low not in OWNED:
            return None
        begin = start - 1 if start and words[start - 1].low == "the" else start
        why = f"{words[head].text} of what is named must be found first"
        return Phrase(begin, end, plural(words[head].low), _who(words, begin, end, head), why)
    return None


def _anchored(words: Sequence[Word], head: int, end: int) -> bool:
    """Whether the description holds something that can be looked up: a name, a number, a superlative."""
    return any(
        word.named or word.kind == "num" or _superlative(word) or word.low == "most" for word in words[head + 1 : end]
    )


def _superlative(word: Word) -> bool:
    return word.kind == "adj" and word.low.endswith("est") and len(word.low) > 4


def _who(words: Sequence[Word], start: int, end: int, head: int) -> str:
    person = words[head].low in PERSONS or (head + 1 < end and words[head + 1].low == "who")
    verb = "are" if plural(words[head].low) else "is"
    return f"{'Who' if person else 'What'} {verb}"
