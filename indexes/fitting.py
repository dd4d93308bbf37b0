"""The last step of every chunker: ranges become chunks, and are really counted; what does not fit is cut again."""

import re
from bisect import bisect_right
from collections.abc import Iterable

from ragkit.errors import InvalidInput
from ragkit.indexes.atoms import trimmed, whole
from ragkit.indexes.chunk import Chunk
from ragkit.indexes.header import Request, headers, request
from ragkit.indexes.measure import Measure
from ragkit.indexes.outline import Outline
from ragkit.indexes.sentences import Range

_BORDERS = tuple(
    re.compile(pattern)
    for pattern in (r"\n\s*\n", r"[\n\r\f]", r"[.!?…][\"'”’»)\]}]*\s|[。！？؟۔।॥]", r"[,;:،]\s|[，；：、]", r"\s")
)


def fitted(outline: Outline, ranges: Iterable[Range], measure: Measure, headed: bool = True) -> list[Chunk]:
    """In order of start. A sum of counts may deceive, the count of what will be embedded does not."""
    text = outline.text
    done: list[Chunk] = []
    todo = [found for start, end in ranges if (found := trimmed(text, start, end))[0] < found[1]]
    while todo:
        requests = [request(outline, start, end) if headed else Request(()) for start, end in todo]
        written = headers(requests, measure)
        made = [_chunk(outline, one, written[asked]) for one, asked in zip(todo, requests, strict=True)]
        todo = []
        for chunk, fits in zip(made, measure.fits([chunk.indexed for chunk in made]), strict=True):
            if fits:
                done.append(chunk)
            elif chunk.end - chunk.start > 1:
                todo += [found for half in _halves(text, chunk) if (found := trimmed(text, *half))[0] < found[1]]
            else:
                done.append(_bare(outline, chunk, measure))
    return sorted(done, key=lambda chunk: (chunk.start, chunk.end))


def _chunk(outline: Outline, found: Range, header: str) -> Chunk:
    start, end = found
    return Chunk(
        start=start,
        end=end,
        text=outline.text[start:end],
        headings=tuple(heading.label for heading in outline.section(start).path),
        header=header,
        pages=outline.pages(start, end),
    )


def _bare(outline: Outline, chunk: Chunk, measure: Measure) -> Chunk:
    """A single character, without its header."""
    if not measure.fits([chunk.text])[0]:
        raise InvalidInput(
            f"The character {chunk.text!r} alone takes more than the {measure.limit} tokens that a chunk may have.",
            "Use a larger chunk size, or an embedder with a larger window.",
        )
    return _chunk(outline, (chunk.start, chunk.end), "")


def _halves(text: str, chunk: Chunk) -> tuple[Range, Range]:
    """At the best border in the middle half: a paragraph's end, a line's, a sentence's, a clause's, a word's."""
    length = chunk.end - chunk.start
    middle = chunk.start + length // 2
    low, high = chunk.start + length // 4, chunk.end - length // 4
    for border in _BORDERS:
        cuts = [match.end() for match in border.finditer(text, low, high)]
        if cuts:
            after = bisect_right(cuts, middle)
            cut = min(cuts[max(0, after - 1) : after + 1], key=lambda at: abs(at - middle))
            if chunk.start < cut < chunk.end:
                return (chunk.start, cut), (cut, chunk.end)
    cut = whole(text, middle, chunk.start)
    return (chunk.start, cut), (cut, chunk.end)
