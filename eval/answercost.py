"""What the answers of a run took: time, tokens and money, and how many of them were none."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from ragkit.eval.answered import Answered


@dataclass(frozen=True, slots=True)
class AnswerCost:
    asked: int
    abstained: int
    errors: int
    """Asks that no model answered. They score 0."""
    partial: int
    """Answers that lack something, and say what."""
    calls: int
    tokens: int
    money: float | None
    """What is known of it; None where nothing is."""
    unpriced: int
    """Asks of which nobody knows what they cost: the money is at least what it says."""
    p50: float | None
    """Seconds of half of the asks that a model answered; None without any."""
    p95: float | None


def answer_cost(answers: Sequence[Answered]) -> AnswerCost | None:
    """None where nobody was asked."""
    if not answers:
        return None
    seconds = [one.seconds for one in answers if not one.error]
    p50, p95 = np.percentile(seconds, (50, 95)).tolist() if seconds else (None, None)
    prices = [one.money for one in answers if one.money is not None]
    return AnswerCost(
        asked=len(answers),
        abstained=sum(one.abstained for one in answers),
        errors=sum(bool(one.error) for one in answers),
        partial=sum(bool(one.missing) for one in answers),
        calls=sum(one.calls for one in answers),
        tokens=sum(one.tokens for one in answers),
        money=float(sum(prices, Decimal(0))) if prices else None,
        unpriced=len(answers) - len(prices),
        p50=p50,
        p95=p95,
    )


def money(cost: AnswerCost) -> str:
    """As it is read, in whatever currency the prices are."""
    if cost.money is None or (not cost.money and cost.unpriced):
        return "unknown"
    said = f"{cost.money:,.4f}" if cost.money else "0"
    return f"≥ {said}" if cost.unpriced else said
