"""Judging: a language model says of each claim of an answer whether what the answer cites supports it.

The judge lists the claims, then sees them one by one; the scorer without a model sees the same ones, so that it can be
said how far the two agree. A refusal, or a reply that cannot be used, is a claim that nobody judged, and is counted.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

from ragkit.eval.agreement import Agreement, agreement
from ragkit.eval.answered import Answered
from ragkit.eval.answermetrics import JUDGED, answerable, refuse
from ragkit.eval.claims import bare, together
from ragkit.eval.groundedness import Groundedness, Scorer, Status, groundedness
from ragkit.eval.judge import Ask, Judge, Refused
from ragkit.eval.metrics import Metric
from ragkit.eval.questions import QuestionSet
from ragkit.eval.result import Run
from ragkit.grounding import Grounding
from ragkit.model import Message, Request
from ragkit.workspace import Workspace

_AT_ONCE = 8
"""Answers; how many calls a model takes at a time is said in its settings."""
_TOKENS = 2048


class Verdict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    verdict: Literal["supported", "unsupported"]
    reason: str


class ClaimList(BaseModel):
    model_config = ConfigDict(extra="forbid")

    claims: list[str]


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    judge: Groundedness
    scorer: Groundedness
    """Of the same claims."""
    reason: str = ""
    """Why its claims are its sentences, where the judge listed none."""


@dataclass(frozen=True)
class Judged:
    """What a judge said of the answers of one run."""

    model: str
    answers: Mapping[str, JudgedAnswer]
    """By question id; what has no answer is not here."""

    def scores(self, questions: QuestionSet) -> dict[str, float]:
        """The share of supported claims, for each question; 0 without an answer, left out when nothing was judged."""
        found = {}
        for question in filter(answerable, questions):
            own = self.answers.get(question.id)
            share = 0.0 if own is None else own.judge.share
            if share is not None:
                found[question.id] = share
        return found

    @property
    def rows(self) -> Groundedness:
        """All claims of all answers."""
        return _all(one.judge for one in self.answers.values())

    @property
    def agreement(self) -> Agreement:
        """Between the scorer that needs no model, first, and the judge."""
        return agreement(_all(one.scorer for one in self.answers.values()), self.rows)

    def as_dict(self) -> dict[str, Any]:
        rows, agreed = self.rows, self.agreement
        return {
            "model": self.model,
            "answers": len(self.answers),
            "claims": len(rows.rows),
            **{status: rows.count(status) for status in get_args(Status)},
            "own_sentences": sum(bool(one.reason) for one in self.answers.values()),
            "agreement": {"claims": agreed.both, "equal": agreed.equal, "kappa": agreed.kappa},
            "unjudged": [
                {"question": question, "claim": row.claim.text, "status": row.support.status,
                 "reason": row.support.reason}
                for question, one in self.answers.items()
                for row in one.judge.rows
                if row.support.status in ("refused", "unreadable")
            ],
        }  # fmt: skip

    def sentence(self, run: str) -> str:
        """What came out, for a reader."""
        rows, agreed = self.rows, self.agreement
        said = f"{run}: of {len(rows.rows):,} claims, {self.model} finds {rows.count('supported'):,} supported"
        said += f"; {rows.count('refused'):,} refused, {rows.count('unreadable'):,} not judged for other reasons."
        if agreed.equal is None:
            return f"{said} Nothing to compare with the scorer that needs no model."
        kappa = "" if agreed.kappa is None else f", kappa {agreed.kappa:.2f}"
        same = f"The scorer that needs no model says the same of {agreed.equal:.0%} of {agreed.both:,} claims"
        return f"{said} {same}{kappa}."


def judged(
    runs: Sequence[Run],
    questions: QuestionSet,
    texts: Mapping[str, str],
    workspace: Workspace,
    model: str,
    tell: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> dict[str, Judged]:
    """The answers of these runs, judged by this model of the workspace; by the run's name."""
    for run in runs:
        if not run.answers:
            raise refuse(run.name, JUDGED)
    judge = Judge(_ask(workspace, model, Verdict), _ask(workspace, model, ClaimList))
    scorer = Grounding()
    found = {}
    for run in runs:
        due = [
            (one.id, answer)
            for one in filter(answerable, questions)
            if (result := run.results.get(one.id)) and (answer := result.answer) and answer.given
        ]
        answers: dict[str, JudgedAnswer] = {}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            made = pool.map(lambda one: _one(one[1], texts, judge, scorer), due)
            for number, ((question, _), one) in enumerate(zip(due, made, strict=True), 1):
                answers[question] = one
                tell(f"{model} judges {run.name}", number, len(due))
        found[run.name] = Judged(model, answers)
    return found


def metric(found: Mapping[str, Judged]) -> Metric:
    """What was judged, as a metric of these runs."""
    return Metric(JUDGED, lambda run, questions: found[run.name].scores(questions))


def _one(answer: Answered, texts: Mapping[str, str], judge: Judge, scorer: Scorer) -> JudgedAnswer:
    listed = judge.claims_of(bare(answer.text))
    said = together(answer, listed.texts, texts)
    return JudgedAnswer(groundedness(said, judge), groundedness(said, scorer), listed.reason)


def _ask(workspace: Workspace, model: str, form: type[BaseModel]) -> Ask:
    def ask(prompt: str) -> str:
        reply = workspace.reply(Request((Message("user", prompt),), schema=form, max_tokens=_TOKENS), model)
        if reply.stop == "refusal":
            raise Refused(f"The model refused: {' '.join(reply.text[:200].split())}")
        return reply.text

    return ask


def _all(parts: Iterable[Groundedness]) -> Groundedness:
    return Groundedness(tuple(row for part in parts for row in part.rows))
