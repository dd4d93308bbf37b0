"""The command line. Results go to stdout and everything else to stderr; 0: done, 1: the work failed, 2: wrong usage."""

import io
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.table import Table

from ragkit import __version__
from ragkit.connectors.formats import FORMATS
from ragkit.errors import InvalidInput, RagkitError

app = typer.Typer(
    name="ragkit",
    help="Turns folders of documents into answers that a reader can check.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
stdout, stderr = Console(), Console(stderr=True)

WorkspaceOption = Annotated[Path, typer.Option("--workspace", "-w", help="The folder with ragkit.toml.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; what goes wrong is a sentence on stderr, never a traceback."""
    sys.stdout = _Output(sys.stdout)
    try:
        app(args=None if arguments is None else list(arguments))
    except InvalidInput as error:
        _complain(error)
        sys.exit(2)
    except RagkitError as error:
        _complain(error)
        sys.exit(1)


class _Output(io.TextIOBase):
    """Standard output whose reader may go away (it has seen enough: no error), or whose disk may be full."""

    def __init__(self, inner: TextIO) -> None:
        self.inner = inner

    def write(self, text: str) -> int:
        with self._watched():
            return self.inner.write(text)

    def flush(self) -> None:
        with self._watched():
            self.inner.flush()

    def isatty(self) -> bool:
        return self.inner.isatty()

    def fileno(self) -> int:
        return self.inner.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.inner.encoding

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.inner.fileno())  # for what is flushed when we end
            if isinstance(error, BrokenPipeError):
                sys.exit(0)
            raise RagkitError(
                f"The output cannot be written: {error.strerror}.", "Make room, or write elsewhere."
            ) from error


def _complain(error: RagkitError) -> None:
    stderr.print(f"[bold red]ragkit:[/] {_plain(error.reason)}", highlight=False)
    if error.hint:
        stderr.print(f"        {_plain(error.hint)}", highlight=False)


def _plain(text: str) -> str:
    """Text from a document or a path, in which nothing is read as colours or control."""
    from rich.markup import escape

    return escape("".join(character if character.isprintable() else " " for character in text))


def _print_json(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


@app.command()
def version(json: JsonOption = False) -> None:
    """Print the version."""
    if json:
        _print_json({"version": __version__})
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
        _print_json({"workspace": str(workspace.path), "domains": sorted(workspace.domains)})
    else:
        stdout.print(f"The workspace is {_plain(str(workspace.path / FILE))}", soft_wrap=True, highlight=False)


@app.command()
def domains(workspace: WorkspaceOption = Path(), json: JsonOption = False) -> None:
    """List the domains of a workspace."""
    from ragkit.workspace import FILE, Workspace

    if not (workspace / FILE).exists():
        raise InvalidInput(
            f"{workspace} is no workspace: it has no {FILE}.", f"Make it one with: ragkit init {workspace}"
        )
    found = Workspace(workspace).domains
    if json:
        _print_json({"domains": [{"name": name, **domain.model_dump()} for name, domain in found.items()]})
        return
    table = Table("Domain", "Description", "Keywords")
    for name, domain in found.items():
        table.add_row(name, _plain(domain.description), _plain(", ".join(domain.keywords)))
    stdout.print(table)


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

    began = time.perf_counter()
    documents, failed, skipped = [], [], Counter[str]()
    try:
        for path in paths:
            place: Connector = connect(path)
            if isinstance(place, Folder):
                place = Folder(path, include=include or (), exclude=exclude or (), max_bytes=max_size * 1_000_000)
            for got in read_all(place, workers=workers, timeout=timeout, memory=memory * 1_000_000):
                if isinstance(got, Failure):
                    failed.append({"uri": got.uri, "reason": got.reason, "hint": got.hint})
                    continue
                documents.append(_row(got))
                if text:
                    stderr.print(f"[bold]{_plain(got.uri)}[/]", highlight=False)
                    sys.stdout.write(got.text + "\n\n")
            skipped.update(getattr(place, "skipped", {}))
    except KeyboardInterrupt:
        stderr.print("ragkit: stopped")
        raise typer.Exit(130) from None
    seconds = round(time.perf_counter() - began, 3)
    documents.sort(key=lambda row: str(row["uri"]))
    if json:
        _print_json({"documents": documents, "failed": failed, "skipped": dict(skipped), "seconds": seconds})
    elif not text:
        _show_documents(documents)
    sys.stdout.flush()
    if not json:
        _show_rest(len(documents), failed, skipped, seconds)
    if not documents:
        raise typer.Exit(1)


def _row(document: Any) -> dict[str, Any]:
    marks = Counter(mark.kind for mark in document.marks)
    return {
        "uri": document.uri,
        "title": document.title,
        "media_type": document.media_type,
        "characters": len(document.text),
        "marks": dict(sorted(marks.items())),
    }


_MOST_ROWS = 60


def _show_documents(rows: list[dict[str, Any]]) -> None:
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
        table.add_row(_plain(row["uri"]), row["format"], f"{row['characters']:,}", marks)
    if rows:
        stdout.print(table)


def _show_formats(rows: list[dict[str, Any]]) -> None:
    table = Table("Format", "Documents", "Characters", "Marks", box=None, header_style="bold")
    table.columns[1].justify = table.columns[2].justify = "right"
    for name in sorted({row["format"] for row in rows}):
        own = [row for row in rows if row["format"] == name]
        marks = sum((Counter(row["marks"]) for row in own), Counter[str]())
        told = ", ".join(f"{count:,} {kind}{'s' * (count > 1)}" for kind, count in sorted(marks.items()))
        table.add_row(name, f"{len(own):,}", f"{sum(row['characters'] for row in own):,}", told)
    stdout.print(table)


def _show_rest(count: int, failed: list[dict[str, str]], skipped: Counter[str], seconds: float) -> None:
    for row in failed[:_MOST_ROWS]:
        stderr.print(f"[red]✗[/] {_plain(row['uri'])}: {_plain(row['reason'])} {_plain(row['hint'])}", highlight=False)
    if len(failed) > _MOST_ROWS:
        stderr.print(f"[red]✗[/] and {len(failed) - _MOST_ROWS:,} more; --json shows them all", highlight=False)
    words = [f"{count} document{'s' * (count != 1)} read in {seconds:.1f} s"]
    words += [f"{len(failed)} failed"] * bool(failed)
    if skipped:
        words.append("skipped " + ", ".join(f"{number} {_plain(why)}" for why, number in sorted(skipped.items())))
    stderr.print("; ".join(words), highlight=False)
