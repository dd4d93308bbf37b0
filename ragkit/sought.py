"""What a question seeks: the kind of its answer, and what it names: names and dates.

Plain rules over the words of the question (see `wording`), English only. A rule that does not apply finds nothing,
and what is not found is not asked for: in another language the words themselves still count.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ragkit.kinds import Kind
from ragkit.wording import ORDERS, WH, Word, bag, words

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = rf"(?P<month>{'|'.join(MONTHS)}|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.?"
_DATE = re.compile(
    rf"\b{_MONTH}(?:\s+\d{{1,2}}(?:st|nd|rd|th)?\b)?(?:,?\s+(?:of\s+)?(?P<year>(?:1[5-9]|20)\d\d)\b)?"
    rf"|\b(?P<alone>(?:1[5-9]|20)\d\d)\b(?![.,]\d)",
    re.IGNORECASE,
)
_YEAR_FIRST = re.compile(r"\b(?P<year>(?:19|20)\d\d)-(?P<month>0[1-9]|1[0-2])(?:-\d\d)?\b")
_QUARTER = re.compile(r"[QH]\d\Z|\d")
_NO_NAMES = WH | bag("i i'm i'd i've i'll")
_LONG = 6
"""Blanks in a quotation that is no name any more."""
_SUFFIXES = bag("inc ltd corp co llc plc gmbh ag company corporation limited group holdings jr sr dr mr mrs ms st")
_AMOUNTS = bag(
    "amount cost price value revenue revenues income profit profits sales fee fees dividend dividends earnings "
    "expense expenses expenditure budget salary loan debt equity assets liabilities cash tax payment investment "
    "wage fine funding turnover capital spending"
)
_SHARES = bag("percentage percent proportion share rate margin ratio")
_DATES = bag("year date month day time century decade season quarter birthday")
_PLACES = bag(
    "city country state place location county town village province capital region continent street building "
    "university school river island birthplace headquarters"
)
_MORE = r"(?:more|less|higher|lower|larger|smaller|bigger|earlier|later|older|younger|better|worse|greater|longer)"
_COMPARED = re.compile(
    rf"\b(?:compare|compared|versus|vs\.?|differ\w*)\b|\b(?:which|who)\b[^.?]*\b{_MORE}\b|\b{_MORE}\b.*\b(?:than|or)\b",
    re.IGNORECASE,
)
_YES_NO = bag("is are was were do does did has have had can could will would should may might must am")
FILLERS = ORDERS | bag(
    "what which who whom whose when where why how much many please based according regarding respectively overview "
    "outline question answer information details following earlier later higher lower larger smaller greater "
    "mean means meant meaning define definition stand stands happen happens happened "
    "more most amount number example examples percentage percent year date month time location"
)
"""Words by which one asks, and which no answer needs to hold."""


@dataclass(frozen=True, slots=True)
class Date:
    """As exact as it was asked for."""

    year: int | None
    month: int | None

    def within(self, known: "Date") -> bool:
        """Whether `known` is of this year and month, as far as this one says them."""
        return (self.year is None or self.year == known.year) and (self.month is None or self.month == known.month)

    def __str__(self) -> str:
        month = MONTHS[self.month - 1].title() if self.month else ""
        return " ".join(part for part in (month, str(self.year or "")) if part)


@dataclass(frozen=True, slots=True)
class Name:
    """A run of capitalised words."""

    text: str
    """Without `Ltd.` and the like."""
    whole: str
    dates: tuple[Date, ...]
    """That stand behind it, before the next name: in a comparison each one has its own."""


@dataclass(frozen=True, slots=True)
class Sought:
    kind: Kind
    names: tuple["Name", ...]
    dates: tuple[Date, ...]


def seek(question: str) -> Sought:
    spoken = words(question)
    dated = _dated(question)
    outside = [one for one in spoken if not any(start < one.end and one.start < end for _, start, end in dated)]
    return Sought(
        kind=_kind(spoken, question),
        names=tuple(_names(outside, dated)),
        dates=tuple(dict.fromkeys(date for date, _, _ in dated)),
    )


def dates_in(text: str) -> tuple[Date, ...]:
    """Each date of a text once."""
    return tuple(dict.fromkeys(date for date, _, _ in _dated(text)))


def _dated(text: str) -> list[tuple[Date, int, int]]:
    """In the order of the text, each with its range."""
    found = [(Date(int(one["year"]), int(one["month"])), *one.span()) for one in _YEAR_FIRST.finditer(text)]
    for match in _DATE.finditer(text):
        year, month = match["year"] or match["alone"], match["month"]
        if any(start <= match.start() < end for _, start, end in found):
            continue
        if month and not year and (not month[0].isupper() or month.lower() in _WORDS_TOO):
            continue
        found.append((Date(int(year) if year else None, _month(month)), *match.span()))
    return sorted(found, key=lambda one: one[1])


_WORDS_TOO = bag("may march mar jan sept sep")


def _month(name: str | None) -> int | None:
    if name is None:
        return None
    return next(at for at, month in enumerate(MONTHS, 1) if month.startswith(name.lower()[:3]))


def _names(spoken: Sequence[Word], dated: Sequence[tuple[Date, int, int]]) -> list[Name]:
    runs: list[list[Word]] = []
    last: Word | None = None
    joined = False
    """Whether the last run holds an "of": the Board of Directors of Energex is two names."""
    for one in spoken:
        if one.kind != "name" or one.low in _NO_NAMES or _QUARTER.match(one.text) or one.text.count(" ") >= _LONG:
            last = None
            continue
        if one.text in ("of", "the"):
            if joined or (last is not None and last.text.isupper()):  # CEO of Retail Emporium
                last = None
            joined = last is not None
            continue
        if last is not None and runs and one.start - last.end <= (8 if joined else 2):
            runs[-1].append(one)
        elif one.low.strip(".") not in _SUFFIXES:
            runs.append([one])
            joined = False
        last = one
    ends = [run[-1].end for run in runs]
    made: dict[str, Name] = {}
    for at, run in enumerate(runs):
        kept = [one for one in run if one.low.strip(".") not in _SUFFIXES] or run
        until = runs[at + 1][0].start if at + 1 < len(runs) else 1 << 30
        own = tuple(date for date, start, _ in dated if ends[at] <= start < until)
        text = " ".join(one.text.strip("\"“”'‘’") for one in kept)
        made.setdefault(text, Name(text, " ".join(one.text for one in run), own))
    return list(made.values())


def _kind(spoken: Sequence[Word], question: str) -> Kind:
    if _COMPARED.search(question):
        return "comparison"
    at = next((at for at, one in enumerate(spoken) if one.low in _LEADS), None)
    if at is None:
        return "yes-no" if spoken and spoken[0].low in _YES_NO else "other"
    if spoken[0].low in _YES_NO:
        return "yes-no"
    lead = spoken[at].low
    after = [one.low for one in spoken[at + 1 : at + 6]]
    if lead in _BY_WORD:
        return _BY_WORD[lead]
    if lead == "how":
        return _how(after[0] if after else "")
    if lead in ("list", "name", "identify", "enumerate"):
        return "list"
    return _what(lead, [one.low for one in spoken[at + 1 : at + 8]])


_LEADS = bag("who whom whose when where why how what which list name identify enumerate")
_BY_WORD: dict[str, Kind] = {
    "who": "person", "whom": "person", "whose": "person", "when": "date", "where": "place", "why": "reason",
}  # fmt: skip


def _how(after: str) -> Kind:
    if after == "much":
        return "amount"
    if after == "many":
        return "count"
    if after in bag("old long far tall high large big deep fast often wide heavy"):
        return "count"
    return "way"


_ENDS = bag("of in for at by per to from on is was were did does do has had between during ? , '")


def _what(lead: str, after: Sequence[str]) -> Kind:
    for low, following in pairwise((*after, "?")):
        if low in _SHARES:
            return "share"
        if low in _DATES and lead in ("what", "which"):
            return "date"
        if low in _AMOUNTS and following in _ENDS:
            return "amount"
        if low in _PLACES:
            return "place"
        if low == "number":
            return "count"
        if low in ("reason", "reasons", "cause", "causes"):
            return "reason"
    return "definition" if len(after) <= 4 and after[:1] in (["is"], ["are"]) else "other"
