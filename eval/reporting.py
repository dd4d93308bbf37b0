"""From runs to a report: what must hold so that they can be compared, and what a reader should be told."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from ragkit.errors import InvalidInput
from ragkit.eval import cautions
from ragkit.eval.compare import compare
from ragkit.eval.gold import resolve
from ragkit.eval.metrics import metric
from ragkit.eval.questions import QuestionSet
from ragkit.eval.report import Report
from ragkit.eval.result import Run
from ragkit.eval.running import Bench, asked


def answering(run: Run, questions: QuestionSet) -> Run:
    """A kept run as one of these questions, however their file is called now. Others cannot be scored by these."""
    if run.settings["questions"] != asked(questions):
        raise InvalidInput(
            f"The run {run.name!r} answers other questions than {questions.name!r} asks.", "Run it again on these."
        )
    return replace(run, question_set=questions.name)


def depths(runs: Sequence[Run]) -> dict[str, int]:
    """How much each run found at most, by name."""
    return {run.name: int(run.settings["strategy"]["k"]) for run in runs}


def reported(
    bench: Bench,
    runs: Sequence[Run],
    questions: QuestionSet,
    names: Sequence[str],
    warn: Callable[[str], None],
    against: str | None = None,
) -> Report:
    """These runs by the metrics of these names, in the documents that the last one searched."""
    _check_documents(bench, runs, names, warn)
    text_of = bench.texts(runs[-1])
    resolved = resolve(questions, text_of)
    missing = {one.uri for one in resolved.reports if one.status == "lost" and text_of(one.uri) is None}
    _tell_missing(bench, runs, questions, missing, warn)
    for caution in cautions.of_gold(resolved, missing):
        warn(caution)
    uris = {hit.uri for run in runs for result in run.results.values() for hit in result.hits}
    uris |= {gold.uri for question in questions for gold in question.gold}
    texts = {uri: text_of(uri) or "" for uri in uris} if any("_tokens" in name for name in names) else {}
    chosen = [metric(name, resolved.ranges, texts) for name in names]
    comparison = compare(runs, questions, chosen, against=against)
    return Report(comparison, runs, questions, resolved.ranges, text_of, chosen)


def _check_documents(bench: Bench, runs: Sequence[Run], names: Sequence[str], warn: Callable[[str], None]) -> None:
    """Ranges of other documents, or of these as they once were, mean nothing in these."""
    said = ""
    if len({run.settings["corpus"] for run in runs}) > 1:
        said = "These runs searched different documents."
    elif not bench.holds(runs[-1]):
        said = "The documents are no longer those that these runs searched."
    if said and any(name.startswith("range_") for name in names):
        raise InvalidInput(
            f"{said} Their ranges cannot be compared.",
            "Run them again on the same documents, or leave the range metrics out.",
        )
    if said:
        warn(said)


def _tell_missing(
    bench: Bench, runs: Sequence[Run], questions: QuestionSet, missing: set[str], warn: Callable[[str], None]
) -> None:
    """Gold that nobody could find. Where it is all of the gold, every score is 0 and says nothing about a strategy."""
    if not missing:
        return
    gold = {one.uri for question in questions for one in question.gold}
    found = (hit.uri for run in runs for result in run.results.values() for hit in result.hits)
    example = next(found, "")
    called = f", whose documents are called like {example!r}" if example else ""
    reason = (
        f"{len(missing):,} of {len(gold):,} gold documents are not among the {bench.documents(runs[-1]):,} that were "
        f"searched, such as {min(missing)!r}{called}."
    )
    hint = "A uri is the path as seen from --source, and in JSONL the id after a '#'."
    if missing == gold and bench.holds(runs[-1]):
        raise InvalidInput(reason, hint)
    warn(f"{reason} {hint}")
