"""Guarding: a question goes through the guards, then the ask, then its answer goes through them, and nothing passes by.

What a guard blocks is an answer that abstains and names the rule; no model has been asked then, if it was the question.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import anyio
import anyio.to_thread

from ragkit import telemetry
from ragkit.answer import Answer
from ragkit.deadline import Deadline
from ragkit.errors import RagkitError
from ragkit.events import Event, Found, Part, Piece, Planned, Routed, Tell
from ragkit.guard import Guard, Ruling, Where
from ragkit.markers import MARKER, single
from ragkit.telemetry import STATUS
from ragkit.trace import ANSWER, QUESTION

NAMED = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "guarded"}
RULE, REDACTED = "ragkit.guard.rule", "ragkit.guard.redacted"
"""On the span of a guarded ask: by what it was blocked, and the kinds of what was taken out."""
LEAST = 2.0
"""Seconds that guards have at least: an ask that has used its time up still gives what it has, and that is checked."""

Ask = Callable[[str, Tell | None], Awaitable[Answer]]


async def guarded(
    question: str, guards: Sequence[Guard], ask: Ask, tell: Tell | None = None, deadline: Deadline | None = None
) -> Answer:
    """What `ask` answers to what the guards leave of the question, as far as they let it be said."""
    asking = _Watch(guards, "question", deadline)
    answering = _Watch(guards, "answer", deadline)
    ruling = await asking.look(question)
    left = question if ruling.text is None else ruling.text
    if not ruling.rule and left == question and not answering.guards:
        return await ask(question, tell)
    with telemetry.span("invoke_workflow guarded", NAMED) as span:
        telemetry.record(span, {QUESTION: left})
        if ruling.rule:
            answer = _blocked(Answer(left, ""), ruling)
        elif answering.guards:
            answer = await _held(left, ask, tell, answering)
        else:
            answer = await ask(left, tell)
        rules = [*asking.rules, *answering.rules]
        taken = sorted({*asking.redacted, *answering.redacted})
        span.set_attributes({RULE: rules} if rules else {})
        span.set_attributes({REDACTED: taken} if taken else {})
        span.set_attribute(STATUS, _status(answer))
        telemetry.record(span, {ANSWER: answer.text})
        return answer


async def _held(question: str, ask: Ask, tell: Tell | None, watch: "_Watch") -> Answer:
    """The text is told when all of it was checked: a number may come in two pieces, and no piece can be taken back."""
    held: list[Event] = []

    def hold(event: Event) -> None:
        if tell is None:
            return
        if isinstance(event, Planned) or (isinstance(event, Routed | Found) and event.question == question):
            tell(event)  # of the question, which was checked
        elif isinstance(event, Routed | Found | Part):
            held.append(event)

    answer = await watch.answer(await ask(question, None if tell is None else hold))
    if tell is not None:
        for event in held if answer.status != "blocked" else ():
            if (left := await watch.event(event)) is not None:
                tell(left)
        if answer.text:
            tell(Piece(answer.text))
    return answer


async def permitted(question: str, guards: Sequence[Guard]) -> str:
    """What the guards leave of a question that is planned or routed, which a model may read, too."""
    ruling = await _Watch(guards, "question", None).look(question)
    if ruling.rule:
        raise RagkitError(f"blocked: {ruling.rule}. {ruling.reason}".strip(), "Ask it in another way.")
    return question if ruling.text is None else ruling.text


class _Watch:
    """The guards of one place, and what they did to one ask."""

    def __init__(self, guards: Sequence[Guard], where: Where, deadline: Deadline | None) -> None:
        self.guards = [one for one in guards if where in one.looks_at]
        self.rules: list[str] = []
        self.redacted: set[str] = set()
        self._where: Where = where
        self._deadline = deadline
        self._known: dict[str, Ruling] = {}
        """The same sentence stands in a part, in an event and in what is missing: it is looked at once."""

    async def look(self, text: str) -> Ruling:
        """What all guards together make of a text: each is shown what those before it left."""
        if text not in self._known:
            self._known[text] = await self._look(text)
        return self._known[text]

    async def _look(self, text: str) -> Ruling:
        left, redacted = text, set[str]()
        for guard in self.guards if text else ():
            ruling = await self._ask(guard, left)
            redacted.update(ruling.redacted)
            left = left if ruling.text is None else ruling.text
            if ruling.rule:
                self.rules.append(ruling.rule)
                self.redacted |= redacted
                return Ruling(left, tuple(sorted(redacted)), ruling.rule, ruling.reason)
        self.redacted |= redacted
        return Ruling(left, tuple(sorted(redacted)))

    async def _ask(self, guard: Guard, text: str) -> Ruling:
        """A guard that cannot say whether a text may pass does not let it pass."""
        left = LEAST if self._deadline is None else max(LEAST, self._deadline.left)
        try:
            with anyio.fail_after(left):
                return await anyio.to_thread.run_sync(guard.check, text, self._where, abandon_on_cancel=True)
        except TimeoutError:
            return Ruling(rule=guard.name, reason=f"The guard {guard.name} did not answer in time.")
        except Exception as error:  # its message may hold the text
            return Ruling(rule=guard.name, reason=f"The guard {guard.name} failed ({type(error).__name__}).")

    async def answer(self, answer: Answer) -> Answer:
        """What is left of an answer. Its citations stay what they are: ranges of documents."""
        ruling = await self.look(answer.text)
        if ruling.rule:
            return _blocked(answer, ruling)
        changed = ruling.text is not None and ruling.text != answer.text
        claims = tuple([replace(one, text=await self._said(one.text), start=0, end=0) for one in answer.claims])
        return replace(
            replace(_retold(answer, ruling.text or ""), claims=claims) if changed else answer,
            question=await self._said(answer.question),
            reason=await self._said(answer.reason),
            missing=tuple([await self._said(one) for one in answer.missing]),
            notes=tuple([await self._said(one) for one in answer.notes]),
            sub_answers=tuple([await self.answer(one) for one in answer.sub_answers]),
            route=await self._route(answer.route),
        )

    async def event(self, event: Event) -> Event | None:
        """What is left of an event that tells of a part."""
        if isinstance(event, Part):
            return Part(await self.answer(event.answer))
        if isinstance(event, Routed | Found):
            ruling = await self.look(event.question)
            return None if ruling.rule else replace(event, question=ruling.text or "")
        return event

    async def _route(self, route: Mapping[str, Any]) -> dict[str, Any]:
        """Questions of parts stand in it, which may hold what the parts before them answered."""
        made = {
            key: await self._said(value) if key in ("question", "reason") else value for key, value in route.items()
        }
        if isinstance(route.get("parts"), list):
            made["parts"] = [await self._route(one) for one in route["parts"]]
        return made

    async def _said(self, text: str) -> str:
        ruling = await self.look(text)
        return f"blocked: {ruling.rule}" if ruling.rule else ruling.text or ""


def _blocked(answer: Answer, ruling: Ruling) -> Answer:
    """What may still be told of it: what it cost, and who wrote it."""
    return Answer(
        answer.question,
        "",
        abstained=True,
        reason=f"blocked: {ruling.rule}. {ruling.reason}".strip(),
        status="blocked",
        domains=answer.domains,
        model=answer.model,
        cached=answer.cached,
        usage=answer.usage,
        seconds=answer.seconds,
    )


def _retold(answer: Answer, text: str) -> Answer:
    """With another text: a marker that it lost takes its citation along, and one that it made up is none."""
    text = single(text)
    known = {str(one.marker) for one in answer.citations}
    text = MARKER.sub(lambda match: match[0] if match[1] in known else "", text)
    kept = {match[1] for match in MARKER.finditer(text)}
    lost = {match[1] for match in MARKER.finditer(single(answer.text))} - kept
    citations = tuple(one for one in answer.citations if str(one.marker) not in lost)
    return replace(answer, text=text, citations=citations)


def _status(answer: Answer) -> str:
    if answer.status == "blocked":
        return "blocked"
    return "partial" if answer.partial else "abstained" if answer.abstained else "ok"
