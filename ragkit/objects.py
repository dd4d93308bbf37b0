"""What `it` means after a question whose answer is a person: who approved the budget, who is the head of Acme."""

import re
from dataclasses import replace

from ragkit.nouns import PERSONS
from ragkit.topics import TIME, Span, extended, spans
from ragkit.wording import BE, Word, words


def asks_who(text: str) -> bool:
    return any(word.low in ("who", "whom") for word in words(text)[:2])


def thing_of(text: str) -> str:
    """What `it` means after `who …?`: the budget that was approved, the company that somebody leads; never a person."""
    said = words(text)
    who = next((at for at, word in enumerate(said[:2]) if word.low in ("who", "whom")), None)
    if who is None or who + 2 >= len(said):
        return ""
    verb, begin = said[who + 1], said[who + 2].start
    found = [
        _without(one, verb, text)
        for one in spans(text)
        if one.end > verb.end and not TIME.fullmatch(one.text.removeprefix("the "))
    ]
    found = [one for one in found if one.nouns]
    role = who == 0 and verb.low in BE
    if found and found[0].start == begin and verb.kind == "aux":
        owner = re.match(r"(.+?)['’]s?(?=\s)", found[0].text)
        if role and owner:
            return owner[1]
        done = next((one for one in said if one.start >= found[0].end), None)
        passive = done is not None and done.kind == "verb" and not done.low.endswith("ing")
        if (role and not passive) or (not role and who == 0 and len(found) > 1):
            found = found[1:]
    while len(found) > 1 and found[0].nouns[-1].low in PERSONS and found[1].before == "of":
        found = found[1:]
    if not found:
        return ""
    meant = extended(text, found[0], found[1:]).text
    return meant[0].lower() + meant[1:] if meant.startswith(("The ", "A ", "Our ", "My ")) else meant


def _without(span: Span, verb: Word, text: str) -> Span:
    """A verb that was taken for a noun is none behind `who`: who chairs Norrvik."""
    if span.start > verb.start:
        return span
    start = verb.end + len(text[verb.end : span.end]) - len(text[verb.end : span.end].lstrip())
    nouns = tuple(word for word in span.nouns if word.start >= start)
    return replace(span, start=start, text=text[start : span.end], nouns=nouns)
