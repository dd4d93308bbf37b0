"""One question's way: plan, then route, retrieve and write each part.

What went wrong on it is said in the answer, or is the error.
"""

import time
from dataclasses import replace

from ragkit import telemetry
from ragkit.answer import Answer, Status
from ragkit.budget import Allowance
from ragkit.errors import InvalidInput, RagkitError
from ragkit.events import Part, Piece, Planned, Tell, Way
from ragkit.execution import carry_out
from ragkit.indexes.search import MOST_CHARACTERS
from ragkit.means import Means
from ragkit.model import ModelError
from ragkit.plan import Plan, SubQuestion
from ragkit.route import as_json
from ragkit.single import asked
from ragkit.telemetry import STATUS
from ragkit.together import different, put_together
from ragkit.trace import ANSWER, QUESTION

NAMED = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "ask"}
"""What OpenTelemetry's conventions call an ask."""


async def ask(question: str, means: Means, allowance: Allowance, tell: Tell | None = None) -> Answer:
    """An answer, a partial one that says what it lacks, or a ModelError."""
    check(question)
    began = time.monotonic()
    with telemetry.span("invoke_workflow ask", NAMED) as span:
        telemetry.record(span, {QUESTION: question})
        way = Way(means, allowance, tell or (lambda event: None), tell is not None)
        plan = await planned(question, means)
        way.tell(Planned(plan))
        if plan.simple:
            answer = await asked(way, plan.sub_questions[0], question, last=True)
        else:
            plan, answer = await _in_parts(way, plan)
        answer = replace(
            answer,
            question=question,
            route=_route(way, answer),
            seconds=time.monotonic() - began,
            usage=allowance.budget.spent,
            missing=(*answer.missing, *plan.lost, *means.lost),
            notes=(*plan.notes, *answer.notes),
        )
        if answer.text and not way.said:
            way.tell(Piece(answer.text))
        span.set_attribute(STATUS, "partial" if answer.partial else "abstained" if answer.abstained else "ok")
        telemetry.record(span, {ANSWER: answer.text, "ragkit.notes": list(answer.notes) or None})
        return answer


def check(question: str) -> None:
    if not any(map(str.isalnum, question)):
        raise InvalidInput("The question is empty.", "Ask something.")
    if len(question) > MOST_CHARACTERS:
        raise InvalidInput(
            f"The question has {len(question):,} characters; at most {MOST_CHARACTERS:,} can be asked.",
            "Ask a shorter one. To ask about a text, put it into a file and ingest that.",
        )


async def planned(question: str, means: Means) -> Plan:
    check(question)
    with telemetry.span("plan") as span:
        plan = await means.planner.plan(question, means.known)
        span.set_attribute("ragkit.sub_questions", len(plan.sub_questions))
        return plan


async def _in_parts(way: Way, plan: Plan) -> tuple[Plan, Answer]:
    async def answering(sub: SubQuestion, text: str, before: tuple[Answer, ...]) -> Answer:
        status: Status = "failed"
        try:
            return await asked(way, sub, text, before=before)
        except RagkitError as error:
            if isinstance(error, ModelError) and error.kind in ("budget", "deadline"):
                status = "skipped"
            reason = str(error)
        except Exception as error:  # of a model or a tool of the user's own: the other parts need not suffer
            reason = f"It failed: {type(error).__name__}: {error}"
        return Answer(text, "", abstained=True, reason=reason, status=status)

    async def replan(now: Plan, answers: dict[str, str]) -> Plan:
        return await way.means.planner.replan(now, answers, way.means.known)

    plan, done = await carry_out(plan, answering, replan, way.allowance.deadline, lambda answer: way.tell(Part(answer)))
    return plan, await put_together(way, plan, [done[sub.id] for sub in plan.sub_questions])


def _route(way: Way, answer: Answer) -> dict[str, object]:
    """Where it went; that of each part, in the order of the plan, if it has any."""
    if not answer.sub_answers:
        return {} if not way.routes else as_json(next(iter(way.routes.values())))
    parts = [one.question for one in different(answer.sub_answers) if one.question in way.routes]
    return {"parts": [{"question": one, **as_json(way.routes[one])} for one in parts]} if parts else {}
