"""The sentences and table rows of passages that an answer may be made of, each with what stands around it."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from ragkit.indexes.analyzer import Analyzer
from ragkit.indexes.sentences import sentences
from ragkit.model import Passage
from ragkit.orders import ordering

_LEANS = re.compile(
    r"\W*(?:(?:and|but|so|also|then|however|thus|therefore|moreover|furthermore|additionally|in addition|later|here)"
    r",?\s+)?(?:he|she|it|they|his|her|hers|its|their|theirs|him|them|this|these|that|those|such|both"
    r"|the (?:latter|former|same)|one of (?:them|these|those))\b"
    r"|\W*(?:in|on|at|during|by)\s+(?:\w+\s+){0,2}\w+,?\s+(?:he|she|they)\b",
    re.IGNORECASE,
)
_STANDS = re.compile(
    r"\W*(?:it (?:is|was|has been) (?:\w+ )?(?:that|to|estimated|believed|known|said|important|possible)"
    r"|(?:this|these|those|that|such|both|his|her|its|their) \w+ (?:of|in|for|by) [A-Z])",
    re.IGNORECASE,
)
"""It begins so, and can be read alone: it is known that; both banks of the Rhine."""
_CELLS = " | "
_FIGURES = re.compile(r"(?<![^\W\d_])\d")
"""Not in a word: not GLM-130B's, nor TASK2VEC's."""
_HEADING = re.compile(r"#{1,6}\s+")
_QUARTER = re.compile(r"\bQ([1-4])\b|\b(first|second|third|fourth)\s+quarter\b", re.IGNORECASE)
_ORDINALS = ("first", "second", "third", "fourth")
_MARKUP = re.compile(r"^(?:#{1,6}|[-*+•‣◦▪●○■□–—])\s+|\*\*|__|^\d{1,2}[.)]\s+(?=\w)")


@dataclass(frozen=True, slots=True)
class Candidate:
    passage: Passage
    start: int
    end: int
    text: str
    """On one line, as it will be read."""
    known: frozenset[str]
    """The terms that it has."""
    around: frozenset[str]
    """Terms of the title, of the headings and of the table's head: what it is about, without saying so."""
    label: frozenset[str]
    """Terms of a row's first cell: what the row is about."""
    before: frozenset[str]
    """Terms of the sentences before it."""
    above: str
    """The heading over it, in the passage."""
    row: bool
    heading: bool
    leans: bool
    """It begins with a word that stands for something said before it."""
    previous: "Candidate | None" = field(repr=False, compare=False)
    """The sentence before, if no paragraph ends between the two."""
    head: "Candidate | None" = field(repr=False, compare=False)
    """The row with the names of the columns, where the cells do not say them."""

    @property
    def range(self) -> tuple[int, int, int]:
        return self.passage.number, self.start, self.end


def candidates(passages: Sequence[Passage], analyzer: Analyzer) -> list[Candidate]:
    """Without what gives orders to a model: it answers nothing."""
    return [one for passage in passages for one in _of(passage, analyzer)]


def _of(passage: Passage, analyzer: Analyzer) -> Iterator[Candidate]:
    title = frozenset(analyzer.terms(passage.title))
    titles = frozenset(_even(part) for part in passage.title.split(" > "))
    text = passage.text
    head: Candidate | None = None
    group: frozenset[str] = frozenset()
    above = ""
    last: Candidate | None = None
    before, last_terms = frozenset[str](), frozenset[str]()
    orders = ordering(text)
    ranges = [
        (start, end)
        for start, end in sentences(text, 0, len(text))
        if not any(first < end and start < last for first, last in orders)
    ]
    for at, (start, end) in enumerate(ranges):
        said = text[start:end]
        follows = text[slice(*ranges[at + 1])] if at + 1 < len(ranges) else ""
        terms = frozenset(analyzer.terms(said)) | _otherwise(said)
        readable = _readable(said)
        row = _CELLS in said
        adjacent = last is not None and text.count("\n", last.end, start) < 2 and not last.row and not last.heading
        if not row:
            head = None
        first = last is None or not last.row
        heading = _heads(said, follows, first) if row else _is_heading(said, terms) or _even(readable) in titles
        around = title | group
        if head is not None:
            around |= head.known
        one = Candidate(
            passage, start, end, readable, terms, around,
            frozenset(analyzer.terms(said.strip("| ").partition(_CELLS)[0])) if row else frozenset(),
            before | last_terms, above, row, heading,
            not row and bool(_LEANS.match(said)) and not _STANDS.match(said),
            last if adjacent and not row and not heading else None, None if _is_labelled(said) else head,
        )  # fmt: skip
        if row and heading:
            head = one
        elif heading or (not row and said.rstrip().endswith(":")):
            group, above = one.known, said
        before, last_terms, last = last_terms, terms, one
        yield one


def _otherwise(said: str) -> frozenset[str]:
    """Q3 is the third quarter, and the other way round. The terms are their own stems."""
    found: set[str] = set()
    if "Q" not in said and "uarter" not in said:
        return frozenset()
    for match in _QUARTER.finditer(said):
        if match[1]:
            found |= {_ORDINALS[int(match[1]) - 1], "quarter"}
        else:
            found.add(f"q{_ORDINALS.index(match[2].lower()) + 1}")
    return frozenset(found)


def _is_heading(said: str, terms: Collection[str]) -> bool:
    """A line of a few words without a stop."""
    if _HEADING.match(said):
        return True
    return len(terms) <= 10 and said[-1] not in ".!?;,\"'”’)]" and not said.lstrip().startswith(("-", "*", "•")) and (
        not _FIGURES.search(said) or len(terms) <= 3
    )  # fmt: skip


def _heads(row: str, follows: str, first: bool) -> bool:
    """The first of some rows, without figures; or what each cell of the row below says again."""
    cells = [cell.strip() for cell in row.split("|")]
    said_again = [cell.partition(": ")[0].strip() for cell in follows.split("|")] == cells
    return said_again or (first and _names_columns(row))


def _names_columns(row: str) -> bool:
    """No figures but years and periods."""
    cells = [cell.strip() for cell in row.split("|")]
    return all(not _FIGURES.search(re.sub(r"\b(?:19|20)\d\d\b|Q[1-4]", "", cell)) for cell in cells) and not any(
        ": " in cell for cell in cells
    )


def _is_labelled(row: str) -> bool:
    """Each cell says its column, as `Quarter: Q1 2025`."""
    return all(": " in cell or not cell.strip() for cell in row.split("|"))


def _even(text: str) -> str:
    return " ".join(text.casefold().split())


def _readable(said: str) -> str:
    return " ".join(_MARKUP.sub("", said).split())
