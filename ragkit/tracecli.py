"""`ragkit trace`: what the last asks did."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from ragkit.options import JsonOption, WorkspaceOption, opened
from ragkit.terminal import print_json, stderr, stdout


def trace(
    id: Annotated[str | None, typer.Argument(help="The beginning of its id, or: last.", metavar="ID")] = None,
    limit: Annotated[int, typer.Option("-n", min=1, help="How many to list.")] = 20,
    texts: Annotated[bool, typer.Option("--texts", help="Print questions, prompts and replies too.")] = False,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """List the last asks, or show step by step what one of them did."""
    from ragkit.trace import as_json
    from ragkit.tracestore import FILE, TraceStore
    from ragkit.traceview import show, show_list
    from ragkit.workspace import STATE

    with closing(TraceStore(opened(workspace).path / STATE / FILE)) as store:
        found = None if id is None else store.get(id)
        traces = store.list(limit) if found is None else ()
    if found is not None:
        if json:
            print_json(as_json(found))
        else:
            show(found, stdout, texts)
        return
    if json:
        rows = [as_json(one) for one in traces]
        print_json({"traces": [{key: value for key, value in row.items() if key != "spans"} for row in rows]})
        return
    show_list(traces, stdout)
    if not traces:
        stderr.print("No ask was traced yet. Make one with: ragkit ask", highlight=False)
