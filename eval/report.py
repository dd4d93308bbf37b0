"""A Report: a comparison together with what it was made from, so that it can be shown and looked into.

`table.show` prints it on a terminal, `table.markdown` writes it for a pull request, `page.html` as one page to open;
`plain` is what `--json` prints.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from ragkit.eval.answercost import AnswerCost
from ragkit.eval.answermetrics import NAMES as ANSWERS
from ragkit.eval.compare import Comparison, Difference, Score
from ragkit.eval.judging import Judged
from ragkit.eval.metrics import GoldRanges, Metric, document_gold, metric
from ragkit.eval.questions import Question, QuestionSet
from ragkit.eval.result import Run

_COUNTS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class Report:
    comparison: Comparison
    runs: Sequence[Run]
    questions: QuestionSet
    gold: GoldRanges
    """Where the gold of each question lies, by question id and uri."""
    text_of: Callable[[str], str | None]
    """The text of a document by uri, to show what was found."""
    metrics: Sequence[Metric] = ()
    """Those of the comparison. May be left out where their names say what they are."""
    judged: Mapping[str, Judged] = field(default_factory=dict)
    """What a judge said of each run's answers, by run; empty without a judge."""

    def metric(self, name: str) -> Metric:
        given = {one.name: one for one in self.metrics}
        return given.get(name) or metric(name, self.gold, _Texts(self.text_of))

    @property
    def of_hits(self) -> list[str]:
        """The metrics that score what was found."""
        return [name for name in self.comparison.metrics if name not in ANSWERS]

    @property
    def of_answers(self) -> list[str]:
        return [name for name in self.comparison.metrics if name in ANSWERS]

    @cached_property
    def quality(self) -> str:
        """The metric that ranks the strategies: the first of which more is better."""
        names = self.comparison.metrics
        return next((name for name in names if self.metric(name).higher_is_better), names[0])

    @cached_property
    def scored(self) -> dict[str, dict[str, float]]:
        """The quality of each question that has gold for it, by run and question id."""
        rule = self.metric(self.quality)
        return {run.name: rule.score(run, self.questions) for run in self.runs}

    @cached_property
    def ranked(self) -> list[Score]:
        """The runs by quality, the best first."""
        sign = -1 if self.metric(self.quality).higher_is_better else 1
        own = [score for score in self.comparison.scores if score.metric == self.quality]
        return sorted(own, key=lambda score: sign * score.mean)

    def recall(self) -> dict[str, dict[int, float]]:
        """By run, the share of the gold documents that its first k hits have, for round k as far as runs go."""
        if not document_gold(self.questions):
            return {}
        longest = max((len(result.hits) for run in self.runs for result in run.results.values()), default=0)
        rules = [(count, metric(f"Recall@{count}")) for count in _COUNTS if count <= max(longest, 1)]
        return {run.name: {count: _mean(rule.score(run, self.questions)) for count, rule in rules} for run in self.runs}

    def most_changed(self) -> list[Question]:
        """Every question: those on which the runs differ most, then the worst answered; last, those not scored."""

        def order(question: Question) -> tuple[bool, float, float]:
            scores = [scored[question.id] for scored in self.scored.values() if question.id in scored]
            return (not scores, min(scores, default=0.0) - max(scores, default=0.0), max(scores, default=0.0))

        return sorted(self.questions, key=order)

    def leading(self) -> list[Difference]:
        """By quality, each run beside the one that all were compared with; without such a one, beside the best."""
        own = [one for one in self.comparison.differences if one.metric == self.quality]
        best = self.ranked[0].run if self.ranked else ""
        return [one for one in own if (self.comparison.against or best) in (one.a, one.b)]

    def findings(self) -> list[str]:
        """What came out, in a few sentences."""
        said = []
        if self.ranked:
            order = ", ".join(f"{score.run} {figure(self.quality, score.mean)}" for score in self.ranked)
            said.append(f"By {self.quality}, the best first: {order}.")
        said += [one.verdict for one in self.leading()]
        for run, cost in self.comparison.costs.items():
            said += [f"{run}: {plural(cost.errors, 'search', 'es')} failed and scored 0."] if cost.errors else []
            said += [f"{run}: {plural(cost.missing, 'question')} not asked, scored 0."] if cost.missing else []
            told = cost.answers
            if told and told.errors:
                said.append(f"{run}: no model answered {plural(told.errors, 'ask')}, scored 0.")
            if told and told.partial:
                said.append(f"{run}: {plural(told.partial, 'answer')} incomplete, scored as it is.")
            if told and told.unpriced:
                said.append(f"{run}: nobody knows what {plural(told.unpriced, 'ask')} cost.")
        said += [found.sentence(run) for run, found in self.judged.items()]
        count = len(self.questions) - len({question for scores in self.scored.values() for question in scores})
        if count and self.metric(self.quality).higher_is_better:
            said.append(f"{plural(count, 'question')} of {len(self.questions):,} without gold, not scored.")
        return said

    def verdict(self, one: Difference) -> str:
        """A difference in words short enough for a table; `one.verdict` is the whole sentence."""
        kind = self.direction(one)
        if kind:
            return f"{one.b} is {kind}"
        if one.tie == one.questions:
            return "the same on every question"
        if one.smallest is None:
            return "too few questions to show a difference"
        return (
            f"no difference that this set could show; it shows differences from {figure(one.metric, one.smallest)} on"
        )

    def direction(self, one: Difference) -> str:
        """What b is beside a: `better`, `worse`, or nothing when that may be luck."""
        if not one.significant:
            return ""
        return "better" if (one.difference > 0) == self.metric(one.metric).higher_is_better else "worse"

    def plain(self) -> dict[str, Any]:
        """Of plain dicts, lists, strings and finite numbers, for JSON."""
        return {
            "dataset": self.questions.name,
            "queries": len(self.questions),
            "seed": self.comparison.seed,
            "rounds": self.comparison.rounds,
            "strategies": {run: self._strategy(run) for run in self.comparison.runs},
            "comparisons": [self._difference(one) for one in self.comparison.differences],
            "against": self.comparison.against,
            "quality": self.quality,
            "findings": self.findings(),
            "slices": [
                {"tag": part.tag, "strategies": {run: _means(part.scores, run) for run in self.comparison.runs}}
                for part in self.comparison.slices
            ],
        }

    def _strategy(self, run: str) -> dict[str, Any]:
        cost = self.comparison.costs[run]
        own = [score for score in self.comparison.scores if score.run == run]
        return {
            **_means(own, run),
            "p50_ms": _in_ms(cost.p50),
            "p95_ms": _in_ms(cost.p95),
            "errors": cost.errors,
            "empty": cost.empty,
            **({} if cost.answers is None else {"answers": _plain_cost(cost.answers)}),
            **({"judge": self.judged[run].as_dict()} if run in self.judged else {}),
            "intervals": {score.metric: [score.low, score.high] for score in own},
            "scored": {score.metric: score.questions for score in own},
        }

    def _difference(self, one: Difference) -> dict[str, Any]:
        names = ("a", "b", "metric", "difference", "low", "high", "p", "p_holm", "win", "tie", "loss", "smallest")
        return {
            **{name: getattr(one, name) for name in names},
            "verdict": one.verdict,
            "changed": [{"question": row.question, "a": row.a, "b": row.b} for row in one.changed],
        }


class _Texts(Mapping[str, str]):
    """The texts of documents by uri, read when they are asked for."""

    def __init__(self, text_of: Callable[[str], str | None]) -> None:
        self._text_of = text_of

    def __getitem__(self, uri: str) -> str:
        text = self._text_of(uri)
        if text is None:
            raise KeyError(uri)
        return text

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def figure(metric: str, value: float, sign: str = "") -> str:
    """A score as it is read: three places, or milliseconds."""
    if metric == "seconds":
        return f"{value * 1000:{sign},.1f} ms"
    return f"{round(value, 3) or 0.0:{sign}.3f}"


def interval(metric: str, low: float | None, high: float | None, sign: str = "", between: str = " to ") -> str:
    return "" if low is None or high is None else f"{figure(metric, low, sign)}{between}{figure(metric, high, sign)}"


def milliseconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds * 1000:,.1f}"


def probability(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def plural(count: int, word: str, ending: str = "s") -> str:
    return f"{count:,} {word}{ending * (count != 1)}"


def _plain_cost(cost: AnswerCost) -> dict[str, Any]:
    counts = {name: value for name, value in asdict(cost).items() if name not in ("p50", "p95")}
    return {**counts, "p50_ms": _in_ms(cost.p50), "p95_ms": _in_ms(cost.p95)}


def _in_ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def _means(scores: Sequence[Score], run: str) -> dict[str, float]:
    return {score.metric: score.mean for score in scores if score.run == run}


def _mean(scores: Mapping[str, float]) -> float:
    return sum(scores.values()) / len(scores) if scores else 0.0
