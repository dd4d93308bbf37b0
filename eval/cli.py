"""Compare strategies on questions of which it is known where their answers are, or what they are."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from ragkit.errors import InvalidInput, NotFound, RagkitError
from ragkit.eval import cautions, gate, keeping, page, table
from ragkit.eval.beir import load as load_beir
from ragkit.eval.drafts import draft
from ragkit.eval.loading import load_any, sources_of
from ragkit.eval.options import (
    HtmlOption,
    JsonOption,
    JudgeOption,
    MarkdownOption,
    MetricsOption,
    StrategiesOption,
    WorkspaceOption,
    check_judge,
    check_sources,
    check_unique,
    chosen_strategies,
    metric_names,
)  # fmt: skip
from ragkit.eval.questions import QuestionSet, save, write_whole
from ragkit.eval.report import Report, plural
from ragkit.eval.reporting import answering, check_answers, depths, reported
from ragkit.eval.result import Run
from ragkit.eval.routecommand import route
from ragkit.eval.running import Bench, Tell
from ragkit.eval.store import Store
from ragkit.terminal import plain, print_json, stderr, stdout
from ragkit.workspace import FILE, STATE, Workspace

app = typer.Typer(name="eval", help=__doc__, no_args_is_help=True)
app.command()(route)

_MOST_ROWS = 10
_BASELINE = "baseline"


@app.command()
def beir(
    folder: Annotated[Path, typer.Argument(help="With corpus.jsonl, queries.jsonl and qrels.")],
    strategies: StrategiesOption = "bm25,vector,rrf,hybrid",
    metrics: MetricsOption = None,
    embedder: Annotated[str | None, typer.Option(help="What makes the vectors; by default minilm.")] = None,
    workspace: WorkspaceOption = Path(),
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    json: JsonOption = False,
) -> None:
    """Compare strategies on a folder as BEIR has them."""
    chosen = chosen_strategies(strategies, embedder)
    names = metric_names(metrics, all(one.models for one in chosen))
    check_answers([one.name for one in chosen if not one.models], names, None)
    questions, sources = load_beir(folder), [folder / "corpus.jsonl"]
    check_sources(sources)
    _warn(*cautions.of_depths({one.name: one.k for one in chosen}, names))
    with _bench(workspace, json) as bench:
        runs = [bench.run(one, questions, sources) for one in chosen]
        report = _report(bench, runs, questions, names)
    _show(report, html, markdown, json)


@app.command()
def run(
    questions: Annotated[Path, typer.Argument(help="A file of questions (JSONL, CSV, SQuAD) or a folder of BEIR.")],
    source: Annotated[
        list[Path] | None,
        typer.Option("--source", help="The documents; may be repeated. Of a folder of BEIR, its corpus.jsonl."),
    ] = None,
    strategies: StrategiesOption = "hybrid",
    metrics: MetricsOption = None,
    fail_if: Annotated[list[str] | None, typer.Option(help='Exit with 1 if it is so: "nDCG@10 < 0.70".')] = None,
    baseline: Annotated[str | None, typer.Option(help="A kept run to compare with, as `runs` lists them.")] = None,
    judge: JudgeOption = None,
    fail_if_worse: Annotated[bool, typer.Option(help="Exit with 1 if worse than --baseline, and not by luck.")] = False,
    workspace: WorkspaceOption = Path(),
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    json: JsonOption = False,
) -> None:
    """Run strategies over a question set, compare them, and fail where asked to."""
    gates = [gate.parse(text) for text in fail_if or ()]
    if fail_if_worse and baseline is None:
        raise InvalidInput("--fail-if-worse needs --baseline.", "Name the run to compare with.")
    chosen = chosen_strategies(strategies)
    check_judge(judge)
    usual = metric_names(metrics, all(one.models for one in chosen))
    names = list(dict.fromkeys([*usual, *(one.metric for one in gates)]))
    own = [one.name for one in chosen]
    sources = sources_of(questions, source or [])
    check_sources(sources)
    asked = load_any(questions, sources)
    kept = []
    if baseline is not None:
        kept = [replace(answering(_store(workspace).kept(baseline), asked), name=_BASELINE)]
        check_unique("strategies", [_BASELINE, *own])
    silent = [one.name for one in kept if not one.answers] + [one.name for one in chosen if not one.models]
    check_answers(silent, names, judge)
    _warn(*cautions.of_sources(questions, sources))
    _warn(*cautions.of_depths({**depths(kept), **{one.name: one.k for one in chosen}}, names))
    with _bench(workspace, json) as bench:
        made = kept + [bench.run(one, asked, sources) for one in chosen]
        report = _report(bench, made, asked, names, _BASELINE if kept else None, judge)
    _show(report, html, markdown, json)
    failed = [sentence for one in gates for sentence in one.failures(report.comparison, own)]
    failed += gate.worse(report, _BASELINE) if fail_if_worse else []
    for sentence in failed:
        stderr.print(f"[red]✗[/] {plain(sentence)}", highlight=False)
    if failed:
        raise typer.Exit(1)


@app.command()
def runs(workspace: WorkspaceOption = Path(), json: JsonOption = False) -> None:
    """List the runs that are kept."""
    shelf = _store(workspace)
    kept = []
    for name in shelf.names():
        try:
            kept.append((name, shelf.kept(name)))
        except RagkitError as error:
            stderr.print(f"[red]✗[/] {plain(error.reason)} {plain(error.hint)}", highlight=False)
    kept.sort(key=lambda row: row[1].made)
    if json:
        rows = [
            {"name": name, "run": one.name, "question_set": one.question_set, "made": one.made, **one.settings}
            for name, one in kept
        ]
        print_json({"runs": rows})
        return
    for line in keeping.lines(kept):
        stdout.print(plain(line), highlight=False, soft_wrap=True)
    if not kept:
        stderr.print("No runs yet. Make one with: ragkit eval run QUESTIONS --source FOLDER", highlight=False)


@app.command()
def prune(
    names: Annotated[
        list[str] | None, typer.Argument(help="Runs to remove, as `runs` lists them.", metavar="[RUN]…")
    ] = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Remove these runs, and what no run needs: damaged runs, attempts that broke off, indexes."""
    removed = keeping.prune(_store(workspace).folder.parent, names or [])
    if json:
        print_json(asdict(removed))
        return
    counts = (
        plural(len(removed.runs), "run"),
        plural(len(removed.unfinished), "unfinished attempt"),
        plural(len(removed.indexes), "index", "es"),
    )
    stdout.print(f"Removed: {', '.join(counts)}", highlight=False)


@app.command()
def compare(
    questions: Annotated[Path, typer.Argument(help="The question set of these runs.")],
    names: Annotated[list[str], typer.Argument(help="Two kept runs or more, as `runs` lists them.", metavar="RUN…")],
    metrics: MetricsOption = None,
    judge: JudgeOption = None,
    workspace: WorkspaceOption = Path(),
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    json: JsonOption = False,
) -> None:
    """Compare runs that were made before: differences, intervals, and what may be luck."""
    shelf = _store(workspace)
    check_unique("runs", names)
    check_judge(judge)
    kept = [replace(shelf.kept(name), name=name) for name in names]
    measures = metric_names(metrics, all(one.answers for one in kept))
    check_answers([one.name for one in kept if not one.answers], measures, judge)
    with _bench(workspace, json) as bench:
        asked = load_any(questions, bench.sources(kept[-1]))
        kept = [answering(one, asked) for one in kept]
        _warn(*cautions.of_depths(depths(kept), measures))
        report = _report(bench, kept, asked, measures, judge=judge)
    _show(report, html, markdown, json)


@app.command()
def questions(
    domain: Annotated[str, typer.Option("--domain", "-d", help="The domain to ask about.")],
    to: Annotated[Path, typer.Option(help="The file to write, a question a line.")],
    count: Annotated[int, typer.Option(min=1, help="The most questions.")] = 100,
    seed: Annotated[int, typer.Option(help="The same questions for the same number.")] = 0,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Draft questions with gold from a domain's headings, definitions, numbers and tables. Read them before use."""
    opened = _workspace(workspace)
    if to.exists():
        raise InvalidInput(f"{to} is there already.", "Name another file: drafts may have been mended by hand.")
    drafted = draft(opened.documents(domain), count, seed)
    if not drafted:
        raise NotFound(f"Nothing in {domain!r} suggests a question.", "Write some by hand: see docs/evaluation.md")
    save(to, QuestionSet(to.stem, tuple(drafted)))
    if json:
        print_json({"path": str(to), "questions": len(drafted)})
    else:
        stdout.print(f"{len(drafted)} drafts in {plain(str(to))}", highlight=False, soft_wrap=True)


@contextmanager
def _bench(workspace: Path, quiet: bool) -> Iterator[Bench]:
    folder = workspace / STATE / "eval"
    if quiet or not stderr.is_terminal:
        yield Bench(folder, home=workspace)
        return
    with stderr.status("") as status:

        def tell(what: str, done: int, total: int) -> None:
            status.update(f"{plain(what)} {done:,}{f' of {total:,}' if total else ''}")

        told: Tell = tell
        yield Bench(folder, told, workspace)


def _workspace(path: Path) -> Workspace:
    if not (path / FILE).exists():
        raise InvalidInput(f"{path} is no workspace: it has no {FILE}.", f"Make it one with: ragkit init {path}")
    return Workspace(path)


def _store(workspace: Path) -> Store:
    """The runs of a workspace that is there, or of a folder in which only evaluations were made."""
    folder = workspace / STATE / "eval"
    if not folder.is_dir():
        _workspace(workspace)
    return Store(folder / "runs")


def _report(
    bench: Bench,
    runs: Sequence[Run],
    questions: QuestionSet,
    names: Sequence[str],
    against: str | None = None,
    judge: str | None = None,
) -> Report:
    for failure in bench.failed[:_MOST_ROWS]:
        stderr.print(f"[red]✗[/] {plain(failure.uri)}: {plain(failure.reason)}", highlight=False)
    if len(bench.failed) > _MOST_ROWS:
        stderr.print(f"[red]✗[/] and {len(bench.failed) - _MOST_ROWS:,} more could not be read")
    return reported(bench, runs, questions, names, _warn, against, judge)


def _warn(*said: str) -> None:
    for caution in said:
        stderr.print(f"[yellow]![/] {plain(caution)}", highlight=False, soft_wrap=True)


def _show(report: Report, html: Path | None, markdown: Path | None, json: bool) -> None:
    if json:
        print_json(report.plain())
    else:
        table.show(report, stdout)
    for path, text in ((html, page.html), (markdown, table.markdown)):
        if path is not None:
            write_whole(path, text(report))
            stderr.print(f"Written: {plain(str(path))}", highlight=False)
