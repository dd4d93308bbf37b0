"""`ragkit eval route`: how often questions go where they belong."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ragkit.errors import InvalidInput, nearest_of
from ragkit.eval.options import JsonOption, WorkspaceOption, check_unique
from ragkit.eval.report import plural
from ragkit.eval.routed import COVERAGE, Routed, check_known, placed, routed
from ragkit.router import BY
from ragkit.terminal import plain, print_json, stderr, stdout
from ragkit.workspace import FILE, Workspace


def route(
    questions: Annotated[
        Path, typer.Argument(help='A JSON object a line: {"question": "…", "domain": "NAME or none"}.')
    ],
    by: Annotated[str, typer.Option(help="Apart by commas: cascade, keyword, semantic, evidence, model.")] = "cascade",
    model: Annotated[str | None, typer.Option("--model", help="Asked where the others are not sure.")] = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Measure how often questions go where they belong, and how sure the router is of it."""
    chosen = [name.strip() for name in by.split(",")]
    check_unique("selectors", chosen)
    for name in chosen:
        if name not in BY:
            raise InvalidInput(f"There is no selector {name!r}.{nearest_of(name, BY)}", f"There are: {', '.join(BY)}.")
    if not (workspace / FILE).exists():
        raise InvalidInput(
            f"{workspace} is no workspace: it has no {FILE}.", f"Make it one with: ragkit init {workspace}"
        )
    asked, silent = placed(questions)
    place = Workspace(workspace)
    try:
        check_known(asked, list(place.domains))
        found = [routed(place, asked, name, model) for name in chosen]
    finally:
        place.close()
    if silent:
        stderr.print(
            f"[yellow]![/] {plural(silent, 'question')} of the file say not where they belong.", highlight=False
        )
    if json:
        outside = sum(not one.domain for one in asked)
        print_json({"questions": len(asked), "outside": outside, "selectors": {one.by: one.plain() for one in found}})
        return
    _show(found)


def _show(found: list[Routed]) -> None:
    at = f"At\n{COVERAGE:.0%}"
    heads = ("", "Accuracy", at, "Among\nchosen", "Outside\nfound", "Sure", "Right\nif sure", "p50\nms")
    rows = [
        [one.by, _share(one.accuracy), _share(one.at_coverage), _share(one.among), _share(one.outside),
         _share(one.committed.coverage), _share(one.committed.accuracy), f"{one.seconds * 1000:.1f}"]
        for one in found
    ]  # fmt: skip
    _print("Selectors", heads, rows)
    for one in found:
        scores = [
            [name, _share(score.precision), _share(score.recall), f"{score.belonging:,}", f"{score.sent:,}"]
            for name, score in one.domains.items()
        ]
        _print(one.by, ("", "Precision", "Recall", "Belonging", "Sent"), scores)


def _print(title: str, heads: tuple[str, ...], rows: list[list[str]]) -> None:
    table = Table(*heads, title=plain(title), title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*map(plain, row))
    stdout.print(table)
    stdout.print()


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
