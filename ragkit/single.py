"""The way of one question, or of one part of it: route, call tools, retrieve, write."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread

from ragkit import telemetry
from ragkit.abstention import Abstention, not_routed
from ragkit.answer import Answer
from ragkit.chain import Chain
from ragkit.events import Found, Pieces, Routed, Way
from ragkit.extractive import Extractive
from ragkit.indexes.hit import Hit
from ragkit.markers import unmarked
from ragkit.means import Means
from ragkit.model import LOCAL, Message, ModelError, Passage, Reply, Request
from ragkit.orders import flag
from ragkit.plan import SubQuestion
from ragkit.rewrite import Verified
from ragkit.route import Route
from ragkit.source import passages, sources
from ragkit.verifying import Again, verified
from ragkit.write import mend, refused, write

_LATE = "There was not enough time to decide where to look: all domains were searched."
_SHOWN = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Where:
    domains: Sequence[str] | None
    """None: all."""
    tools: Sequence[str] = ()
    sure: bool = True
    """The plan says so. A router may be wrong: what its tools cannot say is looked for in documents."""
    note: str = ""


async def asked(
    way: Way, sub: SubQuestion, text: str, *, before: tuple[Answer, ...] = (), last: bool = False
) -> Answer:
    """One question to its domains and tools. `last`: nothing comes after it, so that its text may be streamed."""
    where = _planned(sub, way.means) if sub.tools else await _routed(way, text)
    if isinstance(where, Route):
        return _silent(text, not_routed(way.means.domains, where.reason))
    called = [await way.means.call(name, text, way.allowance) for name in where.tools]
    said = [one for one in called if not one.abstained]
    notes = tuple(one.reason for one in called if one.abstained)
    if len(said) == 1 and (where.domains == () or way.means.local):
        return replace(said[0], notes=notes)
    if called and not said and where.sure and where.domains == ():
        return Answer(text, "", abstained=True, reason=" ".join(notes), status="failed")
    hits: Sequence[Hit] = ()
    domains = where.domains if where.domains or said else None
    if domains != ():
        hits = await _retrieve(way, way.means.query(sub, text, before), domains, part=not last)
        way.tell(Found(text, tuple(hits)))
    confidence, silence = None, None
    if not said:
        look = partial(way.means.gate.look, text, hits, domains)
        confidence, silence = await _in_time(way, "the passages were looked at", look)
    if silence is None or (silence.weak and not way.means.local):
        answer = await _written(way, text, hits, said, way.means.chain, last, silence)
    else:
        answer = _silent(text, silence)
    tools = [name for one in said for name in one.domains]
    told = [f"The tool {' '.join(one.domains)} said: {one.text[:_SHOWN]}" for one in said]
    looked = way.means.domains if domains is None else domains
    notes = tuple(filter(None, (where.note, *answer.notes, *notes, *told)))
    return replace(answer, domains=(*looked, *tools), notes=notes, confidence=confidence)


def _planned(sub: SubQuestion, means: Means) -> _Where:
    domains = tuple(name for name in sub.tools if name in means.domains)
    tools = [name for name in sub.tools if name in means.tools]
    return _Where(domains if domains or tools else None, tools)


async def _routed(way: Way, text: str) -> _Where | Route:
    """A route that leads nowhere is given back. What takes too long leaves time to look everywhere."""
    if way.means.route is None:
        return _Where(None)
    with anyio.move_on_after(way.allowance.deadline.left / 2):
        route = await way.means.route(text)
        way.routes[text] = route
        way.tell(Routed(text, route))
        if route.none:
            return route
        domains = tuple(name for name in route.chosen if name in way.means.domains)
        return _Where(domains, [name for name in route.chosen if name in way.means.tools], sure=False)
    return _Where(None, note=_LATE)


async def _retrieve(way: Way, query: str, domains: Sequence[str] | None, part: bool) -> Sequence[Hit]:
    with telemetry.span("retrieval", {"gen_ai.operation.name": "retrieval"}) as span:
        telemetry.record(span, {"gen_ai.retrieval.query.text": query})
        hits = await _in_time(way, "the documents were searched", partial(way.means.find, query, domains, part))
        span.set_attribute("ragkit.hits", len(hits))
        telemetry.record(span, {"ragkit.passages": [f"{hit.uri} {hit.start}:{hit.end}" for hit in hits]})
        return hits


async def _in_time(way: Way, doing: str, work: Callable[[], T]) -> T:
    """In a thread, which is left behind when the ask's time is over."""
    deadline = way.allowance.deadline
    try:
        with anyio.fail_after(deadline.left):
            return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    except TimeoutError:
        raise ModelError(
            f"The time of {deadline.seconds:g} s was over while {doing}.",
            "Raise seconds: for this ask, or in ragkit.toml under [ask].",
            "deadline",
        ) from None


async def _written(
    way: Way,
    question: str,
    hits: Sequence[Hit],
    said: Sequence[Answer],
    chain: Chain,
    last: bool,
    silence: Abstention | None,
) -> Answer:
    """From passages, and from what tools said: that comes after the passages, and is cited by no range.

    `silence` is what is said instead where no model reads the passages after all.
    """
    known = sources(hits)
    told = {
        number: Passage(number, f"The tool {' '.join(one.domains)}", one.text)
        for number, one in enumerate(said, len(known) + 1)
    }
    given = (*passages(known), *told.values())
    heard = {number: one.text for number, one in told.items()}

    async def checked(answer: Answer, reply: Reply, again: Again | None = None) -> Answer:
        return await verified(way, answer, reply, known, heard, again=again)

    pieces = Pieces(way)
    try:
        with telemetry.span("write") as span:
            flag(span, given)
            reply = await write(chain, question, given, way.allowance, pieces.told if last else None)
    except ModelError as error:
        if pieces.text:
            return await checked(broken(error), Reply(pieces.text, error.model, "length"))
        if error.kind not in ("budget", "deadline"):
            raise
        if silence is not None:
            return replace(_silent(question, silence), notes=(f"{error} No model read the passages.",))
        reply = await Extractive().areply(Request((Message("user", question),), passages=given))
        missing = (f"{error} These are sentences of the passages, no model read them.",)
        return await checked(Answer(question, "", missing=missing, model=reply.model), reply)
    if silence is not None and reply.model in LOCAL:
        pieces.taken_back()
        return replace(_silent(question, silence), model=reply.model)
    answer = made_of(reply, question, len(given))
    strong = way.means.strong
    if answer.abstained:
        if reply.stop == "end" and last and strong.members != chain.members and not pieces.text:
            return await _written(
                way, question, hits, said, strong, last, silence
            )  # a draft that finds nothing: once more
        return answer

    async def again(made: Verified) -> Reply:
        with telemetry.span("mend"):
            return await mend(chain, question, given, reply.text, made.unsupported, way.allowance)

    return await checked(answer, reply, again)


def made_of(reply: Reply, question: str, given: int) -> Answer:
    """The answer that a reply is, from so many passages; its text is put in when it is verified."""
    made = Answer(question, "", model=reply.model, cached=reply.cached)
    if reason := refused(reply, given):
        text = unmarked(reply.text) if reply.stop == "refusal" else ""
        return replace(made, text=text, abstained=True, reason=reason, status="insufficient")
    return replace(made, missing=(f"{reply.model} stopped at its limit of tokens.",) if reply.stop == "length" else ())


def broken(error: ModelError) -> Answer:
    """What a reader has seen of a text that stopped in the middle."""
    return Answer("", "", missing=(f"The end of the text. {error}",), model=error.model)


def _silent(question: str, silence: Abstention) -> Answer:
    return Answer(question, "", abstained=True, reason=silence.text, because=silence.reason, status="insufficient")
