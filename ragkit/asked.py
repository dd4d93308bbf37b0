"""What kind of thing a question asks for: a date, a number, a name, a reason.

By its question words, which are English: in other languages every question asks for anything.
"""

import re
from typing import Literal

Kind = Literal[
    "when", "who", "where", "count", "amount", "why", "how", "yes-no", "list", "compare", "definition", "other"
]

_AUXILIARY = r"(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must)"
_LEADING = r"(?:^|[,;:]\s*|\b(?:in|on|at|by|for|from|of|to|with|during|since|until)\s+)"
_WHAT = rf"{_LEADING}(?:what|which)\s+"
_KINDS: tuple[tuple[Kind, str], ...] = (
    ("compare", r"\bcompare\b|^how\s+(?:do|does|did)\b[^?]*\b(?:compared?|differ)\b|\bdifferences?\s+(?:between|in)\b"),
    ("list", r"^(?:list|name|enumerate)\b|\b(?:what|which)\s+(?:\w+\s+){0,2}(?:are|were)\s+(?:\w+\s+){0,4}"
             r"(?:steps|kinds|types|examples|reasons|factors|components|members|parts|benefits|risks|tasks|features)\b"),
    ("count", r"\bhow\s+many\b|\b(?:what|which)\s+(?:is|was|are|were)?\s*(?:the\s+)?(?:total\s+)?number\s+of\b"),
    ("when", rf"{_LEADING}when\b|{_WHAT}(?:\w+\s+)?(?:year|date|day|month|century|decade|quarter|season|period)\b"
             r"|\bhow\s+(?:long\s+ago|recently)\b|^what\s+(?:is|was)\s+the\s+(?:\w+\s+)?(?:date|year|deadline)\b"),
    ("amount", r"\bhow\s+(?:much|long|far|tall|high|large|big|old|fast|quickly|soon|deep|wide|heavy|often|hot|cold|"
               r"small)\b"
               rf"|^what\s+{_AUXILIARY}\s+[^?,]*\b(?:costs?|earn|pay|paid|spend|charge|owe|weigh|be\s+worth)\b"
               rf"|{_WHAT}(?:\w+\s+)?(?:percentage|percent|share|amount|proportion|fraction|rate|size|price|cost|score)\b"
               rf"|{_LEADING}what(?:['’]s|\s+(?:is|was|are|were))\s+(?:[\w'’&.-]+\s+){{0,5}}?(?:percentage|percent|share|"
               r"amount|proportion|rate|price|costs?|revenues?|sales|income|profits?|margin|population|height|length|"
               r"width|depth|area|size|speed|weight|temperature|budget|salary|fees?|discount|interest|results?|turnover|value|ratio|accuracy|score|expenses?|"
               r"assets|liabilities|earnings|debt|dividends?|cash)\b"),
    ("who", rf"{_LEADING}who(?:m|se)?\b|{_WHAT}(?:\w+\s+){{0,2}}(?:person|man|woman|people|player|actor|actress|"
            r"author|writer|singer|king|queen|president|director|company|team|band|organi[sz]ation|group|firm|"
            r"agency|university|school|party|scientist|name)\b"),
    ("where", rf"{_LEADING}where\b|{_WHAT}(?:\w+\s+){{0,2}}(?:city|country|state|town|county|place|region|continent|"
              r"village|province|location|island|river|street|district|area)\b"),
    ("why", r"\bwhy\b|\bhow\s+come\b|\bwhat\s+(?:\w+\s+){0,3}(?:reasons?|causes?|caused|led\s+to|explains?)\b"
            r"|\bfor\s+what\s+(?:reason|purpose)\b"),
    ("definition", r"^(?:define|explain)\b|\bwhat\s+(?:does|do|did)\s+[^?]*\b(?:mean|stand\s+for|refer\s+to)\b"
                   r"|^(?:so\s+)?what(?:['’]s|\s+(?:is|are|was|were))\s+(?:an?\s+|the\s+)?[\w-]+(?:\s+[\w-]+){0,2}\s*\?*$"),
    ("how", r"\bhow\b"),
    ("yes-no", rf"^(?:(?:in|on|at|for|if|when)\s[^,]*,\s*)?{_AUXILIARY}(?:n['’]t)?\s"),
)  # fmt: skip
_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KINDS)
_OTHER_FIRST = re.compile(r"^(?:what|which)\b", re.IGNORECASE)


def kind_of(question: str) -> Kind:
    text = " ".join(question.split())
    for kind, pattern in _COMPILED:
        if kind in ("how", "yes-no") and _OTHER_FIRST.match(text):
            continue
        if pattern.search(text):
            return kind
    return "other"
