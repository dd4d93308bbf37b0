"""Whether a sentence holds a thing of the kind that is asked for. It may still be about another."""

import re

from ragkit.amounts import Figure, dates, figures
from ragkit.asked import Kind
from ragkit.roles import people

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
_SHARE = re.compile(
    r"\b(?:gr[eo]w\w*|chang\w+|shares?|rates?|margins?|percent\w*|per\s+cent|proportion|fraction|portion|increas\w+|"
    r"decreas\w+|ris\w+|rose|f[ae]ll\w*|drop\w*|ratio|discount|interest|yield|high\w*|low\w*|more|less|fast\w*|"
    r"uptime|availability|accura\w+|likely|probability|bonus|credit)\b|%",
    re.IGNORECASE,
)
"""Of a question that a percentage may answer. Otherwise, how much something is is told in a unit."""
_PERCENTAGE = -0.3
"""Worse than no figure: it is about a change of what was asked for, or a part."""
_UNITS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(unit, re.IGNORECASE))
    for asked, unit in (
        (r"\bhow\s+(?:long|old|soon|quickly|often)\b", r"(?:second|minute|hour|day|week|month|year)s?|ms"),
        (r"\bhow\s+(?:far|tall|high|deep|wide|long)\b", r"meters?|km|cm|mm|miles?|feet|inch(?:es)?"),
        (
            r"\b(?:costs?|price[ds]?|pay|paid|spen[dt]\w*|earn\w*|revenues?|sales|profits?|income|turnover|budget|salary|fees?|"
            r"debt|owe|worth|cash|dividends?|result|assets|money|expens\w+)\b",
            r"[$€£¥]|chf|cents?|euros?|dollars?|pounds?",
        ),
        (r"\b(?:percent\w*|per\s+cent|proportion|shares?|rates?|margins?|grow|growth)\b", r"%"),
    )
)
WHO = re.compile(r"\bwho(?:m|se)?\b", re.IGNORECASE)


def holds(kind: Kind, text: str, question: str, head: str = "") -> float:
    """How surely a text holds a thing of the kind that is not in the question already: 0 to 1, or below 0.

    `head`: the names of the columns, of a row of a table. They may say the unit.
    """
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
            worded = 0.3 * _new(_WORDED, text, known)
            return max((_amount(one, text, question, head) for one in new), default=worded)
        case "who":
            return _person(text, question) if WHO.search(question) else _named(text, question)
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


def _amount(one: Figure, text: str, question: str, head: str) -> float:
    """Less for a unit that the question did not ask for, least for a percentage where it asked for no share."""
    if one.unit == "%" and not _SHARE.search(question):
        return _PERCENTAGE
    wanted = [unit for asked, unit in _UNITS if asked.search(question)]
    if not wanted:
        return 1.0 if one.measured else 0.6
    if any(unit.fullmatch(one.unit) for unit in wanted):
        return 1.0
    if one.measured:
        return 0.6
    if " | " in text and one.unit != "%":
        return 0.9
    return 0.9 if head and any(one.search(head) for one in wanted) else 0.6


def _person(text: str, question: str) -> float:
    known = {word.casefold() for word in _WORD.findall(question)}
    named = any(all(word.casefold() not in known for word in _WORD.findall(name)) for name in people(text))
    return 1.0 if named else 0.7 * _named(text, question)


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
