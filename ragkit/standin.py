"""What stands for an answer in the next question when no model wrote it: sentences would make that question nonsense.

The name that the sentences give stands there, or else what was asked about: "Who is the spouse of the director of X?"
is a question, too.
"""

import re

from ragkit.indexes.analyzer import Analyzer
from ragkit.nouns import PERSONS
from ragkit.wording import words

_ANALYZER = Analyzer()
_NAME = re.compile(
    r"[A-Z][\w’'-]*(?:\.(?=\s[A-Z]))?(?:\s+(?:(?:of|the|de|von|van|der|da|di)\s+){0,2}[A-Z][\w’'-]*\.?)*"
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[\"“A-Z\d])|\n+")
_ASKED = re.compile(
    r"^(?:(?:who|what|which)\s+(?:is|are|was|were)|(?P<wh>who|what|which|whose|where|when|how)\b.*)\s*", re.IGNORECASE
)
_LONGEST = 6
"""Words of what may stand in a question as it is."""
_YEAR = re.compile(r"\b[12]\d{3}\b")
_WHEN = re.compile(r"^(?:when\b|(?:in\s+)?(?:what|which)\s+year\b)", re.IGNORECASE)


def stand_in(question: str, said: str) -> str:
    """What stands for these sentences: the name in them that answers the question, or what the question asks about."""
    return name_of(question, said) or described(question)


def name_of(question: str, said: str) -> str:
    """The name, or the year, in the sentence that shares the most with the question: the one next to what it shares.

    Names that the question knows are not what it asks for. Empty when there is none.
    """
    asked = frozenset(_ANALYZER.terms(question))
    known = {word.lower() for word in re.findall(r"\w+", question)}
    sentences = [one for one in _SENTENCE.split(said) if one.strip()]
    form = _YEAR if _WHEN.search(question) else _NAME
    for sentence in sorted(sentences, key=lambda one: -len(asked & frozenset(_ANALYZER.terms(one)))):
        shared = [word.start() for word in re.finditer(r"\w+", sentence) if asked & frozenset(_ANALYZER.terms(word[0]))]
        found = [name for name in form.finditer(sentence) if _new(name, sentence, known) and shared]
        if found:
            return min(found, key=lambda name: min(abs(name.start() - one) for one in shared))[0].strip(" .’'")
    return ""


def sentence(text: str) -> bool:
    """Whether a text says something of something, or goes on for long: in another question it would be nonsense."""
    found = words(f"of {text}")  # so that its first word is read as any other
    return (
        len(found) > _LONGEST
        or "\n" in text.strip()
        or text.rstrip().endswith((".", "!", "?"))
        or any(word.kind in ("aux", "verb", "pron") for word in found)
    )


def described(question: str) -> str:
    """`the director of X`, of `Who is the director of X?`, and `the one who leads X`; else empty."""
    found = _ASKED.match(question)
    if found is None:
        return ""
    if found["wh"]:
        return _relative(question.rstrip("?!. "))
    return question[found.end() :].rstrip("?!. ")


def _relative(question: str) -> str:
    """`the team that looks after X`, of `Which team looks after X?`"""
    found = words(question)
    if len(found) > 2 and found[0].low == "who" and found[1].kind not in ("aux", "prep", "pron", "mark"):
        return f"the one {question[found[0].start].lower()}{question[1:]}"
    if found[0].low not in ("which", "what") or len(found) < 4 or found[1].kind != "noun":
        return ""
    verb = found[2].kind == "verb" or (found[2].low.endswith("s") and found[3].kind in ("prep", "det"))
    if verb and found[2].kind in ("verb", "noun"):
        link = "who" if found[1].low in PERSONS else "that"
        return f"the {found[1].text} {link} {question[found[2].start :]}"
    return ""


def _new(name: "re.Match[str]", sentence: str, known: set[str]) -> bool:
    """A single word that begins a sentence is a name only where the sentence says what it is."""
    parts = {word.lower() for word in re.findall(r"\w+", name[0])}
    alone = name.start() == 0 and len(parts) == 1 and not name[0].isdigit()
    begins = alone and not re.match(r" (?:is|was) (?:the|an?)\b", sentence[name.end() :])
    return bool(parts) and not parts <= known and not begins and bool(_ANALYZER.terms(name[0]))
