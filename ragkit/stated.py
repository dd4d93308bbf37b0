"""Whether a sentence states the very thing: `Revenue was 18.4 million euros`, to who asks how much revenue was."""

import re
from functools import lru_cache

_ASKED = re.compile(
    r"\b(?:how\s+(?:much|high|large|big|long|old|tall)|what)\s+(?:is|was|are|were)\s+(?:(?:the|our|its|their|an?|total|whole)\s+)*"
    r"(?P<subject>[^\W\d_][\w’'-]*(?:\s+[^\W\d_][\w’'-]*){0,3}?)\s*"
    r"(?:\?|\Z|,|\b(?:in|of|for|at|by|during|on|from|per|since|between|under|with|to)\b)",
    re.IGNORECASE,
)
_IS = r"(?:was|is|were|are|amounted\s+to|came\s+to|reached|totall?ed|stood\s+at|stands\s+at|of)"


def states(question: str, text: str) -> bool:
    """The subject, a form of to be, and a figure; or a row of a table whose first cell is the subject."""
    pattern = _pattern(question)
    return pattern is not None and pattern.search(text) is not None


@lru_cache(64)
def _pattern(question: str) -> re.Pattern[str] | None:
    asked = _ASKED.search(question)
    if asked is None:
        return None
    subject = r"\s+".join(map(re.escape, asked["subject"].split()))
    return re.compile(
        rf"(?:^|[.;:,]\s*|\b(?:the|our|its|total|and|of)\s+){subject}(?:\s+(?:of|in|for|from|at|by)\s+[^.;,|]{{1,40}}?)?\s+{_IS}\s+"
        rf"(?:\w+\s+){{0,2}}?[$€£¥]?\s?\d|^\W*{subject}\s*\|[^|]*\d",
        re.IGNORECASE,
    )
