"""How often the statistics are wrong: `python -m tests.simulate [simulations]`, 2,000 by default, about two minutes.

Pairs of runs with no difference: how often the test says 5 %. Pairs with a known one: how often the interval covers it.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ragkit.eval.statistics import bootstrap_interval, randomisation_test, smallest_detectable

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]

SIZES = (30, 50, 200)
_ROUNDS = 999
"""Fewer than a user gets: they make a single p coarser, not its rate wrong."""


@dataclass(frozen=True)
class Case:
    none: Draw
    """Differences between two runs that are the same, but for luck."""
    some: Draw
    """Differences of which the mean is `mean`."""
    mean: float


def _zero_one(better: float, worse: float) -> Draw:
    """Of two runs with scores 0 or 1, one alone is right with these chances, or both or none are."""

    def draw(rng: np.random.Generator, questions: int) -> Floats:
        luck = rng.random(questions)
        return (luck < better).astype(np.float64) - (luck > 1 - worse)

    return draw


def _ndcg(rng: np.random.Generator, found: float, questions: int) -> Floats:
    """nDCG@10 with one relevant document; at each rank the chance that it stands there, and not before, is `found`."""
    ranks = rng.geometric(found, questions)
    return np.where(ranks <= 10, 1 / np.log2(ranks + 1.0), 0.0)


def _mean_ndcg(found: float) -> float:
    ranks = np.arange(1, 11)
    return float(((1 - found) ** (ranks - 1) * found / np.log2(ranks + 1)).sum())


CASES: Mapping[str, Case] = {
    "normal": Case(lambda rng, n: rng.normal(0, 1, n), lambda rng, n: rng.normal(0.1, 1, n), 0.1),
    "skewed scores": Case(
        lambda rng, n: rng.beta(0.4, 2, n) - rng.beta(0.4, 2, n),
        lambda rng, n: rng.beta(0.6, 2, n) - rng.beta(0.4, 2, n),
        0.6 / 2.6 - 0.4 / 2.4,
    ),
    # The same mean, but not the same scores: what the randomisation test does not promise, shown for what it then does.
    "skewed differences": Case(
        lambda rng, n: rng.exponential(1, n) - 1, lambda rng, n: rng.exponential(1, n) - 0.9, 0.1
    ),
    "0/1": Case(_zero_one(0.2, 0.2), _zero_one(0.25, 0.15), 0.1),
    # Of 30 questions, the runs differ on 3: what no test of so few outcomes can do, shown for how far it is off.
    "0/1, few differ": Case(_zero_one(0.05, 0.05), _zero_one(0.08, 0.02), 0.06),
    "nDCG": Case(
        lambda rng, n: _ndcg(rng, 0.3, n) - _ndcg(rng, 0.3, n),
        lambda rng, n: _ndcg(rng, 0.35, n) - _ndcg(rng, 0.25, n),
        _mean_ndcg(0.35) - _mean_ndcg(0.25),
    ),
}


def firing(draw: Draw, questions: int, simulations: int, seed: int = 1, alpha: float = 0.05) -> float:
    """The share of simulations in which the test says that there is a difference."""
    rng = np.random.default_rng(seed)
    return float(np.mean([randomisation_test(draw(rng, questions), _ROUNDS, at) <= alpha for at in range(simulations)]))


def coverage(draw: Draw, mean: float, questions: int, simulations: int, seed: int = 1) -> float:
    """The share of simulations in which the 95 % interval holds the true mean."""
    rng = np.random.default_rng(seed)
    intervals = (bootstrap_interval(draw(rng, questions), 0.95, _ROUNDS, at) for at in range(simulations))
    return float(np.mean([low - 1e-12 <= mean <= high + 1e-12 for low, high in intervals]))


def finding(draw: Draw, mean: float, questions: int, simulations: int, seed: int = 1) -> float:
    """The share of simulations that show a difference as large as `smallest_detectable` calls it: its power, 80 %."""
    rng = np.random.default_rng(seed)
    shown = 0
    for at in range(simulations):
        centred = draw(rng, questions) - mean
        shown += randomisation_test(centred + smallest_detectable(draw(rng, questions)), _ROUNDS, at) <= 0.05
    return shown / simulations


def main(simulations: int) -> None:
    print(f"{simulations:,} simulations, in %: nominal is 5, 95 and 80\n")
    print(f"{'differences':20}{'questions':>10}{'fires':>10}{'covers':>10}{'finds':>10}")
    for name, case in CASES.items():
        for questions in SIZES:
            rates = (
                firing(case.none, questions, simulations),
                coverage(case.some, case.mean, questions, simulations),
                finding(case.some, case.mean, questions, simulations),
            )
            print(f"{name:20}{questions:10}" + "".join(f"{100 * rate:10.2f}" for rate in rates), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
