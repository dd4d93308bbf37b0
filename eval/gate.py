"""A Gate: what must hold for a run, so that a pipeline fails when retrieval got worse."""

import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragkit.errors import InvalidInput
from ragkit.eval.compare import Comparison
from ragkit.eval.metrics import canonical
from ragkit.eval.report import Report

_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_WRITTEN = re.compile(r"\s*(?P<metric>[\w@-]+)\s*(?P<sign><=|>=|<|>)\s*(?P<bound>[-+]?(\d+\.?\d*|\.\d+))\s*\Z")


@dataclass(frozen=True, slots=True)
class Gate:
    """It fails when this is true of a run's mean: `nDCG@10 < 0.70`."""

    metric: str
    sign: str
    bound: float

    def failures(self, comparison: Comparison, runs: Sequence[str]) -> list[str]:
        """A sentence for each of these runs of which it is true, or of which it cannot be said."""
        means = {score.run: score.mean for score in comparison.scores if score.metric == self.metric}
        failed = [f"{run}: no question could be scored by {self.metric}." for run in runs if run not in means]
        return failed + [
            f"{run}: {self.metric} is {means[run]:.4f}, which is {self.sign} {self.bound:g}."
            for run in runs
            if run in means and _OPERATORS[self.sign](means[run], self.bound)
        ]


def parse(text: str) -> Gate:
    match = _WRITTEN.match(text)
    if match is None:
        raise InvalidInput(f"{text!r} is no condition.", 'Write it like "nDCG@10 < 0.70".')
    return Gate(canonical(match["metric"]), match["sign"], float(match["bound"]))


def worse(report: Report, baseline: str) -> list[str]:
    """A sentence for each run that is worse than the baseline by more than luck can explain, or if none can be said."""
    own = [one for one in report.comparison.differences if one.metric == report.quality and baseline in (one.a, one.b)]
    if not own:
        return [f"Nothing could be compared with {baseline} by {report.quality}."]
    failed = []
    for one in own:
        said = report.direction(one)  # what b is beside a
        if said == ("worse" if one.a == baseline else "better"):
            failed.append(f"{one.b if one.a == baseline else one.a}: {one.verdict}")
    return failed
