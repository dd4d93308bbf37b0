"""A Draft: a question that a document's form suggests, with the range that answers it.

Four kinds, each asked by leaving out and turning round what stands there; no word is made up.

- heading: "What does <title> say about <heading>?"; gold is what stands under the heading.
- definition: "What is X?", from a sentence "X is a …".
- number: "How many … does X have?", "How much …", "When was X …?", from a sentence that states it.
- table: "What is <column> of <row>?"; gold is the row.

The sentences are English. A pronoun as subject ("It was founded in 1985") makes no question: it says nothing alone.
"""

import random
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ragkit.connectors.document import Document, Mark
from ragkit.connectors.table import has_header
from ragkit.indexes.sentences import sentences

Kind = Literal["heading", "definition", "number", "table"]
KINDS: tuple[Kind, ...] = ("heading", "definition", "number", "table")

_LONGEST_SECTION = 1200
"""In characters; more is read by nobody as the answer to one question."""
_SENTENCE = range(30, 500)
_ROWS = 200
"""So many of a table's rows are asked about at most: one long table is not the whole set."""

_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DATE = (
    rf"(?:{_MONTH} \d{{1,2}}, \d{{4}}|\d{{1,2}} {_MONTH} \d{{4}}|{_MONTH},? \d{{4}}|\d{{4}}-\d\d-\d\d|(?:1\d|20)\d\d)"
)
_FIGURE = (
    r"(?:(?:more than|less than|fewer than|about|around|approximately|nearly|over|almost|at least|up to) )?"
    r"(?:[$€£¥] ?)?\d[\d,.]*\d?(?: ?(?:%|percent|hundred|thousand|million|billion|trillion))*"
)
_SUBJECT = (
    r"(?P<subject>(?:(?:The|A|An) )?[A-Z0-9][^\s,;:()\"]*(?: (?!(?:is|are|was|were|has|have|had) )[^\s,;:()\"]+){0,7})"
)
_DEFINITION = re.compile(
    rf"{_SUBJECT}(?: \([^()]{{1,40}}\))? (?P<is>is|are|was|were) (?P<answer>(?:an?|any) .{{15,}}?)[.!]?\Z", re.DOTALL
)
_WHEN = re.compile(
    rf"{_SUBJECT} (?P<be>was|were) (?P<done>[a-z]+(?:ed|en|wn|ght|ld|lt|de|rn|set|held|sent|won|built|made|begun)"
    rf"(?: [a-z]+)?) (?:in|on) (?P<answer>{_DATE})\b"
)
_HAS = re.compile(
    rf"{_SUBJECT} (?P<has>has|have|had) (?P<answer>{_FIGURE}) "
    r"(?P<things>[a-z]{3,}(?: [a-z]{3,})?s)\b(?! (?:of|per) )"
)
_IS_LONG = re.compile(
    rf"{_SUBJECT} (?P<be>is|are|was|were) (?P<answer>{_FIGURE} [a-z]+) "
    r"(?P<how>long|high|tall|wide|deep|old|thick|away)\b"
)
_COSTS = re.compile(rf"{_SUBJECT} (?P<verb>costs|weighs|lasts|takes|measures) (?P<answer>{_FIGURE}(?: [a-z]+)?)\b")
_BASE = {"costs": "cost", "weighs": "weigh", "lasts": "last", "takes": "take", "measures": "measure"}
_LONG = {"lasts": "long", "takes": "long"}
_NO_SUBJECT = re.compile(
    r"(?:It|This|That|These|Those|They|He|She|We|I|You|There|Here|Which|What|Who|Its|Their|His|Her|Our|My|Your|One|Some|"
    r"Many|Most|Such|Each|All|Both|Another|Other|Others|If|When|While|As|In|On|At|For|By|With|From|After|Before|"
    r"Two|Three|Four|Five|Several|Few|Further|Among|Under|Part|Much|More|Another|During|However|But|And|So|Also|Although|Because|Since|Thus|Then|Where|Why|How|Yes|No|Not|Today)\b|"
    r"The (?:same|other|following|above|former|latter|first|second|next|last|result|reason|problem|question|answer|"
    r"fact|only|main|most|more|company|author|study|paper|former|one)\b",
)
_TELLS_NOTHING = re.compile(
    r"\W*(?:\d[\d.]*\W*)?(?:introduction|overview|conclusions?|summary|contents|table of contents|references|notes|see "
    r"also|external links|appendix|abstract|background|acknowledge?ments?|index|preface|bibliography|general|other|"
    r"miscellaneous|faq|(?:page|chapter|section|part|figure|table|slide|sheet) ?\w{0,4})?\W*\Z",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A question, and the range of a document that answers it."""

    kind: Kind
    question: str
    answer: str
    """In the document's words; none where the range itself is the answer."""
    uri: str
    start: int
    end: int
    quote: str


def drafts_of(document: Document, seed: int) -> Iterator[Draft]:
    """Every question that a document suggests, of all kinds, good and bad."""
    yield from _of_headings(document)
    yield from _of_sentences(document)
    yield from _of_tables(document, random.Random(f"{seed} {document.uri}"))  # noqa: S311 - draws examples, no secrets


def _of_headings(document: Document) -> Iterator[Draft]:
    headings = [mark for mark in document.marks if mark.kind == "heading"]
    for at, heading in enumerate(headings):
        name = " ".join(heading.label.split()).rstrip(" .:")
        section = _section(document, heading, headings[at + 1] if at + 1 < len(headings) else None)
        about = document.title if document.title and document.title != heading.label else ""
        if about and section and not _TELLS_NOTHING.match(name) and len(name) <= 100:
            yield _draft("heading", f"What does {about} say about {name}?", "", document, *section)


def _section(document: Document, heading: Mark, following: Mark | None) -> tuple[int, int] | None:
    """The first sentences under a heading, as many as one answer may have."""
    end = following.start if following else len(document.text)
    limit = heading.end + _LONGEST_SECTION
    found = [one for one in sentences(document.text, heading.end, min(end, limit + 2000)) if one[1] <= limit]
    long_enough = found and found[-1][1] - found[0][0] >= _SENTENCE.start
    return (found[0][0], found[-1][1]) if long_enough else None


def _of_sentences(document: Document) -> Iterator[Draft]:
    kept_apart = [(mark.start, mark.end) for mark in document.marks if mark.kind in ("heading", "table", "code")]
    for start, end in sentences(document.text, 0, len(document.text)):
        if end - start in _SENTENCE and not any(one < end and start < other for one, other in _near(kept_apart, end)):
            sentence = document.text[start:end]
            asked = _asked(" ".join(sentence.split()))
            if asked is not None:
                yield _draft(*asked, document, start, end)


def _near(ranges: list[tuple[int, int]], end: int) -> list[tuple[int, int]]:
    """Those that could hold something before `end`: sorted by start, they nest at most a few deep."""
    last = bisect_right(ranges, (end, end))
    return ranges[max(0, last - 4) : last]


def _asked(sentence: str) -> tuple[Kind, str, str] | None:
    named = re.match(_SUBJECT, sentence)
    if named is None or _NO_SUBJECT.match(sentence):
        return None
    if (found := _DEFINITION.match(sentence)) and _says_which(found["subject"], ("The",)):
        return "definition", f"What {found['is']} {_inside(found)}?", found["answer"].strip()
    if not _says_which(named["subject"], ("The", "A", "An")):
        return None
    if found := _WHEN.match(sentence):
        return "number", f"When {found['be']} {_inside(found)} {found['done']}?", found["answer"]
    if found := _HAS.match(sentence):
        does = {"has": "does", "have": "do", "had": "did"}[found["has"]]
        return "number", f"How many {found['things']} {does} {_inside(found)} have?", _figure(found)
    if found := _IS_LONG.match(sentence):
        far = "far" if found["how"] == "away" else found["how"]
        return "number", f"How {far} {found['be']} {_inside(found)}?", _figure(found)
    if found := _COSTS.match(sentence):
        how = _LONG.get(found["verb"], "much")
        return "number", f"How {how} does {_inside(found)} {_BASE[found['verb']]}?", _figure(found)
    return None


def _says_which(subject: str, articles: tuple[str, ...]) -> bool:
    """After these articles a name must come, or as many words as tell one apart: "The reconstruction" does not."""
    article, *rest = subject.split()
    if {"that", "which", "who"}.intersection(rest):
        return False
    return article not in articles or len(rest) > 3 or any(word[:1].isupper() for word in rest)


def _inside(found: re.Match[str]) -> str:
    """The subject as it reads inside a sentence."""
    subject = found["subject"]
    article, _, rest = subject.partition(" ")
    return f"{article.lower()} {rest}" if article in ("The", "A", "An") else subject


def _figure(found: re.Match[str]) -> str:
    return found["answer"].strip().rstrip(".,")


def _of_tables(document: Document, chance: random.Random) -> Iterator[Draft]:
    for table in document.marks:
        if table.kind == "table":
            rows = list(_rows(document.text, table))
            header = rows[0][2] if rows else []
            if has_header([cells for *_, cells in rows[:2]]) and len(header) > 2:
                for start, end, cells in chance.sample(rows[1:], min(_ROWS, len(rows) - 1)):
                    yield from _of_row(document, header, start, end, cells, chance)


def _rows(text: str, table: Mark) -> Iterator[tuple[int, int, list[str]]]:
    at = table.start
    for line in text[table.start : table.end].split("\n"):
        if line.strip():
            cells = [cell.strip() for cell in re.sub(r"^\||\|$", "", line.strip()).split("|")]
            if any(cell.strip("-: ") for cell in cells):  # or it is the ruler under a header
                yield at, at + len(line), cells
        at += len(line) + 1


def _of_row(
    document: Document, header: list[str], start: int, end: int, cells: list[str], chance: random.Random
) -> Iterator[Draft]:
    """One column of the row, drawn by chance. The row is called what its first cell says."""
    values = [_value(name, cell) for name, cell in zip(header, cells, strict=False)]
    if len(cells) != len(header) or not re.search(r"[^\W\d_]{2}", values[0]) or len(values[0]) > 80:
        return
    columns = [at for at in range(1, len(values)) if values[at] and header[at] and len(values[at]) <= 120]
    if columns:
        at = chance.choice(columns)
        yield _draft("table", f"What is {header[at]} of {values[0]}?", values[at], document, start, end)


def _value(name: str, cell: str) -> str:
    """Rows are written "Header: value" where they are read one by one."""
    return cell.removeprefix(f"{name}: ")


def _draft(kind: Kind, question: str, answer: str, document: Document, start: int, end: int) -> Draft:
    return Draft(kind, question, answer, document.uri, start, end, document.text[start:end])
