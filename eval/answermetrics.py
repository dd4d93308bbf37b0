"""Metrics of answers: how right they are, whether they rest on what they cite, and whether silence was right.

A question that the documents answer scores 0 when it got no answer: abstained, failed, or missing from the run. One
that they do not answer is scored by `abstention` alone, for no words would be right, and no citation.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from ragkit.errors import InvalidInput
from ragkit.eval.answered import Answered, Cited
from ragkit.eval.answers import contains, exact_match, token_f1
from ragkit.eval.claims import bare, claims, marked, together
from ragkit.eval.groundedness import Scorer, Support, citation_precision, citation_recall, groundedness
from ragkit.eval.questions import Question, QuestionSet
from ragkit.eval.ranges import Range, Ranges
from ragkit.eval.result import Run
from ragkit.grounding import Grounding

_BY_WORDS: Mapping[str, Callable[[str, Sequence[str]], float]] = {
    "EM": exact_match,
    "F1": token_f1,
    "contains": contains,
}
_BY_TEXTS = ("groundedness", "citation_precision", "citation_recall")
_BY_GOLD = ("citation_gold_precision", "citation_gold_recall")
JUDGED = "groundedness_judge"
"""Given by a model: see `judging`."""
CITING = (*_BY_TEXTS, *_BY_GOLD, JUDGED)
"""Those that look at what is cited, and so mean nothing in other documents."""
NAMES = (*_BY_WORDS, "abstention", *CITING)

Score = Callable[[Question, Answered], float | None]
"""Of a question that was answered. None leaves it out: nothing could be said, which is no bad score."""


def scorer(
    name: str, gold: Mapping[str, Ranges] | None, texts: Mapping[str, str] | None
) -> Callable[[Run, QuestionSet], dict[str, float]]:
    """What computes this metric. `gold` are ranges by question id and uri, `texts` the documents by uri."""
    if name in _BY_WORDS:
        return partial(_scores, name, _referenced, _by_words(_BY_WORDS[name]))
    if name == "abstention":
        return _abstention
    if name == JUDGED:
        raise InvalidInput(f"{JUDGED} needs a model that judges.", "Name one: --judge anthropic:NAME")
    if name in _BY_GOLD:
        if gold is None:
            raise InvalidInput(f"{name} compares ranges, and was given none.", "Pass the resolved gold ranges.")
        return partial(_scores, name, partial(_with_gold, gold), _by_gold(name.endswith("recall"), gold))
    if texts is None:
        raise InvalidInput(f"{name} reads what is cited, and was given no texts.", "Pass the texts of the documents.")
    return partial(_scores, name, answerable, _by_texts(name, texts, Once(Grounding())))


def answerable(question: Question) -> bool:
    return not question.unanswerable


def refuse(run: str, name: str) -> InvalidInput:
    return InvalidInput(
        f"{run} only retrieved, and {name} scores answers.",
        'Give its strategy a model, such as model = "extractive", or leave that metric out.',
    )


class Once:
    """A scorer that is asked once for each claim and what it cites, by however many metrics."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._known: dict[tuple[str, tuple[str, ...]], Support] = {}

    def support(self, claim: str, cited: Sequence[str]) -> Support:
        asked = claim, tuple(cited)
        if asked not in self._known:
            self._known[asked] = self._scorer.support(claim, cited)
        return self._known[asked]


def _scores(
    name: str, scored: Callable[[Question], bool], score: Score, run: Run, questions: QuestionSet
) -> dict[str, float]:
    if not run.answers:
        raise refuse(run.name, name)
    found = {}
    for question in filter(scored, questions):
        result = run.results.get(question.id)
        answer = None if result is None else result.answer
        value = 0.0 if answer is None or not answer.given else score(question, answer)
        if value is not None:
            found[question.id] = value
    return found


def _abstention(run: Run, questions: QuestionSet) -> dict[str, float]:
    if not run.answers:
        raise refuse(run.name, "abstention")
    answers = {one.id: result.answer if (result := run.results.get(one.id)) else None for one in questions}
    return {
        one.id: float(answer is not None and not answer.error and answer.abstained == one.unanswerable)
        for one in questions
        for answer in [answers[one.id]]
    }


def _referenced(question: Question) -> bool:
    return bool(question.answers) and not question.unanswerable


def _with_gold(gold: Mapping[str, Ranges], question: Question) -> bool:
    return not question.unanswerable and any(gold.get(question.id, {}).values())


def _by_words(compare: Callable[[str, Sequence[str]], float]) -> Score:
    return lambda question, answer: compare(bare(answer.text), question.answers)


def _by_texts(name: str, texts: Mapping[str, str], scorer: Scorer) -> Score:
    def score(_: Question, answer: Answered) -> float | None:
        said = claims(answer, texts)
        if not said:
            return 0.0
        if name == "groundedness":
            sentences = [sentence for sentence, _ in marked(answer.text)]
            return groundedness(together(answer, sentences, texts), scorer).share
        own = groundedness(said, scorer)
        if name == "citation_recall":
            return citation_recall(own)
        cited = citation_precision(own, scorer)
        return cited.share if cited.rows else 0.0

    return score


def _by_gold(recall: bool, gold: Mapping[str, Ranges]) -> Score:
    """A cited range is right when it has some of a gold one; of the gold, what has some of a cited one is found."""

    def score(question: Question, answer: Answered) -> float:
        own = list(_ranges(gold[question.id]))
        if recall:
            hits = [any(_share(one, uri, place) for one in answer.citations) for uri, place in own]
        else:
            hits = [any(_share(one, uri, place) for uri, place in own) for one in answer.citations]
        return sum(hits) / len(hits) if hits else 0.0

    return score


def _ranges(gold: Ranges) -> Iterator[tuple[str, Range]]:
    return ((uri, one) for uri, ranges in gold.items() for one in ranges)


def _share(cited: Cited, uri: str, place: Range) -> bool:
    return cited.uri == uri and cited.start < place[1] and place[0] < cited.end
