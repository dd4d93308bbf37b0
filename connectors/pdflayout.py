"""From lines on pages to text in paragraphs: words joined, headings and tables marked, sentences led over the page."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ragkit.connectors.builder import Builder
from ragkit.connectors.pdfheadings import Outline, mark_headings
from ragkit.connectors.pdfpage import Line, Page, tidy
from ragkit.connectors.pdfrunning import take_out_running_heads

_ITEM = re.compile(r"[•‣▪●○◦■□➢–—∙·*-]\s|\(?(?:\d{1,3}|[a-z]|[ivxlc]{1,5})[.)]\s|[A-Z]\)\s|\[\d{1,3}\]\s")
_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*")
_LAST_WORD = re.compile(r"([^\W_]+(?:-[^\W_]+)*)-?$")
_FIRST_WORD = re.compile(r"[^\W_]+")
_CONJUNCTIONS = frozenset(("and", "or", "to", "und", "oder", "bis", "et", "ou"))
"""What follows a hyphen that stands for the rest of a word: "pre- and post-war"."""
_RAGGED = 3.0
"""In font sizes: how far the lines of a paragraph may stop short of the column's edge with room for another word."""


def compose(pages: Sequence[Page], outline: Outline, out: Builder) -> None:
    running = take_out_running_heads(pages)
    if running:
        out.metadata["running_heads"] = running
    for page in pages:
        tidy(page)
    mark_headings(pages, outline)
    words = _whole_words(pages)
    last: Line | None = None
    for page in pages:
        blocks = list(_blocks(page))
        if last and blocks and blocks[0].kind == "text" and _goes_on_overleaf(last, blocks[0].lines[0]):
            blocks[0].goes_on = True
        with out.mark("page", label=page.label or str(page.number), number=page.number):
            for block in blocks:
                last = _write(block, last, words, out)
            for name, value in page.fields:
                out.block(f"{name}: {value}", gap="\n")
        if blocks and blocks[-1].kind != "text":
            last = None


# --- blocks ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Block:
    kind: str
    """`text`, `heading` or `table`."""
    lines: list[Line]
    goes_on: bool = False
    """It goes on where the page before broke off."""


def _blocks(page: Page) -> Iterator[_Block]:
    lines = page.lines
    pitch = _pitch(lines)
    at = 0
    while at < len(lines):
        end = _table_end(lines, at, pitch)
        if end > at:
            yield _Block("table", lines[at:end])
            at = end
            continue
        level = lines[at].level
        end = at + 1
        if level:
            while end < len(lines) and lines[end].level == level and _below(lines[end - 1], lines[end], 1.6):
                end += 1
            yield _Block("heading", lines[at:end])
        else:
            right = _right_edge(lines, at)
            while end < len(lines) and not lines[end].level and _table_end(lines, end, pitch) == end:
                if not _continues(lines[end - 1], lines[end], right, pitch):
                    break
                end += 1
                right = max(right, lines[end - 1].right)
            yield _Block("text", lines[at:end])
        at = end


def _pitch(lines: Sequence[Line]) -> float:
    """From one line to the next, in font sizes: 1.2 in most books, 2 where typed double-spaced."""
    steps = [
        (above.base - below.base) / above.size
        for above, below in pairwise(lines)
        if above.size and 0.8 < (above.base - below.base) / above.size < 3 and abs(above.size - below.size) < 1
    ]
    return median(steps) if steps else 1.3


def _below(above: Line, below: Line, pitch: float) -> bool:
    size = max(above.size, below.size)
    return 0 < above.base - below.base <= pitch * 1.3 * size and abs(above.size - below.size) <= 0.2 * size


def _right_edge(lines: Sequence[Line], at: int) -> float:
    """How far right the column reaches that the line stands in."""
    here = lines[at]
    edge = here.right
    for line in lines[at + 1 : at + 60]:
        if line.is_row or line.base >= here.base or line.left > here.right or line.right < here.left:
            break
        edge = max(edge, line.right)
    return edge


def _continues(above: Line, below: Line, right: float, pitch: float) -> bool:
    """Whether the second line goes on with the paragraph of the first."""
    if not above.size:
        return False  # nothing is known of places; a line is all there is
    if above.hyphenated:
        return True
    if above.is_row or below.is_row or _ITEM.match(below.text):
        return False
    if above.base <= below.base:
        return _goes_on_overleaf(above, below)
    size, room = above.size, right - above.right
    overlap = below.left < above.right and above.left < below.right
    if not overlap or not _below(above, below, max(pitch, 0.9)):
        return False
    if _is_unfinished(above, below) and above.right - above.left > 0.5 * (right - above.left):
        return True
    fits = room > (len(below.text.split(" ", 1)[0]) + 1) * 0.5 * size + _RAGGED * size
    indented = below.left - above.left > 0.8 * size and not _ITEM.match(above.text)
    return not fits and not indented


def _is_unfinished(above: Line, below: Line) -> bool:
    return above.text[-1] not in ".:;?!" and below.text[0].islower()


def _goes_on_overleaf(above: Line, below: Line) -> bool:
    """At the top of the next column or page: a sentence that has not ended, and goes on in lower case."""
    if above.hyphenated:
        return True
    return (
        bool(above.size)
        and abs(above.size - below.size) < 0.6
        and _is_unfinished(above, below)
        and len(above.text) > 20
        and not below.is_row
        and not above.is_row
    )


def _table_end(lines: Sequence[Line], start: int, pitch: float) -> int:
    """Where the table that begins here ends: rows of cells, between which a lone label may stand. `start` if none."""
    if not lines[start].is_row:
        return start
    end, rows = start + 1, 1
    for at in range(start + 1, len(lines)):
        if not 0 < lines[at - 1].base - lines[at].base < max(3.0, 2 * pitch) * max(lines[at].size, 1):
            break
        if lines[at].is_row:
            end, rows = at + 1, rows + 1
        elif at - end >= 2 or len(lines[at].text) > 100:
            break
    return end if rows >= 2 else start


# --- writing ---------------------------------------------------------------------------------------------------


def _write(block: _Block, last: Line | None, words: Counter[str], out: Builder) -> Line | None:
    if block.kind == "heading":
        out.heading(_joined(block.lines, words), block.lines[0].level)
        return None
    if block.kind == "table":
        out.table(line.cells or (line.text,) for line in block.lines)
        return None
    if not (block.goes_on and last):
        out.separate()
    elif not (last.hyphenated and not _keeps_hyphen(last, block.lines[0], words)):
        out.separate("-" if last.hyphenated else "\n")
    out.write(_joined(block.lines, words))
    return block.lines[-1]


def _joined(lines: Sequence[Line], words: Counter[str]) -> str:
    parts = []
    for line, after in zip(lines, [*lines[1:], None], strict=True):
        parts.append(" | ".join(line.cells) if line.is_row else line.text)
        if after is not None:
            parts.append(_between(line, after, words))
    return "".join(parts)


def _whole_words(pages: Sequence[Page]) -> Counter[str]:
    """How often the document writes each word, counting no halves of words broken at a line's end."""
    words: Counter[str] = Counter()
    broken = False
    for page in pages:
        for line in page.lines:
            found = _WORD.findall(line.text.lower())
            words.update(found[broken : -1 if line.hyphenated else None])
            broken = line.hyphenated
    return words


def _between(line: Line, after: Line, words: Counter[str]) -> str:
    if line.hyphenated:
        if after.text.split(" ", 1)[0] in _CONJUNCTIONS:
            return "- "
        return "-" if _keeps_hyphen(line, after, words) else ""
    return " "


def _keeps_hyphen(line: Line, after: Line, words: Counter[str]) -> bool:
    """Of a word broken at a line's end: whether the hyphen is its own, as the rest of the document writes it."""
    head, tail = _LAST_WORD.search(line.text), _FIRST_WORD.match(after.text)
    if not head or not tail or not tail[0][0].islower() or head[1][-1].isdigit():
        return True
    start = head[1].lower()
    joined, hyphened = start + tail[0].lower(), f"{start}-{tail[0].lower()}"
    if words[joined] != words[hyphened]:
        return words[hyphened] > words[joined]
    apart = len(start) > 2 and len(tail[0]) > 3 and words[start] and words[tail[0].lower()]
    return bool("-" in start or apart)
