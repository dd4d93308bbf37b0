"""A Metric: a name that gives each question of a run a score, `nDCG@10`, `MAP`, `range_recall@5`, `F1`."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, cast, get_args

import numpy as np

from ragkit.errors import InvalidInput, nearest_of
from ragkit.eval import answermetrics
from ragkit.eval.answercost import AnswerCost, answer_cost
from ragkit.eval.questions import QuestionSet
from ragkit.eval.ranges import Range, Ranges, in_tokens, overlap, token_starts
from ragkit.eval.result import Found, Run

GoldRanges = Mapping[str, Ranges]
"""Where the gold of each question lies, by question id: quotes, resolved in the documents as they are now."""
Scorer = Callable[[Run, QuestionSet], dict[str, float]]

_RANKING = {"nDCG": "nDCG@{k}", "Recall": "R@{k}", "MRR": "RR", "MAP": "AP", "P": "P@{k}", "Success": "Success@{k}"}
"""By our name, how ir_measures calls it. Its RR has no cutoff that pytrec_eval knows: the run is cut instead."""
_WITHOUT_CUTOFF = ("MAP", "seconds", *answermetrics.NAMES)

_Part = Literal["recall", "precision", "iou"]
_RANGE: Mapping[str, tuple[_Part, bool]] = {
    f"range_{word}{suffix}": (part, bool(suffix))
    for suffix in ("", "_tokens")
    for word, part in zip(("recall", "precision", "IoU"), get_args(_Part), strict=True)
}
"""By our name, which part of an overlap, and whether it is counted in tokens."""

NAMES = (*_RANKING, *_RANGE, "seconds", *answermetrics.NAMES)


@dataclass(frozen=True)
class Metric:
    """Equal when they measure the same, so that metrics can be keys, settings, and compared across runs."""

    name: str
    scorer: Scorer = field(repr=False, hash=False)
    higher_is_better: bool = True

    def score(self, run: Run, questions: QuestionSet) -> dict[str, float]:
        """The score of each question that has the gold for it, by question id.

        A question without a result, with an error, or missing from the run scores exactly 0 and is in the mean.
        Only `seconds` leaves out such questions, as no time is a bad score for not answering; `cost` counts them.
        """
        return self.scorer(run, questions)


def metric(name: str, gold: GoldRanges | None = None, texts: Mapping[str, str] | None = None) -> Metric:
    """The metric of this name; case does not matter.

    `nDCG@k Recall@k MRR@k MAP P@k Success@k` compare documents with the gold of the questions. `range_recall@k
    range_precision@k range_IoU@k` compare the ranges of the first k hits with `gold`, by characters; with `_tokens`
    before the @, by the tokens of `texts`, the documents by uri. `seconds` is how long a question took. The others
    score answers: see `answermetrics`.
    """
    known, cutoff = _parsed(name)
    if known == "seconds":
        return Metric(known, _seconds, higher_is_better=False)
    if known in _RANKING:
        full = known if cutoff is None else f"{known}@{cutoff}"
        return Metric(full, _Ranking(_RANKING[known].format(k=cutoff), cutoff if known == "MRR" else None))
    if known in answermetrics.NAMES:
        return Metric(known, answermetrics.scorer(known, gold, texts))
    assert cutoff is not None
    part, by_tokens = _RANGE[known]
    if gold is None or (by_tokens and texts is None):
        raise InvalidInput(
            f"{known} compares ranges, and was given none to compare with.",
            "Pass the resolved gold ranges" + (", and the texts of the documents." if by_tokens else "."),
        )
    return Metric(f"{known}@{cutoff}", _Overlapping(part, cutoff, gold, texts if by_tokens else None))


def canonical(name: str) -> str:
    """A metric's name as it is written here: `nDCG@10` for `ndcg@10`."""
    known, cutoff = _parsed(name.strip())
    return known if cutoff is None else f"{known}@{cutoff}"


def document_gold(questions: QuestionSet) -> dict[str, dict[str, int]]:
    """The documents that each question should find, with their highest grades; a quote counts as its document."""
    gold: dict[str, dict[str, int]] = {}
    for question in questions:
        for one in question.gold:
            grades = gold.setdefault(question.id, {})
            grades[one.uri] = max(one.grade, grades.get(one.uri, 0))
    return gold


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run cost in time, and how many of its questions came to nothing. All of these score 0."""

    questions: int
    missing: int
    """Questions that the run does not have."""
    errors: int
    """Searches that failed."""
    empty: int
    """Searches that did not fail, and found nothing."""
    p50: float | None
    """Seconds that half of the searches without an error stayed below; None when there are none."""
    p95: float | None
    answers: AnswerCost | None = None
    """None where the run only retrieved."""


def cost(run: Run, questions: QuestionSet) -> Cost:
    """Seconds at the median and at the 95th percentile. Failed searches are counted, not timed: failing is fast."""
    results = [run.results[one.id] for one in questions if one.id in run.results]
    seconds = [one.seconds for one in results if not one.error]
    p50, p95 = np.percentile(seconds, (50, 95)).tolist() if seconds else (None, None)
    return Cost(
        questions=len(questions),
        missing=len(questions) - len(results),
        errors=sum(bool(one.error) for one in results),
        empty=sum(not one.error and not one.hits for one in results),
        p50=p50,
        p95=p95,
        answers=answer_cost([one.answer for one in results if one.answer is not None]),
    )


def _parsed(name: str) -> tuple[str, int | None]:
    word, _, cutoff = name.strip().partition("@")
    spelled = {one.lower(): one for one in NAMES}
    known = spelled.get(word.lower())
    if known is None:
        # In both spellings, for nearness is a matter of letters, and `ndgc` shares few with `nDCG`.
        near = nearest_of(word, NAMES) or nearest_of(word.lower(), spelled)
        raise InvalidInput(f"There is no metric {name!r}.{near}", f"Known are {', '.join(map(_example, NAMES))}.")
    if known in _WITHOUT_CUTOFF and name.strip().lower() == known.lower():
        return known, None
    if known in _WITHOUT_CUTOFF or not re.fullmatch("[1-9][0-9]{0,5}", cutoff):
        raise InvalidInput(f"{name!r} is no metric.", f"Write it as {_example(known)!r}.")
    return known, int(cutoff)


def _example(known: str) -> str:
    return known if known in _WITHOUT_CUTOFF else f"{known}@10"


def _hits(run: Run, question: str) -> tuple[Found, ...]:
    """What was found; nothing when the question failed or is missing, whatever was found before it failed."""
    result = run.results.get(question)
    return result.hits if result is not None and not result.error else ()


@dataclass(frozen=True)
class _Ranking:
    """Scores of ir_measures over pytrec_eval."""

    measure: str
    cut: int | None = None

    def __call__(self, run: Run, questions: QuestionSet) -> dict[str, float]:
        import ir_measures

        gold = document_gold(questions)
        rankings = {question: _ranking(run, question, self.cut) for question in gold}
        scores = dict.fromkeys(gold, 0.0)
        measure = ir_measures.parse_measure(self.measure)
        for one in ir_measures.pytrec_eval.iter_calc([measure], gold, rankings):
            scores[one.query_id] = float(one.value)
        return scores


def _ranking(run: Run, question: str, cut: int | None) -> dict[str, float]:
    """Documents, with scores that fall by 1 from rank to rank.

    The scores of the run would not do: trec_eval ignores the order of a run, sorts by score, and breaks ties by id, so
    that equal scores, or scores of a reranker below those of the first stage, are judged in another order than the one
    that a user sees. It also holds scores in single precision, where near ones become equal.
    """
    if not _hits(run, question):
        return {}
    documents = list(run.documents(question))[:cut]
    return {uri: float(len(documents) - at) for at, uri in enumerate(documents)}


@dataclass(frozen=True)
class _Overlapping:
    part: _Part
    cutoff: int
    gold: GoldRanges
    texts: Mapping[str, str] | None

    def __call__(self, run: Run, questions: QuestionSet) -> dict[str, float]:
        starts = cache(self._starts)
        scores = {}
        for question in questions:
            gold: Ranges = {uri: ranges for uri, ranges in self.gold.get(question.id, {}).items() if ranges}
            if not gold:
                continue
            retrieved = _retrieved(_hits(run, question.id)[: self.cutoff])
            if self.texts is not None:
                gold, retrieved = _in_tokens(gold, starts), _in_tokens(retrieved, starts)
            scores[question.id] = cast(float, getattr(overlap(retrieved, gold), self.part))
        return scores

    def _starts(self, uri: str) -> list[int]:
        assert self.texts is not None
        try:
            return token_starts(self.texts[uri])
        except KeyError:
            raise InvalidInput(
                f"The tokens of {uri!r} cannot be counted, for its text is not there.",
                "Pass the text of every document that was found or is gold.",
            ) from None


def _in_tokens(ranges: Ranges, starts: Callable[[str], list[int]]) -> Ranges:
    return {uri: in_tokens(those, starts(uri)) for uri, those in ranges.items()}


def _retrieved(hits: Iterable[Found]) -> Ranges:
    ranges: dict[str, list[Range]] = {}
    for hit in hits:
        ranges.setdefault(hit.uri, []).append((hit.start, hit.end))
    return ranges


def _seconds(run: Run, questions: QuestionSet) -> dict[str, float]:
    results = (run.results.get(question.id) for question in questions)
    return {one.question: one.seconds for one in results if one is not None and not one.error}
