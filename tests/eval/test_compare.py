"""A comparison says which difference is more than luck, and keeps every question that it rests on."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from ragkit.errors import InvalidInput
from ragkit.eval.compare import Comparison, Difference, compare
from ragkit.eval.metrics import metric
from ragkit.eval.questions import Gold, Question, QuestionSet
from ragkit.eval.result import Found, Result, Run
from ragkit.eval.statistics import bootstrap_interval, holm, randomisation_test, smallest_detectable

QUESTIONS = QuestionSet(
    "set",
    tuple(
        Question(
            id=f"q{at}",
            question="?",
            gold=(Gold(uri="right"),),
            tags=("even",) if at % 2 == 0 else ("odd", "one") if at == 1 else ("odd",),
        )
        for at in range(60)
    ),
)
METRICS = [metric("MRR@10"), metric("Recall@1"), metric("seconds")]


def run(name: str, ranks: Sequence[int], seconds: float = 0.1) -> Run:
    """The right document stands at these ranks; 0 is nowhere."""

    def hits(rank: int) -> tuple[Found, ...]:
        uris = [f"wrong{at}" for at in range(1, rank)] + ["right"] if rank else ["wrong"]
        return tuple(Found("d", uri, 0, 1, 1.0) for uri in uris)

    results = {f"q{at}": Result(f"q{at}", hits(rank), seconds + at / 1_000) for at, rank in enumerate(ranks)}
    return Run(name, "set", {}, results)


RNG = np.random.default_rng(1)
POOR = run("poor", RNG.integers(2, 6, 60).tolist(), 0.5)
GOOD = run("good", RNG.integers(1, 3, 60).tolist())
ALIKE = run("alike", RNG.integers(2, 6, 60).tolist())
ROUNDS = 2_000


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare([POOR, GOOD, ALIKE], QUESTIONS, METRICS, rounds=ROUNDS, seed=4)


def difference(comparison: Comparison, a: str, b: str, name: str = "MRR@10") -> Difference:
    return next(one for one in comparison.differences if (one.a, one.b, one.metric) == (a, b, name))


def gaps(a: Run, b: Run, name: str = "MRR@10") -> list[float]:
    left, right = metric(name).score(a, QUESTIONS), metric(name).score(b, QUESTIONS)
    return [right[one.id] - left[one.id] for one in QUESTIONS]


def test_every_figure_is_that_of_the_statistics(comparison: Comparison) -> None:
    pairs = [(POOR, GOOD), (POOR, ALIKE), (GOOD, ALIKE)]
    p_values = [randomisation_test(gaps(a, b), ROUNDS, 4) for a, b in pairs]
    for (a, b), p, p_holm in zip(pairs, p_values, holm(p_values), strict=True):
        one, values = difference(comparison, a.name, b.name), gaps(a, b)
        assert one.difference == pytest.approx(np.mean(values))
        assert (one.low, one.high) == pytest.approx(bootstrap_interval(values, 0.95, ROUNDS, 4))
        assert (one.p, one.p_holm) == (p, p_holm)
        assert one.smallest == pytest.approx(smallest_detectable(values, alpha=0.05 / 3))
        assert (one.win, one.loss) == (sum(v > 1e-9 for v in values), sum(v < -1e-9 for v in values))
        assert one.win + one.tie + one.loss == one.questions == 60
    assert len(comparison.differences) == 3 * len(METRICS)


def test_scores(comparison: Comparison) -> None:
    one = next(one for one in comparison.scores if (one.run, one.metric) == ("good", "MRR@10"))
    values = list(metric("MRR@10").score(GOOD, QUESTIONS).values())
    assert one.mean == pytest.approx(np.mean(values))
    assert one.questions == 60
    assert (one.low, one.high) == pytest.approx(bootstrap_interval(values, 0.95, ROUNDS, 4))
    assert len(comparison.scores) == 3 * len(METRICS)


def test_verdicts(comparison: Comparison) -> None:
    better = difference(comparison, "poor", "good")
    assert better.significant
    assert better.verdict.startswith(f"good is better than poor by {better.difference:.3f} MRR@10 (p ")
    worse = difference(comparison, "good", "alike")
    assert worse.difference < 0
    assert worse.verdict.startswith("good is better than alike by 0.")
    alike = difference(comparison, "poor", "alike")
    assert not alike.significant
    assert alike.verdict.startswith("No difference between poor and alike is shown by MRR@10")
    assert f"60 questions like these show one of about {alike.smallest:.3f} or more." in alike.verdict


def test_less_is_better_of_seconds(comparison: Comparison) -> None:
    one = difference(comparison, "poor", "good", "seconds")
    assert one.difference == pytest.approx(-0.4)
    assert (one.win, one.tie, one.loss) == (60, 0, 0)
    assert one.verdict.startswith("good is better than poor by 0.400 seconds")


def test_runs_that_are_the_same_are_called_so() -> None:
    (one,) = compare([GOOD, replace(GOOD, name="again")], QUESTIONS, METRICS[:1], rounds=99).differences
    assert one.verdict == "good and again score the same on every question by MRR@10."
    assert (one.p, one.low, one.high, one.tie, one.changed, one.significant) == (1.0, 0.0, 0.0, 60, (), False)


def test_several_pairs_are_corrected_for() -> None:
    """A difference that one pair shows, and that is no longer shown as one of 15 pairs."""
    base = [2] * 60
    better = [1] * 7 + [3] + [2] * 52
    alone = compare([run("a", base), run("b", better)], QUESTIONS, METRICS[:1], rounds=ROUNDS)
    others = [run(name, base) for name in "cdef"]
    among = compare([run("a", base), run("b", better), *others], QUESTIONS, METRICS[:1], rounds=ROUNDS)
    assert difference(alone, "a", "b").significant
    assert not difference(among, "a", "b").significant
    smallest = difference(alone, "a", "b").smallest, difference(among, "a", "b").smallest
    assert smallest[0] is not None
    assert smallest[1] is not None
    assert smallest[1] > smallest[0]


def test_against_one_run_there_are_only_its_pairs_and_holm_corrects_for_those(comparison: Comparison) -> None:
    against = compare([POOR, GOOD, ALIKE], QUESTIONS, METRICS, against="good", rounds=ROUNDS, seed=4)
    assert against.against == "good"
    assert [(one.a, one.b) for one in against.differences] == [("good", "poor"), ("good", "alike")] * len(METRICS)
    own = [one for one in against.differences if one.metric == "MRR@10"]
    assert [one.p_holm for one in own] == holm([one.p for one in own])
    for one, other in zip(own, [POOR, ALIKE], strict=True):
        assert one.smallest == pytest.approx(smallest_detectable(gaps(GOOD, other), alpha=0.05 / 2))
        assert one.p == randomisation_test(gaps(GOOD, other), ROUNDS, 4)
    assert [(gap.a, gap.b) for gap in against.slices[0].gaps[:2]] == [("good", "poor"), ("good", "alike")]
    assert against.scores == comparison.scores
    assert comparison.against is None
    assert compare([GOOD], QUESTIONS, METRICS[:1], against="good", rounds=99).differences == ()


def test_a_difference_that_many_pairs_hide_is_shown_against_one_run() -> None:
    base = [2] * 60
    six = [run("a", base), run("b", [1] * 7 + [2] * 53), *(run(name, base) for name in "cdef")]
    assert not difference(compare(six, QUESTIONS, METRICS[:1]), "a", "b").significant
    assert difference(compare(six, QUESTIONS, METRICS[:1], against="a"), "a", "b").significant


def test_too_few_questions_are_called_so() -> None:
    def first(count: int) -> QuestionSet:
        return QuestionSet("set", QUESTIONS.questions[:count])

    def one(a: Sequence[int], b: Sequence[int], name: str = "Recall@1") -> Difference:
        runs = run("a", a), run("b", b, 9.0)
        return compare(runs, first(len(a)), [metric(name)], rounds=ROUNDS).differences[0]

    alike = one([2] * 4, [1] * 4)
    assert alike.smallest is None, "their scatter is 0, but were all of four better, that would still be luck"
    assert not alike.significant
    assert "4 questions are too few to show one." in alike.verdict
    assert one([2] * 5, [1] * 5).significant
    wide = one([1, 2, 1, 2, 1, 2], [2, 1, 2, 1, 2, 1])
    assert wide.smallest is None, "it would have to be larger than a score can be"
    assert "6 questions are too few to show one." in wide.verdict
    assert "1 question is too few to show one." in one([1], [2]).verdict
    assert one([1] * 9, [2, 2, 2, *[1] * 6]).smallest == pytest.approx(0.53, abs=0.02)


def test_a_time_may_be_longer_than_1() -> None:
    slow = {id: replace(one, seconds=at % 2 * 60.0) for at, (id, one) in enumerate(POOR.results.items())}
    (one,) = compare([POOR, replace(POOR, name="slow", results=slow)], QUESTIONS, METRICS[2:], rounds=99).differences
    assert one.smallest is not None
    assert one.smallest > 1


def test_the_questions_that_changed_most() -> None:
    a, b = run("a", [1, 1, 2, 4] + [1] * 56), run("b", [1, 0, 1, 1] + [1] * 56)
    (one,) = compare([a, b], QUESTIONS, METRICS[:1], rounds=99).differences
    assert [(c.question, c.a, c.b) for c in one.changed] == [("q1", 1.0, 0.0), ("q3", 0.25, 1.0), ("q2", 0.5, 1.0)]
    (many,) = compare([run("a", [1] * 60), run("b", [2] * 60)], QUESTIONS, METRICS[:1], rounds=99).differences
    assert [c.question for c in many.changed] == [f"q{at}" for at in range(10)]


def test_slices_hold_the_questions_with_their_tag(comparison: Comparison) -> None:
    assert [one.tag for one in comparison.slices] == ["even", "odd", "one"]
    even, _, single = comparison.slices
    left, right = metric("MRR@10").score(POOR, QUESTIONS), metric("MRR@10").score(GOOD, QUESTIONS)
    values = [right[f"q{at}"] - left[f"q{at}"] for at in range(0, 60, 2)]
    gap = next(one for one in even.gaps if (one.a, one.b, one.metric) == ("poor", "good", "MRR@10"))
    assert gap.difference == pytest.approx(np.mean(values))
    assert gap.questions == 30
    assert (gap.low, gap.high) == pytest.approx(bootstrap_interval(values, 0.95, ROUNDS, 4))
    assert even.scores[0].mean == pytest.approx(np.mean([left[f"q{at}"] for at in range(0, 60, 2)]))
    assert (single.scores[0].low, single.scores[0].mean, single.gaps[0].high) == (None, left["q1"], None)


def test_a_question_that_failed_stays_in_the_mean() -> None:
    results = dict(GOOD.results)
    del results["q0"]
    results["q1"] = replace(results["q1"], error="Out of memory.")
    results["q2"] = replace(results["q2"], hits=())
    broken = Run("broken", "set", {}, results)
    comparison = compare([GOOD, broken], QUESTIONS, [metric("Success@10"), metric("seconds")], rounds=99)
    scores = {(one.run, one.metric): one for one in comparison.scores}
    assert scores["broken", "Success@10"].mean == pytest.approx(57 / 60)
    assert scores["broken", "Success@10"].questions == 60
    assert scores["good", "seconds"].questions == scores["broken", "seconds"].questions == 58
    counted = comparison.costs["broken"]
    assert (counted.missing, counted.errors, counted.empty) == (1, 1, 1)
    assert difference(comparison, "good", "broken", "Success@10").loss == 3


def test_a_metric_without_gold_is_named() -> None:
    bare = QuestionSet("set", tuple(one.model_copy(update={"gold": ()}) for one in QUESTIONS))
    comparison = compare([GOOD, POOR], bare, METRICS, rounds=99)
    assert comparison.unscored == ("MRR@10", "Recall@1")
    assert {one.metric for one in comparison.differences} == {"seconds"}


def test_one_run_has_scores_and_no_differences() -> None:
    comparison = compare([GOOD], QUESTIONS, METRICS[:1], rounds=99)
    assert len(comparison.scores) == 1
    assert comparison.differences == ()


def test_it_is_plain_data(comparison: Comparison) -> None:
    plain = comparison.as_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["differences"][0]["changed"][0].keys() == {"question", "a", "b"}
    assert plain["costs"]["poor"]["p50"] == pytest.approx(0.5295)


def test_the_same_seed_gives_the_same(comparison: Comparison) -> None:
    again = compare([POOR, GOOD, ALIKE], QUESTIONS, METRICS, rounds=ROUNDS, seed=4)
    assert again == comparison
    assert compare([POOR, GOOD, ALIKE], QUESTIONS, METRICS, rounds=ROUNDS, seed=5) != comparison


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nothing to compare"):
        compare([], QUESTIONS, METRICS)
    with pytest.raises(InvalidInput, match="Two runs are called 'good'"):
        compare([GOOD, GOOD], QUESTIONS, METRICS)
    with pytest.raises(InvalidInput, match="Two metrics are called 'MRR@10'"):
        compare([GOOD], QUESTIONS, [metric("MRR@10"), metric("mrr@10")])
    with pytest.raises(InvalidInput, match=r"no run 'goot' to compare with\. Did you mean 'good'"):
        compare([GOOD, POOR], QUESTIONS, METRICS, against="goot")
    with pytest.raises(InvalidInput, match="different question sets: other, set"):
        compare([GOOD, replace(POOR, question_set="other")], QUESTIONS, METRICS)
