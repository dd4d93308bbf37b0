"""Sentences, by rules: fast, the same everywhere, and good enough where a chunk may end.

A stop ends a sentence unless the word before it is an abbreviation, an initial or a number in a list, or what follows
goes on in lower case. After abbreviations that may also end a sentence (Inc., U.S.) the next word decides, as in
Kiss and Strunk, Unsupervised Multilingual Sentence Boundary Detection (2006): "The" begins one, "Government" does not.
"""

import re

Range = tuple[int, int]

_LINE_END = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_CLOSERS = r"[\"'”’»)\]}]*(?:\[[\w ,–-]{1,12}\])*"
_END = re.compile(
    rf"(?P<line>[{_LINE_END}]\s*)"
    r"|(?P<always>[。！？｡؟۔।॥။។።։]+[」』”’）】》\"']*)"
    rf"|(?P<stop>[.!?…]+){_CLOSERS}(?=\s|\Z)"
)
_ITEM = re.compile(
    r"(?:[-*+•‣◦▪●○■□☐☒✓·–—>]\s|\(?\d{1,3}(?:\.\d{1,3})*[.)]\s|\(?[a-z][.)]\s|\(?[ivx]{1,5}[.)]\s|#{1,6}\s|\||```)"
)
_ONLY_NUMBER = re.compile(r"\W*(?:\d{1,3}(?:\.\d{1,3})*|[a-zA-Z]|[ivxIVX]{1,5})\Z")
_WORD_BEFORE = re.compile(r"(?:[^\W_]\.)*[^\W_]+\Z")
_NEXT = re.compile(r"\s*[\"'“‘«(\[{*_]*(?:(?P<word>[^\W\d_]+)|(?P<digit>\d))?")
_BLANK = re.compile(r"\n[^\S\n]*\n|\r[^\S\r\n]*\r|[\x0c\u2029]")


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_NEVER = _words(
    "dr mr mrs ms prof messrs mme vs e.g i.e eg ie approx ca cf gen sen rep gov hon rev lt col capt sgt cpl mt ft "
    "dept est resp incl excl viz ff bzw z.b d.h u.a evtl ggf vgl usw sr sra dra mlle st ste pres supt"
)
_BEFORE_A_NUMBER = _words(
    "no nos fig figs eq eqs sec secs ch chap vol vols p pp par art ref refs tab table app ex para nr abb abs art ed "
    "jan feb mar apr jun jul aug sep sept oct nov dec"
)
_NUMERALS = _words("II III IV VI VII VIII IX XI XII XIII XIV XV")
_MAYBE = _words("etc inc ltd corp co jr al llc plc gmbh bros esq ave blvd rd ph.d m.d b.a m.a")
_STARTERS = _words(
    "the a an in on at of for from by with to as and but or so if when while where it its he his she her they their we "
    "our you your i this that these those there here what who why how which is are was were do does did not no yes "
    "however although because since after before during under over until such each all some many most both other "
    "then thus therefore hence moreover furthermore further also additionally finally first second one two"
)
_NO_WRAP = 130
"""No text is wrapped to lines as long as this: such a line is a paragraph."""
_NARROW = 60
_LOOK_BACK = 400
"""Far enough to see that a line is long; without a bound a text without line ends would be read again and again."""


def sentences(text: str, start: int, end: int) -> list[Range]:
    """Ranges of `text` between `start` and `end`, blanks trimmed, which together hold all that is not blank."""
    found: list[Range] = []
    at = start
    wrapped = _Wrapped(text, end)
    for match in _END.finditer(text, start, end):
        if match["line"] is not None:
            if not wrapped.ends(match.start(), match.end()):
                continue
        elif match["stop"] is not None and not _stops(text, at, match, end):
            continue
        at = _add(found, text, at, match.end())
    _add(found, text, at, end)
    return found


def _add(found: list[Range], text: str, start: int, end: int) -> int:
    part = text[start:end]
    kept = part.strip()
    if kept:
        first = start + len(part) - len(part.lstrip())
        found.append((first, first + len(kept)))
    return end


class _Wrapped:
    """Tells line ends that only wrap a sentence from those that end it; the paragraph is looked at once."""

    def __init__(self, text: str, end: int) -> None:
        self.text = text
        self.end = end
        self.longest = 0
        self.paragraph_end = -1
        self.line = 0

    def ends(self, start: int, end: int) -> bool:
        """Whether the line end at `start`, with the blanks up to `end`, ends a sentence."""
        if end >= self.end or _BLANK.search(self.text, start, end):
            return True
        if start >= self.paragraph_end:
            self._measure(start)
        length = start - self.line
        self.line = end
        return (
            not _NO_WRAP >= length >= 0.6 * self.longest
            or (self.longest <= _NARROW and not self.text[end].islower())
            or _ITEM.match(self.text, end) is not None
            or " | " in self.text[start - length : start]
        )

    def _measure(self, start: int) -> None:
        text = self.text
        near = max(0, start - _LOOK_BACK)
        self.line = max(near, *(text.rfind(sign, near, start) + 1 for sign in "\n\r"))
        blank = _BLANK.search(text, start, self.end)
        self.paragraph_end = blank.start() if blank else self.end
        self.longest = max(len(line) for line in text[self.line : self.paragraph_end].splitlines())


def _stops(text: str, at: int, match: re.Match[str], end: int) -> bool:
    stop, begin = match["stop"], match.start("stop")
    following = _NEXT.match(text, match.end(), min(end, match.end() + 80))
    word = (following["word"] or "") if following else ""
    small = word[:1].islower()
    if stop != ".":
        quoted = match.end() > match.end("stop")
        return not small if "!" not in stop and "?" not in stop else not (small and quoted)
    if begin > at and text[begin - 1].isspace():
        return True
    if begin - at < 40 and _ONLY_NUMBER.match(text, at, begin) and match.end() < end:
        return False
    if small:
        return False
    before = _WORD_BEFORE.search(text, max(at, begin - 24), begin)
    return before is None or _may_end(before[0], word, following is not None and following["digit"] is not None)


def _may_end(before: str, word: str, number: bool) -> bool:
    """Whether a full stop after `before` ends a sentence, when `word` or a number comes next."""
    key = before.lower()
    if key in _NEVER:
        return False
    if key in _BEFORE_A_NUMBER:
        return not (number or word in _NUMERALS or (len(word) == 1 and word.isupper() and word not in "AI"))
    initial = len(before) == 1 and before.isupper() and before.isascii()
    if initial or "." in before or key in _MAYBE:
        return not word or (word.lower() in _STARTERS and not (initial and len(word) == 1))
    return True
