"""One question's way: plan, route, retrieve, write. What went wrong on it is said in the answer, or is the error."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import anyio
import anyio.to_thread

from ragkit import telemetry
from ragkit.answer import Answer, Citation, Status
from ragkit.budget import Allowance
from ragkit.chain import Chain
from ragkit.errors import InvalidInput, RagkitError
from ragkit.execution import carry_out
from ragkit.extractive import extract
from ragkit.indexes.hit import Hit
from ragkit.means import Means
from ragkit.model import LOCAL, ModelError, Reply
from ragkit.plan import Plan, SubQuestion
from ragkit.route import Route, as_json
from ragkit.sources import again, cited, numbered, passages, quoted
from ragkit.telemetry import STATUS
from ragkit.trace import ANSWER, QUESTION
from ragkit.write import beside, combine, refused, write

NAMED = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "ask"}
"""What OpenTelemetry's conventions call an ask."""


_APART = "The answers to the parts stand side by side."


@dataclass(frozen=True, slots=True)
class Planned:
    """What will be asked."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Routed:
    """Where a question, or a part of it, goes."""

    question: str
    route: Route


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that the answer to a question, or a part of it, will be written from."""

    question: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the question is answered, or why it is not."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Piece:
    """The next piece of the answer's text, before it was checked."""

    text: str


Event = Planned | Routed | Found | Part | Piece
Tell = Callable[[Event], None]


@dataclass
class _Ask:
    means: Means
    allowance: Allowance
    tell: Tell
    streams: bool
    routes: list[Route] = field(default_factory=list)


async def ask(question: str, means: Means, allowance: Allowance, tell: Tell | None = None) -> Answer:
    """An answer, a partial one that says what it lacks, or a ModelError."""
    if not question.strip():
        raise InvalidInput("The question is empty.", "Ask something.")
    began = time.monotonic()
    with telemetry.span("invoke_workflow ask", NAMED) as span:
        telemetry.record(span, {QUESTION: question})
        state = _Ask(means, allowance, tell or (lambda event: None), tell is not None)
        plan = await planned(question, means)
        state.tell(Planned(plan))
        if plan.simple:
            answer = await _asked(state, plan.sub_questions[0], question, means.chain, last=True)
        else:
            answer = await _in_parts(state, plan)
        answer = replace(
            answer,
            question=question,
            route=_route(state.routes),
            seconds=time.monotonic() - began,
            usage=allowance.budget.spent,
            missing=(*answer.missing, *means.lost),
        )
        span.set_attribute(STATUS, "partial" if answer.partial else "abstained" if answer.abstained else "ok")
        telemetry.record(span, {ANSWER: answer.text})
        return answer


async def planned(question: str, means: Means) -> Plan:
    with telemetry.span("plan") as span:
        plan = await means.planner.plan(question, means.known)
        span.set_attribute("ragkit.sub_questions", len(plan.sub_questions))
        return plan


async def _in_parts(state: _Ask, plan: Plan) -> Answer:
    async def answering(sub: SubQuestion, text: str, before: tuple[Answer, ...]) -> Answer:
        try:
            return await _asked(state, sub, text, state.means.chain, before=before)
        except ModelError as error:
            status: Status = "skipped" if error.kind in ("budget", "deadline") else "failed"
            return Answer(text, "", abstained=True, reason=str(error), status=status)
        except RagkitError as error:
            return Answer(text, "", abstained=True, reason=str(error), status="failed")
        except Exception as error:  # of a model or a tool of the user's own: the other parts need not suffer
            reason = f"It failed: {type(error).__name__}: {error}"
            return Answer(text, "", abstained=True, reason=reason, status="failed")

    async def replan(now: Plan, answers: dict[str, str]) -> Plan:
        return await state.means.planner.replan(now, answers, state.means.known)

    plan, done = await carry_out(
        plan, answering, replan, state.allowance.deadline, lambda answer: state.tell(Part(answer))
    )
    parts = numbered([done[sub.id] for sub in plan.sub_questions])
    missing = [f"“{one.question}” is not answered: {one.reason}" for one in _once(parts) if one.abstained]
    missing += [f"“{one.question}”: {lacks}" for one in _once(parts) for lacks in one.missing]
    answer = await _combined(state, plan, parts)
    return replace(answer, sub_answers=parts, missing=(*answer.missing, *missing, *plan.notes))


async def _combined(state: _Ask, plan: Plan, parts: Sequence[Answer]) -> Answer:
    if all(one.abstained for one in parts):
        return Answer(plan.question, "", abstained=True, reason="None of the parts of the question could be answered.")
    chain = state.means.strong
    if all(member.name in LOCAL for member in chain.members):
        return _beside(plan, parts)
    citations = list({one.marker: one for part in parts for one in part.citations}.values())
    pieces = _Pieces(state)
    try:
        with telemetry.span("write"):
            reply = await combine(chain, plan.question, parts, quoted(citations), state.allowance, pieces.told)
    except RagkitError as error:
        if pieces.text and isinstance(error, ModelError):
            return _broken(error, *again(pieces.text, citations))
        return replace(_beside(plan, parts), missing=(f"{error} {_APART}",))
    if reply.model in LOCAL:
        return replace(_beside(plan, parts), missing=(f"No other model than {reply.model} answered. {_APART}",))
    if reason := refused(reply, len(citations)):
        return replace(_beside(plan, parts), missing=(f"{reason} {_APART}",))
    return _from(reply, plan.question, len(citations), *again(reply.text, citations))


def _beside(plan: Plan, parts: Sequence[Answer]) -> Answer:
    citations = {one.marker: one for part in parts for one in part.citations}
    missing = (
        (f"“{plan.conclusion}” asks for a judgement of these answers: name a model that makes it.",)
        if plan.conclusion
        else ()
    )
    return Answer(
        plan.question,
        beside(_once(parts)),
        tuple(citations[number] for number in sorted(citations)),
        missing=missing,
        model=next(one.model for one in parts if not one.abstained),
    )


async def _asked(
    state: _Ask, sub: SubQuestion, text: str, chain: Chain, *, before: tuple[Answer, ...] = (), last: bool = False
) -> Answer:
    """One question to its domains and tools. `last`: nothing comes after it, so that its text may be streamed."""
    means = state.means
    domains: Sequence[str] | None = [name for name in sub.tools if name in means.domains] or None
    tools = [name for name in sub.tools if name in means.tools]
    if not sub.tools and means.route is not None:
        route = await means.route(text)
        state.routes.append(route)
        state.tell(Routed(text, route))
        if route.none:
            return Answer(text, "", abstained=True, reason=_nowhere(route), status="insufficient")
        domains = [name for name in route.chosen if name in means.domains]
        tools = [name for name in route.chosen if name in means.tools]
    if tools:
        answer = await means.call(tools[0], text, state.allowance)
        if not answer.abstained or not domains:
            return answer
    hits = await _retrieve(state, means.query(sub, text, before), domains, part=not last)
    state.tell(Found(text, tuple(hits)))
    answer = await _written(state, text, hits, chain, last)
    return replace(answer, domains=tuple(domains or means.domains))


async def _retrieve(state: _Ask, query: str, domains: Sequence[str] | None, part: bool) -> Sequence[Hit]:
    deadline = state.allowance.deadline
    with telemetry.span("retrieval", {"gen_ai.operation.name": "retrieval"}) as span:
        telemetry.record(span, {"gen_ai.retrieval.query.text": query})
        try:
            with anyio.fail_after(deadline.left):
                hits = await anyio.to_thread.run_sync(state.means.find, query, domains, part, abandon_on_cancel=True)
        except TimeoutError:
            raise ModelError(
                f"The time of {deadline.seconds:g} s was over while the documents were searched.",
                "Raise seconds in ragkit.toml under [ask].",
                "deadline",
            ) from None
        span.set_attribute("ragkit.hits", len(hits))
        telemetry.record(span, {"ragkit.passages": [f"{hit.uri} {hit.start}:{hit.end}" for hit in hits]})
        return hits


async def _written(state: _Ask, question: str, hits: Sequence[Hit], chain: Chain, last: bool) -> Answer:
    if not hits:
        reason = "Nothing in the documents that were searched matches."
        return Answer(question, "", abstained=True, reason=reason, status="insufficient")
    pieces = _Pieces(state)
    try:
        with telemetry.span("write"):
            reply = await write(chain, question, passages(hits), state.allowance, pieces.told if last else None)
    except ModelError as error:
        if pieces.text:
            return _broken(error, *cited(pieces.text, hits))
        if error.kind not in ("budget", "deadline"):
            raise
        said = await anyio.to_thread.run_sync(extract, question, passages(hits))
        text, citations = cited(said, hits)
        missing = (f"{error} These are sentences of the passages, no model read them.",)
        return Answer(question, text, citations, missing=missing, model="extractive")
    answer = _from(reply, question, len(hits), *cited(reply.text, hits))
    strong = state.means.strong
    if answer.abstained and reply.stop == "end" and last and strong.members != chain.members and not pieces.text:
        return await _written(state, question, hits, strong, last)  # a draft that finds nothing is looked at again
    return answer


def _from(reply: Reply, question: str, given: int, text: str, citations: tuple[Citation, ...]) -> Answer:
    made = Answer(question, "", model=reply.model, cached=reply.cached)
    if reason := refused(reply, given):
        text = reply.text if reply.stop == "refusal" else ""
        return replace(made, text=text, abstained=True, reason=reason, status="insufficient")
    missing = (f"{reply.model} stopped at its limit of tokens.",) if reply.stop == "length" else ()
    return replace(made, text=text, citations=citations, missing=missing)


def _broken(error: ModelError, text: str, citations: tuple[Citation, ...]) -> Answer:
    """What a reader has seen of a text that stopped in the middle."""
    return Answer("", text, citations, missing=(f"The end of the text. {error}",), model=error.model)


class _Pieces:
    """What was streamed so far."""

    def __init__(self, state: _Ask) -> None:
        self._state = state
        self._said: list[str] = []

    @property
    def told(self) -> Callable[[str], None] | None:
        return self._tell if self._state.streams else None

    @property
    def text(self) -> str:
        return "".join(self._said)

    def _tell(self, piece: str) -> None:
        self._said.append(piece)
        self._state.tell(Piece(piece))


def _once(parts: Sequence[Answer]) -> list[Answer]:
    """Parts that asked the same share an answer."""
    return list({one.question: one for one in parts}.values())


def _nowhere(route: Route) -> str:
    return f"It seems to belong to none of the domains. {route.reason} To ask one of them anyway, name it."


def _route(routes: Sequence[Route]) -> dict[str, object]:
    if not routes:
        return {}
    return as_json(routes[0]) if len(routes) == 1 else {"parts": [as_json(one) for one in routes]}
