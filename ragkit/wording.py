"""The words of a question and what each of them is: question word, auxiliary, name, verb …

By closed classes, endings and neighbours (as in Brill, A simple rule-based part of speech tagger, 1992), because no
English tagger comes as a small package with its model inside, and a plan needs no more than where clauses and noun
phrases begin and end. English only.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "wh", "aux", "det", "that", "prep", "and", "or", "pron", "num", "name", "verb", "adj", "adv", "noun",
    "order", "mark", "poss", "hole", "to",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    start: int
    end: int
    kind: Kind
    low: str

    @property
    def named(self) -> bool:
        return self.kind in ("name", "hole")


_TOKEN = re.compile(
    r"""
    (?P<hole>\{\w+\})
    | (?P<quote>"[^"\n]{1,120}"|“[^”\n]{1,120}”|(?<!\w)'[^'\n]{2,120}'(?!\w)|‘[^’\n]{2,120}’(?!\w))
    | (?P<num>[$€£]?\d+(?:,\d{3})*(?:\.\d+)*(?:st|nd|rd|th|s|[%KMB])?(?![\w-]))
    | (?P<word>(?:[^\W\d_]\.){2,}|(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|Inc|Ltd|Corp|Co|vs)\.
        |[\w$°]+(?:[.&/+-][\w+]+)*(?:(?<=[A-Z])\.(?=\s[A-Z]))?)
    | (?P<poss>['’]s?(?!\w)|['’](?:re|ve|d|ll|m)\b)
    | (?P<mark>[^\w\s])
    """,
    re.VERBOSE,
)


def bag(listed: str) -> frozenset[str]:
    """The words that are listed."""
    return frozenset(listed.split())


WH = bag("what which who whom whose when where why how")
BE = bag("is are was were be been being am")
DO = bag("do does did")
_AUX = BE | DO | bag("has have had can could will would shall should may might must")
_PREP = bag(
    "of in on at by for from with without within into onto under over between among during before after since "
    "until against about across along around behind below above beyond near off out through toward towards upon "
    "via per as than like except excluding including versus vs besides despite following regarding concerning "
    "according outside"
)
_DET = bag(
    "the a an this these those each every all both any some no another either neither our my your his her its their"
)
PRONOUNS = bag("they them he she him it these those")
_PRON = PRONOUNS | bag("i we us you me there one ones each-other itself themselves anyone someone everyone who")
_NUMBERS = bag("one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty fifty hundred")
ORDERS = bag(
    "list name find identify provide give describe explain summarize summarise outline tell show state discuss "
    "determine compare contrast analyze analyse evaluate assess calculate enumerate report"
)
RANKS = bag("first last top latest next past oldest newest bottom")
_ADV = bag(
    "not also then now currently still ever never most more least less very approximately respectively together "
    "too first-ever originally mainly usually highly widely best worst well far just only already both there"
)
_NOT_VERBS = bag(
    "united wanted need hundred seed speed breed weed feed red bed shed wed indeed wing king ring thing spring "
    "string evening morning building during nothing something anything ceiling sibling wedding being beijing "
    "sterling earring darling pudding shilling duckling herring led world-leading"
)
_ADJ_ENDS = ("est", "ous", "ful", "ive", "ical", "onal", "able", "ible", "less", "ary")
_NOUN_ENDS = ("tion", "sion", "ment", "ness", "ity", "ship", "ism", "ance", "ence", "ists", "ers", "ors")
_ADJ = bag(
    "global major minor current former new old recent large small big great main international national local "
    "public private high low total average popular common different same own several many much few other such "
    "early late final annual quarterly respective individual official primary original native populous wealthy "
    "rich dominant best worst"
)
_VERBS = bag(
    "benefit enhance explain "
    "accept achieve act add affect agree air allow announce appear apply appoint approve arise arrive ask assume "
    "attack attend award base bear beat become begin belong border borrow break bring broadcast build buy call "
    "carry cast catch cause change choose claim close collapse come compete compose conquer consider contain "
    "continue control convert cost cover create cross cut date deal decide declare define deliver depend describe "
    "design develop die differ direct discover dissolve divide do draw dress drive drop earn eat elect emerge "
    "employ end enroll enter establish exist expand experience export express face fail fall feature feel fight "
    "fill find finish fire fit flow fly follow form found fund gain generate get give go govern graduate grow "
    "handle happen have head hear help hold host impact import improve include increase indicate influence "
    "inherit introduce invade invent invest involve issue join keep kill know lack land last launch lead learn "
    "leave lie live locate lose make manage marry mean meet mention move name need occur offer open operate order "
    "originate own partner pass pay perform plan play predate prepare present prevent produce promise propose "
    "protect provide publish raise reach receive record reduce refer refuse release remain remove replace report "
    "represent require reside respond rest restore result retire return reveal rise rule run say score secede see "
    "sell send serve set share show sign sing sit specialize speak spend split stand star start state stay step "
    "stop study succeed suffer support surrender take talk teach tell term think tour trade train travel try turn "
    "understand update use visit voice vote walk want wear win work write predict compare relate contribute "
    "evolve vary scale shrink bundle stick premiere"
)
_PAST = bag(
    "became began broke brought built bought came chose cost cut did drew drove ate fell felt found fought flew "
    "got gave went grew had heard held kept knew led left lost made meant met paid ran said saw sold sent sang "
    "sat spoke spent stood took taught told thought understood wore won wrote written born borne broken chosen "
    "done drawn driven eaten fallen flown given gone grown known seen shown sung spoken taken worn hosted set "
    "died lied rose risen"
)
_FIRST = re.compile(r"[A-Z]")


def words(question: str) -> list[Word]:
    raw = [(match.lastgroup or "", match.group(), match.start(), match.end()) for match in _TOKEN.finditer(question)]
    shouted = question.upper() == question and question.count(" ") > 3
    made: list[Word] = []
    for index, (group, text, start, end) in enumerate(raw):
        low = text.lower()
        following = raw[index + 1] if index + 1 < len(raw) else ("", "", 0, 0)
        made.append(Word(text, start, end, _kind(group, text, low, made, following, shouted), low))
    return _joined(made)


def _kind(
    group: str, text: str, low: str, before: list[Word], following: tuple[str, str, int, int], shouted: bool
) -> Kind:
    if group == "hole":
        return "hole"
    if group == "quote":
        return "name"
    if group == "num":
        return "num"
    if group == "mark":
        return "mark"
    if group == "poss":
        return _apostrophe(low, before)
    first = not before or before[-1].text in ".?!"
    capital = bool(_FIRST.match(text)) and not shouted
    if capital and not first and not (low in WH and (before[-1].kind in ("mark", "and"))):
        return "name"
    closed = _closed(low, first, before)
    if closed is not None:
        return closed
    if capital and (following[1][:1].isupper() or following[1] in ("'s", "’s") or any(map(str.isupper, text[1:]))):
        return "name"
    if not shouted and any(sign.isupper() for sign in text[1:]):
        return "name"
    return _open(low, before, following[1])


def _closed(low: str, first: bool, before: list[Word]) -> Kind | None:
    if low in WH:
        return "wh"
    if low == "that":
        return "that"
    if low == "to":
        return "to"
    if low in ("and", "&"):
        return "and"
    if low == "or":
        return "or"
    if first and low in ORDERS:
        return "order"
    if low in _AUX:
        return "aux"
    if low in _NUMBERS:
        return "num"
    if low in _DET:
        return "det"
    if low in _PRON:
        return "pron"
    if low in _PREP:
        return "prep"
    if low in _ADV or (low.endswith("ly") and len(low) > 4 and low not in ("family", "july", "italy", "assembly")):
        return "adv"
    return None


def _apostrophe(low: str, before: list[Word]) -> Kind:
    if low[1:] in ("re", "ve", "d", "ll", "m"):
        return "aux"
    if low[1:] == "s" and before and before[-1].low in WH | PRONOUNS | {"there", "that", "here"}:
        return "aux"
    return "poss" if before and before[-1].kind not in ("prep", "mark") else "mark"


def _open(low: str, before: list[Word], following: str) -> Kind:
    last = before[-1].kind if before else ""
    stranded = last == "prep" and len(before) > 2 and before[-2].kind in ("verb", "noun")
    if stranded and is_verb(low) and (following.lower() in _PREP or (following == "?" and before[-2].low == "part")):
        return "verb"  # the range that it is part of located in
    if low in _ADJ or low in RANKS:
        return "adj"
    if "-" in low and low.endswith(("ing", "ed")):
        return "adj"  # highest-grossing
    if last == "num" and low in _PAST:
        return "verb"  # in 2019 born
    if last in ("det", "poss", "adj", "num", "prep") and not low.endswith("ing"):
        if low.endswith(("ed", *_ADJ_ENDS)) and low not in _NOT_VERBS:
            return "adj"
        return "noun"
    if low.endswith(_NOUN_ENDS):
        return "noun"
    if low.endswith("ed") and before and before[-1].low in ("most", "least", "highly", "best"):
        return "adj"
    if is_verb(low):
        return "verb"
    return "adj" if low.endswith(_ADJ_ENDS) else "noun"


def is_verb(low: str) -> bool:
    """Whether a word is a form of a verb, as far as its letters say."""
    if low in _NOT_VERBS:
        return False
    if low in _VERBS or low in _PAST:
        return True
    if low.endswith("ed") and len(low) > 4:
        return True
    if low.endswith("ing") and len(low) > 5:
        return True
    return (
        (low.endswith("s") and low[:-1] in _VERBS)
        or (low.endswith("es") and low[:-2] in _VERBS)
        or (low.endswith("ies") and low[:-3] + "y" in _VERBS)
    )


def base_verb(low: str) -> bool:
    return low in _VERBS


def _joined(made: Sequence[Word]) -> list[Word]:
    """Names that hold small words are one name each: Songs I Wrote with Amy, Bank of England."""
    out: list[Word] = []
    for word in made:
        if (
            word.kind == "name"
            and len(out) >= 2
            and out[-2].kind == "name"
            and out[-1].low in ("of", "the", "de", "von", "van", "la", "du", "del", "der")
            and word.text[:1].isupper()
        ):
            out[-1] = Word(out[-1].text, out[-1].start, out[-1].end, "name", out[-1].low)
        out.append(word)
    return out


def plural(low: str) -> bool:
    if low in ("people", "children", "men", "women", "alumni", "criteria", "media", "data"):
        return True
    return low.endswith("s") and not low.endswith(("ss", "us", "is", "news", "series", "species")) and len(low) > 3
