"""Compare retrieval strategies on questions whose answers' places are known."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ragkit.errors import InvalidInput, NotFound, RagkitError
from ragkit.eval import gate, page, store, strategies, table
from ragkit.eval.beir import load as load_beir
from ragkit.eval.compare import compare as compare_runs
from ragkit.eval.drafts import draft
from ragkit.eval.gold import Resolved, resolve
from ragkit.eval.loading import load_any
from ragkit.eval.metrics import canonical, metric
from ragkit.eval.questions import QuestionSet, save, write_whole
from ragkit.eval.report import Report
from ragkit.eval.result import Run
from ragkit.eval.running import Bench, Tell
from ragkit.eval.running import asked as asked_of
from ragkit.eval.strategies import Strategy
from ragkit.terminal import plain, print_json, stderr, stdout
from ragkit.workspace import FILE, STATE, Workspace

app = typer.Typer(name="eval", help=__doc__, no_args_is_help=True)

_MOST_ROWS = 10
METRICS = "nDCG@10,Recall@10,Recall@100,MRR@10"

WorkspaceOption = Annotated[Path, typer.Option("--workspace", "-w", help="Where indexes and runs are kept.")]
StrategiesOption = Annotated[
    str, typer.Option("--strategies", "-s", help="Names apart by commas, or a TOML file that describes them.")
]
MetricsOption = Annotated[str, typer.Option("--metrics", "-m", help="Apart by commas; the first one ranks.")]
HtmlOption = Annotated[Path | None, typer.Option("--html", help="Write a page that can be opened and looked into.")]
MarkdownOption = Annotated[Path | None, typer.Option("--markdown", help="Write the tables as Markdown.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def beir(
    folder: Annotated[Path, typer.Argument(help="With corpus.jsonl, queries.jsonl and qrels.")],
    strategies: StrategiesOption = "bm25,vector,rrf,hybrid",
    metrics: MetricsOption = METRICS,
    embedder: Annotated[str, typer.Option(help="What makes the vectors.")] = "minilm",
    workspace: WorkspaceOption = Path(),
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    json: JsonOption = False,
) -> None:
    """Compare strategies on a folder as BEIR has them."""
    questions = load_beir(folder)
    with _bench(workspace, json) as bench:
        chosen = _strategies(strategies, embedder)
        runs = [bench.run(one, questions, [folder / "corpus.jsonl"]) for one in chosen]
        report = _report(bench, runs, questions, _names(metrics))
    _show(report, html, markdown, json)


@app.command()
def run(
    questions: Annotated[Path, typer.Argument(help="A file of questions (JSONL, CSV, SQuAD) or a folder of BEIR.")],
    sources: Annotated[list[Path], typer.Option("--source", help="The documents; may be repeated.")],
    strategies: StrategiesOption = "hybrid",
    metrics: MetricsOption = METRICS,
    fail_if: Annotated[list[str] | None, typer.Option(help='Exit with 1 if it is so: "nDCG@10 < 0.70".')] = None,
    baseline: Annotated[str | None, typer.Option(help="A kept run to compare with, as `runs` lists them.")] = None,
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
    names = list(dict.fromkeys([*_names(metrics), *(one.metric for one in gates)]))
    asked = load_any(questions)
    with _bench(workspace, json) as bench:
        chosen = _strategies(strategies)
        made = [bench.run(one, asked, sources) for one in chosen]
        if baseline is not None:
            made.insert(0, replace(_kept(bench, baseline), name="baseline"))
        report = _report(bench, made, asked, names)
    _show(report, html, markdown, json)
    own = [one.name for one in chosen]
    failed = [sentence for one in gates for sentence in one.failures(report.comparison, own)]
    failed += gate.worse(report, "baseline") if fail_if_worse else []
    for sentence in failed:
        stderr.print(f"[red]✗[/] {plain(sentence)}", highlight=False)
    if failed:
        raise typer.Exit(1)


@app.command()
def runs(workspace: WorkspaceOption = Path(), json: JsonOption = False) -> None:
    """List the runs that are kept."""
    with _bench(workspace, json) as bench:
        places = sorted(path.parent for path in bench.store.folder.glob("*/run.json"))
    kept = []
    for place in places:
        try:
            kept.append((place.name, store.read(place)))
        except RagkitError as error:
            stderr.print(f"[red]✗[/] {plain(error.reason)} {plain(error.hint)}", highlight=False)
    if json:
        print_json({"runs": [{"name": name, "question_set": one.question_set, **one.settings} for name, one in kept]})
        return
    for name, one in kept:
        said = (
            f"{plain(name)}  {plain(one.question_set)}, {len(one.results)} questions, k {one.settings['strategy']['k']}"
        )
        stdout.print(said, highlight=False, soft_wrap=True)


@app.command()
def compare(
    questions: Annotated[Path, typer.Argument(help="The question set of these runs.")],
    names: Annotated[list[str], typer.Argument(help="Two kept runs or more, as `runs` lists them.", metavar="RUN…")],
    metrics: MetricsOption = METRICS,
    workspace: WorkspaceOption = Path(),
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    json: JsonOption = False,
) -> None:
    """Compare runs that were made before: differences, intervals, and what may be luck."""
    asked = load_any(questions)
    with _bench(workspace, json) as bench:
        kept = [replace(_kept(bench, name), name=name) for name in names]
        report = _report(bench, kept, asked, _names(metrics))
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
        yield Bench(folder)
        return
    with stderr.status("") as status:

        def tell(what: str, done: int, total: int) -> None:
            status.update(f"{plain(what)} {done:,}{f' of {total:,}' if total else ''}")

        told: Tell = tell
        yield Bench(folder, told)


def _workspace(path: Path) -> Workspace:
    if not (path / FILE).exists():
        raise InvalidInput(f"{path} is no workspace: it has no {FILE}.", f"Make it one with: ragkit init {path}")
    return Workspace(path)


def _strategies(given: str, embedder: str = "minilm") -> list[Strategy]:
    if given.endswith(".toml"):
        return strategies.load(Path(given))
    return strategies.named([name.strip() for name in given.split(",")], {"embedder": embedder})


def _kept(bench: Bench, name: str) -> Run:
    place = bench.store.folder / Path(name).name
    if not (place / "run.json").exists():
        raise NotFound(f"There is no run {name!r}.", "See what is kept with: ragkit eval runs")
    return store.read(place)


def _names(metrics: str) -> list[str]:
    return [canonical(name) for name in metrics.split(",")]


def _report(bench: Bench, runs: Sequence[Run], questions: QuestionSet, names: Sequence[str]) -> Report:
    _check_same(runs, questions, names)
    for failure in bench.failed[:_MOST_ROWS]:
        stderr.print(f"[red]✗[/] {plain(failure.uri)}: {plain(failure.reason)}", highlight=False)
    text_of = bench.texts(runs[-1])
    resolved = resolve(questions, text_of)
    _tell_of_gold(resolved)
    uris = {hit.uri for run in runs for result in run.results.values() for hit in result.hits}
    uris |= {gold.uri for question in questions for gold in question.gold}
    texts = {uri: text_of(uri) or "" for uri in uris} if any("_tokens" in name for name in names) else {}
    chosen = [metric(name, resolved.ranges, texts) for name in names]
    comparison = compare_runs(runs, questions, chosen)
    return Report(comparison, runs, questions, resolved.ranges, text_of, chosen)


def _check_same(runs: Sequence[Run], questions: QuestionSet, names: Sequence[str]) -> None:
    """Runs of other questions cannot be scored by these; ranges of other documents mean nothing in these."""
    for run in runs:
        if run.settings["questions"] != asked_of(questions):
            raise InvalidInput(
                f"The run {run.name!r} answers other questions than {questions.name!r} asks.", "Run it again on these."
            )
    if len({run.settings["corpus"] for run in runs}) > 1:
        if any(name.startswith("range_") for name in names):
            raise InvalidInput(
                "These runs searched different documents, so that their ranges cannot be compared.",
                "Run them again on the same documents, or leave the range metrics out.",
            )
        stderr.print("[yellow]![/] These runs searched different documents.")


def _tell_of_gold(resolved: Resolved) -> None:
    """What a person should mend in the question set."""
    wrong = [one for one in resolved.reports if one.status in ("changed", "lost")]
    for one in wrong[:_MOST_ROWS]:
        said = f"{one.question}: its gold in {one.uri} is {one.status}. {one.reason}"
        stderr.print(f"[yellow]![/] {plain(said)}", highlight=False)
    if len(wrong) > _MOST_ROWS:
        stderr.print(f"[yellow]![/] and {len(wrong) - _MOST_ROWS:,} more")


def _show(report: Report, html: Path | None, markdown: Path | None, json: bool) -> None:
    if json:
        print_json(report.plain())
    else:
        table.show(report, stdout)
    for path, text in ((html, page.html), (markdown, table.markdown)):
        if path is not None:
            write_whole(path, text(report))
            stderr.print(f"Written: {plain(str(path))}", highlight=False)
