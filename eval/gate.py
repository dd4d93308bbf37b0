"""A Gate: what must hold for a run, so that a pipeline fails when retrieval got worse."""

import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragkit.errors import InvalidInput
from ragkit.eval.compare import Comparison

_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_WRITTEN = re.compile(r"\s*(?P<metric>[\w@-]+)\s*(?P<sign><=|>=|<|>)\s*(?P<bound>[-+]?[\d.]+)\s*\Z")


@dataclass(frozen=True, slots=True)
class Gate:
    """It fails when this is true of a run's mean: `nDCG@10 < 0.70`."""

    metric: str
    sign: str
    bound: float

    def failures(self, comparison: Comparison) -> list[str]:
        """A sentence for each run of which it is true."""
        return [
            f"{score.run}: {self.metric} is {score.mean:.4f}, which is {self.sign} {self.bound:g}."
            for score in comparison.scores
            if score.metric == self.metric and _OPERATORS[self.sign](score.mean, self.bound)
        ]


def parse(text: str) -> Gate:
    match = _WRITTEN.match(text)
    try:
        if match:
            return Gate(match["metric"], match["sign"], float(match["bound"]))
    except ValueError:
        match = None
    raise InvalidInput(f"{text!r} is no condition.", 'Write it like "nDCG@10 < 0.70".')


def worse(comparison: Comparison, baseline: str, metric: str) -> list[str]:
    """A sentence for each run that is worse than the baseline by more than luck can explain."""
    return [
        f"{other}: {one.verdict}"
        for one in comparison.differences
        if one.metric == metric and one.significant and baseline in (one.a, one.b)
        for other, change in [(one.b, one.difference) if one.a == baseline else (one.a, -one.difference)]
        if change < 0
    ]


def all_failures(
    comparison: Comparison, gates: Sequence[Gate], baseline: str | None = None, quality: str = ""
) -> list[str]:
    failed = [sentence for gate in gates for sentence in gate.failures(comparison)]
    return failed + (worse(comparison, baseline, quality) if baseline is not None else [])
