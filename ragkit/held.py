"""Whether a sentence holds a thing of the kind that is asked for. It may still be about another."""

import re

from ragkit.amounts import dates, figures
from ragkit.asked import Kind

_WHEN = re.compile(
    r"\b\d{1,2}(?:st|nd|rd|th)?\s+century\b|\b\d{1,2}:\d\d\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b"
    r"|\b(?:\w+\s+)?(?:days?|weeks?|months?|years?|decades?|centur(?:y|ies))\s+(?:after|before|ago|later|earlier)\b"
    r"|\bQ[1-4]\b|\b(?:spring|summer|autumn|winter)\b",
    re.IGNORECASE,
)
_WORDED = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|"
    r"hundreds?|thousands?|millions?|billions?|dozens?|half|twice|once|none|no|single|one|several)\b",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\bbecause\b|\bdue\s+to\b|\bowing\s+to\b|\bsince\b|\breasons?\b|\bcaus(?:e|es|ed|ing)\b|\bresult(?:s|ed|ing)?\s+(?:in|of|from)\b"
    r"|\btherefore\b|\bthus\b|\bhence\b|\bso\s+that\b|\bin\s+order\s+to\b|\battribut(?:ed|able)\b|\bdriven\s+by\b|\bled\s+to\b"
    r"|\breflect(?:s|ed|ing)\b|\bprimarily\b|\bthanks\s+to\b|\bto\s+(?:avoid|prevent|ensure|protect|reduce|improve)\b|\bas\s+a\s+result\b",
    re.IGNORECASE,
)
_MEANS = re.compile(
    r"\bby\s+(?:\w+ly\s+)?\w+ing\b|\bthrough\b|\busing\b|\bvia\b|\bwith\s+the\s+help\b|\bsteps?\b|\bmethods?\b|\bprocess\b"
    r"|\bby\s+means\b|\bso\s+that\b|\bin\s+order\s+to\b|\bfirst(?:ly)?\b|\bthen\b",
    re.IGNORECASE,
)
_DEFINES = re.compile(
    r"\b(?:is|are|was|were)\s+(?:an?|the|one\s+of|any|called|defined|known|used)\b|\brefers?\s+to\b|\bmeans?\b|\bstands?\s+for\b"
    r"|\bconsists?\s+of\b|\bdenotes?\b|\bdescribes?\b|\s\([A-Z][^()]{0,80}\)",
)
_SEVERAL = re.compile(
    r",[^,;]{2,80},?\s+(?:and|or)\s|;|\bincluding\b|\binclude[sd]?\b|\bsuch\s+as\b|\bfollowing\b|:\s|^\W*[-*•◦▪]\s"
)
_NAME = re.compile(r"\b[A-Z][\w'’&.-]*(?:\s+(?:(?:of|the|de|van|von|der|and|&|for)\s+){0,2}[A-Z0-9][\w'’&.-]*)*")
_PLACE = re.compile(r"\b(?:in|at|from|near|to|of|on|between|outside|into|through|across)\s+(?:the\s+)?(?=[A-Z])")
_WORD = re.compile(r"[^\W_]+")


def holds(kind: Kind, text: str, question: str) -> float:
    """How surely a text holds a thing of the kind that is not in the question already: 0 to 1."""
    known = question.casefold()
    match kind:
        case "when":
            return float(any(one.casefold() not in known for one in dates(text)) or _new(_WHEN, text, known))
        case "count":
            if any(one.text.casefold() not in known for one in figures(text) if one.unit != "%"):
                return 1.0
            return 0.7 * _new(_WORDED, text, known)
        case "amount":
            new = [one for one in figures(text) if one.text.casefold() not in known]
            return 1.0 if any(one.measured for one in new) else 0.6 if new else 0.3 * _new(_WORDED, text, known)
        case "who":
            return _named(text, question)
        case "where":
            return max(_named(text, question) * (1.0 if _PLACE.search(text) else 0.4), 0.0)
        case "why":
            return float(bool(_REASON.search(text)))
        case "how":
            return float(bool(_MEANS.search(text)))
        case "definition":
            return float(bool(_DEFINES.search(text)))
        case "compare":
            return float(any(one.text.casefold() not in known for one in figures(text)) or bool(dates(text)))
        case "list":
            return float(bool(_SEVERAL.search(text)))
        case _:
            return 0.0


def _new(pattern: re.Pattern[str], text: str, known: str) -> bool:
    return any(match[0].strip().casefold() not in known for match in pattern.finditer(text))


def _named(text: str, question: str) -> float:
    """1 for a name of several words, or in the middle of a sentence; less for a capital that begins one."""
    known = {word.casefold() for word in _WORD.findall(question)}
    best = 0.0
    for match in _NAME.finditer(text):
        new = [word for word in _WORD.findall(match[0]) if word.casefold() not in known and len(word) > 1]
        if not new:
            continue
        first = not text[: match.start()].strip()
        if len(new) > 1 or not first:
            return 1.0
        best = 0.3
    return best
