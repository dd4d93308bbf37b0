"""What stands for an answer in the next question when no model wrote it: sentences would make that question nonsense.

The name that the sentences give stands there, or else what was asked about: "Who is the spouse of the director of X?"
is a question, too.
"""

import re

from ragkit.indexes.analyzer import Analyzer

_ANALYZER = Analyzer()
_NAME = re.compile(
    r"[A-Z][\w’'-]*(?:\.(?=\s[A-Z]))?(?:\s+(?:(?:of|the|de|von|van|der|da|di)\s+){0,2}[A-Z][\w’'-]*\.?)*"
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[\"“A-Z\d])|\n+")
_ASKED = re.compile(
    r"^(?:(?:who|what|which)\s+(?:is|are|was|were)|(?P<wh>who|what|which|whose|where|when|how)\b.*)\s*", re.IGNORECASE
)
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


def described(question: str) -> str:
    """`the director of X`, of `Who is the director of X?`; empty where the question has no such form."""
    found = _ASKED.match(question)
    if found is None or found["wh"]:
        return ""
    return question[found.end() :].rstrip("?!. ")


def _new(name: "re.Match[str]", sentence: str, known: set[str]) -> bool:
    """A single word that begins a sentence is a name only where the sentence says what it is."""
    words = {word.lower() for word in re.findall(r"\w+", name[0])}
    alone = name.start() == 0 and len(words) == 1 and not name[0].isdigit()
    begins = alone and not re.match(r" (?:is|was) (?:the|an?)\b", sentence[name.end() :])
    return bool(words) and not words <= known and not begins and bool(_ANALYZER.terms(name[0]))
