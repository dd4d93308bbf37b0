"""How far a noun phrase reaches: its last noun, a name, and the clause that describes it."""

from collections.abc import Sequence

from ragkit.wording import BE, DO, Word, bag, base_verb

_INSIDE = bag("of for the with a und to de and")
"""Small words that names hold: Jump for Glory."""


def name_end(words: Sequence[Word], at: int, strict: bool = False) -> int:
    """Where the name that begins here ends; small words inside it are its own: Jump for Glory."""
    end = at + 1
    while end < len(words):
        if (words[end].kind in ("name", "num") and words[end].start <= words[end - 1].end + 1) or (
            not strict
            and end + 1 < len(words)
            and (words[end].low in _INSIDE or words[end].text in "&:," or words[end].kind == "poss")
            and _name_goes_on(words, end + 1)
        ):
            end += 1
        else:
            break
    return end


def _name_goes_on(words: Sequence[Word], at: int) -> bool:
    if words[at].kind == "name":
        return True
    return at + 1 < len(words) and words[at].low in ("the", "a") and words[at + 1].kind == "name"


def head_of(words: Sequence[Word], at: int) -> int | None:
    """The last noun of the phrase that begins here."""
    head = None
    for number in range(at, len(words)):
        word = words[number]
        if word.kind in ("noun", "name", "hole"):
            if head is not None and words[head].kind == "noun" and word.named and words[number - 1].kind != "poss":
                break  # the city Kevin Durant played for
            head = number
        elif word.kind == "verb" and (head is None or (word.low.endswith("ing") and _noun_at(words, number + 1))):
            continue
        elif word.kind not in ("adj", "num", "adv", "poss") or (
            word.kind in ("adj", "num", "adv")
            and head is not None
            and words[head].kind == "noun"
            and words[number - 1].kind != "poss"
        ):
            break
        elif word.kind == "adj" and number + 1 < len(words) and words[number + 1].low in ("who", "that"):
            return number  # the individual who
    return head


def _noun_at(words: Sequence[Word], at: int) -> bool:
    return at < len(words) and words[at].kind == "noun"


def reach(words: Sequence[Word], start: int, head: int, opened: bool = False) -> int:
    """Where the phrase ends: at a mark, at the next clause, or, of a subject, at the verb it is the subject of."""
    subject = is_subject(words, start)
    used = False  # the verb of the describing clause
    last = len(words) - 1 - (words[-1].kind == "mark")
    done = any(word.low in DO for word in words[:start])
    at = head + 1
    while at < len(words):
        word = words[at]
        before = words[at - 1]
        if word.kind == "mark":
            after = words[at + 1] if at + 1 < len(words) else None
            if word.text == "," and before.named and after is not None and after.kind in ("name", "num"):
                at += 1
                continue
            if word.text in "()-–%/&°":
                at += 1
                continue
            break
        if word.kind == "and" and _new_clause(words, at + 1):
            break
        if word.kind in ("that", "wh"):
            opened, used = True, False
        if word.kind == "aux" and not opened:
            break
        if at == last and base_verb(word.low) and before.kind not in ("to", "det", "prep", "adj") and done:
            break
        if (subject or opened) and word.kind in ("verb", "aux") and before.kind not in ("to", "prep", "and"):
            if not opened and not (word.kind == "verb" and _participle(words, at)):
                break
            if not subject and used and word.kind == "verb" and not base_verb(word.low):
                at += 1
                continue  # the company that made the car driven by X
            if used:
                break
            while at + 1 < len(words) and (
                words[at + 1].kind == "adv"
                or (words[at + 1].kind == "verb" and words[at].kind in ("aux", "adv") and words[at + 1].low[-2:] != "e")
                or (words[at + 1].kind == "aux" and words[at].kind == "aux")
            ):
                at += 1
            opened, used = True, True
        at += 1
    return at


def _participle(words: Sequence[Word], at: int) -> bool:
    """A noun's participle (released by X), when its verb is still to come."""
    return at + 1 < len(words) and words[at + 1].kind in ("prep", "to") and verb_after(words, at + 1)


def _new_clause(words: Sequence[Word], at: int) -> bool:
    return at < len(words) and (
        words[at].kind in ("wh", "aux") or (words[at].low in ("their", "its", "his", "her", "each", "in", "to", "the")
        and (words[at].low not in ("in", "to") or (at + 1 < len(words) and words[at + 1].kind == "wh")))
    )  # fmt: skip


def is_subject(words: Sequence[Word], start: int) -> bool:
    """Whether the phrase that begins here is what a verb behind it says something of."""
    if start == 0:
        return True
    before = words[start - 1]
    if before.kind == "mark" and before.text == ",":
        return words[0].kind == "prep" or words[0].low == "of"
    if before.kind != "aux":
        return False
    if before.low in BE:
        head = words[0].low
        return head in ("when", "where", "how", "why") or words[0].kind in ("aux", "prep") or start > 2
    return True


def verb_after(words: Sequence[Word], at: int) -> bool:
    return any(word.kind == "verb" for word in words[at:])
