"""Names in a claim: whether the texts know them, and whether they do to each other what the texts say."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from ragkit.indexes.stopwords import STOP_WORDS


def _bag(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_WORD = re.compile(r"(?<![\w])[^\W\d_]+(?:[.'’&-][^\W\d_]+)*(?![\d_])\.?")
_LINKS = _bag("of the de la van von der du da bin al and & for")
_MUTUAL = _bag(
    "and or with met meet meets married marry marries versus vs between than as both against played play plays near "
    "alongside borders border joined resembles"
)
_NO_NAMES = _bag(
    "january february march april may june july august september october november december jan feb mar apr jun jul aug "
    "sept sep oct nov dec monday tuesday wednesday thursday friday saturday sunday "
    "i the a an in on at it its he she they we this that these those there his her their our my by for from as and but "
    "or if when while after before during since because although however also according one two three four five six "
    "seven eight nine ten with to of no not is are was were has have had do does did can will would may might must "
    "some many most both each every all"
)
_FOREIGN = [stops for language, stops in STOP_WORDS.items() if language != "english"]
_STEM = 4
"""Letters that two forms of a name share: Germany, German; Canada, Canadian."""


@dataclass(frozen=True, slots=True)
class Name:
    text: str
    words: tuple[str, ...]
    start: int
    end: int


@lru_cache(1024)
def named(text: str) -> tuple[Name, ...]:
    """Runs of capitalised words. One that opens a sentence alone may be any word, and is none."""
    if text.isupper() or not _english(text):  # in German each noun has a capital
        return ()
    found: list[Name] = []
    run: list[re.Match[str]] = []
    end = 0
    for match in _WORD.finditer(text):
        word = match[0]
        capital = word[0].isupper() and word.lower().rstrip(".") not in _NO_NAMES
        if run and (not capital or text[end : match.start()].strip()):
            _close(found, text, run)
            run = []
        if capital:
            run.append(match)
        end = match.end()
        if word.endswith(".") and len(word) > 4 and run:
            _close(found, text, run)
            run = []
    _close(found, text, run)
    return tuple(found)


def unknown(claim: str, texts: Sequence[str]) -> tuple[str, ...]:
    """Names of the claim of which no word, abbreviation or form stands in the texts."""
    there = frozenset().union(*map(_vocabulary, texts))
    initials = frozenset().union(*map(_initials, texts))
    return tuple(one.text for one in named(claim) if not _is_first(claim, one) and not _known(one, there, initials))


def exchanged(claim: str, sentence: str) -> str:
    """Which two names have changed places around a verb that both texts have; empty if none have.

    `Ann hired Bob` and `Bob hired Ann`; but `Bob was hired by Ann` is the first one again.
    """
    mine = named(claim)
    for first, second in pairwise(mine):
        between = claim[first.end : second.start].lower()
        if first.words[-1] == second.words[-1] or not _simple(between):
            continue
        for verb in _plain(between):
            there = _agents(sentence.lower(), first.words[-1], second.words[-1], verb)
            if there is not None and there != _forwards(between):
                return f"{first.text} and {second.text} have changed places around “{verb}”"
    return ""


def _agents(low: str, one: str, two: str, verb: str) -> bool | None:
    """Whether `one` does it to `two` in this sentence; None if it does not say."""
    places = [list(re.finditer(rf"\b{re.escape(word)}\b", low)) for word in (one, verb, two)]
    if len(verb) < 4 or verb in _NO_NAMES or any(len(found) != 1 for found in places):
        return None
    first, middle, second = (found[0] for found in places)
    left, right = (first, second) if first.start() < second.start() else (second, first)
    between = low[left.end() : right.start()]
    if not left.end() <= middle.start() < right.start() or not _simple(between):
        return None
    return (left is first) == _forwards(between)


def _simple(between: str) -> bool:
    """Whether this can be one verb between who does it and who it is done to."""
    inner = _plain(between)
    return 0 < len(inner) <= 6 and not _MUTUAL & set(inner) and not re.search(r"[,;:.!?]", between)


def _forwards(between: str) -> bool:
    return "by" not in _plain(between)


def _english(text: str) -> bool:
    words = _plain(text.lower())
    ours, *theirs = (sum(word in stops for word in words) for stops in (STOP_WORDS["english"], *_FOREIGN))
    return ours >= max(theirs)


def _known(name: Name, there: frozenset[str], initials: frozenset[str]) -> bool:
    words = [word for word in name.words if word not in _LINKS]
    if any(word in there for word in words):
        return True
    if name.text.replace(".", "").lower() in initials or "".join(word[0] for word in words) in there:
        return True
    return any(len(word) > _STEM and any(_alike(word, one) for one in there) for word in words)


def _alike(word: str, other: str) -> bool:
    """Forms of one name: all but an ending of each is the same."""
    shared = 0
    for one, two in zip(word, other, strict=False):
        if one != two:
            break
        shared += 1
    return shared >= _STEM and shared >= min(len(word), len(other)) - 2 and abs(len(word) - len(other)) <= 4


def _is_first(claim: str, name: Name) -> bool:
    return len(name.words) == 1 and not claim[: name.start].strip("\"'“‘«(*- ") and not claim[name.start + 1].isupper()


def _close(found: list[Name], text: str, run: list[re.Match[str]]) -> None:
    if run:
        start, end = run[0].start(), run[-1].end()
        said = text[start:end].rstrip(".")
        words = tuple(_base(match[0]) for match in run)
        found.append(Name(said, words, start, start + len(said)))


@lru_cache(1024)
def _vocabulary(text: str) -> frozenset[str]:
    found = set()
    for match in _WORD.finditer(text):
        word = _base(match[0])
        found.add(word)
        found.update(re.split(r"[.'’&-]", word))
    return frozenset(found)


@lru_cache(1024)
def _initials(text: str) -> frozenset[str]:
    """What the names of a text may be abbreviated to; small words inside a name have no letter of their own."""
    found: set[str] = set()
    run = ""
    for match in _WORD.finditer(text):
        if match[0][0].isupper():
            run += match[0][0].lower()
            found.update(run[at:] for at in range(max(0, len(run) - 6), len(run) - 1))
        elif match[0] not in _LINKS:
            run = ""
    return frozenset(found)


def _base(word: str) -> str:
    return re.sub(r"['’]s?\Z", "", word.rstrip(".").lower().replace(".", ""))


def _plain(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text)
