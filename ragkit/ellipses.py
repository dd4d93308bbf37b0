"""Questions that leave out what the one before said: `And in Q4?`, `What about marketing?`, `Why?`.

What is said takes the place of its like in the question before: a period that of a period, a name that of a name.
"""

import re

from ragkit.topics import AMOUNTS, TIME, Span, spans, topic
from ragkit.wording import words

_LEAD = re.compile(r"^(?:(?:and|but|or|ok|okay|so|then|now)\b[,\s]*)+", re.IGNORECASE)
_ABOUT = re.compile(r"^(?:(?:what|how) about|same (?:question )?for|now)\s+(?P<x>.+)$", re.IGNORECASE)
_PREP = re.compile(
    r"^(?P<prep>in|for|at|of|on|by|from|with|during|to|since|before|after|as of)\s+(?P<x>.+)$", re.IGNORECASE
)
_ADVERB = re.compile(
    r"^(?P<wh>why(?: not)?|how|how come|when|where|how long|how often|how much|since when)$", re.IGNORECASE
)
_ASKS = re.compile(
    r"^(?:(?:why|when|where|how(?: (?:much|long|often|far|soon|come))?)\s+)?"
    r"(?P<rest>(?:do|does|did|is|are|was|were|has|have|had|can|could|will|would|should|must|may)\b\s+.+)$",
    re.IGNORECASE,
)
_QUARTER = re.compile(r"(?:Q[1-4]|H[12])(?=\W|$)")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_LONGEST = 8
"""Words of what may be a fragment: longer ones are sentences."""
_BARE = 3
"""The same, where no `and` and no `what about` says that it is one."""


def completed(question: str, last: str) -> str | None:
    """The last question with what this one says instead; None when this one is no fragment, or fits nowhere."""
    said = question.strip().rstrip(" ?.!")
    bare = _LEAD.sub("", said)
    led = bare != said
    if asked := _ADVERB.match(bare):
        return _asked_again(asked["wh"], last)
    if about := _ABOUT.match(bare):
        bare, led = about["x"], True
    prep = ""
    if inside := _PREP.match(bare):
        prep, bare = inside["prep"].lower(), inside["x"]
    if (
        not bare
        or len(bare.split()) > _LONGEST
        or any(one.kind in ("aux", "wh", "pron", "that", "order") for one in words(bare))
    ):
        return None
    if any(one.low in ("my", "your", "our", "its", "his", "her", "their") for one in words(bare)):
        return None
    return _filled(bare, prep, led, last)


def _asked_again(wh: str, last: str) -> str | None:
    """`Why?` after `How much did revenue fall?`: why did revenue fall."""
    parts = _ASKS.match(last.strip())
    if parts is None or last.lower().startswith("how much is"):
        return None
    return f"{wh[0].upper()}{wh[1:]} {parts['rest'][0].lower()}{parts['rest'][1:]}"


def _filled(bare: str, prep: str, led: bool, last: str) -> str | None:
    if time := TIME.fullmatch(bare.removeprefix("the ")):
        return _at_time(bare, time.group(), prep, last)
    if not led and not prep and len(bare.split()) > _BARE:
        return None
    before = "of "  # so that its first word is no sentence's first, and names show
    phrases = spans(before + bare)
    if not phrases or phrases[0].start != len(before):
        return None
    given, *more = phrases
    if more:
        return None if prep else _like(bare, topic(before + bare), last)
    found = [one for one in spans(last) if not TIME.fullmatch(one.text.removeprefix("the "))]
    plain = bare.removesuffix("'s").removesuffix("’s")
    if prep and (same := [one for one in found if one.before == prep]):
        return _put(plain, _kin(given, same) or same[-1], last)
    if given.named and (names := [one for one in found if one.named]):
        whole = given.article or any(word.kind != "name" for word in given.nouns)
        return _put(plain, names[0], last) if whole else _named(plain, names[0], last)
    if given.counted and (numbers := [one for one in found if one.counted]):
        return _put(plain, numbers[-1], last)
    if not led and not prep:
        return None  # two words by themselves may be a new question
    if prep:
        return f"{last.rstrip(' ?.!')} {prep} {plain}?"
    return _common(plain, given, [one for one in found if not one.named and not one.asked], last)


def _like(bare: str, given: Span | None, last: str) -> str | None:
    """The tower of Ghent in the place of the tower of Delft."""
    meant = topic(last)
    if given is None or meant is None or len(given.text) != len(bare):
        return None
    return _put(bare, meant, last) if given.nouns[0].low == meant.nouns[0].low else None


def _kin(given: Span, among: list[Span]) -> Span | None:
    return next((one for one in among if one.named == given.named), None)


def _at_time(bare: str, time: str, prep: str, last: str) -> str:
    there = list(TIME.finditer(last))
    if not there:
        word = prep or ("" if bare.split()[0] in ("last", "this", "next", "yesterday", "today") else "in")
        return f"{last.rstrip(' ?.!')} {f'{word} {bare}'.strip()}?"
    old = there[-1]
    year, quarter = _YEAR.search(old.group()), _QUARTER.search(old.group())
    new = bare
    if _QUARTER.match(time) and not _YEAR.search(time) and year:
        new = f"{time} {year.group()}"
    elif _YEAR.fullmatch(time) and quarter and year:
        new = f"{quarter.group()} {time}"
    return f"{last[: old.start()]}{new}{last[old.end() :]}"


def _put(text: str, place: Span, last: str) -> str:
    return f"{last[: place.start]}{text}{last[place.end :]}"


def _named(text: str, place: Span, last: str) -> str:
    """A name in the place of a name, within its phrase: Acme's revenue becomes Globex's."""
    names = [word for word in place.nouns if word.kind == "name"]
    first, end = names[0], names[0].end
    for word in names[1:]:
        if word.start <= end + 1:
            end = word.end
    return f"{last[: first.start]}{text}{last[end:]}"


def _fits(given: Span, place: Span, last: str) -> bool:
    """Anything may be asked what it is; what is written or led is no amount."""
    if given.nouns[-1].low == place.nouns[-1].low or not any(word.kind == "verb" for word in words(last)):
        return True
    return (given.nouns[-1].low in AMOUNTS) <= (place.nouns[-1].low in AMOUNTS)


def _common(text: str, given: Span, found: list[Span], last: str) -> str | None:
    if len(given.text) != len(text):
        return None  # it says more than its first phrase
    found = [one for one in found if _fits(given, one, last)]
    alike = [one for one in found if one.article == given.article]
    if alike:
        return _put(text, alike[0] if given.article else alike[-1], last)
    if not given.article and len(given.nouns) == 1:
        for one in found:
            if len(one.nouns) > 1:  # the engineering budget: the marketing budget
                return f"{last[: one.nouns[0].start]}{text}{last[one.nouns[0].end :]}"
    return None
