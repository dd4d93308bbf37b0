"""Agreement: how far two judges of the same claims say the same, and how well a score tells what people said."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from ragkit.errors import InvalidInput
from ragkit.eval.groundedness import Groundedness, Support


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of two sides that saw the same claims. Whatever is undefined is None, never a number."""

    both: int
    """Claims that both sides judged; `equal`, `kappa` and `auc` are of these."""
    only_first: int
    """Claims that only the first side judged."""
    only_second: int
    neither: int
    equal: float | None
    """The share of the same verdicts; None when there are none to compare."""
    kappa: float | None
    """Cohen's kappa (1960): how far they agree beyond chance, 1 fully, 0 as chance would have it.

    None when there is nothing to compare, and when both say one and the same of every claim: chance would as well.
    """
    auc: float | None = None
    """Of the first side's scores against labels: see `area`. None without labels."""


def agreement(first: Groundedness, second: Groundedness) -> Agreement:
    """Of two scorers on the same claims. An uncited claim was judged by neither, and flatters no figure."""
    if [row.claim for row in first.rows] != [row.claim for row in second.rows]:
        raise InvalidInput("The two scorers did not judge the same claims.", "Give both the same claims in one order.")
    return _agreement([row.support for row in first.rows], [_verdict(row.support) for row in second.rows])


def agreement_with_labels(grounded: Groundedness, labels: Sequence[bool | None]) -> Agreement:
    """Of a scorer with what people said, supported or not; None where they said nothing. With the AUC."""
    supports = [row.support for row in grounded.rows]
    if len(labels) != len(supports):
        raise InvalidInput(f"There are {len(labels)} labels for {len(supports)} claims.", "Give one a claim, or None.")
    return _agreement(supports, labels, with_area=True)


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Cohen's kappa: agreement beyond chance, over what there could be of it. None when there could be none."""
    if not pairs:
        return None
    size = len(pairs)
    equal = sum(one == other for one, other in pairs)
    yes, other_yes = (sum(side) for side in zip(*pairs, strict=True))
    by_chance = yes * other_yes + (size - yes) * (size - other_yes)  # times size, so that 1 is exactly 1
    return (equal * size - by_chance) / (size * size - by_chance) if by_chance < size * size else None


def area(scores: Sequence[float], labels: Sequence[bool]) -> float | None:
    """The area under the ROC curve: how often a supported claim scores above an unsupported one, ties as half.

    The statistic of Mann and Whitney (1947) over the number of pairs. None unless there are both kinds of claims.
    """
    above = [score for score, label in zip(scores, labels, strict=True) if label]
    below = sorted(score for score, label in zip(scores, labels, strict=True) if not label)
    if not above or not below:
        return None
    won = sum(bisect_left(below, score) + bisect_right(below, score) for score in above)
    return won / (2 * len(above) * len(below))


def _agreement(supports: Sequence[Support], verdicts: Sequence[bool | None], with_area: bool = False) -> Agreement:
    sides = [(_verdict(one), other) for one, other in zip(supports, verdicts, strict=True)]
    pairs = [(one, other) for one, other in sides if one is not None and other is not None]
    scored = [
        (one.score, other)
        for one, other in zip(supports, verdicts, strict=True)
        if one.score is not None and other is not None
    ]
    return Agreement(
        both=len(pairs),
        only_first=sum(one is not None and other is None for one, other in sides),
        only_second=sum(one is None and other is not None for one, other in sides),
        neither=sum(one is None and other is None for one, other in sides),
        equal=sum(one == other for one, other in pairs) / len(pairs) if pairs else None,
        kappa=kappa(pairs),
        auc=area([score for score, _ in scored], [label for _, label in scored]) if with_area else None,
    )


def _verdict(support: Support) -> bool | None:
    return support.status == "supported" if support.judged else None
