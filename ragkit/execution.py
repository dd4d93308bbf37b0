"""Carries out a plan: what can be asked is asked at once, what needs an answer waits for it, nothing is dropped."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import anyio

from ragkit import telemetry
from ragkit.answer import Answer
from ragkit.deadline import Deadline
from ragkit.model import LOCAL
from ragkit.plan import Plan, SubQuestion, fill, lacking, named, ready
from ragkit.standin import sentence, stand_in
from ragkit.statements import bare
from ragkit.telemetry import STATUS

Answering = Callable[[SubQuestion, str, tuple[Answer, ...]], Awaitable[Answer]]
"""Takes a sub-question, its text with the answers in their places, and the answers that it depends on."""
Replan = Callable[[Plan, dict[str, str]], Awaitable[Plan]]


async def carry_out(
    plan: Plan, answering: Answering, replan: Replan, deadline: Deadline, told: Callable[[Answer], None]
) -> tuple[Plan, dict[str, Answer]]:
    """The plan as it was carried out, which first answers may have changed, and an answer for each of its parts."""
    done: dict[str, Answer] = {}
    asked: dict[str, Answer] = {}
    while waiting := [one for one in ready(plan, done) if one.id not in done]:
        known = {key: _said(answer) for key, answer in done.items() if answer.text}
        texts = {one.id: fill(one, known) for one in waiting}
        for one in waiting:
            if lost := lacking(one, known):
                done[one.id] = _skipped(texts[one.id], lost, done)
                told(done[one.id])
        waiting = [one for one in waiting if one.id not in done]
        first = {text.casefold(): one for one, text in ((one, texts[one.id]) for one in reversed(waiting))}
        async with anyio.create_task_group() as group:
            for key, one in first.items():
                if key not in asked:
                    group.start_soon(_one, one, texts[one.id], done, asked, answering, deadline, told)
        for one in waiting:  # those that ask the same share an answer
            done[one.id] = asked[texts[one.id].casefold()]
        if len(done) < len(plan.sub_questions):
            listed = {key: _listed(answer) for key, answer in done.items()}
            plan = await replan(plan, {key: text for key, text in listed.items() if text})
    for sub in plan.sub_questions:
        if sub.id not in done:
            reason = "What it waits for was never answered."
            done[sub.id] = Answer(sub.text, "", abstained=True, reason=reason, status="skipped")
    return plan, done


def _said(answer: Answer) -> str:
    """What stands for it in another question. Sentences of passages do not: then nothing stands for it."""
    text = bare(answer.text)
    if answer.model not in LOCAL:
        return text
    return stand_in(answer.question, text) or ("" if sentence(text) else text)


def _listed(answer: Answer) -> str:
    """An answer from which the things that it lists can be taken; parts of sentences are none."""
    text = bare(answer.text)
    return _said(answer) if answer.model in LOCAL and any(map(sentence, named(text))) else text


def _skipped(text: str, lost: list[str], done: Mapping[str, Answer]) -> Answer:
    """Asked without the answer that it needs, it would ask something else."""
    needed = " and ".join(dict.fromkeys(f"“{done[key].question}”" for key in lost))
    if all(done[key].text for key in lost):
        reason = f"It needs a name from the answer to {needed}, and none was found in it. A model could read it out."
        return Answer(text, "", abstained=True, reason=reason, status="skipped")
    return Answer(text, "", abstained=True, reason=f"It needs the answer to {needed}.", status="skipped")


async def _one(
    sub: SubQuestion,
    text: str,
    done: Mapping[str, Answer],
    asked: dict[str, Answer],
    answering: Answering,
    deadline: Deadline,
    told: Callable[[Answer], None],
) -> None:
    with telemetry.span("sub-question", {"ragkit.sub_question": sub.id}) as span:
        telemetry.record(span, {"ragkit.question": text})
        if deadline.passed:
            answer = Answer(text, "", abstained=True, reason="There was no time left to ask it.", status="skipped")
        else:
            answer = await answering(sub, text, tuple(done[need] for need in sub.depends_on if need in done))
        answer = replace(answer, question=text)
        span.set_attribute(STATUS, answer.status)
    asked[text.casefold()] = answer
    told(answer)
