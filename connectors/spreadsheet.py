"""Workbooks: a sheet is a mark, each block of cells in it a table, and a row reads "Header: value | Header: value".

openpyxl reads .xlsx, because it tells how a number is shown (12 %, not 0.12); calamine reads .xls and .ods.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

from ragkit.connectors.builder import Builder
from ragkit.connectors.cellvalue import shown
from ragkit.connectors.container import open_zip
from ragkit.connectors.formats import XLSX
from ragkit.connectors.office import comments, describe
from ragkit.connectors.source import Source
from ragkit.connectors.table import write_table
from ragkit.errors import Unreadable, import_extra

Grid = list[list[str]]


_FORMULA_ALONE = re.compile(rb"<c [^>]*r=\"([A-Z]+[0-9]+)\"[^>]*>\s*<f[^>]*>[^<]*</f>\s*(?:<v></v>|<v/>)?\s*</c>")
_MERGED = re.compile(rb"<mergeCell [^>]*ref=\"([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)\"")
_WIDEST, _LONGEST = 200, 10_000
"""How many columns and rows one merged cell is repeated over."""


def parse(source: Source, out: Builder) -> None:
    if source.media_type == XLSX.media_type:
        with open_zip(source.data) as archive:
            _with_openpyxl(source.data, archive, out)
    else:
        for number, (name, grid) in enumerate(_with_calamine(source.data), 1):
            _sheet(name, number, grid, (), out)


def _with_calamine(data: bytes) -> list[tuple[str, Grid]]:
    calamine = import_extra("python_calamine", "office")
    try:
        book: Any = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [(name, book.get_sheet_by_name(name).to_python(skip_empty_area=True)) for name in book.sheet_names]
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic of its Rust code is no Exception
        raise Unreadable(
            f"The workbook is damaged or protected by a password ({error}).", "Open it and save it as .xlsx."
        ) from error
    return [(name, [[shown(value) for value in row] for row in rows]) for name, rows in sheets]


def _with_openpyxl(data: bytes, archive: zipfile.ZipFile, out: Builder) -> None:
    openpyxl = import_extra("openpyxl", "office")
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    without_result: list[str] = []
    try:
        describe(archive, book.properties, out)
        for number, sheet in enumerate(book.worksheets, 1):
            sheet.reset_dimensions()  # else every row is filled up to the last column that any cell stands in
            grid = [_trimmed(shown(cell.value, cell.number_format) for cell in row) for row in sheet.iter_rows()]
            part = str(getattr(sheet, "_worksheet_path", "")).lstrip("/")  # the only place that tells
            if part in archive.namelist():
                xml = archive.read(part)
                _repeat_merged(xml, grid)
                without_result += [f"{sheet.title}!{cell.decode()}" for cell in _FORMULA_ALONE.findall(xml)]
            _sheet(sheet.title, number, grid, list(comments(archive, part)), out)
    finally:
        book.close()
    if without_result:
        out.metadata["formulas_without_result"] = without_result[:100]


def _trimmed(cells: Iterator[str]) -> list[str]:
    row = list(cells)
    while row and not row[-1]:
        row.pop()
    return row


def _repeat_merged(xml: bytes, grid: Grid) -> None:
    """What a merged cell says, in every row and column that it covers: so each row can be read on its own."""
    for left, top, right, bottom in _MERGED.findall(xml):
        first_row, first_column = int(top) - 1, _column(left)
        if first_row >= len(grid) or first_column >= len(grid[first_row]):
            continue
        text = grid[first_row][first_column]
        for row in grid[first_row : min(int(bottom), first_row + _LONGEST)]:
            last_column = min(_column(right), first_column + _WIDEST)
            row += [""] * (last_column + 1 - len(row))
            row[first_column : last_column + 1] = [text] * (last_column + 1 - first_column)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1


def _sheet(name: str, number: int, grid: Grid, remarks: Sequence[str], out: Builder) -> None:
    out.separate()
    with out.mark("sheet", label=name, number=number):
        out.heading(name, 1)
        for block in _blocks(grid):
            write_table(block, out)
        for remark in remarks:
            out.block(remark)
    out.separate()


def _blocks(grid: Sequence[Sequence[str]]) -> Iterator[Grid]:
    """The tables of a sheet: what is left when it is cut along its empty rows and columns, again and again."""
    by_rows = list(_runs(grid))
    if len(by_rows) > 1:
        for part in by_rows:
            yield from _blocks(part)
    elif by_rows:
        width = max(len(row) for row in by_rows[0])
        square = [row + [""] * (width - len(row)) for row in by_rows[0]]
        by_columns = [list(map(list, zip(*part, strict=True))) for part in _runs(list(zip(*square, strict=True)))]
        if len(by_columns) > 1:
            for part in by_columns:
                yield from _blocks(part)
        else:
            yield from by_columns


def _runs(rows: Sequence[Sequence[str]]) -> Iterator[Grid]:
    run: Grid = []
    for row in rows:
        if any(row):
            run.append(list(row))
        elif run:
            yield run
            run = []
    if run:
        yield run
