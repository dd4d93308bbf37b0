"""What the commands of evaluation have in common: their options, and what is refused before any work."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ragkit.connectors.place import connect
from ragkit.errors import InvalidInput
from ragkit.eval import strategies
from ragkit.eval.metrics import canonical
from ragkit.eval.strategies import Strategy, check_model
from ragkit.model import LOCAL

METRICS = "nDCG@10,Recall@10,Recall@100,MRR@10"
ANSWER_METRICS = "F1,contains,abstention,groundedness,citation_precision,citation_recall"
"""With those above, where all strategies answer."""

WorkspaceOption = Annotated[Path, typer.Option("--workspace", "-w", help="Where indexes and runs are kept.")]
StrategiesOption = Annotated[
    str, typer.Option("--strategies", "-s", help="Names apart by commas, or a TOML file that describes them.")
]
MetricsOption = Annotated[
    str | None, typer.Option("--metrics", "-m", help=f"Apart by commas; the first one ranks. By default {METRICS}.")
]
JudgeOption = Annotated[
    str | None, typer.Option(help="A model that says of each claim whether what is cited supports it: anthropic:NAME.")
]
HtmlOption = Annotated[Path | None, typer.Option("--html", help="Write a page that can be opened and looked into.")]
MarkdownOption = Annotated[Path | None, typer.Option("--markdown", help="Write the tables as Markdown.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def chosen_strategies(given: str, embedder: str | None = None) -> list[Strategy]:
    if given.endswith(".toml"):
        if embedder is not None:
            raise InvalidInput(
                f"--embedder says nothing to {given}, which names its own.",
                f'Write it there instead: [base] with embedder = "{embedder}".',
            )
        found = strategies.load(Path(given))
    else:
        base = {} if embedder is None else {"embedder": embedder}
        found = strategies.named([name.strip() for name in given.split(",")], base)
    check_unique("strategies", [one.name for one in found])
    return found


def metric_names(metrics: str | None, answering: bool) -> list[str]:
    """As they are written here; those that are usual when none are named."""
    if metrics is None:
        metrics = f"{METRICS},{ANSWER_METRICS}" if answering else METRICS
    return list(dict.fromkeys(canonical(name) for name in metrics.split(",")))


def check_unique(what: str, names: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise InvalidInput(f"Two {what} are called {name!r}.", "Give each its own name, or leave one out.")


def check_judge(judge: str | None) -> None:
    if judge is None:
        return
    try:
        check_model(judge)
    except ValueError as error:
        raise InvalidInput(f"--judge: {error}", "Write it like anthropic:NAME.") from error
    if judge in LOCAL:
        raise InvalidInput(f"{judge} judges nothing.", "Name a model that reads, such as anthropic:NAME.")


def check_sources(sources: Sequence[Path]) -> None:
    for source in sources:
        connect(source)  # which says what is missing
