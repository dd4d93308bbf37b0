"""Workbooks: a sheet is a mark, each block of cells in it a table, and a row reads "Header: value | Header: value".

openpyxl reads .xlsx, because it tells how a number is shown (12 %, not 0.12); calamine reads .xls and .ods.
"""

import datetime
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

from ragkit.connectors.builder import Builder
from ragkit.connectors.docx import describe
from ragkit.connectors.formats import XLSX
from ragkit.connectors.officezip import comments, open_zip
from ragkit.connectors.source import Source
from ragkit.connectors.table import write_table
from ragkit.errors import import_extra

Grid = list[list[str]]


def parse(source: Source, out: Builder) -> None:
    if source.media_type == XLSX.media_type:
        with open_zip(source.data) as archive:
            _with_openpyxl(source.data, archive, out)
        return
    book = import_extra("python_calamine", "office").CalamineWorkbook.from_filelike(io.BytesIO(source.data))
    for number, name in enumerate(book.sheet_names, 1):
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=True)
        _sheet(name, number, [[shown(value) for value in row] for row in rows], (), out)


def _with_openpyxl(data: bytes, archive: zipfile.ZipFile, out: Builder) -> None:
    openpyxl = import_extra("openpyxl", "office")
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    try:
        describe(book.properties, out)
        for number, sheet in enumerate(book.worksheets, 1):
            grid = [[shown(cell.value, cell.number_format) for cell in row] for row in sheet.iter_rows()]
            part = str(getattr(sheet, "_worksheet_path", "")).lstrip("/")  # the only place that tells
            _sheet(sheet.title, number, grid, list(comments(archive, part)), out)
    finally:
        book.close()


def _sheet(name: str, number: int, grid: Grid, remarks: Sequence[str], out: Builder) -> None:
    out.separate()
    with out.mark("sheet", label=name, number=number):
        out.heading(name, 1)
        for block in _blocks(grid):
            write_table(block, out)
        for remark in remarks:
            out.block(remark)
    out.separate()


def _blocks(grid: Grid) -> Iterator[Grid]:
    """The tables of a sheet: what is left when it is cut along its empty rows and columns, again and again."""
    width = max((len(row) for row in grid), default=0)
    square = [row + [""] * (width - len(row)) for row in grid]
    by_rows = list(_runs(square))
    if len(by_rows) > 1:
        for part in by_rows:
            yield from _blocks(part)
    elif by_rows:
        by_columns = [list(map(list, zip(*part, strict=True))) for part in _runs(list(zip(*by_rows[0], strict=True)))]
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


def shown(value: Any, format: str | None = None) -> str:
    """A cell as its reader sees it, as far as that can be told."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        value = value.date()
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()
    if isinstance(value, int | float):
        return _number(value, format or "")
    return " ".join(str(value).split())


def _number(value: float, format: str) -> str:
    if "%" in format:
        decimals = re.search(r"\.([0#]+)%", format)
        return f"{value * 100:.{len(decimals[1]) if decimals else 0}f}%"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return str(value) if isinstance(value, int) else f"{value:.12g}"
