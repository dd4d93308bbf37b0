"""What turns a sentence around: negations, and words whose opposite says the contrary.

Vectors and shared words hardly see them. A claim is compared with that sentence of the texts which shares most of its
words, and only about words that both have.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ragkit.indexes.stopwords import STOP_WORDS


def _bag(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_NEGATIONS = _bag(
    "not no never none neither nor nobody nothing nowhere without cannot hardly barely unable fail fails failed "
    "denied denies deny refuse refused refuses nicht kein keine keinen keiner keinem nie ohne pas jamais sans "
    "sin nunca non senza mai geen niet não"
)
_NOT_ONLY = _bag("only just merely")
_REACH = 3
"""Words behind a negation that it may turn around, small ones not counted."""
_SMALL = STOP_WORDS["english"] | STOP_WORDS["german"] | _bag("cent one two longer yet any ever")
_BACKWARDS = _bag("ne pas")
_PAIRS = (
    "rise rose rises risen rising increase increased increases increasing grow grew grown grows growing growth gain "
    "gained climbed climb up higher improved improve:fall fell falls fallen falling decrease decreased decreases "
    "decreasing decline declined declines declining drop dropped drops shrank shrink down lower worsened lost loss",
    "more:less fewer",
    "before:after",
    "above:below",
    "over:under",
    "won win wins winner:lost lose loses loser",
    "largest biggest highest most maximum:smallest lowest least minimum fewest",
    "first earliest:last latest final",
    "always:never rarely",
    "all every:none",
    "allowed permitted allow permit allows permits:forbidden prohibited banned forbid forbids prohibits",
    "approved approve accepted accept accepts:rejected reject rejects refused declined",
    "enabled enable:disabled disable",
    "open opened opens:close closed closes",
    "buy bought buys acquired:sell sold sells",
    "import imports imported:export exports exported",
    "north northern:south southern",
    "east eastern:west western",
    "profit profits:loss losses",
    "success succeeded successful:failure failed unsuccessful",
    "guilty convicted:innocent acquitted",
    "included includes include including:excluded excludes exclude excluding except",
    "mandatory required compulsory:optional voluntary",
    "male man men:female woman women",
    "older oldest elder:younger youngest",
    "married:divorced unmarried",
    "alive survived:dead died killed",
    "early earlier:late later",
    "left:right",
    "hot hotter warm warmer warming:cold colder cool cooler cooling",
    "true:false",
    "public:private",
    "internal:external",
)
_IRREGULAR = {
    past: verb
    for verb, pasts in (
        one.split(":")
        for one in (
            "grow:grew grown", "rise:rose risen", "fall:fell fallen", "begin:began begun", "become:became",
            "buy:bought",
            "build:built", "bring:brought", "choose:chose chosen", "come:came", "do:did done", "draw:drew drawn",
            "drive:drove driven", "find:found", "get:got gotten", "give:gave given", "go:went gone", "hold:held",
            "keep:kept", "know:knew known", "lead:led", "leave:left", "lose:lost", "make:made", "meet:met", "pay:paid",
            "run:ran", "say:said", "see:saw seen", "sell:sold", "send:sent", "sink:sank sunk", "shrink:shrank shrunk",
            "speak:spoke spoken", "spend:spent", "stand:stood", "take:took taken", "tell:told", "think:thought",
            "win:won", "write:wrote written", "break:broke broken", "catch:caught", "feel:felt", "fly:flew flown",
            "sign:signed", "show:shown", "speed:sped", "swim:swam swum", "teach:taught", "throw:threw thrown",
        )
    )
    for past in pasts.split()
}  # fmt: skip
_SIDES: dict[str, list[tuple[int, int]]] = {}
for _number, _pair in enumerate(_PAIRS):
    for _side, _listed in enumerate(_pair.split(":")):
        for _one in _listed.split():
            _SIDES.setdefault(_one, []).append((_number, _side))


@dataclass(frozen=True, slots=True)
class Sense:
    """A sentence by its words, those behind a negation, and its sides in the pairs of opposites."""

    words: frozenset[str]
    forms: Mapping[str, str]
    """A word for each base: what is left without its ending, so that `did not grow` meets `grew`."""
    negated: frozenset[str]
    """Bases."""
    negations: tuple[str, ...]
    sides: frozenset[tuple[int, int]]


def turned(claim: str, sentence: str) -> str:
    """What of this sentence says the contrary of the claim; empty if nothing does."""
    mine, theirs = sense(claim), sense(sentence)
    for word in sorted(mine.negated & theirs.forms.keys() - theirs.negated):
        if not theirs.negations:
            return f"the claim denies “{mine.forms[word]}”, and the cited text does not"
    for word in sorted(theirs.negated & mine.forms.keys() - mine.negated):
        if not mine.negations:
            return f"the cited text denies “{theirs.forms[word]}”, and the claim does not"
    if mine.negations or theirs.negations:
        return ""
    for number, side in sorted(mine.sides):
        other = (number, 1 - side)
        if other in theirs.sides and (number, side) not in theirs.sides and other not in mine.sides:
            own, there = _word(mine, number, side), _word(theirs, number, 1 - side)
            return f"the claim says “{own}”, and the cited text “{there}”"
    return ""


@lru_cache(2048)
def sense(sentence: str) -> Sense:
    words = [match[0].lower().replace("’", "'") for match in _WORD.finditer(sentence)]
    negated: set[str] = set()
    negations = []
    for at, word in enumerate(words):
        if (word in _NEGATIONS or word.endswith("n't")) and words[at + 1 : at + 2] and words[at + 1] not in _NOT_ONLY:
            negations.append(word)
            reached = [one for one in words[at + 1 : at + 1 + 3 * _REACH] if one not in _SMALL][:_REACH]
            if word in _BACKWARDS:
                reached += words[max(0, at - 1) : at]
            negated.update(map(_base, reached))
    sides = frozenset(side for word in words for side in _SIDES.get(word, ()))
    return Sense(frozenset(words), {_base(word): word for word in words}, frozenset(negated), tuple(negations), sides)


@lru_cache(8192)
def _base(word: str) -> str:
    stem: str = _stemmer().stemWord(_IRREGULAR.get(word, word))
    return stem


@lru_cache(1)
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")


def _word(one: Sense, number: int, side: int) -> str:
    listed = _PAIRS[number].split(":")[side].split()
    return next(word for word in listed if word in one.words)
