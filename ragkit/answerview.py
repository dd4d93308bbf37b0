"""What an answer looks like in a terminal: tables as tables, no word cut in two, and what belongs together indented."""

import re
from collections.abc import Sequence
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ragkit.terminal import plain

_RULE = re.compile(r"\|(?:\s*:?-+:?\s*\|)+")
_BETWEEN = re.compile(r"(?<!\\)\|")
_NARROWEST = 20
"""Cells that are left to a text beside what it hangs on, however narrow the terminal."""


def show_text(text: str, console: Console) -> None:
    """Its lines, wrapped by words; what Markdown reads as a table, as a table."""
    for piped, group in groupby(text.splitlines(), key=_piped):
        lines = list(group)
        if piped and len(lines) > 2 and _RULE.fullmatch(lines[1].strip()):
            _show_table([_cells(line) for line in (lines[0], *lines[2:])], console)
        else:
            for line in lines:
                console.print(plain(line), highlight=False)


def hang(first: str, rest: str, console: Console) -> None:
    """Print markup so that its later lines begin below where `rest` begins, not below `first`."""
    head = Text.from_markup(first, emoji=False)
    width = max(_NARROWEST, console.width - cell_len(head.plain))
    for number, line in enumerate(Text.from_markup(rest, emoji=False).wrap(console, width)):
        line.rstrip()
        before = Text(" " * cell_len(head.plain)) if number else head
        console.print(before + line, highlight=False, soft_wrap=True)


def _show_table(rows: Sequence[Sequence[str]], console: Console) -> None:
    head, *body = rows
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(head), header_style="bold")
    for at in range(max(map(len, rows))):
        table.add_column(plain(head[at]) if at < len(head) else "", overflow="fold")
    for row in body:
        table.add_row(*map(plain, row))
    console.print(table, highlight=False)


def _piped(line: str) -> bool:
    line = line.strip()
    return len(line) > 1 and line.startswith("|") and line.endswith("|")


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in _BETWEEN.split(line.strip())[1:-1]]
