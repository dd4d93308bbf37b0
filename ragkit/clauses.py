"""The questions that a text holds: its sentences, the clauses that `and` joins, and which of them look back.

A sentence that asks for a judgement of what was found (Are we scaling efficiently?) is no question to look up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ragkit.indexes.analyzer import Analyzer
from ragkit.indexes.sentences import sentences
from ragkit.indexes.stopwords import STOP_WORDS
from ragkit.lookback import resolve, subject
from ragkit.nouns import SHARED, VAGUE
from ragkit.wording import BE, ORDERS, PRONOUNS, Word, bag, plural, words

_ANALYZER = Analyzer()
_MARKS = ("?", "？", "؟")
_FOREIGN = [stops for language, stops in STOP_WORDS.items() if language != "english"]
_KNOWN = bag("we they it i this that these there the our you both either")
_BACK = bag("their they them each those these")
"""With one of these, a single word is enough to ask for: what are their hometowns."""
_MEASURED = bag("many much old long large big high far often tall deep wide fast heavy")
_EARLIER = bag("its his her their this that each one ones such same other")
_VERDICT = bag("might could would should may")


@dataclass(frozen=True, slots=True)
class Part:
    text: str
    judges: bool = False
    """It asks what the others mean."""
    told: bool = False
    """It tells more than it asks, and is not taken apart."""


def parts(question: str) -> list[Part]:
    said = [question[start:end] for start, end in sentences(question, 0, len(question))]
    if not english(question):
        asked = [one for one in said if one.endswith(_MARKS)]
        return [Part(one) for one in said] if len(asked) == len(said) else [Part(question)]
    if len(said) > 1 and not all(map(_asks, said)):
        return [Part(question, told=True)]
    found: list[Part] = []
    for number, sentence in enumerate(said):
        if number and (_judges(sentence, " ".join(said[:number])) or sentence.startswith("(")):
            found.append(Part(sentence, True))
        else:
            found += _clauses(sentence)
    return found


def english(text: str) -> bool:
    low = [word.strip("?!.,;:'\"¿¡()").lower() for word in text.split()]
    ours = sum(word in STOP_WORDS["english"] for word in low)
    return (text.isascii() and ours == 0) or (
        ours > 0 and ours >= max(sum(word in stops for word in low) for stops in _FOREIGN)
    )


def _asks(sentence: str) -> bool:
    found = words(sentence.lstrip("("))
    if not found:
        return False
    if found[0].kind == "order" or found[0].low in ORDERS or found[0].low == "sort":
        return True
    return sentence.endswith(_MARKS) and _begins(found, 0)


def _begins(found: Sequence[Word], at: int) -> bool:
    """A question word, also behind a preposition or an opening phrase, or a verb before its subject."""
    if found[at].kind in ("wh", "aux"):
        return True
    if found[at].kind in ("prep", "to"):
        comma = next((n for n in range(at, len(found)) if found[n].text == ","), at)
        return any(n < len(found) and found[n].kind in ("wh", "aux") for n in (at + 1, comma + 1))
    return found[at].low in ("and", "so", "also", "or") and at + 1 < len(found) and _begins(found, at + 1)


def _judges(sentence: str, before: str) -> bool:
    """Yes or no, better or worse, what it means: of what was said before, and of nothing new."""
    found = [word for word in words(sentence) if word.kind != "mark"]
    if not found or len(found) > 16:
        return False
    known = before.lower()
    if any(word.kind in ("name", "num", "hole") and word.low not in known for word in found[1:]):
        return False
    if found[0].low in ("so", "and", "overall", "therefore") and len(found) > 1:
        found = found[1:]
    if (found[0].kind == "order" or found[0].low in ORDERS) and len(found) > 1:
        return found[1].low in ("this", "it", "them", "these")  # list them by year
    if found[0].kind == "aux":
        return len(found) > 1 and (
            found[1].low in ("we", "they", "it", "i", "this", "that", "these", "there", "the", "our", "you")
        )
    if found[0].low in ("which", "who", "what"):
        if any(_compares(word) for word in found[1:]):
            return True
        return any(word.low in ("this", "that", "these", "it") for word in found) and any(
            word.low in ("mean", "suggest", "indicate", "tell", "imply", "say", "show", "conclude") for word in found
        )
    return found[0].low in ("why", "how") and any(word.low in ("this", "that") for word in found[1:4])


def _compares(word: Word) -> bool:
    return word.low in ("better", "worse", "more", "less", "earlier", "best", "worst", "most", "least", "first") or (
        word.kind in ("adj", "noun", "adv") and len(word.low) > 5 and word.low.endswith("er") and word.low not in _NOUNS
    )


_NOUNS = bag(
    "number order member matter paper power water quarter letter character another center never ever whether "
    "rather under over after other leader manager owner"
)


def _clauses(sentence: str) -> list[Part]:
    """Questions that `and` joins. What asks too little by itself, as `and why?`, stays where it is."""
    found = words(sentence)
    if not found or not (_begins(found, 0) or found[0].kind == "order"):
        asked = sentence.endswith("?") and any(word.kind == "wh" for word in found)
        return [Part(sentence, told=not asked or found[0].kind == "pron")]
    cuts = [at for at in range(2, len(found) - 1) if found[at].kind == "and" and _opens(found, at)]
    if cuts:
        cuts += [at for at in range(2, cuts[0]) if found[at].text == "," and _opens(found, at)]
    made: list[Part] = []
    start = 0
    for at in sorted(cuts):
        piece = sentence[start : found[at].start].rstrip(" ,;")
        rest = sentence[found[at].end :]
        if _apart(found, at, piece, rest):
            made.append(_part(piece))
            start = found[at].end
            continue
        if not any(word.kind in ("wh", "order", "aux") for word in words(piece)) or len(_ANALYZER.terms(piece)) < 2:
            continue
        if len(_ANALYZER.terms(rest)) < 2 - any(word.low in _BACK for word in words(rest)):
            continue
        if found[at + 1].kind not in ("det", "num") and not _elsewhere(piece, rest):
            continue
        made.append(_part(piece))
        start = found[at].end
    made.append(_part(sentence[start:].strip()))
    return [Part(sentence)] if len(made) == 1 else made


def _apart(found: Sequence[Word], at: int, piece: str, rest: str) -> bool:
    """Whether a question word begins on both sides of `, and`, and the second asks of nothing that the first said.

    What something is and how it works is told in one place; how many there are, and who, is not.
    """
    if found[at].kind != "and" or found[at - 1].text != "," or found[at + 1].kind != "wh":
        return False
    first, second = words(piece), words(rest)
    if not first or first[0].kind != "wh" or first[0].low == "why" or any(map(_looks_back, second)):
        return False
    if second[0].low == "why" or (second[0].low == "how" and second[1].low not in _MEASURED):
        return False
    if any(word.kind == "name" for word in first) or any(
        one.low == "the" and after.low in VAGUE | SHARED for one, after in pairwise(second)
    ):
        return False  # what are the results: of what was named
    both = set(_ANALYZER.terms(piece)), set(_ANALYZER.terms(rest))
    return bool(both[0] and both[1]) and not both[0] & both[1]


def _looks_back(word: Word) -> bool:
    return word.low in PRONOUNS or word.low in _EARLIER


def _elsewhere(piece: str, rest: str) -> bool:
    """Whether a clause asks for what stands elsewhere: of the first one's answer, or of another name.

    `How does X work, and what advantage does it offer?` asks two things of one place, which the whole finds best.
    """
    known = {word.low for word in words(piece)}
    if any(word.kind in ("name", "num") and word.low not in known for word in words(f"and {rest}")[1:]):
        return True
    return not subject(piece) and resolve(rest, "{1}") is not None and not _explains(rest)


def _explains(rest: str) -> bool:
    """`why were they chosen`, `how do they help`: that is told where they are named. `How many`, `how old` is not."""
    found = words(rest)
    if not found or found[0].low not in ("how", "why"):
        return False
    return found[0].low == "why" or (len(found) > 1 and found[1].kind == "aux")


def _part(text: str) -> Part:
    text = text.strip(" ,")
    found = words(text)
    low = {word.low for word in found}
    judges = bool(low & _VERDICT and low & {"this", "that", "these", "they", "it"} and found and found[0].kind == "wh")
    if found and found[0].kind not in ("wh", "aux", "order", "prep", "to", "adv") and found[0].low not in ORDERS:
        noun = next((word for word in found if word.kind == "noun"), found[-1])
        text = f"what {'are' if plural(noun.low) else 'is'} {text}"
    if found and found[0].kind != "order" and not text.endswith("?"):
        text = text.rstrip(".") + "?"
    return Part(text[:1].upper() + text[1:], judges)


def _opens(found: Sequence[Word], at: int) -> bool:
    """Whether a question of its own begins behind this `and`."""
    if found[at - 1].kind == "wh" or found[at + 1 :][:1] == []:
        return False
    first = at + 1 + (found[at + 1].kind == "adv" and at + 2 < len(found))
    if (
        found[first].kind in ("prep", "to")
        and first + 1 < len(found)
        and found[first + 1].low in ("which", "what", "whom", "whose")
    ):
        first += 1
    word = found[first]
    after = found[first + 1] if first + 1 < len(found) else None
    if after is None:
        return False
    if word.kind == "wh":
        return _inverted(found, first)
    if found[at].text == ",":
        return False
    if word.kind == "aux":
        new = after.kind in ("pron", "det", "name") and after.low != "the"
        return new and found[at - 1].text == "," and found[0].kind in ("wh", "prep", "aux")
    if word.low in ORDERS and after.kind in ("det", "wh", "pron", "num", "name"):
        return found[0].kind == "order" or (
            found[0].kind == "wh" and word.low not in ("state", "name", "report", "show")
        )
    return _noun_alone(found, at) or _noun_of_its_own(found, at)


def _noun_of_its_own(found: Sequence[Word], at: int) -> bool:
    """`the capital of X and the population of Y`: each noun has its name."""
    if found[0].kind != "wh" or found[1].low not in BE or found[2].low != "the" or found[at + 1].low != "the":
        return False
    both = found[3:at], found[at + 2 :]
    return all(
        len(side) > 2 and side[0].kind == "noun" and side[1].low in ("of", "in", "for") and side[2].kind == "name"
        for side in both
    )


def _inverted(found: Sequence[Word], wh: int) -> bool:
    """`when were they`, `who directed`, `which cities are`; not `when they were`."""
    word, after = found[wh], found[wh + 1]
    if after.kind in ("aux", "verb"):
        return word.low in ("who", "what", "which") or after.kind == "aux"
    if word.low in ("when", "where", "why") or after.kind in ("pron", "det", "that", "to"):
        return False
    for other in found[wh + 1 : wh + 8]:
        if other.kind == "aux" or (other.kind == "verb" and word.low in ("which", "what", "whose")):
            return True
        if other.kind in ("pron", "mark", "det"):
            return False
    return False


def _noun_alone(found: Sequence[Word], at: int) -> bool:
    """`and their hometowns`, `and one X for each Y`: of a list, what belongs to each of its members."""
    listed = found[0].kind == "order" or (found[0].kind == "wh" and found[1].low in BE)
    near = found[at + 1 : at + 5]
    if not listed or not near or near[0].kind not in ("det", "num") or not any(plural(word.low) for word in found[:at]):
        return False
    owner = next((n for n, word in enumerate(near) if word.low == "their"), None)
    if owner is not None:
        return not any(word.kind in ("verb", "wh", "aux") for word in near[:owner])
    return any(word.low == "each" for word in found[at + 1 :])
