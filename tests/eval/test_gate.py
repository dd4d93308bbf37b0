"""A gate fails where it is told to, and where nothing can be said."""

from collections.abc import Sequence

import pytest

from ragkit.errors import InvalidInput
from ragkit.eval.compare import compare
from ragkit.eval.gate import Gate, parse, worse
from ragkit.eval.metrics import metric
from ragkit.eval.questions import Gold, Question, QuestionSet
from ragkit.eval.report import Report
from ragkit.eval.result import Found, Result, Run

QUESTIONS = QuestionSet(
    "set", tuple(Question(id=f"q{at}", question="?", gold=(Gold(uri="right"),)) for at in range(40))
)


def run(name: str, right: int) -> Run:
    """It finds the document of the first `right` questions."""
    hits = [(Found("d", "right" if at < right else "wrong", 0, 1, 1.0),) for at in range(40)]
    return Run(name, "set", {}, {f"q{at}": Result(f"q{at}", one, 0.1) for at, one in enumerate(hits)})


def report(runs: Sequence[Run], questions: QuestionSet = QUESTIONS, against: str | None = None) -> Report:
    comparison = compare(runs, questions, [metric("Success@1")], against=against)
    return Report(comparison, runs, questions, {}, lambda uri: None)


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("nDCG@10 < 0.70", Gate("nDCG@10", "<", 0.7)),
        (" ndcg@10<=.5 ", Gate("nDCG@10", "<=", 0.5)),
        ("seconds > 2", Gate("seconds", ">", 2.0)),
        ("range_recall_tokens@5 >= 1.", Gate("range_recall_tokens@5", ">=", 1.0)),
    ],
)
def test_conditions_are_read(text: str, gate: Gate) -> None:
    assert parse(text) == gate


@pytest.mark.parametrize("text", ["", "nDCG@10", "nDCG@10 < ", "nDCG@10 < 0.7.1", "nDCG@10 < .", "nDCG@10 = 1", "< 1"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no condition"):
        parse(text)


def test_a_bound_that_is_met_exactly() -> None:
    comparison = report([run("a", 20)]).comparison
    failed = {sign: Gate("Success@1", sign, 0.5).failures(comparison, ["a"]) for sign in ("<", "<=", ">", ">=")}
    assert [sign for sign, sentences in failed.items() if sentences] == ["<=", ">="]
    assert failed["<="] == ["a: Success@1 is 0.5000, which is <= 0.5."]


def test_only_what_is_worse_than_the_baseline_fails_wherever_it_stands() -> None:
    runs = [run("better", 40), run("baseline", 30), run("worse", 10), run("alike", 29)]
    for against in (None, "baseline"):
        failed = worse(report(runs, against=against), "baseline")
        assert len(failed) == 1
        assert failed[0].startswith("worse: baseline is better than worse by 0.500 Success@1")


def test_against_a_baseline_a_gate_sees_what_all_pairs_would_hide() -> None:
    runs = [run("baseline", 30), run("worse", 23), *(run(name, 30) for name in "cdef")]
    assert worse(report(runs), "baseline") == []
    assert len(worse(report(runs, against="baseline"), "baseline")) == 1


def test_a_gate_that_has_nothing_to_compare_fails() -> None:
    bare = QuestionSet("set", tuple(one.model_copy(update={"gold": ()}) for one in QUESTIONS))
    said = ["Nothing could be compared with baseline by Success@1."]
    assert worse(report([run("baseline", 30), run("a", 10)], bare), "baseline") == said
    assert worse(report([run("a", 30), run("b", 10)]), "baseline") == said
