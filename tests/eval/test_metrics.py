"""Scores equal those of trec_eval, and of definitions worked out by hand."""

import json
import math
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from ragkit.errors import InvalidInput
from ragkit.eval import answers, routing
from ragkit.eval.metrics import GoldRanges, Metric, cost, document_gold, metric
from ragkit.eval.questions import Gold, Question, QuestionSet
from ragkit.eval.ranges import Range, in_tokens, overlap, token_starts, union
from ragkit.eval.result import Found, Result, Run
from tests.conftest import SHARED

SETS = ("cacm", "cranfield", "medline")
THEIRS = {
    "nDCG@10": "ndcg_cut_10",
    "nDCG@3": "ndcg_cut_3",
    "Recall@10": "recall_10",
    "Recall@100": "recall_100",
    "MAP": "map",
    "P@5": "P_5",
    "Success@1": "success_1",
    "Success@5": "success_5",
}


def found(uri: str, start: int = 0, end: int = 10, score: float = 1.0) -> Found:
    return Found("d", uri, start, end, score)


def run_of(hits: Mapping[str, Iterable[Found]], seconds: float = 0.1) -> Run:
    return Run("r", "q", {}, {one: Result(one, tuple(those), seconds) for one, those in hits.items()})


def question_set(gold: Mapping[str, Mapping[str, int]]) -> QuestionSet:
    return QuestionSet(
        "q",
        tuple(
            Question(id=one, question="?", gold=tuple(Gold(uri=uri, grade=grade) for uri, grade in documents.items()))
            for one, documents in gold.items()
        ),
    )


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@cache
def qrels(name: str) -> dict[str, dict[str, int]]:
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (SHARED / "datasets" / name / "qrels.tsv").read_text().splitlines():
        query, document, grade = line.split("\t")
        if grade.isdigit():
            grades[query][document] = int(grade)
    return dict(grades)


@cache
def searched(name: str) -> tuple[QuestionSet, Run]:
    """A real run: BM25, its scores rounded so that many tie, each document found in two chunks."""
    folder = SHARED / "datasets" / name
    documents = rows(folder / "corpus.jsonl")
    index = BM25Okapi([f"{one.get('title', '')} {one['text']}".lower().split() for one in documents])
    hits = {}
    for query in rows(folder / "queries.jsonl"):
        scored = zip(documents, index.get_scores(query["text"].lower().split()).round(0).tolist(), strict=True)
        # trec_eval puts the greatest id first among equals; a search that puts the least first must be judged as it is.
        best = sorted(scored, key=lambda pair: (-pair[1], pair[0]["id"]))[:120]
        chunks = [found(one["id"], 0, 10, score) for one, score in best]
        hits[query["id"]] = chunks[:50] + [found(one.uri, 20, 30, one.score) for one in chunks[:50]] + chunks[50:]
    gold = {query: {uri: grade for uri, grade in grades.items() if grade > 0} for query, grades in qrels(name).items()}
    return question_set({query: gold.get(query, {}) for query in hits}), run_of(hits)


@pytest.fixture(params=SETS)
def dataset(request: pytest.FixtureRequest) -> str:
    if not (SHARED / "datasets").is_dir():
        pytest.skip("SKIPPED FOR WANT OF DATA: ../shared/datasets is not here")
    return str(request.param)


def by_rank(run: Run) -> dict[str, dict[str, float]]:
    rankings: dict[str, dict[str, float]] = {}
    for one in run.results.values():
        for hit in one.hits:
            ranking = rankings.setdefault(one.question, {})
            ranking.setdefault(hit.uri, 1000.0 - len(ranking))
    return rankings


def test_ranking_metrics_equal_pytrec_eval(dataset: str) -> None:
    questions, run = searched(dataset)
    theirs = pytrec_eval.RelevanceEvaluator(qrels(dataset), set(THEIRS.values())).evaluate(by_rank(run))
    for name, measure in THEIRS.items():
        scores = metric(name).score(run, questions)
        assert scores == pytest.approx({query: one[measure] for query, one in theirs.items()}, abs=1e-6), name
        assert len(scores) == len(qrels(dataset))
        assert len(set(scores.values())) > 1


def test_reciprocal_rank_is_cut(dataset: str) -> None:
    questions, run = searched(dataset)
    theirs = pytrec_eval.RelevanceEvaluator(qrels(dataset), {"recip_rank"}).evaluate(by_rank(run))
    whole = {query: one["recip_rank"] for query, one in theirs.items()}
    for cutoff in (1, 3, 10):
        cut = {query: value if value >= 1 / cutoff - 1e-9 else 0.0 for query, value in whole.items()}
        assert metric(f"MRR@{cutoff}").score(run, questions) == pytest.approx(cut, abs=1e-6)
    assert metric("MRR@3").score(run, questions) != pytest.approx(whole)


def test_our_order_is_scored_not_that_of_ties(dataset: str) -> None:
    questions, run = searched(dataset)
    tied = {query: run.documents(query) for query in run.results}
    theirs = pytrec_eval.RelevanceEvaluator(qrels(dataset), {"map"}).evaluate(tied)
    reordered = {query: one["map"] for query, one in theirs.items()}
    assert metric("MAP").score(run, questions) != pytest.approx(reordered, abs=1e-6)


def test_an_independent_tool_reads_the_same_from_files(dataset: str, tmp_path: Path) -> None:
    questions, run = searched(dataset)
    lines = [
        f"{query} Q0 {uri} {1001 - score:.0f} {score} ours\n"
        for query, ranking in by_rank(run).items()
        for uri, score in ranking.items()
    ]
    (tmp_path / "run").write_text("".join(lines))
    grades = [f"{query} 0 {uri} {grade}\n" for query, one in qrels(dataset).items() for uri, grade in one.items()]
    (tmp_path / "qrels").write_text("".join(grades))
    # Their RR@10 is MS MARCO's scorer, not trec_eval.
    ours = {"nDCG@10": "nDCG@10", "R@100": "Recall@100", "RR@10": "MRR@10", "AP": "MAP", "P@5": "P@5"}
    command = [
        sys.executable,
        "-m",
        "ir_measures",
        str(tmp_path / "qrels"),
        str(tmp_path / "run"),
        " ".join(ours),
        "-p",
        "8",
    ]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    printed = {name: float(value) for name, value in (line.split("\t") for line in table.splitlines())}
    means = {}
    for theirs, name in ours.items():
        scores = metric(name).score(run, questions)
        means[theirs] = sum(scores.values()) / len(scores)
    assert printed == pytest.approx(means, abs=1e-6)
    assert len(printed) == len(ours)


def test_what_found_nothing_scores_zero_and_is_counted() -> None:
    gold = {one: {"a": 1} for one in ("right", "wrong", "empty", "failed", "missing")}
    questions = question_set({**gold, "no gold": {}})
    results = run_of({"right": [found("a")], "wrong": [found("b")], "empty": [], "no gold": [found("a")]}).results
    failed = Result("failed", (found("a"),), 9.0, error="The index is gone.")
    run = Run("r", "q", {}, {**results, "failed": failed})
    expected = {"right": 1.0, "wrong": 0.0, "empty": 0.0, "failed": 0.0, "missing": 0.0}
    for name in ("nDCG@10", "Recall@5", "MRR@10", "MAP", "Success@1"):
        assert metric(name).score(run, questions) == expected
    ranges = {one: {"a": [(0, 10)]} for one in gold}
    for name in ("range_recall@5", "range_precision@5", "range_IoU@5"):
        assert metric(name, ranges).score(run, questions) == expected
    counted = cost(run, questions)
    assert (counted.questions, counted.missing, counted.errors, counted.empty) == (6, 1, 1, 1)
    assert counted.p95 == pytest.approx(0.1)
    assert metric("seconds").score(run, questions) == dict.fromkeys(("right", "wrong", "empty", "no gold"), 0.1)
    assert not metric("seconds").higher_is_better


def test_cost_of_nothing_has_no_time() -> None:
    counted = cost(run_of({}), question_set({"a": {}}))
    assert (counted.missing, counted.p50, counted.p95) == (1, None, None)


def test_percentiles() -> None:
    results = {str(at): Result(str(at), (), float(at)) for at in range(101)}
    counted = cost(Run("r", "q", {}, results), question_set({one: {} for one in results}))
    assert (counted.p50, counted.p95, counted.empty) == (50, 95, 101)


def test_a_range_is_gold_as_its_document_with_its_highest_grade() -> None:
    gold = tuple(Gold(uri=uri, quote="x", grade=grade) for uri, grade in (("a", 1), ("a", 3), ("a", 2), ("b", 2)))
    assert document_gold(QuestionSet("q", (Question(id="1", question="?", gold=gold),))) == {"1": {"a": 3, "b": 2}}


def test_a_metric_is_a_value() -> None:
    assert metric("ndcg@10") == metric("nDCG@10") == metric(" NDCG@10 ")
    assert metric("nDCG@10").name == "nDCG@10"
    assert metric("nDCG@10") != metric("nDCG@5")
    assert {metric("MAP"): 1}[metric("map")] == 1
    assert metric("range_iou_tokens@3", {}, {}).name == "range_IoU_tokens@3"
    assert isinstance(metric("MAP"), Metric)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nDGC@10", "Did you mean 'nDCG'?"),
        ("ndgc@10", "Did you mean 'ndcg'?"),
        ("Recal@10", "Did you mean 'Recall'?"),
        ("range_recal@5", "Did you mean 'range_recall'?"),
        ("", "nDCG@10, Recall@10, MRR@10, MAP,"),
        ("nDCG", "'nDCG@10'"),
        ("nDCG@0", "'nDCG@10'"),
        ("nDCG@ten", "'nDCG@10'"),
        ("nDCG@10@5", "'nDCG@10'"),
        ("MAP@10", "'MAP'"),
        ("MAP@", "'MAP'"),
        ("range_recall@5", "gold ranges."),
        ("range_recall_tokens@5", "texts"),
    ],
)
def test_a_wrong_name_says_what_is_right(name: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=r".") as raised:
        metric(name)
    assert said in str(raised.value)


# Ranges


def test_ranges_by_hand() -> None:
    #           gold 10-20 and 30-40; retrieved 15-35 and, again in part, 30-50: gold found 15-20, 30-40
    counted = overlap({"a": [(15, 35), (30, 50)]}, {"a": [(10, 20), (30, 40)]})
    assert (counted.gold, counted.retrieved, counted.both) == (20, 40, 15)
    assert (counted.recall, counted.precision, counted.iou) == (15 / 20, 15 / 40, 15 / (40 + 5))


def test_ranges_of_other_documents_count_against_precision_alone() -> None:
    counted = overlap({"a": [(0, 10)], "b": [(0, 30)]}, {"a": [(0, 10)], "c": [(0, 10)]})
    assert (counted.recall, counted.precision, counted.iou) == (10 / 20, 10 / 40, 10 / 50)


def test_nothing_retrieved_scores_zero() -> None:
    counted = overlap({}, {"a": [(0, 10)]})
    assert (counted.recall, counted.precision, counted.iou) == (0.0, 0.0, 0.0)


def test_overlapping_gold_counts_once() -> None:
    assert overlap({"a": [(0, 20)]}, {"a": [(0, 10), (5, 20)]}).recall == 1.0
    assert union([(5, 20), (0, 10), (30, 30), (20, 25)]) == [(0, 25)]


RANGES = st.dictionaries(
    st.sampled_from("abc"),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)).map(lambda pair: (pair[0], sum(pair))), max_size=5),
)


@given(RANGES, RANGES)
def test_overlap_equals_counting_characters(
    retrieved: Mapping[str, list[Range]], gold: Mapping[str, list[Range]]
) -> None:
    def characters(ranges: Mapping[str, list[Range]]) -> Counter[tuple[str, int]]:
        return Counter((uri, at) for uri, those in ranges.items() for start, end in those for at in range(start, end))

    read, wanted = characters(retrieved), characters(gold)
    counted = overlap(retrieved, gold)
    assert (counted.gold, counted.retrieved) == (len(wanted), read.total())
    assert counted.both == len(read.keys() & wanted.keys())


def test_tokens_are_words_and_belong_where_they_begin() -> None:
    starts = token_starts("One two, three — vier!")
    assert starts == [0, 4, 9, 17]
    assert in_tokens([(0, 6), (6, 22), (1, 4), (7, 9)], starts) == [(0, 2), (2, 4), (1, 1), (2, 2)]


def test_range_metrics_of_the_first_k_hits() -> None:
    text = "aa bbbb cc dddddd ee"  # words at 0, 3, 8, 11, 18
    questions = question_set({"1": {}, "2": {}, "3": {}})
    run = run_of({"1": [found("u", 0, 7), found("u", 8, 17), found("u", 0, 20)], "2": [found("u", 0, 20)]})
    gold: GoldRanges = {"1": {"u": [(3, 10)]}, "2": {"u": ()}, "elsewhere": {"u": [(0, 1)]}}
    expected = {
        "range_recall@1": 4 / 7,
        "range_recall@2": 6 / 7,
        "range_precision@2": 6 / 16,
        "range_IoU@2": 6 / 17,
        "range_precision@3": 7 / 36,
        "range_recall_tokens@1": 1 / 2,
        "range_recall_tokens@2": 2 / 2,
        "range_precision_tokens@2": 2 / 4,
        "range_IoU_tokens@3": 2 / 9,
    }
    for name, value in expected.items():
        assert metric(name, gold, {"u": text}).score(run, questions) == {"1": value}, name


def test_tokens_of_a_text_that_is_not_there() -> None:
    run = run_of({"1": [found("lost", 0, 7)]})
    with pytest.raises(InvalidInput, match="'lost'"):
        metric("range_IoU_tokens@5", {"1": {"u": [(0, 3)]}}, {"u": "one"}).score(run, question_set({"1": {}}))


# Answers


def test_normalisation_is_that_of_squad() -> None:
    assert answers.normalised("The  U.S. Army's, an\ttheme!") == "us armys theme"


@pytest.mark.parametrize(
    ("answer", "references", "exact", "f1"),
    [
        ("The Eiffel Tower!", ["eiffel tower"], 1.0, 1.0),
        ("in Paris, France", ["Berlin", "Paris"], 0.0, 2 * (1 / 3) * 1 / (1 / 3 + 1)),
        ("ja ja ja", ["ja ja"], 0.0, 4 / 5),
        ("the", [""], 1.0, 1.0),
        ("", ["something"], 0.0, 0.0),
        ("something", ["the"], 0.0, 0.0),
        ("blue", ["red", "blue"], 1.0, 1.0),
    ],
)
def test_answers_by_hand(answer: str, references: list[str], exact: float, f1: float) -> None:
    assert answers.exact_match(answer, references) == exact
    assert answers.token_f1(answer, references) == pytest.approx(f1)


def test_an_answer_needs_references() -> None:
    with pytest.raises(InvalidInput):
        answers.token_f1("x", [])
    with pytest.raises(InvalidInput):
        answers.exact_match("x", "abc x")


def test_abstention() -> None:
    pairs = [(True, True), (True, False), (False, False), (False, False), (False, True)]
    assert answers.abstention_accuracy(pairs) == 3 / 5
    assert answers.wrongly_answered(pairs) == 1 / 2
    assert answers.wrongly_abstained(pairs) == 1 / 3
    assert answers.abstention_accuracy([]) is answers.wrongly_answered([]) is answers.wrongly_abstained([]) is None


# Routing

ROUTED = [("a", "a"), ("a", "b"), ("b", "b"), ("b", ""), ("", ""), ("", "a"), ("", ""), ("c", "a")]


def test_routing_by_hand() -> None:
    assert routing.accuracy(ROUTED) == 4 / 8
    assert routing.out_of_scope_recall(ROUTED) == 2 / 3
    assert routing.by_domain(ROUTED) == {
        "a": routing.DomainScore(1 / 3, 1 / 2, 2, 3),
        "b": routing.DomainScore(1 / 2, 1 / 2, 2, 2),
        "c": routing.DomainScore(None, 0.0, 1, 0),
    }
    assert routing.accuracy([]) is routing.out_of_scope_recall([("a", "")]) is None


def test_right_when_committed() -> None:
    committed = [True, False, True, False, True, True, False, False]
    assert routing.when_committed(ROUTED, committed) == routing.Committed(3 / 4, 1 / 2)
    assert routing.when_committed(ROUTED, [False] * 8) == routing.Committed(None, 0.0)


def test_accuracy_at_coverage() -> None:
    confidences = [0.9, 0.8, 0.7, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert routing.accuracy_at_coverage(ROUTED, confidences, 1.0) == 4 / 8
    assert routing.accuracy_at_coverage(ROUTED, confidences, 3 / 8) == 2 / 3
    assert routing.accuracy_at_coverage(ROUTED, confidences, 0.01) == 1.0
    assert routing.accuracy_at_coverage([], [], 0.5) is None
    for bad in (0.0, 1.1, math.nan):
        with pytest.raises(InvalidInput):
            routing.accuracy_at_coverage(ROUTED, confidences, bad)


def test_accuracy_at_coverage_does_not_depend_on_the_order_of_ties() -> None:
    equal = [0.5] * 8
    assert routing.accuracy_at_coverage(ROUTED, equal, 0.25) == 0.5
    assert routing.accuracy_at_coverage(ROUTED[::-1], equal, 0.25) == 0.5
