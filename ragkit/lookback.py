"""What a question looks back to: `their`, `it`, `each of these`, and what these stand for."""

from collections.abc import Sequence

from ragkit.extent import head_of
from ragkit.wording import BE, PRONOUNS, Word, bag, base_verb, words

_EMPTY_IT = bag("possible true necessary likely important better common okay ok take")
_TIMES = bag("time point moment period day year")


def resolve(text: str, place: str) -> tuple[str, bool] | None:
    """The text with the first thing that looks back replaced by a place for an answer, and whether it is several.

    None when the text stands by itself.
    """
    found = words(text)
    for at, word in enumerate(found):
        after = found[at + 1] if at + 1 < len(found) else None
        low = word.low
        if low in ("he", "she", "him") and at == 0:
            continue
        if low == "their":
            skip = found[at + 2] if after is not None and after.low == "respective" and at + 2 < len(found) else after
            if skip is not None:
                return f"{text[: word.start]}{_owner(place)} {text[skip.start :]}", True
        if low in ("its", "his", "her") and after is not None and after.kind in ("noun", "adj"):
            return f"{text[: word.start]}{_owner(place)} {text[after.start :]}", False
        if low == "each":
            end = at + 1
            if after is not None and after.low == "of":
                end = min(at + 3, len(found)) if at + 2 < len(found) and found[at + 2].low in PRONOUNS else at + 2
                if end == at + 2 or found[end - 1].low in ("these", "those"):
                    end += _nouns(found, end)
            else:
                end += _nouns(found, end)
            return f"{text[: word.start]}{place}{text[found[end - 1].end :]}", True
        if low in ("these", "those", "that", "this") and word.kind in ("det", "pron", "that") and at:
            count = _nouns(found, at + 1)
            if count and found[at + count].low in _TIMES:
                continue
            if low in ("that", "this") and (not count or found[at - 1].kind in ("noun", "name", "verb", "adj")):
                continue
            return f"{text[: word.start]}{place}{text[found[at + count].end :]}", low in ("these", "those")
        if low in PRONOUNS and word.kind == "pron" and low not in ("this", "that") and at:
            if low == "it" and after is not None and after.low in _EMPTY_IT:
                continue
            return f"{text[: word.start]}{place}{text[word.end :]}", low in ("they", "them", "these", "those")
    return None


def resolve_thing(text: str, thing: str) -> str:
    """The text with the thing that was asked about in the place of every `it`, and of `this budget`, a budget."""
    if not thing:
        return text
    nouns = {word.low for word in words(f"of {thing}") if word.kind == "noun"}
    made, at = "", 0
    found = words(text)
    for number, word in enumerate(found[1:], 1):
        after = found[number + 1] if number + 1 < len(found) else None
        if word.low == "it" and not (after is not None and after.low in _EMPTY_IT):
            made, at = made + text[at : word.start] + thing, word.end
        elif word.low == "its" and after is not None:
            made, at = made + text[at : word.start] + _owner(thing), word.end
        elif word.low in ("this", "that") and after is not None and after.low in nouns:
            made, at = made + text[at : word.start] + thing, after.end
    return made + text[at:]


def says_it(text: str) -> bool:
    """Whether it looks back to a thing, which no person is."""
    return resolve_thing(text, "{0}") != text


def _owner(place: str) -> str:
    return f"{place}'" if place.endswith("s") else f"{place}'s"


def _nouns(found: Sequence[Word], at: int) -> int:
    """How many nouns and adjectives stand here; a verb that follows `this` directly is none of them."""
    count = 0
    while at + count < len(found) and found[at + count].kind in ("noun", "adj", "name"):
        if count and found[at + count].kind == "adj" and found[at + count - 1].kind == "noun":
            break  # why is this expansion significant
        if base_verb(found[at + count].low) and (count or found[at - 1].low in PRONOUNS | {"that", "this"}):
            break
        count += 1
    return count


def subject(text: str) -> str:
    """Whom or what a question is about, when its answer is no thing that a later one could look back to."""
    found = words(text)
    at = next((n for n, word in enumerate(found[:6]) if word.kind == "aux"), None)
    if at is None or at + 1 >= len(found):
        return ""
    begin = at + 1
    inner = begin + 1 if found[begin].kind == "det" else begin
    head = head_of(found, inner)
    if head is None:
        return ""
    if inner < len(found) and head + 1 < len(found) and found[head].kind == "noun" and found[head + 1].kind == "name":
        head = head_of(found, head + 1) or head
    phrase = found[begin : head + 1]
    opaque = found[0].low in ("how", "why", "when", "where") or found[0].kind == "prep" or found[at].low not in BE
    named = any(word.kind == "name" for word in phrase)
    if (found[0].kind == "wh" and found[0].low in ("who", "whom", "which")) or not (
        opaque and (named or found[0].low in ("how", "why"))
    ):
        return ""
    return text[phrase[0].start : phrase[-1].end]
