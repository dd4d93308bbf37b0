"""One question's way: retrieve, write, cite. What went wrong on it is said in the answer, or is the error."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import anyio
import anyio.to_thread

from ragkit import telemetry
from ragkit.answer import Answer
from ragkit.budget import Allowance
from ragkit.chain import Chain
from ragkit.errors import InvalidInput
from ragkit.extractive import extract
from ragkit.indexes.hit import Hit
from ragkit.model import LOCAL, ModelError, Reply
from ragkit.telemetry import STATUS
from ragkit.trace import ANSWER, QUESTION
from ragkit.write import NOTHING, cited, passages, write

NAMED = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "ask"}
"""What OpenTelemetry's conventions call an ask."""


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that the answer will be written from."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """The next piece of the answer's text, before it was checked."""

    text: str


Event = Found | Piece
Tell = Callable[[Event], None]


async def ask(
    question: str, find: Callable[[], Sequence[Hit]], chain: Chain, allowance: Allowance, tell: Tell | None = None
) -> Answer:
    """An answer, a partial one that says what it lacks, or a ModelError."""
    if not question.strip():
        raise InvalidInput("The question is empty.", "Ask something.")
    began = time.monotonic()
    with telemetry.span("invoke_workflow ask", NAMED) as span:
        telemetry.record(span, {QUESTION: question})
        hits = await _retrieve(find, allowance)
        if tell is not None:
            tell(Found(tuple(hits)))
        answer = await _answer(question, hits, chain, allowance, tell)
        answer = replace(answer, seconds=time.monotonic() - began, usage=allowance.budget.spent)
        span.set_attribute(STATUS, "partial" if answer.partial else "abstained" if answer.abstained else "ok")
        telemetry.record(span, {ANSWER: answer.text})
        return answer


async def _retrieve(find: Callable[[], Sequence[Hit]], allowance: Allowance) -> Sequence[Hit]:
    with telemetry.span("retrieval", {"gen_ai.operation.name": "retrieval"}) as span:
        try:
            with anyio.fail_after(allowance.deadline.left):
                hits = await anyio.to_thread.run_sync(find, abandon_on_cancel=True)
        except TimeoutError:
            raise ModelError(
                f"The time of {allowance.deadline.seconds:g} s was over while the documents were searched.",
                "Raise seconds in ragkit.toml under [ask].",
                "deadline",
            ) from None
        span.set_attribute("ragkit.hits", len(hits))
        telemetry.record(span, {"ragkit.passages": [f"{hit.uri} {hit.start}:{hit.end}" for hit in hits]})
        return hits


async def _answer(question: str, hits: Sequence[Hit], chain: Chain, allowance: Allowance, tell: Tell | None) -> Answer:
    if not hits:
        return Answer(question, "", abstained=True, reason="Nothing in the documents that were searched matches.")
    pieces: list[str] = []

    def told(piece: str) -> None:
        pieces.append(piece)
        assert tell is not None
        tell(Piece(piece))

    try:
        with telemetry.span("write"):
            reply = await write(chain, question, hits, allowance, None if tell is None else told)
    except ModelError as error:
        return await _without(error, question, hits, "".join(pieces))
    return _from(reply, question, hits)


def _from(reply: Reply, question: str, hits: Sequence[Hit]) -> Answer:
    made = partial(Answer, question, model=reply.model, cached=reply.cached)
    if reply.stop == "refusal":
        return made(
            reply.text, abstained=True, reason=f"{reply.model} refused to answer this question about these passages."
        )
    if NOTHING.fullmatch(reply.text) or (reply.model in LOCAL and not reply.text):
        return made("", abstained=True, reason=f"The {len(hits)} passages that were found do not hold the answer.")
    if not reply.text.strip():
        return made("", abstained=True, reason=f"{reply.model} gave an empty answer.")
    text, citations = cited(reply.text, hits)
    missing = (f"{reply.model} stopped at its limit of tokens.",) if reply.stop == "length" else ()
    return made(text, citations=citations, missing=missing)


async def _without(error: ModelError, question: str, hits: Sequence[Hit], so_far: str) -> Answer:
    """What there is, when the model may not be asked any more or stopped in the middle of a text that was shown."""
    if so_far:
        text, citations = cited(so_far, hits)
        return Answer(question, text, citations, missing=(f"The end of the text. {error}",), model=error.model)
    if error.kind not in ("budget", "deadline"):
        raise error
    said = await anyio.to_thread.run_sync(extract, question, passages(hits))
    text, citations = cited(said, hits)
    missing = (f"{error} These are sentences of the passages, no model read them.",)
    return Answer(question, text, citations, missing=missing, model="extractive")
