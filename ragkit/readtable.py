"""What `ragkit read` shows: documents as a table, and below it what failed and what was passed over."""

from collections import Counter
from typing import Any

from rich.table import Table

from ragkit.connectors.formats import FORMATS
from ragkit.terminal import plain, stderr, stdout


def row(document: Any) -> dict[str, Any]:
    marks = Counter(mark.kind for mark in document.marks)
    return {
        "uri": document.uri,
        "title": document.title,
        "media_type": document.media_type,
        "characters": len(document.text),
        "marks": dict(sorted(marks.items())),
    }


_MOST_ROWS = 60


def show_documents(rows: list[dict[str, Any]]) -> None:
    """A row a document; of many, a row a format."""
    names = {format.media_type: format.words for format in FORMATS}
    rows = [{**row, "format": names.get(row["media_type"], row["media_type"])} for row in rows]
    if len(rows) > _MOST_ROWS:
        _show_formats(rows)
        return
    table = Table("Document", "Format", "Characters", "Marks", box=None, header_style="bold")
    table.columns[0].no_wrap = max(len(row["uri"]) for row in rows) < 50 if rows else False
    table.columns[0].overflow = "fold"
    table.columns[2].justify = "right"
    for row in rows:
        marks = ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in row["marks"].items())
        table.add_row(plain(row["uri"]), plain(row["format"]), f"{row['characters']:,}", marks)
    if rows:
        stdout.print(table)


def _show_formats(rows: list[dict[str, Any]]) -> None:
    table = Table("Format", "Documents", "Characters", "Marks", box=None, header_style="bold")
    table.columns[1].justify = table.columns[2].justify = "right"
    for name in sorted({row["format"] for row in rows}):
        own = [row for row in rows if row["format"] == name]
        marks = sum((Counter(row["marks"]) for row in own), Counter[str]())
        told = ", ".join(f"{count:,} {kind}{'s' * (count > 1)}" for kind, count in sorted(marks.items()))
        table.add_row(plain(name), f"{len(own):,}", f"{sum(row['characters'] for row in own):,}", told)
    stdout.print(table)


def show_rest(count: int, failed: list[dict[str, str]], skipped: Counter[str], seconds: float) -> None:
    for row in failed[:_MOST_ROWS]:
        stderr.print(f"[red]✗[/] {plain(row['uri'])}: {plain(row['reason'])} {plain(row['hint'])}", highlight=False)
    if len(failed) > _MOST_ROWS:
        stderr.print(f"[red]✗[/] and {len(failed) - _MOST_ROWS:,} more; --json shows them all", highlight=False)
    words = [f"{count} document{'s' * (count != 1)} read in {seconds:.1f} s"]
    words += [f"{len(failed)} failed"] * bool(failed)
    if skipped:
        words.append("skipped " + ", ".join(f"{number} {plain(why)}" for why, number in sorted(skipped.items())))
    stderr.print("; ".join(words), highlight=False)
