"""Asking: what all asks of a workspace share, and the way into and out of one: its limits, memory and trace."""

import asyncio
import hashlib
import json
import os
import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from ragkit import otlp, telemetry
from ragkit.answer import Answer, Citation
from ragkit.ask import NAMED, ask, check, planned
from ragkit.budget import Allowance
from ragkit.cache import SLACK, in_time
from ragkit.chain import Chain
from ragkit.checking import Check
from ragkit.deadline import Deadline
from ragkit.engine import Engine
from ragkit.errors import RagkitError
from ragkit.events import Piece, Tell
from ragkit.gate import Gate
from ragkit.grounding import Grounding
from ragkit.guard import Guard, guards_for
from ragkit.guarding import guarded, permitted
from ragkit.indexes.domain import Domain
from ragkit.indexes.hit import Hit
from ragkit.indexes.outline import Outline
from ragkit.means import Find, Means, Named, ThriftyPlanner
from ragkit.model import LOCAL, Reply, Request
from ragkit.modelcheck import model_check
from ragkit.models import Asked, Models
from ragkit.plan import Plan, ToolInfo
from ragkit.route import Route
from ragkit.router import Router
from ragkit.ruleplanner import RulePlanner
from ragkit.semantic import Match, SemanticCache
from ragkit.settings import DomainSettings, Settings
from ragkit.telemetry import STATUS, Listener
from ragkit.tools import Tool
from ragkit.trace import ANSWER, CACHED, QUESTION, Trace
from ragkit.tracecollector import Collector
from ragkit.tracestore import FILE, TraceStore
from ragkit.verifier import Verifier

if TYPE_CHECKING:
    from ragkit.indexes.embedder import Vectors

FORM = 5
"""Of answers that are remembered by their meaning. Raised when prompts change, or what is made of what models say."""
_REPLY = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "reply"}
_ANSWER = TypeAdapter(Answer)
_CHAT = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "chat"}
OnAbstain = Callable[[Answer], Answer | None]
Work = Callable[[Tell | None], Awaitable[Answer]]
Reform = Callable[[str, Callable[[Request], Awaitable[Reply]] | None], Awaitable[str]]
"""What a question is asked as, given what replies, where there is a model: a question of a conversation."""
T = TypeVar("T")


@dataclass(frozen=True)
class Search:
    """What an ask looks at, and how."""

    find: Find
    unfiltered: Callable[[str, Sequence[str] | None], Sequence[Hit]]
    where: Mapping[str, Any] | None
    domains: Sequence[Domain]
    """Those that hold something."""
    settings: Mapping[str, DomainSettings]
    tools: Sequence[Tool]
    open: bool
    """Nobody said which domains, so that it may be decided."""
    lost: Sequence[str]
    """Why others could not be opened."""
    how: str
    """All else that decides what is found, for the memory."""


class Asking:
    def __init__(
        self,
        folder: Path,
        settings: Settings,
        router: Router | None = None,
        listeners: list[Listener] | None = None,
        guards: list[Guard] | None = None,
        hooks: list[OnAbstain] | None = None,
    ) -> None:
        """The router and the lists are another's, who makes another Asking when this one is closed; the lists may be
        added to later."""
        self.settings = settings
        self.engine = Engine()
        self.models = Models(folder, settings)
        self.listeners = [] if listeners is None else listeners
        self.guards = [] if guards is None else guards
        self.hooks = [] if hooks is None else hooks
        self._traces = TraceStore(folder / FILE, settings.trace)
        self._remembered = SemanticCache(folder / "answers.sqlite", settings.cache)
        self._router = Router(folder / "routing") if router is None else router
        self._grounding = Grounding()
        otlp.export_to(settings.trace.otlp)
        kept = self._traces, self._remembered
        self.close = weakref.finalize(self, _close, os.getpid(), self.engine, self.models, *kept)
        """Also when the program ends."""

    async def reply(self, request: Request, asked: Asked | None, seconds: float | None) -> Reply:
        allowance = self.models.allowance(seconds)

        async def work() -> Reply:
            with telemetry.span("invoke_workflow reply", _REPLY) as span:
                telemetry.record(span, {QUESTION: request.messages[-1].text if request.messages else None})
                reply = await self.models.chain(asked).areply(request, allowance)
                telemetry.record(span, {ANSWER: reply.text})
                return reply

        return (await self._traced(work, allowance.deadline))[0]

    def work(
        self, question: str, search: Search, asked: Asked | None, seconds: float | None, reform: Reform | None = None
    ) -> Work:
        """What the engine is to do for this question."""

        async def work(tell: Tell | None) -> Answer:
            allowance = self.models.allowance(seconds)

            async def answering(question: str, tell: Tell | None) -> Answer:
                if reform is None:
                    return await self._answer(question, search, asked, allowance, tell)
                with telemetry.span("invoke_workflow chat", _CHAT) as span:
                    telemetry.record(span, {QUESTION: question})
                    said = await self._reformed(question, reform, asked, allowance)
                    answer = await self._answer(said, search, asked, allowance, tell)
                    status = "partial" if answer.partial else "abstained" if answer.abstained else "ok"
                    span.set_attribute(STATUS, status)
                    telemetry.record(span, {ANSWER: answer.text})
                    return replace(answer, question=question)

            async def watched() -> Answer:
                check(question)
                done = await guarded(question, self._all_guards, answering, tell, allowance.deadline)
                return await self._escalated(done, tell)

            answer, trace = await self._traced(watched, allowance.deadline)
            return replace(answer, trace=trace)

        return work

    async def _escalated(self, answer: Answer, tell: Tell | None) -> Answer:
        """Told to the application when there is none: it may have somebody who knows."""
        for hook in self.hooks if answer.abstained else ():
            try:
                made: Answer | None = await asyncio.to_thread(hook, answer)
                if not isinstance(made, Answer | None):
                    raise TypeError(f"it gave back {type(made).__name__}, not an Answer or None")
            except Exception as error:  # of the user's own: that there is no answer must still be told
                answer = replace(answer, notes=(*answer.notes, f"on_abstain failed: {type(error).__name__}: {error}"))
            else:
                answer = made or answer
                if made is not None and made.text and tell is not None:
                    tell(Piece(made.text))
        return answer

    async def _reformed(self, question: str, reform: Reform, asked: Asked | None, allowance: Allowance) -> str:
        """In the time and budget of its ask."""
        check(question)
        chain = self.models.chain(asked)

        async def reply(request: Request) -> Reply:
            return await chain.areply(request, allowance)

        return await reform(question, None if all(member.name in LOCAL for member in chain.members) else reply)

    async def _traced(self, work: Callable[[], Awaitable[T]], deadline: Deadline) -> tuple[T, str]:
        """What comes of it, told to all who listen, and the id of its trace; empty when none is kept."""
        texts = self.settings.trace.texts
        with ExitStack() as stack:
            for listener in list(self.listeners):
                stack.enter_context(telemetry.recording(listener, texts))
            if not self.settings.trace.keep:
                return await work(), ""
            collector = Collector(texts, partial(_late, self._traces))
            try:
                with telemetry.recording(collector, texts):
                    made = await work()
            finally:
                trace = collector.trace
                if trace is not None:
                    await in_time(max(SLACK, deadline.left), self._traces.save, trace, shield=True)
            return made, "" if trace is None else trace.id

    async def plan(self, question: str, search: Search, asked: Asked | None) -> Plan:
        """What would be asked, without asking it."""
        chain = self.models.chain(asked)
        said = await self.permitted(question)
        return await planned(said, self._means(search, chain, chain, self.models.allowance()))

    async def permitted(self, question: str) -> str:
        """What guards leave of it; an error, where one of them blocks it."""
        check(question)
        return await permitted(question, self._all_guards)

    @property
    def _all_guards(self) -> list[Guard]:
        return [*guards_for(self.settings.guard), *self.guards]

    def _means(self, search: Search, chain: Chain, strong: Chain, allowance: Allowance) -> Means:
        async def reply(request: Request) -> Reply:
            return await chain.areply(request, allowance)

        async def route(question: str) -> Route:
            return await self._router.route(question, places, tools, ask=None if local else reply)

        local = all(member.name in LOCAL for member in chain.members)
        by_name = {domain.name: domain for domain in search.domains}
        places = {domain.name: (search.settings[domain.name], domain) for domain in search.domains}
        # without a model, nobody could say what to call the others with
        tools = [tool for tool in search.tools if not local or tool.read is not None]
        domains: list[ToolInfo] = [Named(name, one.description) for name, (one, _) in places.items()]
        decide = search.open and len(places) + len(tools) > 1
        return Means(
            search.find,
            tuple(places),
            {tool.name: tool for tool in tools},
            [*domains, *tools],
            route if decide else None,
            RulePlanner() if local else ThriftyPlanner(reply),
            chain,
            strong,
            Gate(by_name, self.settings.ask.evidence, search.where, search.unfiltered),
            Verifier(self.settings.ask.claims, self._check(allowance), partial(_placed_in, by_name)),
            search.lost,
        )

    def _check(self, allowance: Allowance) -> Check:
        """Of claims: by the model that is named for it, or without one."""
        plainly, judge = self._grounding.supports, self.settings.ask.judge
        return model_check(self.models.chain(judge), allowance, plainly) if judge else plainly

    def _strong(self, asked: Asked | None, chain: Chain) -> Chain:
        """Who names a model means it for all that the ask takes."""
        return chain if asked is not None or not self.settings.strong else self.models.chain(self.settings.strong)

    async def _answer(
        self, question: str, search: Search, asked: Asked | None, allowance: Allowance, tell: Tell | None
    ) -> Answer:
        check(question)
        chain = self.models.chain(asked)
        strong = self._strong(asked, chain)
        means = self._means(search, chain, strong, allowance)
        least, left = self.settings.cache.semantic, allowance.deadline
        if least is None or not all(member.remembers for member in (*chain.members, *strong.members)):
            return await ask(question, means, allowance, tell)
        # an embedder that hangs leaves time for an answer without it
        place = await in_time(left.left / 2, self._look, question, search, (chain, strong), least)
        if place is None:
            return await ask(question, means, allowance, tell)
        scope, vector, match = place
        if match is not None and (answer := _read(match.payload)) is not None:
            with telemetry.span("invoke_workflow ask", {**NAMED, CACHED: True}) as span:
                telemetry.record(span, {QUESTION: question, ANSWER: answer.text})
            if tell is not None and answer.text:
                tell(Piece(answer.text))
            return replace(answer, question=question, cached=True, usage=allowance.budget.spent, seconds=0.0)
        answer = await ask(question, means, allowance, tell)
        if _lasting(answer, chain, strong, search):
            payload = _ANSWER.dump_json(answer).decode()
            await in_time(max(SLACK, left.left), self._remembered.put, scope, question, vector, payload)
        return answer

    def _look(
        self, question: str, search: Search, chains: Sequence[Chain], least: float
    ) -> "tuple[str, Vectors, Match | None]":
        scope, vector = _placed(question, search, chains)
        return scope, vector, self._remembered.get(scope, question, vector, least)


def _placed_in(domains: Mapping[str, Domain], cited: Citation) -> Outline | None:
    """The document of what is cited; None when it has changed since it was found."""
    try:
        document = domains[cited.domain].document(cited.uri)
    except RagkitError:
        return None
    return Outline(document) if document.text[cited.start : cited.end] == cited.quote else None


def _placed(question: str, search: Search, chains: Sequence[Chain]) -> "tuple[str, Vectors]":
    """The scope of a question, and its vector."""
    embedder = None
    states = []
    for domain in search.domains:
        snapshot = domain.snapshot()
        if snapshot.made is not None:
            embedder = embedder or snapshot.made.load_embedder()
        states.append([domain.name, snapshot.generation, domain.content_hash()])
    assert embedder is not None  # domains that hold nothing are not searched
    models = [[(one.name, one.model.server, one.settings.form) for one in chain.members] for chain in chains]
    said = json.dumps([FORM, sorted(states), embedder.identity, search.how, models])
    return hashlib.sha256(said.encode()).hexdigest(), embedder.query(question)


def _lasting(answer: Answer, chain: Chain, strong: Chain, search: Search) -> bool:
    """Whether another ask may have this answer: not what a fallback said while the first model was ill, for that
    would be said long after it is well again; and not what a tool said, which may say another thing tomorrow."""
    first = {chain.members[0].name, strong.members[0].name}
    tools = {tool.name for tool in search.tools}
    said = (answer, *answer.sub_answers)
    whole = not answer.partial and not answer.abstained
    return whole and all(one.model in first and tools.isdisjoint(one.domains) for one in said)


def _read(payload: str) -> Answer | None:
    try:
        return _ANSWER.validate_json(payload)
    except ValidationError:  # of an older ragkit
        return None


def _late(traces: TraceStore, trace: Trace) -> None:
    """A step may end after its ask: in a thread of its own, or in the event loop, which must not wait for a file."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        traces.save(trace)
    else:
        loop.run_in_executor(None, traces.save, trace)


def _close(process: int, engine: Engine, models: Models, traces: TraceStore, remembered: SemanticCache) -> None:
    if process != os.getpid():  # of a fork, whose threads and connections stayed with its parent
        return

    async def last() -> None:
        await models.aclose()
        traces.close()
        remembered.close()

    engine.close(last)
