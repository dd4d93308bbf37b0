"""The answers to the parts of a question made into one: by a model, or side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ragkit import telemetry
from ragkit.answer import Answer, Status
from ragkit.comparetable import compare
from ragkit.errors import RagkitError
from ragkit.events import Pieces, Way
from ragkit.markers import unmarked
from ragkit.model import LOCAL, ModelError, Reply
from ragkit.numbering import moved, numbered
from ragkit.orders import flag
from ragkit.plan import Plan
from ragkit.rewrite import Range, share
from ragkit.single import broken, made_of
from ragkit.source import again, passages
from ragkit.verifying import verified
from ragkit.write import combine, refused

_APART = "The answers to the parts stand side by side."


async def put_together(way: Way, plan: Plan, parts: Sequence[Answer]) -> Answer:
    """One answer, which says what the parts lack, and where all of them looked."""
    numbers: dict[Range, int] = {}
    parts = numbered(parts, numbers)
    answer = await _combined(way, plan, parts, numbers)
    said = different(parts)
    missing = [f"“{one.question}” is not answered: {one.reason}" for one in said if one.abstained]
    missing += [f"“{one.question}”: {lacks}" for one in said for lacks in one.missing]
    return replace(
        answer,
        sub_answers=parts,
        missing=(*answer.missing, *missing),
        notes=(*answer.notes, *(f"“{one.question}”: {note}" for one in said for note in one.notes)),
        domains=tuple(dict.fromkeys(name for one in said for name in one.domains)),
    )


def different(parts: Sequence[Answer]) -> list[Answer]:
    """Parts that asked the same share an answer."""
    return list({one.question: one for one in parts}.values())


async def _combined(way: Way, plan: Plan, parts: Sequence[Answer], numbers: Mapping[Range, int]) -> Answer:
    if all(one.abstained for one in parts):
        reason = "None of the parts of the question could be answered."
        return Answer(plan.question, "", abstained=True, reason=reason, status=_status(parts))
    chain = way.means.strong
    if all(member.name in LOCAL for member in chain.members):
        return _beside(plan, parts)
    known = again({one.marker: one for part in parts for one in part.citations}.values())
    pieces = Pieces(way)
    try:
        with telemetry.span("write") as span:
            flag(span, passages(known))
            reply = await combine(chain, plan.question, parts, passages(known), way.allowance, pieces.told)
    except RagkitError as error:
        if pieces.text and isinstance(error, ModelError):
            return await verified(way, broken(error), Reply(pieces.text, error.model, "length"), known, numbers=numbers)
        return replace(_beside(plan, parts), missing=(f"{error} {_APART}",))
    reason = refused(reply, len(known))
    if reply.model in LOCAL:
        reason = f"No other model than {reply.model} answered."
    if not reason:
        return await verified(way, made_of(reply, plan.question, len(known)), reply, known, numbers=numbers)
    pieces.taken_back()
    return replace(_beside(plan, parts), missing=(f"{reason} {_APART}",))


def _beside(plan: Plan, parts: Sequence[Answer]) -> Answer:
    """The answers to the parts, a paragraph each: what there is without a model."""
    text = compare(parts)
    told: list[Answer] = []
    for one in different(parts):
        if one.text:
            asked = unmarked(one.question)
            text = f"{text}\n\n{asked}\n" if text else f"{asked}\n"
            told.append(moved(one, len(text)))
            text += one.text
    citations = {one.marker: one for part in parts for one in part.citations}
    claims = tuple(claim for one in told for claim in one.claims)
    missing = (
        (f"“{plan.conclusion}” asks for a judgement of these answers: name a model that makes it.",)
        if plan.conclusion
        else ()
    )
    return Answer(
        plan.question,
        text,
        tuple(citations[number] for number in sorted(citations)),
        missing=missing,
        model=next(one.model for one in parts if not one.abstained),
        claims=claims,
        groundedness=share(claims),
    )


def _status(parts: Sequence[Answer]) -> Status:
    """Of parts of which none is answered: what somebody could mend says more than what waited for it."""
    said = {one.status for one in parts}
    return next(one for one in ("failed", "insufficient", "skipped") if one in said)
