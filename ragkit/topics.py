"""What a question is about: its noun phrases, the one that a later question would call `it`, and whether it says enough
to be understood by itself. English only, by the word classes of `wording`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ragkit.coordination import PERIOD
from ragkit.extent import verb_after
from ragkit.nouns import EMPTY, RELATIONS, VAGUE
from ragkit.wording import BE, DO, Word, bag, base_verb, plural, words

TIME = re.compile(
    PERIOD.pattern
    + r"|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)(?: \d{4})?\b"
    r"|\b(?:(?:first|second|third|fourth|last) quarter|(?:first|second) half)(?: of \d{4})?\b|\b(?:yesterday|today)\b"
)
"""Periods, also as they are said in words."""
_RELATED = bag(
    "requirement requirements condition conditions criteria cost costs price prices fee fees deadline deadlines limit "
    "limits rule rules form forms document documents step steps application applications benefit benefits option "
    "options risk risks cause causes symptom symptoms advantage advantages disadvantage disadvantages difference "
    "differences detail details information info answer answers question questions status address website page "
    "number person people man woman owner owners author authors budget change changes increase decrease total sum "
    "share average rest impact role roles use uses exception exceptions alternative alternatives help need place "
    "team member members size color colour height length weight result next same other others kind sort bit lot"
)
"""Nouns that are of something: a question with no other says not of what."""
AMOUNTS = bag(
    "spend spending cost costs expense expenses revenue revenues profit profits margin margins income turnover sales "
    "price prices fee fees salary salaries headcount budget budgets amount total growth rate number percentage share"
)
"""What is so and so much: it is not written, led or signed."""
_THIN = bag(
    "apply get got go do does know find see make take use want like need help mean work say tell give please happen "
    "happens come cost costs start end begin pay long much many qualify contact call wait change matter ask look check "
    "happened try think believe understand agree guess explain show let sure yes no ok okay thanks thank hello hi good "
    "great nice right wrong possible eligible available exactly really actually also else too again still now then "
    "later soon early fast quickly more most less few first last new old due able have able pay send bring keep put "
    "allowed required alright sounds sound perfect excellent another other such own only certain different similar "
    "specific exact not don t s im"
)
"""Words that say little of what is asked about."""


@dataclass(frozen=True, slots=True)
class Span:
    """A noun phrase of a text: `text[start:end]`."""

    start: int
    end: int
    text: str
    article: str
    """`the`, `a`, `my` …; empty when there is none."""
    named: bool
    counted: bool
    plural: bool
    nouns: tuple[Word, ...]
    before: str
    """The preposition before it, if there is one."""
    asked: bool
    """It is what the question word asks for: `which company`, `how many people`."""


def spans(text: str) -> list[Span]:
    """The noun phrases of a text, in their order; pronouns are none."""
    found = _read(text)
    made: list[Span] = []
    at = 0
    while at < len(found):
        end = _end(found, at)
        part = [word for word in found[at:end] if word.kind in ("noun", "name", "num")]
        if part:
            made.append(_span(text, found, at, end, part))
        at = max(end, at + 1)
    return made


def _read(text: str) -> list[Word]:
    """Its words, with what short questions have and long ones seldom do: `marketing` alone, the rollout plan, I."""
    found = words(text)
    for at, word in enumerate(found):
        before = found[at - 1].kind if at else ""
        after = found[at + 1] if at + 1 < len(found) else None
        following = after.kind if after is not None else ""
        kind = word.kind
        if word.low in ("i", "me"):
            kind = "pron"
        elif word.low == "of" and kind == "name" and (found[at - 1].low in RELATIONS or found[at - 1].text.isupper()):
            kind = "prep"  # the CEO of Acme is no name, as the Bank of England is
        elif kind == "verb" and word.low.endswith("ing") and before in ("prep", "det", "poss", "adj"):
            kind = "verb" if following in ("det", "pron", "name") else "noun"
        elif kind == "verb" and base_verb(word.low.removesuffix("s")):
            if (before == "verb" and following == "noun") or before in ("det", "poss", "adj"):
                kind = "noun"
            elif word.low in AMOUNTS and before == "noun" and _alone(found, at):
                kind = "noun"  # what about marketing spend
            elif before in ("noun", "name") and following not in ("det", "pron", "noun", "name", "num", "to"):
                start = at - 1
                while start > 0 and found[start].kind in ("noun", "name", "adj"):
                    start -= 1
                asks = start > 0 and found[start - 1].kind == "aux" and found[start - 1].low not in BE
                inside = found[start].kind in ("det", "poss") and (not asks or verb_after(found, at + 1))
                kind = "noun" if inside else kind
        if kind != word.kind:
            found[at] = replace(word, kind=kind)
    return found


def _alone(found: Sequence[Word], at: int) -> bool:
    """Whether the nouns before a word stand behind a preposition or `is`, so that they have no verb of their own."""
    start = at - 1
    while start > 0 and found[start].kind in ("noun", "name", "adj"):
        start -= 1
    return (found[start].kind == "prep" or found[start].low in BE) and not any(one.low in DO for one in found[:start])


def _end(found: Sequence[Word], at: int) -> int:
    end = at
    if found[at].kind == "det":
        end += 1
    while end < len(found):
        word = found[end]
        inside = word.kind in ("noun", "name", "num") or (word.kind == "poss" and end > at)
        if not inside and not (word.kind == "adj" and (end == at or found[end - 1].kind != "noun")):
            break
        end += 1
    while end > at and found[end - 1].kind == "adj" and any(one.kind in ("noun", "name") for one in found[at:end]):
        end -= 1  # is lung cancer treatable
    return end


def _span(text: str, found: Sequence[Word], at: int, end: int, part: Sequence[Word]) -> Span:
    first = found[at]
    article = first.low if first.kind == "det" else ""
    before = found[at - 1] if at else None
    asked = before is not None and (
        before.low in ("what", "which", "whose")
        or (before.low in ("many", "much") and found[max(at - 2, 0)].low == "how")
    )
    if first.low in ("many", "much") and before is not None and before.low == "how":
        asked = True
    return Span(
        first.start,
        found[end - 1].end,
        text[first.start : found[end - 1].end],
        article,
        any(word.kind == "name" and not TIME.fullmatch(word.text) for word in part),
        any(word.kind == "num" for word in part),
        plural(part[-1].low),
        tuple(word for word in part if word.kind != "num"),
        before.low if before is not None and before.kind in ("prep", "to") else "",
        asked,
    )


def topic(text: str) -> Span | None:
    """What `it` would mean after this question: what something is asked about, with what it is `of` or `for`."""
    found = [one for one in spans(text) if not TIME.fullmatch(one.text.removeprefix("the ")) and _says(one.nouns)]
    first = next((one for one in found if not one.asked), found[0] if found else None)
    if first is None:
        return None
    return extended(text, first, found[found.index(first) + 1 :])


def extended(text: str, first: Span, following: Sequence[Span]) -> Span:
    """A phrase with what it is `of` or `for`."""
    for one in following:
        if one.before not in ("of", "for") or text[first.end : one.start].strip().lower() != one.before:
            break
        nouns = (*first.nouns, *one.nouns)
        first = replace(first, end=one.end, text=text[first.start : one.end], nouns=nouns)
    return first


def _says(nouns: Sequence[Word]) -> bool:
    return any(word.kind == "name" or word.low not in _THIN | VAGUE for word in nouns)


def says_something(text: str) -> bool:
    """More than `ok, thanks`."""
    return any(word.kind in ("noun", "name", "verb", "adj") and word.low not in _THIN for word in words(text))


_AUX = "is|are|was|were|do|does|did|can|could|will|would|should|shall|may|has|have|had"
_OPENING = re.compile(
    rf"""^(?:(?:hi|hello|hey|ok|okay|thanks|thank\ you|so|and|but|also|well|please|now)\b[,.!\s]*)*
    (?:
      (?:can|could|would|will)\ (?:you|i|we)\ (?:please\ )?(?:also\ )?(?:tell|explain|show|give|help)(?:\ me|\ us)?
        (?:\ about|\ with)?
    | (?:tell|show|give|explain)(?:\ me|\ us)?(?:\ about)?
    | i\ (?:would|'d)\ like\ to\ (?:know|learn|get)(?:\ more)?(?:\ about)?
    | i\ (?:want|need)\ to\ (?:know|learn)?(?:\ more)?(?:\ about)?
    | (?:(?:what|which|who|whom|whose|when|where|why)(?:'s)?(?:\ about)?
        |how(?:\ (?:much|long|often|about))?(?=\ (?:{_AUX}|about)\b))
      (?:\ (?:{_AUX}|if))?(?:\ (?:i|we|you|there))?
    | (?:{_AUX}|am)(?:\ (?:i|we|you|there))?
    )\s+""",
    re.IGNORECASE | re.VERBOSE,
)
_SENTENCE = re.compile(r"(?<=[a-z\d)][.?!])\s+(?=[A-Z])")
_LONGEST = 200


def gist(text: str) -> str:
    """What is asked, without the words that ask: `apply for the Fry Scholarship`."""
    said = " ".join(text.split()).rstrip(" ?.!")
    sentences = [one for one in _SENTENCE.split(said) if specific(one)]
    said = sentences[-1] if sentences else said
    short = _OPENING.sub("", said, count=1) or said
    return short if len(short) <= _LONGEST else short[:_LONGEST].rpartition(" ")[0]


def content(text: str) -> list[Word]:
    """The words that say what a text is about."""
    return [
        word
        for word in words(text)
        if word.kind == "name"
        or (word.kind in ("noun", "verb", "adj") and word.low not in _RELATED | _THIN | VAGUE | EMPTY | BE | DO)
    ]


def specific(text: str) -> bool:
    """Whether a text says of what it speaks: it has a name, or two words that say something."""
    said = content(text)
    named = any(word.kind == "name" and not TIME.fullmatch(word.text) and len(word.text) > 1 for word in said)
    return named or len({word.low for word in said if word.kind != "name"}) >= 2
