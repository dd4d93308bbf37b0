"""From passages to citations: numbers that a text names become ranges of documents, others are dropped."""

from collections.abc import Sequence
from dataclasses import replace

from ragkit.answer import Answer, Citation
from ragkit.indexes.hit import Hit
from ragkit.markers import MARKER, single
from ragkit.model import Passage


def passages(hits: Sequence[Hit]) -> tuple[Passage, ...]:
    return tuple(Passage(number, _title(hit.title, hit.headings), hit.text) for number, hit in enumerate(hits, 1))


def cited(text: str, hits: Sequence[Hit]) -> tuple[str, tuple[Citation, ...]]:
    """The text without numbers of passages that were not given, and a citation for each that was."""
    text = single(text)
    known = {str(number): hit for number, hit in enumerate(hits, 1)}
    found = dict.fromkeys(match[1] for match in MARKER.finditer(text) if match[1] in known)
    return _kept(text, set(known)), tuple(_citation(int(number), known[number]) for number in found)


def again(text: str, citations: Sequence[Citation]) -> tuple[str, tuple[Citation, ...]]:
    """The same for a text that was written from what other texts cite."""
    text = single(text)
    known = {str(one.marker): one for one in citations}
    found = dict.fromkeys(match[1] for match in MARKER.finditer(text) if match[1] in known)
    return _kept(text, set(known)), tuple(known[number] for number in found)


def numbered(parts: Sequence[Answer]) -> tuple[Answer, ...]:
    """The parts with numbers that are unique among them, in their order, however they were asked."""
    numbers: dict[tuple[str, str, int, int], int] = {}
    made = []
    for part in parts:
        new = {one.marker: numbers.setdefault(_place(one), len(numbers) + 1) for one in part.citations}
        citations = tuple(replace(one, marker=new[one.marker]) for one in part.citations)
        made.append(replace(part, text=_renamed(part.text, new), citations=citations))
    return tuple(made)


def quoted(citations: Sequence[Citation]) -> tuple[Passage, ...]:
    """What is cited, as passages."""
    return tuple(Passage(one.marker, _title(one.title, one.headings), one.quote) for one in citations)


def bare(text: str) -> str:
    """Without numbers, to stand in another question."""
    return MARKER.sub("", text).strip()


def _renamed(text: str, new: dict[int, int]) -> str:
    return MARKER.sub(lambda match: match[0].replace(match[1], str(new.get(int(match[1]), match[1]))), text)


def _kept(text: str, known: set[str]) -> str:
    return MARKER.sub(lambda match: match[0] if match[1] in known else "", text).strip()


def _citation(number: int, hit: Hit) -> Citation:
    return Citation(number, hit.uri, hit.domain, hit.title, hit.pages, hit.headings, hit.start, hit.end, hit.text)


def _place(one: Citation) -> tuple[str, str, int, int]:
    return one.domain, one.uri, one.start, one.end


def _title(title: str, headings: Sequence[str]) -> str:
    return " > ".join(part for part in (title, *headings) if part)
