"""A Caution: a sentence on what makes scores say less than they seem to."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ragkit.eval.gold import Resolved
from ragkit.eval.result import Run

_MOST = 10


def of_depths(depths: Mapping[str, int], metrics: Sequence[str]) -> Iterator[str]:
    """Strategies that find less than a metric looks at. `depths` says by name how much each finds, its k."""
    for name, k in depths.items():
        if deeper := [metric for metric in metrics if int(metric.partition("@")[2] or 0) > k]:
            yield f"{name} finds {k:,} passages at most, too few for {', '.join(deeper)}. Raise its k."


def of_sources(questions: Path, sources: Sequence[Path]) -> Iterator[str]:
    """Questions that would be found by themselves."""
    for source in sources:
        if source.is_dir() and questions.resolve().is_relative_to(source.resolve()):
            yield (
                f"{questions} lies in {source}, which is searched: questions find themselves there. "
                "Move it out, or name it in a .ragkitignore."
            )


def of_answers(runs: Sequence[Run]) -> Iterator[str]:
    """Asks that failed for reasons that have nothing to do with their questions, and may not be the strategy's."""
    for run in runs:
        answers = [one.answer for one in run.results.values() if one.answer]
        errors = [one.error for one in answers if one.error]
        if errors:
            yield (
                f"{run.name}: no model answered {len(errors):,} of {len(answers):,} asks, which score 0. The first: "
                f"{errors[0]} Run it again, and only these are asked again."
            )


def of_gold(resolved: Resolved, missing: set[str]) -> Iterator[str]:
    """What a person should mend in the question set. `missing` documents are told apart."""
    wrong = [one for one in resolved.reports if one.status in ("changed", "lost") and one.uri not in missing]
    for one in wrong[:_MOST]:
        yield f"{one.question}: its gold in {one.uri} is {one.status}. {one.reason}"
    if len(wrong) > _MOST:
        yield f"and {len(wrong) - _MOST:,} more"
