"""Tables of a report, for a terminal and in Markdown: the same rows, in the same words."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from ragkit.eval.answercost import money
from ragkit.eval.compare import Difference, Score
from ragkit.eval.report import Report, figure, interval, milliseconds, plural, probability
from ragkit.glyphs import shown
from ragkit.terminal import plain

Rows = list[list[str]]
_COSTS = ("p50 ms\np95 ms", "Failed\nEmpty")
"""Two lines each, as scores have them: four metrics and these fit on 80 columns."""
_ANSWER_COSTS = ("p50 ms\np95 ms", "Calls\nTokens", "Money", "Failed\nAbstained\nIncomplete")
_LONG = 14
_WIDE = 96
"""Columns on which differences need no second line."""
_ABREAST = 4
"""Metrics of answers in a table; more of them follow in another one."""
_DIFFERENCES = ("Metric", "From → to", "Difference", "95 % interval", "p (Holm)", "Better / same / worse", "Verdict")


def show(report: Report, console: Console) -> None:
    """Print the scores, the differences by the metric that ranks, what the tags show, and what came out."""
    for title, heads, rows in _tables(report):
        if heads == _DIFFERENCES:
            title = f"Differences in {report.quality}"
            narrow = console.width < _WIDE
            heads = tuple(head.replace(" / ", " /\n") if narrow else head for head in _DIFFERENCES[1:])
            rows = _short_differences(report)
        table = Table(
            *map(_lines, map(_broken, heads)),
            title=plain(title),
            title_justify="left",
            box=None,
            pad_edge=False,
            header_style="bold",
        )
        for column in table.columns:
            column.overflow = "fold"  # a name that is cut is another name
        for column in table.columns[1:]:
            column.justify = "right"
        if heads[-1] == _DIFFERENCES[-1]:
            table.columns[-1].justify = "left"
            for column in table.columns[1:-1]:
                column.no_wrap = True  # rather a verdict on two lines than an interval
        for row in rows:
            table.add_row(*map(_lines, row))
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
    metrics = report.of_hits
    count = plural(len(report.questions), "question")
    tables: list[tuple[str, Sequence[str], Rows]] = [
        (f"{report.questions.name}, {count}", ("Strategy", *metrics, *_COSTS), _scores(report))
    ]
    said = report.of_answers
    for few in (said[at : at + _ABREAST] for at in range(0, len(said), _ABREAST)):
        tables.append(("Answers", ("Strategy", *few), [[run, *_means(report, run, few)] for run in _answering(report)]))
    if _answering(report):
        tables.append(("What answers took", ("Strategy", *_ANSWER_COSTS), _answer_costs(report)))
    if report.comparison.differences:
        tables.append(("Differences", _DIFFERENCES, _differences(report)))
    if report.comparison.slices:
        heads = ("Tag", "Questions", *report.comparison.runs)
        tables.append((f"{report.quality} by tag, not tested", heads, _slices(report)))
    return tables


def _scores(report: Report) -> Rows:
    comparison = report.comparison
    rows = []
    for run in comparison.runs:
        cost = comparison.costs[run]
        times = f"{milliseconds(cost.p50)}\n{milliseconds(cost.p95)}"
        nothing = f"{cost.errors:,}\n{cost.empty:,}"
        rows.append([run, *_means(report, run, report.of_hits), times, nothing])
    return rows


def _means(report: Report, run: str, metrics: Sequence[str]) -> list[str]:
    cells = {score.metric: _with_interval(score) for score in report.comparison.scores if score.run == run}
    return [cells.get(metric, "–") for metric in metrics]


def _answering(report: Report) -> list[str]:
    return [run for run, cost in report.comparison.costs.items() if cost.answers]


def _answer_costs(report: Report) -> Rows:
    costs = {run: cost.answers for run, cost in report.comparison.costs.items() if cost.answers}
    return [
        [
            run,
            f"{milliseconds(cost.p50)}\n{milliseconds(cost.p95)}",
            f"{cost.calls:,}\n{cost.tokens:,}",
            money(cost),
            f"{cost.errors:,}\n{cost.abstained:,}\n{cost.partial:,}",
        ]
        for run, cost in costs.items()
    ]


def _with_interval(score: Score) -> str:
    return f"{figure(score.metric, score.mean)}\n{interval(score.metric, score.low, score.high, between='–')}"


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
            rows.append([*row[1:-1], f"{one.b} is {kind}" if kind else _undecided(one)])
    return rows


def _undecided(one: Difference) -> str:
    if one.tie == one.questions:
        return "the same"
    return "too few questions" if one.smallest is None else "may be luck"


def _slices(report: Report) -> Rows:
    rows = []
    for part in report.comparison.slices:
        own = {score.run: score for score in part.scores if score.metric == report.quality}
        if own:
            count = max(score.questions for score in own.values())
            means = [figure(report.quality, own[run].mean) for run in report.comparison.runs]
            rows.append([part.tag, f"{count:,}", *means])
    return rows


def _broken(head: str) -> str:
    """A long name of a metric on two lines: the words of narrow columns would be cut anywhere."""
    before, _, last = head.rpartition("_")
    return f"{before}_\n{last}" if before and len(head) > _LONG else head


def _lines(cell: str) -> str:
    return "\n".join(map(plain, cell.split("\n")))


def _line(cells: Sequence[str], *, inert: bool = True) -> str:
    return f"| {' | '.join(map(_inert, cells) if inert else cells)} |"


def _inert(text: str) -> str:
    """Text in which Markdown reads nothing, on one line."""
    text = shown(text.replace("\n", " · ").removesuffix(" · "))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{sign}" if sign in "\\`*_[]|#~" else sign for sign in text)
