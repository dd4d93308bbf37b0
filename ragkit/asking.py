"""Asking: what all asks of a workspace share, and the way into and out of one: its limits, memory and trace."""

import hashlib
import json
import weakref
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
from pydantic import TypeAdapter, ValidationError

from ragkit import otlp, telemetry
from ragkit.answer import Answer
from ragkit.ask import NAMED, Tell, ask
from ragkit.engine import Engine
from ragkit.indexes.domain import Domain
from ragkit.indexes.hit import Hit
from ragkit.model import Reply, Request
from ragkit.models import Asked, Models
from ragkit.semantic import SemanticCache
from ragkit.settings import Settings
from ragkit.telemetry import Listener
from ragkit.trace import ANSWER, CACHED, QUESTION
from ragkit.tracecollector import Collector
from ragkit.tracestore import FILE, TraceStore

if TYPE_CHECKING:
    from ragkit.indexes.embedder import Vectors

_ANSWER = TypeAdapter(Answer)
Work = Callable[[Tell | None], Awaitable[Answer]]


@dataclass(frozen=True)
class Search:
    """What an ask looks at, and how."""

    find: Callable[[], Sequence[Hit]]
    domains: Sequence[Domain]
    settings: str
    """All else that decides what is found, for the memory."""


class Asking:
    def __init__(self, folder: Path, settings: Settings) -> None:
        self.settings = settings
        self.engine = Engine()
        self.models = Models(folder, settings)
        self.listeners: list[Listener] = []
        self._traces = TraceStore(folder / FILE, settings.trace)
        self._remembered = SemanticCache(folder / "answers.sqlite", settings.cache)
        otlp.export_to(settings.trace.otlp)
        self.close = weakref.finalize(self, _close, self.engine, self.models, self._traces, self._remembered)
        """Also when the program ends."""

    async def reply(self, request: Request, asked: Asked | None, seconds: float | None) -> Reply:
        return await self.models.chain(asked).areply(request, self.models.allowance(seconds))

    def work(self, question: str, search: Search, asked: Asked | None, seconds: float | None) -> Work:
        """What the engine is to do for this question."""

        async def work(tell: Tell | None) -> Answer:
            with ExitStack() as stack:
                for listener in self.listeners:
                    stack.enter_context(telemetry.recording(listener, self.settings.trace.texts))
                if not self.settings.trace.keep:
                    return await self._answer(question, search, asked, seconds, tell)
                collector = Collector(self.settings.trace.texts, self._traces.save)
                try:
                    with telemetry.recording(collector, self.settings.trace.texts):
                        answer = await self._answer(question, search, asked, seconds, tell)
                finally:
                    trace = self._keep(collector)
                return replace(answer, trace=trace)

        return work

    def _keep(self, collector: Collector) -> str:
        trace = collector.trace
        if trace is None:
            return ""
        self._traces.save(trace)
        return trace.id

    async def _answer(
        self, question: str, search: Search, asked: Asked | None, seconds: float | None, tell: Tell | None
    ) -> Answer:
        chain = self.models.chain(asked)
        allowance = self.models.allowance(seconds)
        least = self.settings.cache.semantic
        if least is None:
            return await ask(question, search.find, chain, allowance, tell)
        names = ",".join(member.name for member in chain.members)
        scope, vector = await anyio.to_thread.run_sync(_placed, question, search, names)
        match = self._remembered.get(scope, question, vector, least)
        if match is not None and (answer := _read(match.payload)) is not None:
            with telemetry.span("invoke_workflow ask", {**NAMED, CACHED: True}) as span:
                telemetry.record(span, {QUESTION: question, ANSWER: answer.text})
            return replace(answer, question=question, cached=True, usage=allowance.budget.spent, seconds=0.0)
        answer = await ask(question, search.find, chain, allowance, tell)
        if not answer.partial and not answer.abstained:
            self._remembered.put(scope, question, vector, _ANSWER.dump_json(answer).decode())
        return answer


def _placed(question: str, search: Search, models: str) -> "tuple[str, Vectors]":
    """The scope of a question, and its vector."""
    embedder = None
    states = []
    for domain in search.domains:
        snapshot = domain.snapshot()
        if snapshot.made is not None:
            embedder = embedder or snapshot.made.load_embedder()
        states.append([domain.name, snapshot.generation, domain.content_hash()])
    assert embedder is not None  # domains that hold nothing are not searched
    said = json.dumps([sorted(states), embedder.identity, search.settings, models])
    return hashlib.sha256(said.encode()).hexdigest(), embedder.query(question)


def _read(payload: str) -> Answer | None:
    try:
        return _ANSWER.validate_json(payload)
    except ValidationError:  # of an older ragkit
        return None


def _close(engine: Engine, models: Models, traces: TraceStore, remembered: SemanticCache) -> None:
    if engine.started:
        engine.run(models.aclose)
    engine.close()
    traces.close()
    remembered.close()
