"""Comparisons: each side is looked up by itself, and what they have in common is said with each.

"The difference between X and Y" is asked side by side only when both are names: two companies stand in two reports,
but a text that tells a stack from a queue speaks of both, and is found best by the whole question.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from ragkit.coordination import Row, periods, rows, shared_period
from ragkit.counterpart import like, of_the_same
from ragkit.wording import BE, DO, Word, plural, words

_BEFORE = frozenset({"to", "from", "with", "and", "than"})
_TO = frozenset({"with", "to", "against", "versus", "vs", "vs."})
_DIFFER = frozenset({"difference", "differences", "similarities", "comparison", "contrast", "distinction"})
_IRREGULAR = {"better": "good", "worse": "bad", "further": "far", "larger": "large", "older": "old", "wider": "wide",
              "later": "late", "longer": "long", "earlier": "early", "heavier": "heavy", "safer": "safe"}  # fmt: skip


def sides(text: str) -> list[str] | None:
    """What must be looked up for a comparison, one question a side; None when the text compares nothing."""
    said = words(text)
    while said and said[-1].kind == "mark":
        said = said[:-1]
    if len(said) < 3 or _unsure(said):
        return None
    found = (
        _ordered(said, text) or _asked(said, text) or _between(said, text) or _which(said, text) or _than(said, text)
    )
    return found or _same(said, text)


def _unsure(said: Sequence[Word]) -> bool:
    """A second question behind the comparison would be lost; `other models` are nothing that can be looked up."""
    pairs = list(pairwise(said))
    asks = any(one.kind == "and" and after.kind == "wh" for one, after in pairs[1:])
    return asks or any(one.low in _BEFORE and after.low == "other" for one, after in pairs)


def _ordered(said: Sequence[Word], text: str) -> list[str] | None:
    """Compare A with B and C; compare the X of A and B."""
    if said[0].low not in ("compare", "contrast") or said[0].kind != "order":
        return None
    start = 3 if said[1].kind == "and" and said[2].low in ("contrast", "compare") else 1
    body = said[start:]
    return _split(body, text) or _distributed(body, text) or _phrases(body, text)


def _split(body: Sequence[Word], text: str) -> list[str] | None:
    at = next((n for n, word in enumerate(body) if word.low in _TO and n > 0 and n + 1 < len(body)), None)
    if at is None:
        return None
    left, right = _text(body[:at], text), body[at + 1 :]
    if any(row.joined == "and" for row in rows(body[:at], text)):
        return None
    items = [left, *(like(left, one) for one in _conjuncts(right, text))]
    return [_ask(item) for item in shared_period(of_the_same(items))]


def _conjuncts(body: Sequence[Word], text: str) -> list[str]:
    """Cut at commas and `and`; what is one name, or has a verb, stays whole."""
    parts: list[list[Word]] = [[]]
    for word in body:
        if word.kind == "and" or word.text == ",":
            parts.append([])
        else:
            parts[-1].append(word)
    parts = [part for part in parts if part]
    if len(parts) == 2 and all(len(part) == 1 and part[0].kind == "noun" for part in parts):
        return [_text(body, text)]  # supply and demand
    return [_text(part, text) for part in parts] or [_text(body, text)]


def _distributed(body: Sequence[Word], text: str) -> list[str] | None:
    """The X of A and B; the times when A and B did Y."""
    row = next((row for row in rows(body, text) if row.joined == "and"), None)
    return None if row is None else _each(body, row, text)


def _each(body: Sequence[Word], row: Row, text: str) -> list[str]:
    head = _text(body[: row.start], text)
    tail = _text(body[row.end :], text)
    head = re.sub(r"\b(?:between|both)$", "of", head).strip()
    items = list(row.items) if tail else shared_period(row.items)
    return [_ask(" ".join(f"{head} {item} {tail}".split())) for item in items]


def _phrases(body: Sequence[Word], text: str) -> list[str] | None:
    items = _conjuncts(body, text)
    if len(items) < 2 or not all(len(item.split()) > 1 for item in items):
        return None
    return [_ask(item) for item in shared_period(items)]


def _asked(said: Sequence[Word], text: str) -> list[str] | None:
    """How does A compare with B?"""
    at = next((n for n, word in enumerate(said) if word.low in ("compare", "compared", "differ", "stack")), None)
    if said[0].low != "how" or said[1].low not in DO | BE or at is None or at < 3:
        return None
    to = next((n for n in range(at + 1, min(at + 3, len(said))) if said[n].low in _TO | {"from"}), None)
    left = said[2:at]
    if to is None:
        row = next((row for row in rows(left, text) if row.joined == "and"), None)
        return None if row is None else _each(left, row, text)
    right = said[to + 1 :]
    end = next((n for n, word in enumerate(right) if word.text == "," or (word.low in ("in", "on") and n)), len(right))
    ours, theirs = _text(left, text), _text(right[:end], text)
    both = periods(ours) and periods(theirs)
    if not (_special(left) and (both or any(word.kind == "name" for word in right[:end]))):
        return None
    tail = _text(right[end:], text) if end < len(right) and right[end].text != "," else ""
    items = shared_period([ours, *(like(ours, one) for one in _conjuncts(right[:end], text))])
    return [_ask(f"{item} {tail}".strip()) for item in items]


def _between(said: Sequence[Word], text: str) -> list[str] | None:
    """The difference in X between A and B."""
    at = next((n for n, word in enumerate(said) if word.low in _DIFFER), None)
    if at is None or at > 5:
        return None
    between = next((n for n in range(at + 1, len(said)) if said[n].low in ("between", "of")), None)
    if between is None:
        return None
    row = next((row for row in rows(said, text) if between < row.start <= between + 2 and row.joined == "and"), None)
    if row is None or (row.end < len(said) and said[row.end].kind in ("noun", "poss")):
        return None
    about = _text(said[at + 1 : between], text)
    about = re.sub(r"^(?:in|of) ", "", about)
    tail = _text(said[row.end :], text)
    return [
        _ask(" ".join(f"{f'{about} of ' if about else ''}{item} {tail}".split())) for item in shared_period(row.items)
    ]


def _which(said: Sequence[Word], text: str) -> list[str] | None:
    """Which is older, A or B? Each of them is asked about by itself."""
    row = next((row for row in rows(said, text) if row.joined == "or"), None)
    if row is None or said[0].kind not in ("wh", "aux", "prep", "name", "det"):
        return None
    apart = row.start and said[row.start - 1].kind == "mark"
    if apart and row.end == len(said) and said[0].kind in ("wh", "prep") and any(map(_comparative, said)):
        how = _how(said[: row.start])
        if how is not None:
            return [f"How {how} is {item}?" for item in row.items] if how else None
        stem = _text(said[: row.start], text).rstrip(" ,:-–")
        return [f"{stem}, {item}?" for item in row.items]
    return None


def _how(stem: Sequence[Word]) -> str | None:
    """`cheap`, of `which (phone) is cheaper`; empty for `which is cheapest`, which asks nothing of one alone."""
    said = [word for word in stem if word.kind != "mark"]
    at = next((n for n, word in enumerate(said[:4]) if word.low in BE), None)
    if at is None or said[0].low not in ("which", "who", "what"):
        return None
    ranked = said[at + 1 :]
    if len(ranked) == 2 and ranked[0].low in ("more", "less"):
        return ranked[1].low
    if len(ranked) == 1 and ranked[0].low.endswith("er"):
        return _base(ranked[0].low)
    return None if any(word.kind == "verb" for word in ranked) else ""


def _than(said: Sequence[Word], text: str) -> list[str] | None:
    """Is A taller than B?"""
    at = next((n for n, word in enumerate(said) if word.low == "than"), None)
    if at is None or said[0].low not in BE or not _special(said[at + 1 :]):
        return None
    more = 2 if said[at - 2].low in ("more", "less") else 1
    left = said[1 : at - more]
    if (
        not left
        or not _special(left)
        or any(word.kind in ("verb", "prep") for word in left)
        or not _comparative(said[at - more])
    ):
        return None
    how = said[at - 1].low if more == 2 else _base(said[at - 1].low)
    return [f"How {how} is {_text(side, text)}?" for side in (left, said[at + 1 :])]


def _same(said: Sequence[Word], text: str) -> list[str] | None:
    """Are A and B from the same country?"""
    if said[0].kind != "aux":
        return None
    at = next((n for n, word in enumerate(said) if word.low == "same"), None)
    row = next((row for row in rows(said, text) if row.joined == "and" and row.start == 1), None)
    if at is None or row is None or at + 1 >= len(said):
        return None
    return [f"What is the {_text(said[at + 1 :], text)} of {item}?" for item in row.items]


def _ask(phrase: str) -> str:
    found = words(phrase)
    bare = phrase.strip(" ,")
    if not found or found[0].kind in ("wh", "aux"):
        return f"{bare[:1].upper()}{bare[1:]}?"
    end = next((n for n, word in enumerate(found) if word.kind in ("prep", "wh", "that", "mark")), len(found))
    verb = "are" if found[max(end - 1, 0)].kind != "name" and plural(found[max(end - 1, 0)].low) else "is"
    return f"What {verb} {bare}?"


def _special(said: Sequence[Word]) -> bool:
    return any(word.kind in ("name", "num") for word in said)


def _comparative(word: Word) -> bool:
    return word.low in ("more", "less", "first", "earlier", "better", "most", "least", "last") or (
        word.low.endswith(("er", "est")) and word.kind in ("adj", "noun") and len(word.low) > 4
    )


def _base(low: str) -> str:
    if low in _IRREGULAR:
        return _IRREGULAR[low]
    stem = low.removesuffix("er")
    if stem.endswith("i"):
        return f"{stem[:-1]}y"
    if re.search(r"[cv]$|[^s]s$|[^aeioul]l$", stem):
        return f"{stem}e"  # nicer, braver, closer, simpler
    return stem[:-1] if len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] in "gtdn" else stem


def _text(said: Sequence[Word], text: str) -> str:
    return text[said[0].start : said[-1].end] if said else ""
