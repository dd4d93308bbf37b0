"""How a workspace routes questions of which it is known where they belong, by one selector or several."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragkit.errors import InvalidInput, nearest_of
from ragkit.eval.questions import read_lines
from ragkit.eval.routing import (
    Committed,
    DomainScore,
    Pair,
    accuracy,
    accuracy_at_coverage,
    by_domain,
    out_of_scope_recall,
    when_committed,
)  # fmt: skip
from ragkit.route import Route
from ragkit.workspace import Workspace

COVERAGE = 0.9
OUTSIDE = ("none", "")


@dataclass(frozen=True, slots=True)
class Placed:
    """A question, and the domain or tool where it belongs; "" is none of them."""

    question: str
    domain: str


@dataclass(frozen=True, slots=True)
class Routed:
    """What one selector made of all of them."""

    by: str
    accuracy: float | None
    """Over all questions: right is the first of those that were chosen, and none for what belongs to none."""
    at_coverage: float | None
    """The same over the 90 % of which it is most confident."""
    among: float | None
    """Of the questions that belong somewhere, the share that went there, whether first or not."""
    outside: float | None
    """Of the questions that belong nowhere, the share that was sent nowhere; None without any."""
    committed: Committed
    domains: dict[str, DomainScore]
    seconds: float
    """The median."""

    def plain(self) -> dict[str, Any]:
        return {
            "accuracy": self.accuracy,
            f"accuracy@{COVERAGE:.0%}": self.at_coverage,
            "among_chosen": self.among,
            "out_of_scope_recall": self.outside,
            "sure": {"coverage": self.committed.coverage, "accuracy": self.committed.accuracy},
            "domains": {
                name: {"precision": one.precision, "recall": one.recall, "belonging": one.belonging, "sent": one.sent}
                for name, one in self.domains.items()
            },
            "p50_ms": round(self.seconds * 1000, 2),
        }


def placed(path: Path) -> tuple[list[Placed], int]:
    """The questions of a file that say where they belong, and how many do not. null and "none": to none of them."""
    found: list[Placed] = []
    silent = 0
    for number, line in read_lines(path):
        question, domain = line.get("question"), line.get("domain", ...)
        if domain is ...:
            silent += 1
        elif isinstance(question, str) and question.strip() and (domain is None or isinstance(domain, str)):
            found.append(Placed(question, "" if domain is None or domain in OUTSIDE else domain))
        else:
            raise InvalidInput(
                f"{path}, line {number} does not say which question belongs where.",
                'Write {"question": "…", "domain": "NAME or none"}.',
            )
    if not found:
        raise InvalidInput(f"{path} has no question that says where it belongs.", 'Add "domain" to its lines.')
    return found, silent


def check_known(questions: Sequence[Placed], known: Sequence[str]) -> None:
    """A name that nobody has would count against the router."""
    for one in questions:
        if one.domain and one.domain not in known:
            raise InvalidInput(
                f"A question belongs to {one.domain!r}, which is no domain.{nearest_of(one.domain, known)}",
                f"There are: {', '.join(known) or 'none'}.",
            )


def routed(workspace: Workspace, questions: Sequence[Placed], by: str, model: str | None = None) -> Routed:
    """The first route makes everything ready, and is not timed."""
    workspace.route(questions[0].question, by=by, model=model or "extractive")
    routes, took = [], []
    for one in questions:
        began = time.perf_counter()
        routes.append(workspace.route(one.question, by=by, model=model or "extractive"))
        took.append(time.perf_counter() - began)
    pairs: list[Pair] = [
        (one.domain, route.chosen[0] if route.chosen else "") for one, route in zip(questions, routes, strict=True)
    ]
    within = [one.domain in route.chosen for one, route in zip(questions, routes, strict=True) if one.domain]
    return Routed(
        by,
        accuracy(pairs),
        accuracy_at_coverage(pairs, [_confidence(route, by) for route in routes], COVERAGE),
        sum(within) / len(within) if within else None,
        out_of_scope_recall(pairs),
        when_committed(pairs, [route.confident for route in routes]),
        by_domain(pairs),
        statistics.median(took),
    )


def _confidence(route: Route, by: str) -> float:
    """How probable it is that it is right: of a cascade, what is lacking to 1 is that of none. Others have a margin."""
    if by != "cascade":
        return route.margin
    scores = [score for _, score in route.tools]
    return 1 - sum(scores) if route.none else max(scores, default=0.0)
