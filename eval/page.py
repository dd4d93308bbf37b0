"""A Page: a report as one HTML file that loads nothing, to be read by someone who sees it for the first time."""

import json
from collections.abc import Sequence
from functools import lru_cache

from ragkit import __version__
from ragkit.eval import plot
from ragkit.eval.answerview import ANSWERS, COSTS, MEANINGS, answer_cells
from ragkit.eval.answerview import HEADS as ANSWER_HEADS
from ragkit.eval.compare import Difference, Score
from ragkit.eval.evidence import HITS, evidence
from ragkit.eval.look import SCRIPT, STYLE
from ragkit.eval.markup import escaped
from ragkit.eval.metrics import Cost
from ragkit.eval.report import Report, figure, interval, milliseconds, plural, probability
from ragkit.eval.sheet import Cell, scored, sheet

QUESTIONS = 60
"""Questions that can be unfolded. More are left out, and counted: thousands are slow to open, and never read."""
_MOST = 4_000_000
"""Characters that all questions take at most, of however many strategies."""
_BARS = 500
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

_MEANINGS = {
    "nDCG": "How near the right documents are to the top. 1: all come first, the most helpful ones before.",
    "Recall": "The share of the right documents that are among the first k.",
    "MRR": "1 divided by the rank of the first right document: 1 when it comes first, 0.5 when second.",
    "MAP": "The precision at each right document, averaged: it is high when all of them come early.",
    "P": "The share of the first k documents that are right.",
    "Success": "1 when there is a right document among the first k, else 0.",
    "range_recall": "The share of the right passages, by length, that the first k hits have.",
    "range_precision": "The share of the text of the first k hits that is right.",
    "range_IoU": "What is both found and right, divided by what is either: less when too much or too little is found.",
    "seconds": "How long a search took: less is better.",
    **MEANINGS,
}


def html(report: Report, questions: int = QUESTIONS) -> str:
    """The whole page."""
    title = f"{report.questions.name}: {_listed(report.comparison.runs)}"
    body = (
        _opening(report, title),
        _scores(report),
        _plots(report),
        _differences(report),
        _slices(report),
        _questions(report, questions),
        _words(report),
        _settings(report),
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><main>{''.join(body)}</main><script>{SCRIPT}</script></body></html>\n"
    )


def _opening(report: Report, title: str) -> str:
    runs = report.comparison.runs
    most = max((len(result.hits) for run in report.runs for result in run.results.values()), default=0)
    put = f"{plural(len(report.questions), 'question')} from <b>{escaped(report.questions.name)}</b>"
    to = "one retrieval strategy, which" if len(runs) == 1 else f"{len(runs):,} retrieval strategies, each of which"
    lead = (
        f"{put} went to {to} searched the same documents and returned up to {plural(most, 'passage')}, the best first. "
        f"{_answering(report)}"
        "For every question it is known what should be found. Scores go from 0 to 1, and higher is better; "
        "the interval beside a score says how much it could move with other questions of this kind."
    )
    findings = "".join(f"<li>{escaped(sentence)}</li>" for sentence in report.findings())
    return (
        f'<header><h1>{escaped(title)}</h1><p class="lead">{lead}</p></header>'
        f'<section><h2>What came out</h2><ul class="findings">{findings}</ul></section>'
    )


def _answering(report: Report) -> str:
    own = [run.name for run in report.runs if run.answers]
    every = "Each" if len(own) == len(report.runs) else escaped(", ".join(own))
    return f"{every} then wrote an answer that cites passages. " if own else ""


def _scores(report: Report) -> str:
    comparison = report.comparison
    by = {(score.run, score.metric): score for score in comparison.scores}
    best = {metric: _best(report, metric, comparison.scores) for metric in comparison.metrics}
    rows, answers = [], []
    for number, run in enumerate(comparison.runs):
        name: Cell = (f"{plot.mark(number)}{escaped(run)}", None, "head")
        cells = [scored(by.get((run, metric)), best[metric]) for metric in report.of_hits]
        rows.append([name, *cells, *_costs(comparison.costs[run])])
        cells = [scored(by.get((run, metric)), best[metric]) for metric in report.of_answers]
        if cells and comparison.costs[run].answers:
            answers.append([name, *cells])
    heads = ("Strategy", *report.of_hits, "p50 ms", "p95 ms", "Failed", "Empty")
    caption = (
        f"★ marks the best mean of a column. Below each mean: its {comparison.level:.0%} interval. "
        "p50: half of the searches took less time; p95: 95 of 100 did. Failed or empty searches score 0."
    )
    said = sheet("scores", heads, rows, caption)
    if answers:
        said += f"<h3>Answers</h3>{sheet('answers', ('Strategy', *report.of_answers), answers, ANSWERS)}"
    return f"<section><h2>Scores</h2>{said}{_answer_costs(report)}</section>"


def _answer_costs(report: Report) -> str:
    rows: list[list[Cell]] = []
    for number, (run, cost) in enumerate(report.comparison.costs.items()):
        if (told := cost.answers) is not None:
            name: Cell = (f"{plot.mark(number)}{escaped(run)}", None, "head")
            rows.append([name, *answer_cells(told)])
    return f"<h3>What answers took</h3>{sheet('answer-costs', ANSWER_HEADS, rows, COSTS)}" if rows else ""


def _best(report: Report, metric: str, scores: Sequence[Score]) -> float:
    means = [score.mean for score in scores if score.metric == metric]
    return (max if report.metric(metric).higher_is_better else min)(means, default=0.0)


def _costs(cost: Cost) -> list[Cell]:
    times: list[Cell] = [(milliseconds(one), one or 0.0, "number") for one in (cost.p50, cost.p95)]
    counts: list[Cell] = [
        (f"✗ {count:,}" if count else "0", float(count), "number") for count in (cost.errors, cost.empty)
    ]
    return times + counts


def _differences(report: Report) -> str:
    rows: list[list[Cell]] = []
    for one in report.comparison.differences:
        kind = report.direction(one)
        sign = {"better": "▲ ", "worse": "▼ ", "": "= " if one.tie == one.questions else "≈ "}[kind]
        rows.append(
            [
                (escaped(f"{one.a} → {one.b}"), None, "head"),
                (escaped(one.metric), None, ""),
                (_moved(one), one.difference, "number"),
                (probability(one.p_holm), one.p_holm, "number"),
                (f"{one.win} / {one.tie} / {one.loss}", float(one.win - one.loss), "number"),
                (f'<span class="{kind}">{sign}{escaped(report.verdict(one))}</span>', None, "verdict"),
            ]
        )
    if not rows:
        return ""
    comparison = report.comparison
    heads = ("From → to", "Metric", "Difference", "p (Holm)", "Better / same / worse", "Verdict")
    caption = (
        f"Below each difference: its {comparison.level:.0%} interval. p is the probability of so large a difference by "
        f"luck alone: a paired randomisation test, {comparison.rounds:,} rounds, corrected by Holm for all pairs. The "
        "verdict follows it: up to 0.05 is a difference. The numbers before it: questions on which the second strategy "
        "is better, the same, and worse."
    )
    lead = "<p>Each row goes from one strategy to another: is the second one better, or was it luck?</p>"
    table = sheet("differences", heads, rows, caption)
    return f"<section><h2>Differences</h2>{lead}{table}</section>"


def _moved(one: Difference) -> str:
    said = figure(one.metric, one.difference, "+")
    return f"{said}<small>{interval(one.metric, one.low, one.high, '+')}</small>"


def _slices(report: Report) -> str:
    runs = report.comparison.runs
    rows: list[list[Cell]] = []
    for part in report.comparison.slices:
        own = {score.run: score for score in part.scores if score.metric == report.quality}
        if own:
            count = max(score.questions for score in own.values())
            best = _best(report, report.quality, list(own.values()))
            cells = [scored(own.get(run), best) for run in runs]
            rows.append([(escaped(part.tag), None, "head"), (f"{count:,}", float(count), "number"), *cells])
    if not rows:
        return ""
    caption = f"{report.quality}. Not tested: of many tags, some differ by luck."
    table = sheet("slices", ("Tag", "Questions", *runs), rows, caption)
    return f"<section><h2>By kind of question</h2>{table}</section>"


def _plots(report: Report) -> str:
    figures = [_against_latency(report), _recall(report), _by_question(report)]
    return f'<section><h2>Pictures</h2><div class="plots">{"".join(figures)}</div></section>' if any(figures) else ""


def _against_latency(report: Report) -> str:
    means = {score.run: score for score in report.ranked}
    points = []
    for run in report.comparison.runs:
        p50, score = report.comparison.costs[run].p50, means.get(run)
        if p50 is not None and score is not None:
            low, high = (score.mean if one is None else one for one in (score.low, score.high))
            points.append(plot.Point(run, p50 * 1000, score.mean, low, high))
    if not points:
        return ""
    drawn = plot.scatter(points, "p50 latency in milliseconds", report.quality, "Quality against latency")
    return _figure("Quality against latency", drawn, "Up is better, left is faster. Lines: the interval of the mean.")


def _recall(report: Report) -> str:
    recall = report.recall()
    if not any(len(line) > 1 for line in recall.values()):
        return ""
    drawn = plot.lines(recall, "k, the number of hits looked at", "Recall@k", "Recall by number of hits")
    return _figure("Recall by number of hits", drawn, "The share of the right documents that the first k hits have.")


def _by_question(report: Report) -> str:
    if len(report.ranked) < 2:
        return ""
    first, second = report.ranked[0].run, report.ranked[1].run
    # Upwards, the first is better: of times, the other one's are longer.
    more, less = (first, second) if report.metric(report.quality).higher_is_better else (second, first)
    a, b = report.scored[more], report.scored[less]
    values = sorted(((question, a[question] - b[question]) for question in a if question in b), key=lambda one: -one[1])
    count = len(values)
    step = -(-count // _BARS)
    thinned = f" One bar in {step} is drawn." if step > 1 else ""
    up = f"difference in {report.quality}"
    drawn = plot.bars(values[::step], f"{first} better", f"{second} better", up, "Differences by question")
    said = f"{more} minus {less}, the best two, on each of {plural(count, 'question')}, sorted.{thinned}"
    return _figure("Where the best two differ", drawn, said)


def _figure(title: str, drawn: str, said: str) -> str:
    return f"<figure><h3>{escaped(title)}</h3>{drawn}<figcaption>{escaped(said)}</figcaption></figure>"


def _questions(report: Report, most: int) -> str:
    ordered = report.most_changed()
    text_of = lru_cache(maxsize=512)(report.text_of)
    shown: list[str] = []
    room = _MOST
    for question in ordered[:most]:
        made = evidence(report, question, text_of)
        room -= len(made)
        if room < 0 and shown:
            break
        shown.append(made)
    left = len(ordered) - len(shown)
    rest = (
        f" {plural(left, 'question')} more, which differ less, {'are' if left != 1 else 'is'} left out." if left else ""
    )
    return (
        "<section><h2>Questions</h2><p>First those on which the strategies differ most. Open one to see what each "
        f"found, the first {HITS} hits: those that are right have a ✓, and where the gold is a passage, it is "
        f"<mark>highlighted</mark>.{rest}</p>"
        '<div class="tools"><input id="filter" type="search" placeholder="Show questions with …" '
        'aria-label="Show questions with these words"><button type="button" data-open="yes">Open all</button>'
        f'<button type="button" data-open="no">Close all</button></div>{"".join(shown)}</section>'
    )


def _words(report: Report) -> str:
    said = []
    for name in report.comparison.metrics:
        stem = name.split("@")[0]
        meaning = _MEANINGS.get(stem.removesuffix("_tokens"), "")
        if meaning:
            counted = " Counted in words." if stem.endswith("_tokens") else ""
            said.append(f"<dt>{escaped(name)}</dt><dd>{escaped(meaning)}{counted}</dd>")
    return f"<section><h2>What the metrics mean</h2><dl>{''.join(said)}</dl></section>" if said else ""


def _settings(report: Report) -> str:
    said = {run.name: dict(run.settings) for run in report.runs}
    written = escaped(json.dumps(said, indent=2, ensure_ascii=False, default=str))
    return (
        f"<footer><details><summary>Settings and versions of every run</summary><pre>{written}</pre></details>"
        f'<p class="faint">Made by ragkit {escaped(__version__)}, seed {report.comparison.seed}.</p></footer>'
    )


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    shown = names if len(names) <= 5 else [*names[:4], f"{len(names) - 4} more"]
    return f"{', '.join(shown[:-1])} and {shown[-1]} compared"
