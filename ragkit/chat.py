"""A Chat: questions one after the other, each understood by those before it, and kept with its answer."""

import logging
import secrets
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio.to_thread

from ragkit import telemetry
from ragkit.answer import Answer, Citation
from ragkit.chatstore import By, ChatStore, Recall, Turn, checked_id
from ragkit.errors import RagkitError
from ragkit.followup import stand_alone
from ragkit.modelfollowup import Speak, divided, reword, summarise

if TYPE_CHECKING:
    from ragkit.asking import Reform, Work
    from ragkit.connectors.document import Document
    from ragkit.engine import Engine
    from ragkit.events import Event, Tell

RECENT = 60
"""Turns by which a question is understood: what was said before them is in the summary, or forgotten."""
_log = logging.getLogger(__name__)


class Chat:
    """`chat = ws.chat()`, `chat.ask("Who owns the rollout?")`, `chat.ask("And the budget?")`

    It is kept under its `id`, from the first answer on, and goes on with `ws.chat(id)` in any process.
    """

    def __init__(
        self,
        id: str | None,
        store: ChatStore,
        begin: "Callable[[str, Reform], tuple[Engine, Work]]",
        document: "Callable[[str, str], Document]",
    ) -> None:
        self.id = secrets.token_hex(6) if id is None else checked_id(id)
        self.last: Turn | None = None
        """What was asked last here, once it is answered."""
        self._store = store
        self._begin = begin
        self._document = document

    def ask(self, question: str) -> Answer:
        engine, work = self._next(question)
        return engine.run(lambda: work(None))

    def stream(self, question: str) -> "Iterator[Event | Answer]":
        engine, work = self._next(question)
        return engine.stream(work)

    async def aask(self, question: str) -> Answer:
        engine, work = self._next(question)
        return await engine.arun(lambda: work(None))

    def astream(self, question: str) -> "AsyncGenerator[Event | Answer, None]":
        engine, work = self._next(question)
        return engine.astream(work)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All of it, whoever asked; each turn with those of its citations that do not stand any more."""
        texts: dict[tuple[str, str], str | None] = {}

        def stands(cited: Citation) -> bool:
            place = cited.uri, cited.domain
            if place not in texts:
                texts[place] = self._text(*place)
            text = texts[place]
            return text is not None and text[cited.start : cited.end] == cited.quote

        return tuple(
            replace(turn, stale=tuple(one for one in all_cited(turn.answer) if not stands(one)))
            for turn in self._store.turns(self.id)
        )

    def _text(self, uri: str, domain: str) -> str | None:
        try:
            return self._document(uri, domain).text
        except RagkitError:  # it is gone, or cannot be looked at: nobody can check what is cited from it
            return None

    def _next(self, question: str) -> "tuple[Engine, Work]":
        asked: tuple[str, By] = question, ""

        async def reform(question: str, speak: Speak | None) -> str:
            nonlocal asked
            asked = await self._standalone(question, speak)
            return asked[0]

        engine, inner = self._begin(question, reform)

        async def work(tell: "Tell | None") -> Answer:
            answer = await inner(tell)
            if answer.status == "blocked":  # what may not be said is not remembered either
                return answer
            return await anyio.to_thread.run_sync(
                self._keep, Turn(0, answer.question, asked[0] if asked[1] else answer.question, answer, asked[1])
            )

        return engine, work

    def _keep(self, turn: Turn) -> Answer:
        """An answer that was made is given, even where it cannot be kept."""
        try:
            self.last = self._store.add(self.id, turn)
        except (RagkitError, ValueError) as error:  # a tool's answer may hold what is no JSON
            _log.warning("A turn of the conversation %s was not kept: %s", self.id, error)
            note = f"This turn was not kept, and later questions know nothing of it. {error}"
            self.last = replace(turn, answer=replace(turn.answer, notes=(*turn.answer.notes, note)))
        return self.last.answer

    async def _standalone(self, question: str, speak: Speak | None) -> tuple[str, By]:
        """What is asked of the documents, and who put it so."""
        try:
            recall = await anyio.to_thread.run_sync(self._store.recall, self.id, RECENT)
        except RagkitError as error:
            _log.warning("The conversation %s cannot be read: %s", self.id, error)
            return question, ""
        if not recall.upto or not question.strip():
            return question, ""
        with telemetry.span("rewrite") as span:
            made = None if speak is None else await self._by_model(question, recall, speak)
            by: By = "rules" if made is None else "model"
            if made is None:
                made = stand_alone(question, recall.exchanges)
            span.set_attribute("ragkit.rewritten_by", by if made != question else "")
            telemetry.record(span, {"ragkit.standalone": made})
        return (made, by) if made != question else (question, "")

    async def _by_model(self, question: str, recall: Recall, speak: Speak) -> str | None:
        old, shown = divided(recall.exchanges)
        summary = recall.summary
        if old and (made := await summarise(old, summary, speak)) is not None:
            summary = made
            await anyio.to_thread.run_sync(self._remember, summary, recall.upto - len(shown))
        return await reword(question, shown, summary, speak)

    def _remember(self, summary: str, upto: int) -> None:
        try:
            self._store.summarise(self.id, summary, upto)
        except RagkitError as error:  # it is made again next time
            _log.warning("A summary of the conversation %s was not kept: %s", self.id, error)

    def __repr__(self) -> str:
        return f"ws.chat({self.id!r})"


def all_cited(answer: Answer) -> tuple[Citation, ...]:
    """Of the answer and of its parts, each range once."""
    both = [answer, *answer.sub_answers]
    return tuple({(one.uri, one.domain, one.start, one.end): one for each in both for one in each.citations}.values())
