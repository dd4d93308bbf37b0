"""The command line: one function a command. 0: done, 1: the work failed, 2: wrong usage."""

import atexit
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.table import Table
from typer.core import TyperGroup

from ragkit import __version__
from ragkit.askcli import ask
from ragkit.chatcli import chat
from ragkit.errors import InvalidInput, RagkitError
from ragkit.options import (
    DomainsOption,
    JsonOption,
    RerankerOption,
    StrategyOption,
    WhereOption,
    WorkspaceOption,
    opened,
)  # fmt: skip
from ragkit.routecli import app as routes
from ragkit.terminal import Output, complain, plain, print_json, print_text, progress, stderr, stdout
from ragkit.tracecli import trace

if TYPE_CHECKING:
    from ragkit.indexes.hit import Hit
    from ragkit.indexes.sync import IngestReport


_PANELS = {
    "Documents": ("init", "ingest", "sync", "domains", "doctor", "read"),
    "Questions": ("ask", "chat", "search", "show", "route", "trace"),
    "Quality": ("eval",),
    "Other": ("version",),
}
"""In the order in which one needs them."""


class _Commands(TyperGroup):
    """`eval` is a floor above: it is loaded when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for names in _PANELS.values() for name in names]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name == "eval":
            from ragkit.eval.cli import app as evaluation

            made: Any = typer.main.get_command(evaluation)
        else:
            made = super().get_command(ctx, cmd_name)
        if made is not None:
            made.rich_help_panel = next((panel for panel, names in _PANELS.items() if cmd_name in names), None)
        return made


_ABOUT = """Turns folders of documents into answers that a reader can check.

Begin with a folder, then ask:

\b
  ragkit ingest FOLDER --domain NAME
  ragkit ask "What does it say?"

No key and no network is needed: without a model, answers are sentences of the documents."""

app = typer.Typer(
    name="ragkit",
    cls=_Commands,
    help=_ABOUT,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_STOPPED = 130
"""The exit code after Ctrl-C, which Typer gives without a word."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; what goes wrong is a sentence on stderr, never a traceback."""
    sys.stdout = Output(sys.stdout)
    try:
        app(args=None if arguments is None else list(arguments))
    except InvalidInput as error:
        complain(error)
        sys.exit(2)
    except RagkitError as error:
        complain(error)
        sys.exit(1)
    except (KeyboardInterrupt, SystemExit) as end:
        if isinstance(end, SystemExit) and end.code != _STOPPED:
            raise
        stderr.print("ragkit: stopped")
        _leave(_STOPPED)


def _leave(code: int) -> NoReturn:
    """End after all that is to be done at the end, but not as Python does: an engine that a thread is still loading
    aborts when it is torn down."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)


app.command()(ask)
app.command()(chat)
app.add_typer(routes, name="route")
app.command()(trace)


@app.command()
def version(json: JsonOption = False) -> None:
    """Print the version."""
    if json:
        print_json({"version": __version__})
    else:
        sys.stdout.write(f"ragkit {__version__}\n")


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="A folder; made if it is not there.")] = Path(),
    json: JsonOption = False,
) -> None:
    """Make a folder a workspace. Asks nothing, and leaves a workspace that is there as it is."""
    from ragkit.workspace import FILE, Workspace

    workspace = Workspace(path)
    if json:
        print_json({"workspace": str(workspace.path), "domains": sorted(workspace.domains)})
    else:
        stdout.print(f"The workspace is {plain(str(workspace.path / FILE))}", soft_wrap=True, highlight=False)


@app.command()
def ingest(
    paths: Annotated[list[str], typer.Argument(help="Folders and files.", metavar="PATH…")],
    domain: Annotated[str, typer.Option("--domain", "-d", help="Made if there is none of that name.")] = "default",
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Put folders and files into a domain, and index what is new or changed in them."""
    from ragkit.workspace import Workspace

    place = Workspace(workspace)
    before = place.domains
    with progress() as tell:
        report = place.ingest(paths, domain, progress=tell)
    if before and domain not in before:
        stderr.print(f"{plain(domain)} is a new domain, beside {', '.join(before)}", highlight=False)
    if json:
        print_json(_report(report))
    else:
        _show_report(report)
    if not report.documents:
        raise typer.Exit(1)


@app.command()
def sync(domain: DomainsOption = None, workspace: WorkspaceOption = Path(), json: JsonOption = False) -> None:
    """Look at all sources again, and bring the indexes to what these are now."""
    place = opened(workspace)
    with progress() as tell:
        reports = place.sync(domain or None, progress=tell)
    if json:
        print_json({"domains": [_report(report) for report in reports]})
    for report in reports if not json else ():
        _show_report(report)
    if any(report.failed and not report.documents for report in reports):
        raise typer.Exit(1)
    if not reports and not json:
        stderr.print("There is no domain yet. Make one with: ragkit ingest FOLDER --domain NAME")


def _report(report: "IngestReport") -> dict[str, Any]:
    counts = ("added", "updated", "renamed", "deleted", "unchanged")
    return {
        "domain": report.domain,
        **{name: getattr(report, name) for name in counts},
        "failed": [{"uri": one.uri, "reason": one.reason, "hint": one.hint} for one in report.failed],
        "documents": report.documents,
        "chunks": report.chunks,
        "seconds": round(report.seconds, 3),
        "reindexed": report.reindexed,
        "skipped": report.skipped,
    }


_MOST_ROWS = 20


def _show_report(report: "IngestReport") -> None:
    for failure in report.failed[:_MOST_ROWS]:
        said = f"{plain(failure.uri)}: {plain(failure.reason)} {plain(failure.hint)}"
        stderr.print(f"[red]✗[/] {said}", highlight=False)
    if len(report.failed) > _MOST_ROWS:
        stderr.print(f"[red]✗[/] and {len(report.failed) - _MOST_ROWS:,} more; --json shows them all", highlight=False)
    if report.reindexed:
        stderr.print(f"{report.reindexed:,} documents were indexed anew, because a setting changed", highlight=False)
    done = [f"{getattr(report, name):,} {name}" for name in ("added", "updated", "renamed", "deleted", "unchanged")]
    done = [one for one in done if not one.startswith("0 ")]
    done = done or ([] if report.failed else ["nothing to do"])
    done += [f"[red]{len(report.failed):,} failed[/]"] if report.failed else []
    stdout.print(
        f"[bold]{plain(report.domain)}[/]: {', '.join(done)}; now {report.documents:,} documents in "
        f"{report.chunks:,} chunks ({report.seconds:.1f} s)",
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="A question, or words to look for.")],
    domain: DomainsOption = None,
    strategy: StrategyOption = "default",
    k: Annotated[int, typer.Option("-k", help="How many passages.")] = 10,
    where: WhereOption = None,
    reranker: RerankerOption = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Find the passages that say most about a question."""
    from ragkit.indexes import filters
    from ragkit.indexes.search import DEFAULT

    place = opened(workspace)
    began = time.perf_counter()
    hits = place.search(query, domain or None, strategy, k, filters.parse(where or []), reranker=reranker)
    seconds = time.perf_counter() - began
    if json:
        name = DEFAULT if strategy == "default" else strategy
        rows = [_hit(hit) for hit in hits]
        print_json({"strategy": name, "reranker": reranker, "seconds": round(seconds, 4), "hits": rows})
        return
    for hit in hits:
        pages = f", page{'s' * (len(hit.pages) > 1)} {', '.join(map(str, hit.pages))}" if hit.pages else ""
        heading = f" › {plain(hit.heading)}" if hit.heading else ""
        stdout.print(
            f"[bold]{hit.rank}. {plain(hit.uri)}[/]{pages}{heading} [dim]{hit.domain} {hit.score:.3f}[/]",
            highlight=False,
            soft_wrap=True,
        )
        stdout.print(f"   {plain(_shortened(hit.text))}\n", highlight=False)
    if not hits:
        stderr.print("Nothing was found." + (" Does any document fit --where?" if where else ""))


def _hit(hit: "Hit") -> dict[str, Any]:
    return {
        "rank": hit.rank,
        "score": hit.score,
        "domain": hit.domain,
        "uri": hit.uri,
        "title": hit.title,
        "start": hit.start,
        "end": hit.end,
        "pages": list(hit.pages),
        "heading": hit.heading,
        "text": hit.text,
        "matched": list(hit.matched),
        "parts": dict(hit.parts),
    }


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 300 else f"{text[:299]}…"


@app.command()
def show(
    uri: Annotated[str, typer.Argument(help="As search shows it.")],
    domain: Annotated[str, typer.Option("--domain", "-d", help="The domain that holds it.")],
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Print a document as it was indexed."""
    document = opened(workspace).document(uri, domain)
    if not json:
        print_text(document.text)
        return
    print_json(
        {
            "uri": document.uri,
            "title": document.title,
            "text": document.text,
            "marks": [
                {
                    "kind": mark.kind, "start": mark.start, "end": mark.end, "label": mark.label,
                    "level": mark.level, "number": mark.number,
                }
                for mark in document.marks
            ],
            "metadata": document.metadata,
        }
    )  # fmt: skip


@app.command()
def domains(workspace: WorkspaceOption = Path(), json: JsonOption = False) -> None:
    """List the domains of a workspace, and what each one holds."""
    place = opened(workspace)
    rows = [{"name": name, **domain.model_dump(), **place.status(name)} for name, domain in place.domains.items()]
    if json:
        print_json({"domains": rows})
        return
    table = Table("Domain", "Documents", "Chunks", "Failed", "Description", box=None, header_style="bold")
    for at in (1, 2, 3):
        table.columns[at].justify = "right"
    for row in rows:
        numbers = (f"{row['documents']:,}", f"{row['chunks']:,}", f"{row['failed']:,}")
        table.add_row(row["name"], *numbers, plain(row["description"]))
    if rows:
        stdout.print(table)
    else:
        stderr.print("There is no domain yet. Make one with: ragkit ingest FOLDER --domain NAME", highlight=False)


@app.command()
def doctor(
    repair: Annotated[bool, typer.Option("--repair", help="Make anew what can be made anew.")] = False,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Check that the indexes are whole and say what the documents say."""
    problems = opened(workspace).doctor(repair=repair)
    if json:
        rows = [{"what": one.what, "where": one.where, "repair": one.repair} for one in problems]
        print_json({"ok": not problems, "problems": rows})
    for problem in problems if not json else ():
        said = f"{plain(problem.where)}: {plain(problem.what)} [dim]{plain(problem.repair)}[/]"
        stdout.print(f"[red]✗[/] {said}", highlight=False, soft_wrap=True)
    if problems:
        raise typer.Exit(1)
    if not json:
        stdout.print("All is well.")


@app.command()
def read(
    paths: Annotated[list[str], typer.Argument(help="Folders and files.", metavar="PATH…")],
    include: Annotated[list[str] | None, typer.Option(help="Only files that match, as in a .gitignore.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="No files that match, as in a .gitignore.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that read. Default: one a core.")] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that one file may take.")] = 60.0,
    memory: Annotated[int, typer.Option(min=100, help="MB of memory that one file may take.")] = 2000,
    max_size: Annotated[int, typer.Option(min=1, help="MB that one file may have.")] = 100,
    text: Annotated[bool, typer.Option("--text", help="Print the documents' text instead of a table.")] = False,
    json: JsonOption = False,
) -> None:
    """Read documents and show what was read, what failed and why, without keeping anything."""
    from ragkit.connectors.connector import Connector
    from ragkit.connectors.failure import Failure
    from ragkit.connectors.folder import Folder
    from ragkit.connectors.place import connect
    from ragkit.connectors.reading import read as read_all
    from ragkit.readtable import row, show_documents, show_rest

    began = time.perf_counter()
    documents, failed, skipped = [], [], Counter[str]()
    for path in paths:
        place: Connector = connect(path)
        if isinstance(place, Folder):
            place = Folder(path, include=include or (), exclude=exclude or (), max_bytes=max_size * 1_000_000)
        for got in read_all(place, workers=workers, timeout=timeout, memory=memory * 1_000_000):
            if isinstance(got, Failure):
                failed.append({"uri": got.uri, "reason": got.reason, "hint": got.hint})
                continue
            documents.append(row(got))
            if text:
                stderr.print(f"[bold]{plain(got.uri)}[/]", highlight=False)
                print_text(f"{got.text}\n")
        skipped.update(getattr(place, "skipped", {}))
    seconds = round(time.perf_counter() - began, 3)
    documents.sort(key=lambda row: str(row["uri"]))
    if json:
        print_json({"documents": documents, "failed": failed, "skipped": dict(skipped), "seconds": seconds})
    elif not text:
        show_documents(documents)
    sys.stdout.flush()
    if not json:
        show_rest(len(documents), failed, skipped, seconds)
    if not documents:
        raise typer.Exit(1)
