"""CSV and TSV: one table; with a header, a row reads "Header: value | Header: value"."""

import csv
import io
import re
from collections.abc import Sequence

from ragkit.connectors.builder import Builder
from ragkit.connectors.formats import TSV
from ragkit.connectors.source import Source

_LONGEST_FIELD = 50_000_000
_NUMBER = re.compile(r"^[\s$€£¥(+-]*[\d.,]+\s*[%)]?$")


def parse(source: Source, out: Builder) -> None:
    text = source.text()
    csv.field_size_limit(_LONGEST_FIELD)
    delimiter = "\t" if source.media_type == TSV.media_type else _delimiter(text)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    write_table([[" ".join(cell.split()) for cell in row] for row in rows], out)


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


def write_table(rows: Sequence[Sequence[str]], out: Builder) -> None:
    """With a header each row is read on its own: every value has its header before it."""
    rows = [row for row in rows if any(row)]
    if not has_header(rows):
        out.table(rows)
        return
    header = rows[0]
    out.table([header] + [[_named(header, at, value) for at, value in enumerate(row) if value] for row in rows[1:]])


def _named(header: Sequence[str], at: int, value: str) -> str:
    return f"{header[at]}: {value}" if at < len(header) and header[at] else value


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
