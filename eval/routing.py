"""How well questions are sent to domains. Each pair is (where it belongs, where it was sent); "" is no domain."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ragkit.errors import InvalidInput

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DomainScore:
    """None where the share is one of nothing."""

    precision: float | None
    """Of the questions that were sent there, the share that belongs there."""
    recall: float | None
    """Of the questions that belong there, the share that was sent there."""
    belonging: int
    sent: int


@dataclass(frozen=True, slots=True)
class Committed:
    accuracy: float | None
    """Of the questions on which the router committed itself, the share that went where it belongs; None without any."""
    coverage: float
    """The share of all questions on which it did."""


def accuracy(pairs: Iterable[Pair]) -> float | None:
    """The share that was sent where it belongs. No domain is right for a question that belongs to none."""
    return _share([expected == chosen for expected, chosen in pairs])


def by_domain(pairs: Iterable[Pair]) -> dict[str, DomainScore]:
    """Precision and recall of each domain that is in a pair, in the order of names."""
    pairs = list(pairs)
    return {domain: _domain(pairs, domain) for domain in sorted({name for pair in pairs for name in pair if name})}


def out_of_scope_recall(pairs: Iterable[Pair]) -> float | None:
    """Of the questions that belong to no domain, the share that was sent to none; None without any."""
    return _share([not chosen for expected, chosen in pairs if not expected])


def when_committed(pairs: Sequence[Pair], committed: Sequence[bool]) -> Committed:
    """How right the router is when it commits itself, and how often it does."""
    sure = [pair for pair, one in zip(pairs, committed, strict=True) if one]
    return Committed(accuracy(sure), len(sure) / len(pairs) if pairs else 0.0)


def accuracy_at_coverage(pairs: Sequence[Pair], confidences: Sequence[float], coverage: float) -> float | None:
    """The accuracy over the `coverage` of all questions of which the router is most confident, at least one.

    Where the last confidence is shared by several questions, only some of which fit, each of these counts in part:
    the figure does not depend on the order of questions.
    """
    if not 0 < coverage <= 1:
        raise InvalidInput(f"A coverage of {coverage} is no share of the questions.", "Take one above 0, up to 1.")
    if not pairs:
        return None
    ranked = sorted(zip(confidences, (expected == chosen for expected, chosen in pairs), strict=True), reverse=True)
    wanted = max(1, round(coverage * len(ranked)))
    last = ranked[wanted - 1][0]
    above = [right for confidence, right in ranked if confidence > last]
    equal = [right for confidence, right in ranked if confidence == last]
    return (sum(above) + (wanted - len(above)) * sum(equal) / len(equal)) / wanted


def _domain(pairs: Sequence[Pair], domain: str) -> DomainScore:
    belonging = [chosen == domain for expected, chosen in pairs if expected == domain]
    sent = [expected == domain for expected, chosen in pairs if chosen == domain]
    return DomainScore(_share(sent), _share(belonging), len(belonging), len(sent))


def _share(verdicts: Sequence[bool]) -> float | None:
    return sum(verdicts) / len(verdicts) if verdicts else None
