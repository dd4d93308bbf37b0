"""CSV and TSV: one table; with a header, a row reads "Header: value | Header: value"."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import NamedTuple

from ragkit.connectors.builder import Builder
from ragkit.connectors.formats import TSV
from ragkit.connectors.source import Source

_LONGEST_FIELD = 50_000_000
_WIDEST, _LONGEST = 100, 1000
"""How many columns and rows one merged cell may claim: a page can say a billion."""
_NUMBER = re.compile(r"^[\s$€£¥(+-]*[\d.,]+\s*[%)]?$")


def parse(source: Source, out: Builder) -> None:
    text = source.text()
    csv.field_size_limit(_LONGEST_FIELD)
    delimiter = "\t" if source.media_type == TSV.media_type else _delimiter(text)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    write_table(([" ".join(cell.split()) for cell in row] for row in rows), out)


def _delimiter(text: str) -> str:
    """The sign that cuts the first lines into equally many fields; the comma where none does."""
    lines = text.splitlines()[:30]
    best, most = ",", 0
    for delimiter in ",;\t|":
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        usual = max(set(widths), key=widths.count, default=0)
        score = widths.count(usual) * (usual > 1) * 100 + usual
        if score > most and usual > 1:
            best, most = delimiter, score
    return best


def write_table(rows: Iterable[Sequence[str]], out: Builder) -> None:
    """With a header each row is read on its own: every value has its header before it."""
    filled = (row for row in rows if any(row))
    first = list(islice(filled, 2))
    if not has_header(first):
        out.table(chain(first, filled))
        return
    header = first[0]
    named = ([_named(header, at, value) for at, value in enumerate(row) if value] for row in chain(first[1:], filled))
    out.table(chain([header], named))


def _named(header: Sequence[str], at: int, value: str) -> str:
    return f"{header[at]}: {value}" if at < len(header) and header[at] else value


class Cell(NamedTuple):
    """A cell as a document has it: merged ones cover several rows or columns."""

    text: str
    rows: int = 1
    columns: int = 1


def spread(table: Iterable[Iterable[Cell]]) -> list[list[str]]:
    """What a merged cell says, in every row and column that it covers: so each row can be read on its own."""
    due: dict[int, tuple[int, str]] = {}
    spread_out = []
    for cells in table:
        row: list[str] = []
        left = iter(cells)
        while True:
            at = len(row)
            if at in due:
                rows, text = due.pop(at)
                row.append(text)
                if rows > 1:
                    due[at] = (rows - 1, text)
                continue
            cell = next(left, None)
            if cell is None:
                if not any(column > at for column in due):
                    break
                cell = Cell("")
            for column in range(at, at + min(max(cell.columns, 1), _WIDEST)):
                row.append(cell.text)
                if cell.rows > 1:
                    due[column] = (min(cell.rows, _LONGEST) - 1, cell.text)
        spread_out.append(row)
    return spread_out


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """The first row names the columns: several different words, no figures."""
    if len(rows) < 2 or len(rows[0]) < 2:
        return False
    names = [name for name in rows[0] if name]
    return (
        len(names) > 1
        and len(names) >= len(rows[0]) - 1
        and len(set(names)) == len(names)
        and not any(_NUMBER.match(name) or len(name) > 100 for name in names)
    )
