"""From runs to a report: what must hold so that they can be compared, and what a reader should be told."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ragkit.errors import InvalidInput
from ragkit.eval import answermetrics, cautions, judging
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


def check_answers(silent: Iterable[str], names: Sequence[str], judge: str | None) -> None:
    """Refuse to score answers that there will not be. `silent` are the strategies and runs that only retrieve."""
    wanted = [name for name in names if name in answermetrics.NAMES] + [answermetrics.JUDGED] * bool(judge)
    if answermetrics.JUDGED in wanted and not judge:
        answermetrics.scorer(answermetrics.JUDGED, None, None)  # which says what it needs
    for run in silent:
        for name in wanted:
            raise answermetrics.refuse(run, name)


def reported(
    bench: Bench,
    runs: Sequence[Run],
    questions: QuestionSet,
    names: Sequence[str],
    warn: Callable[[str], None],
    against: str | None = None,
    judge: str | None = None,
) -> Report:
    """These runs by the metrics of these names, in the documents that the last one searched.

    `judge` is a model of the workspace that is asked about each claim of each answer.
    """
    names = list(dict.fromkeys([*names, *([answermetrics.JUDGED] if judge else [])]))
    _check_documents(bench, runs, names, warn)
    text_of = bench.texts(runs[-1])
    resolved = resolve(questions, text_of)
    missing = {one.uri for one in resolved.reports if one.status == "lost" and text_of(one.uri) is None}
    _tell_missing(bench, runs, questions, missing, warn)
    for caution in (*cautions.of_gold(resolved, missing), *cautions.of_answers(runs)):
        warn(caution)
    texts = _texts(runs, questions, names, text_of)
    found = judging.judged(runs, questions, texts, bench.judging, judge, bench.tell) if judge else {}
    chosen = [
        judging.metric(found) if name == answermetrics.JUDGED else metric(name, resolved.ranges, texts)
        for name in names
    ]
    comparison = compare(runs, questions, chosen, against=against)
    return Report(comparison, runs, questions, resolved.ranges, text_of, chosen, found)


def _texts(
    runs: Sequence[Run], questions: QuestionSet, names: Sequence[str], text_of: Callable[[str], str | None]
) -> dict[str, str]:
    """The documents that these metrics read."""
    results = [result for run in runs for result in run.results.values()]
    uris: set[str] = set()
    if any("_tokens" in name for name in names):
        uris |= {hit.uri for result in results for hit in result.hits}
        uris |= {gold.uri for question in questions for gold in question.gold}
    if any(name in answermetrics.CITING for name in names):
        uris |= {one.uri for result in results if result.answer for one in result.answer.citations}
    return {uri: text_of(uri) or "" for uri in uris}


def _check_documents(bench: Bench, runs: Sequence[Run], names: Sequence[str], warn: Callable[[str], None]) -> None:
    """Ranges of other documents, or of these as they once were, mean nothing in these."""
    said = ""
    if len({run.settings["corpus"] for run in runs}) > 1:
        said = "These runs searched different documents."
    elif not bench.holds(runs[-1]):
        said = "The documents are no longer those that these runs searched."
    if said and any(name.startswith("range_") or name in answermetrics.CITING for name in names):
        raise InvalidInput(
            f"{said} Their ranges cannot be compared.",
            "Run them again on the same documents, or leave out the metrics of ranges and citations.",
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
