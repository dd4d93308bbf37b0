"""Follow-ups made into questions that stand by themselves, by rules: `Who owns it?`, `And in Q4?`, `Why?`.

Three things are tried, from the surest on: what is left out is taken over from the question before (`ellipses`), what
looks back is replaced by what it means, and what still says too little is told what it is about, in brackets. What
stands by itself is left as it is, and is what later questions are about. English only; under a millisecond.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragkit.ellipses import completed
from ragkit.objects import asks_who, thing_of
from ragkit.topics import TIME, Span, content, gist, says_something, spans, specific, topic
from ragkit.wording import BE, Word, bag, words

_PERSONAL = bag("he she him his her")
_THINGS = bag("it its they them their this that these those")
_EMPTY_IT = bag("possible true necessary likely important better common okay ok take takes cost costs mean matter")
_ELSE = bag(
    "else other others another same such there then ones former latter both either neither instead again also more too"
)
_LEADS = re.compile(
    r"^(?:and|but|or|so|then|also|what about|how about|what if|what else|yes|no|yeah|nope|not|ok|okay)\b", re.IGNORECASE
)
_COURTESY = re.compile(
    r"(?:(?:many )?thanks(?: (?:a lot|so much|very much|again))?|thank you(?: (?:very|so) much)?|thx|cheers|okay|ok"
    r"|(?:very |sounds |all |that'?s )?(?:good|great|nice|fine|perfect|right)|alright|excellent|awesome|cool|wonderful"
    r"|got it|understood|noted|i see|hi|hello|hey|bye|goodbye|[\s,.!])+",
    re.IGNORECASE,
)
"""What asks nothing: it is no follow-up, and no later question is about it."""
_LONG = 60
"""Words: who writes so much has said what it is about."""
_ABOUT = re.compile(r" \(about: [^\n]*\)(?=[?.!]*$)")
_MARKER = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked, the form in which it stands by itself, and what was answered."""

    question: str
    standalone: str
    answer: str = ""


def stand_alone(question: str, before: Sequence[Exchange]) -> str:
    """The question in a form that needs nothing before it."""
    asked = " ".join(question.split())
    if _COURTESY.fullmatch(asked):
        return question
    before = [one for one in before if not _COURTESY.fullmatch(one.question.strip())]
    if not before or not asked or len(asked.split()) > _LONG:
        return question
    last = next(
        (plain for one in reversed(before) if topic(plain := _ABOUT.sub("", one.standalone))), before[0].standalone
    )
    whole = completed(asked, last)
    if whole is not None:
        tail = _ABOUT.search(before[-1].standalone)
        return f"{whole.rstrip(' ?.!')}{tail.group()}?" if tail else whole
    made, resolved, lost = _resolved(asked, before, last)
    if resolved and not lost and (specific(made) or len(content(made)) > 0):
        return made
    if not lost and not resolved and _stands(asked):
        return question
    return _about(made, before)


def _stands(asked: str) -> bool:
    found = words(asked)
    if _LEADS.match(asked) or any(word.low in _ELSE and word.kind != "name" for word in found):
        return False
    return specific(asked)


def _about(text: str, before: Sequence[Exchange]) -> str:
    """With what the conversation is about: the last question that stood by itself, and what was asked since, last."""
    untouched = [one for one in before if one.question == one.standalone]
    root = next((one for one in reversed(untouched) if specific(one.standalone)), before[0])
    topics = [gist(root.standalone)]
    said = next((one for one in reversed(before) if says_something(one.question)), root)
    last = gist(_ABOUT.sub("", said.standalone))
    if said is not root and last and last.lower() not in topics[0].lower():
        topics.append(last)
    bare = text.rstrip(" ?.!")
    return f"{bare} (about: {'; '.join(topics)}){text[len(bare) :].strip() or '?'}"


def _resolved(asked: str, before: Sequence[Exchange], last: str) -> tuple[str, bool, bool]:
    """With what looks back replaced; whether anything was; whether anything is left that means nothing alone."""
    found = words(asked)
    parts: list[str] = []
    at, done, lost = 0, False, False
    used: set[str] = set()
    for number, word in enumerate(found):
        if not _looks_back(found, number):
            continue
        meant = _meant(found, number, before, last)
        if meant is None:
            lost = True
            continue
        kind = "person" if word.low in _PERSONAL else "thing"
        if kind in used:
            continue
        used.add(kind)
        new, end = meant
        parts += [asked[at : word.start], new]
        at, done = end, True
    made = "".join([*parts, asked[at:]])
    return (f"{made[0].upper()}{made[1:]}" if done and asked[0].isupper() else made), done, lost


def _looks_back(found: Sequence[Word], at: int) -> bool:
    word = found[at]
    after = found[at + 1] if at + 1 < len(found) else None
    if word.low not in _PERSONAL | _THINGS or word.kind == "name":
        return False
    if word.low == "it" and any(one.low in _EMPTY_IT for one in found[at + 1 : at + 3]):
        return False
    # the form that I need; I know that it is due
    begins = after is not None and after.kind in ("pron", "det", "noun", "name", "verb", "aux", "adj")
    joins = begins and at > 0 and found[at - 1].kind in ("noun", "name", "verb", "adj", "pron")
    return not (word.low == "that" and joins) and not _has_own(found, at)


def _has_own(found: Sequence[Word], at: int) -> bool:
    """Whether the question itself says, in a clause before, what is meant: if my insurance ends and I renew it."""
    clause = next(
        (n for n in range(at - 1, -1, -1) if found[n].text == "," or found[n].kind in ("and", "or", "that")
         or found[n].low in ("if", "when", "because", "so", "but", "once", "after", "before", "while")),
        0,
    )  # fmt: skip
    return any(word.kind in ("noun", "name") or word.low == "one" for word in found[:clause])


def _meant(found: Sequence[Word], at: int, before: Sequence[Exchange], last: str) -> tuple[str, int] | None:
    """What takes the place of the word, and where that ends."""
    word = found[at]
    after = found[at + 1] if at + 1 < len(found) else None
    owned = after is not None and after.kind in ("noun", "adj", "name", "verb") and word.low in bag("its his her their")
    if word.low in ("this", "that", "these", "those") and after is not None and after.kind in ("noun", "name", "adj"):
        return _same_noun(found, at, last)
    if word.low in _PERSONAL:
        name = _person(before, last)
    else:
        name = _thing(before, last, any(TIME.search(one.text) for one in found))
    if name is None:
        return None
    return (_owner(name) if owned else name), word.end


def _owner(name: str) -> str:
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def _same_noun(found: Sequence[Word], at: int, last: str) -> tuple[str, int] | None:
    """`that policy`, when the question before spoke of the vacation policy."""
    end = at + 1
    while end + 1 < len(found) and found[end + 1].kind in ("noun", "name"):
        end += 1
    for tail in range(end, at, -1):  # that policy hold: the last word may be no noun
        for one in spans(last):
            if one.nouns and one.nouns[-1].low.rstrip("s") == found[tail].low.rstrip("s"):
                bare = one.text[len(one.article) :].strip()
                return (one.text if one.named else f"the {bare}"), found[tail].end
    return None


def _person(before: Sequence[Exchange], last: str) -> str | None:
    """A name: of the answer, when the question was who; else of the question, or of one before it."""
    found = words(last)
    asks = bool(found) and found[0].low in ("who", "which", "what", "whose") and not _is_who(found)
    if asks and (name := _name_in(before[-1].answer, last)):
        return name
    for text in (last, *(_ABOUT.sub("", one.standalone) for one in reversed(before[:-1]))):
        names = [_name(one) for one in spans(text) if one.named and _personal(one)]
        if names:
            return next((name for name in names if " " in name), names[0])
    return None


def _is_who(found: Sequence[Word]) -> bool:
    """`Who is Jane Smith?` asks about her."""
    return len(found) > 2 and found[0].low == "who" and found[1].low in BE and found[2].kind == "name"


def _personal(span: Span) -> bool:
    """A name that may be somebody's: no VA, and no Acme in the Acme report."""
    kept = _name(span).split()
    return (
        not span.article and span.nouns[-1].kind == "name" and all(word.isalpha() and word.istitle() for word in kept)
    )


def _name(span: Span) -> str:
    """The name at the beginning of a phrase: of Jane Smith's budget, Jane Smith."""
    names = [word for word in span.nouns if word.kind == "name"]
    kept = [names[0]]
    for word in names[1:]:
        if word.start > kept[-1].end + 1:
            break
        kept.append(word)
    return " ".join(word.text for word in kept)


def _name_in(answer: str, but: str) -> str | None:
    """The first name that the answer says and the question did not."""
    known = but.lower()
    for one in spans(f"of {_MARKER.sub('', answer)}"):  # the first word is no sentence's first, so that names show
        if one.named and (name := _name(one)) and name.lower() not in known:
            return name
    return None


def _thing(before: Sequence[Exchange], last: str, timed: bool) -> str | None:
    found = words(last)
    asks = len(found) > 1 and found[0].low in ("which", "what") and found[1].kind in ("noun", "adj")
    if asks and (name := _name_in(before[-1].answer, last)):  # which company …? it is the one that was answered
        return name
    if asks_who(last):
        return thing_of(last) or None
    meant = topic(last)
    if meant is None:
        return None
    text = meant.text
    if timed:
        text = TIME.sub("", text).strip()
    return text[0].lower() + text[1:] if meant.article and text[:1].isupper() else text
