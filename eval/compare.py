"""A Comparison: what runs over one question set score, which differences are more than luck, and where they are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from ragkit.errors import InvalidInput, nearest_of
from ragkit.eval.metrics import Cost, Metric, cost
from ragkit.eval.questions import QuestionSet
from ragkit.eval.result import Run
from ragkit.eval.statistics import (
    Floats,
    bootstrap_intervals,
    holm,
    least_p,
    randomisation_test,
    smallest_detectable,
    tally,
)

_ALPHA = 0.05
_LEVEL = 0.95
_CHANGED = 10
"""As many as a person looks through."""

Pair = tuple[int, int]
"""Two runs by their places: what the second is beside the first."""


@dataclass(frozen=True, slots=True)
class Score:
    """The mean of one run by one metric. A single question has no interval."""

    run: str
    metric: str
    mean: float
    low: float | None
    high: float | None
    questions: int


@dataclass(frozen=True, slots=True)
class Gap:
    """The mean difference `b - a`, with its interval."""

    a: str
    b: str
    metric: str
    difference: float
    low: float | None
    high: float | None
    questions: int


@dataclass(frozen=True, slots=True)
class Changed:
    """A question, with its scores under both runs."""

    question: str
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class Difference(Gap):
    p: float
    """Of the paired randomisation test."""
    p_holm: float
    """Corrected for all pairs of runs that were compared by this metric."""
    win: int
    """Questions on which b is better; for a metric of which less is better, those that score less."""
    tie: int
    loss: int
    smallest: float | None
    """The smallest difference that these questions show in 8 of 10 cases, when as many pairs are compared.

    None when they are too few: their p would be too high even if all of them changed alike, or the difference would
    have to be larger than a score can be.
    """
    verdict: str
    changed: tuple[Changed, ...]
    """The questions that changed most, the largest change first."""

    @property
    def significant(self) -> bool:
        return self.p_holm <= _ALPHA


@dataclass(frozen=True, slots=True)
class Slice:
    """Only the questions with a tag. No test: of many slices, some differ by luck."""

    tag: str
    scores: tuple[Score, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class Comparison:
    question_set: str
    runs: tuple[str, ...]
    against: str | None
    """The run that each other one is compared with; None when each is compared with each."""
    metrics: tuple[str, ...]
    unscored: tuple[str, ...]
    """Those of them that score no question in every run, mostly for want of gold. They have no rows below."""
    costs: Mapping[str, Cost]
    """By run."""
    scores: tuple[Score, ...]
    differences: tuple[Difference, ...]
    slices: tuple[Slice, ...]
    level: float
    rounds: int
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """Of plain dicts, lists, strings and finite numbers, for JSON."""
        return asdict(
            self, dict_factory=lambda pairs: {key: list(one) if isinstance(one, tuple) else one for key, one in pairs}
        )


def compare(
    runs: Sequence[Run],
    questions: QuestionSet,
    metrics: Sequence[Metric],
    *,
    against: str | None = None,
    rounds: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Compare each run with each later one, question by question. The same seed gives the same figures.

    With the name of a run as `against`, each other one is compared with that one only. The fewer pairs there are, the
    less Holm corrects, and the smaller a difference is shown.
    """
    _check(runs, metrics, against)
    pairs = _pairs([run.name for run in runs], against)
    every = [_table(one, runs, pairs, questions) for one in metrics]
    tables = [table for table in every if table.questions]
    resampling = _Resampling(rounds, seed)
    return Comparison(
        question_set=questions.name,
        runs=tuple(run.name for run in runs),
        against=against,
        metrics=tuple(one.name for one in metrics),
        unscored=tuple(table.metric.name for table in every if not table.questions),
        costs={run.name: cost(run, questions) for run in runs},
        scores=tuple(score for table in tables for score in _scores(table, resampling)),
        differences=tuple(one for table in tables for one in _differences(table, resampling)),
        slices=_slices(tables, questions, resampling),
        level=_LEVEL,
        rounds=rounds,
        seed=seed,
    )


@dataclass(frozen=True)
class _Resampling:
    rounds: int
    seed: int

    def intervals(self, columns: Floats) -> Sequence[tuple[float, float] | tuple[None, None]]:
        if len(columns) < 2:
            return [(None, None)] * columns.shape[1]
        return bootstrap_intervals(columns, _LEVEL, self.rounds, self.seed)


@dataclass(frozen=True)
class _Table:
    """The scores by one metric: a row for each question that it scores in every run, a column for each run."""

    metric: Metric
    runs: tuple[str, ...]
    pairs: Sequence[Pair]
    questions: tuple[str, ...]
    scores: Floats

    def only(self, questions: frozenset[str]) -> "_Table":
        rows = [at for at, question in enumerate(self.questions) if question in questions]
        return replace(self, questions=tuple(self.questions[at] for at in rows), scores=self.scores[rows])

    def gap(self, pair: Pair) -> Floats:
        return self.scores[:, pair[1]] - self.scores[:, pair[0]]


def _check(runs: Sequence[Run], metrics: Sequence[Metric], against: str | None) -> None:
    if not runs or not metrics:
        raise InvalidInput("There is nothing to compare.", "Name at least one run and one metric.")
    for what, names in (("run", [run.name for run in runs]), ("metric", [one.name for one in metrics])):
        if twice := [name for name in names if names.count(name) > 1]:
            raise InvalidInput(f"Two {what}s are called {twice[0]!r}.", "Give each its own name, or leave one out.")
    sets = sorted({run.question_set for run in runs})
    if len(sets) > 1:
        raise InvalidInput(
            f"The runs answer different question sets: {', '.join(sets)}.", "Compare runs over the same questions."
        )
    names = [run.name for run in runs]
    if against is not None and against not in names:
        raise InvalidInput(
            f"There is no run {against!r} to compare with.{nearest_of(against, names)}",
            f"Name one of {', '.join(names)}.",
        )


def _pairs(names: Sequence[str], against: str | None) -> list[Pair]:
    if against is None:
        return list(combinations(range(len(names)), 2))
    base = names.index(against)
    return [(base, at) for at in range(len(names)) if at != base]


def _table(metric: Metric, runs: Sequence[Run], pairs: Sequence[Pair], questions: QuestionSet) -> _Table:
    scored = [metric.score(run, questions) for run in runs]
    shared = tuple(one.id for one in questions if all(one.id in scores for scores in scored))
    rows = np.array([[scores[one] for scores in scored] for one in shared], dtype=np.float64)
    return _Table(metric, tuple(run.name for run in runs), pairs, shared, rows)


def _scores(table: _Table, resampling: _Resampling) -> list[Score]:
    means = table.scores.mean(axis=0).tolist()
    intervals = resampling.intervals(table.scores)
    return [
        Score(run, table.metric.name, mean, low, high, len(table.questions))
        for run, mean, (low, high) in zip(table.runs, means, intervals, strict=True)
    ]


def _gaps(table: _Table, resampling: _Resampling) -> list[Gap]:
    if not table.pairs:
        return []
    columns = np.column_stack([table.gap(pair) for pair in table.pairs])
    intervals = resampling.intervals(columns)
    return [
        Gap(table.runs[a], table.runs[b], table.metric.name, mean, low, high, len(table.questions))
        for (a, b), mean, (low, high) in zip(table.pairs, columns.mean(axis=0).tolist(), intervals, strict=True)
    ]


def _differences(table: _Table, resampling: _Resampling) -> list[Difference]:
    p_values = [randomisation_test(table.gap(pair), resampling.rounds, resampling.seed) for pair in table.pairs]
    rows = zip(table.pairs, _gaps(table, resampling), p_values, holm(p_values), strict=True)
    return [_difference(table, pair, gap, p, p_holm) for pair, gap, p, p_holm in rows]


def _difference(table: _Table, pair: Pair, gap: Gap, p: float, p_holm: float) -> Difference:
    values = table.gap(pair)
    counts = tally(values if table.metric.higher_is_better else -values)
    smallest = _smallest(table, values)
    return Difference(
        **asdict(gap),
        p=p,
        p_holm=p_holm,
        win=counts.win,
        tie=counts.tie,
        loss=counts.loss,
        smallest=smallest,
        verdict=_verdict(table.metric, gap, p_holm, smallest, counts.tie),
        changed=_changed(table, pair),
    )


def _smallest(table: _Table, values: Floats) -> float | None:
    # Holm holds the smallest p against alpha / pairs: with several pairs, a difference must be larger to be shown.
    alpha = _ALPHA / len(table.pairs)
    if least_p(len(values)) > alpha:
        return None
    smallest = smallest_detectable(values, alpha=alpha)
    # Scores of quality end at 1, times nowhere.
    return None if table.metric.higher_is_better and smallest > 1 else smallest


def _verdict(metric: Metric, gap: Gap, p_holm: float, smallest: float | None, ties: int) -> str:
    """The difference in words. What is not shown is not denied: it says how large it would have had to be."""
    if ties == gap.questions:
        return f"{gap.a} and {gap.b} score the same on every question by {metric.name}."
    better, worse = (gap.b, gap.a) if (gap.difference > 0) == metric.higher_is_better else (gap.a, gap.b)
    if p_holm <= _ALPHA:
        return f"{better} is better than {worse} by {abs(gap.difference):.3f} {metric.name} (p {p_holm:.2g})."
    said = f"No difference between {gap.a} and {gap.b} is shown by {metric.name} (p {p_holm:.2g}):"
    if smallest is None:
        return f"{said} {gap.questions} {'question is' if gap.questions == 1 else 'questions are'} too few to show one."
    return f"{said} {gap.questions} questions like these show one of about {smallest:.3f} or more."


def _changed(table: _Table, pair: Pair) -> tuple[Changed, ...]:
    values = np.abs(table.gap(pair))
    # Stable: of equal changes, those that stand first in the set.
    largest = [at for at in np.argsort(-values, kind="stable")[:_CHANGED].tolist() if values[at] > 0]
    a, b = pair
    return tuple(Changed(table.questions[at], float(table.scores[at, a]), float(table.scores[at, b])) for at in largest)


def _slices(tables: Sequence[_Table], questions: QuestionSet, resampling: _Resampling) -> tuple[Slice, ...]:
    tagged: dict[str, set[str]] = {}
    for question in questions:
        for tag in question.tags:
            tagged.setdefault(tag, set()).add(question.id)
    slices = []
    for tag in sorted(tagged):
        parts = [part for table in tables if (part := table.only(frozenset(tagged[tag]))).questions]
        slices.append(
            Slice(
                tag,
                tuple(score for part in parts for score in _scores(part, resampling)),
                tuple(gap for part in parts for gap in _gaps(part, resampling)),
            )
        )
    return tuple(slices)
