"""Who does what: that somebody heads, leads, owns or runs a thing is told in many words, beside the name."""

import re

ROLES = frozenset(
    {"head", "lead", "leader", "led", "run", "ran", "own", "owner", "manag", "charg", "respons", "boss", "chief"}
)
"""As terms: one says as much as another."""
_SAYS = re.compile(
    r"\b(?:heads?|headed|leads?|led|leader|leading|runs?|ran|own(?:s|ed|er)?|manag(?:es?|ed|er|ing)|responsib\w+|charge|"
    r"boss|chief|director|looks?\s+after|oversees?)\b",
    re.IGNORECASE,
)
_PERSON = (
    r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ’'-]+(?:\s+(?:[A-Z]\.|de|van|von|der|la|al))*"
    r"(?:\s+[A-ZÀ-ÖØ-Þ][\w’'-]*[a-zß-öø-ÿ]\w*){1,2}"
)
_NAMED = re.compile(rf"(?<![\w.]){_PERSON}")
"""Two or three capitalised words, as a person is called; the name of a firm or a place may look so as well."""
_BESIDE = re.compile(rf"\({_PERSON}\)|[:|]\s+{_PERSON}\s*(?:\||\Z)")
"""In brackets, or in a cell of its own: behind what it stands for."""


def people(text: str) -> list[str]:
    return _NAMED.findall(text)


def in_role(text: str) -> bool:
    """Somebody is named, and said to head, lead or own something, or stands beside what is theirs."""
    return bool(_BESIDE.search(text)) or (bool(_SAYS.search(text)) and bool(_NAMED.search(text)))
