"""Tables of a report, for a terminal and in Markdown: the same rows, in the same words."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from ragkit.eval.report import Report, figure, interval, milliseconds, probability
from ragkit.terminal import plain

Rows = list[list[str]]
_DIFFERENCES = ("Metric", "From → to", "Difference", "95 % interval", "p (Holm)", "Better/same/worse", "Verdict")


def show(report: Report, console: Console) -> None:
    """Print the scores, the differences by the metric that ranks, what the tags show, and what came out."""
    for title, heads, rows in _tables(report):
        if heads == _DIFFERENCES:
            title = f"Differences in {report.quality}"
            heads, rows = heads[1:], _short_differences(report)
        table = Table(*map(plain, heads), title=plain(title), title_justify="left", box=None, header_style="bold")
        for column in table.columns[1:]:
            column.justify = "right"
        if heads == _DIFFERENCES[1:]:
            table.columns[-1].justify = "left"
        for row in rows:
            table.add_row(*("\n".join(map(plain, cell.split("\n"))) for cell in row))
        console.print(table)
        console.print()
    for sentence in report.findings():
        console.print(plain(sentence), highlight=False)


def markdown(report: Report) -> str:
    """The same tables, with what came out above them."""
    lines = [f"# {_inert(report.questions.name)}: {_inert(', '.join(report.comparison.runs))}", ""]
    lines += [f"- {_inert(sentence)}" for sentence in report.findings()]
    for title, heads, rows in _tables(report):
        lines += ["", f"## {_inert(title)}", "", _line(heads), _line(["---"] * len(heads), inert=False)]
        lines += [_line(row) for row in rows]
    return "\n".join(lines) + "\n"


def _tables(report: Report) -> list[tuple[str, Sequence[str], Rows]]:
    metrics = report.comparison.metrics
    count = f"{len(report.questions):,} questions"
    tables: list[tuple[str, Sequence[str], Rows]] = [
        (f"{report.questions.name}, {count}", ("Strategy", *metrics, "p50 ms", "p95 ms", "Failed"), _scores(report))
    ]
    if report.comparison.differences:
        tables.append(("Differences", _DIFFERENCES, _differences(report)))
    if report.comparison.slices:
        heads = ("Tag", "Questions", *report.comparison.runs)
        tables.append((f"{report.quality} by tag, not tested", heads, _slices(report)))
    return tables


def _scores(report: Report) -> Rows:
    comparison = report.comparison
    cells = {
        (
            score.run,
            score.metric,
        ): f"{figure(score.metric, score.mean)}\n{interval(score.metric, score.low, score.high)}"
        for score in comparison.scores
    }
    return [
        [
            run,
            *(cells.get((run, metric), "–") for metric in comparison.metrics),
            milliseconds(comparison.costs[run].p50),
            milliseconds(comparison.costs[run].p95),
            f"{comparison.costs[run].errors:,}",
        ]
        for run in comparison.runs
    ]


def _differences(report: Report) -> Rows:
    return [
        [
            one.metric,
            f"{one.a} → {one.b}",
            figure(one.metric, one.difference, "+"),
            interval(one.metric, one.low, one.high, "+"),
            probability(one.p_holm),
            f"{one.win}/{one.tie}/{one.loss}",
            report.verdict(one),
        ]
        for one in report.comparison.differences
    ]


def _short_differences(report: Report) -> Rows:
    """As they fit on a terminal; the sentences below them say the rest."""
    rows = []
    for one, row in zip(report.comparison.differences, _differences(report), strict=True):
        if one.metric == report.quality:
            kind = report.direction(one)
            verdict = f"{one.b} is {kind}" if kind else "the same" if one.tie == one.questions else "may be luck"
            rows.append([*row[1:-1], verdict])
    return rows


def _slices(report: Report) -> Rows:
    rows = []
    for part in report.comparison.slices:
        own = {score.run: score for score in part.scores if score.metric == report.quality}
        if own:
            count = max(score.questions for score in own.values())
            means = [figure(report.quality, own[run].mean) for run in report.comparison.runs]
            rows.append([part.tag, f"{count:,}", *means])
    return rows


def _line(cells: Sequence[str], *, inert: bool = True) -> str:
    return f"| {' | '.join(map(_inert, cells) if inert else cells)} |"


def _inert(text: str) -> str:
    """Text in which Markdown reads nothing, on one line."""
    text = "".join(sign if sign.isprintable() else " " for sign in text.replace("\n", " · ").removesuffix(" · "))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{sign}" if sign in "\\`*_[]|#~" else sign for sign in text)
