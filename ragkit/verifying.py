"""The last step of an ask: what was written is verified, and asked for once more where its sources do not hold it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from ragkit.answer import Answer
from ragkit.errors import RagkitError
from ragkit.events import Retracted, Way
from ragkit.model import LOCAL, Reply
from ragkit.rewrite import Range, Verified
from ragkit.source import Source
from ragkit.verifier import with_verified

Again = Callable[[Verified], Awaitable[Reply]]
"""Asks for the text once more, given what was wrong with it."""


async def verified(
    way: Way,
    answer: Answer,
    reply: Reply,
    sources: Mapping[int, Source],
    told: Mapping[int, str] | None = None,
    numbers: Mapping[Range, int] | None = None,
    again: Again | None = None,
) -> Answer:
    """The answer with the text of this reply, or of a better one."""
    verifier = way.means.verifier
    made = await verifier.verified(reply, sources, told, numbers)
    if made.unsupported and way.said:
        for one in made.unsupported:
            way.tell(Retracted(one.text, one.reason))
    if made.unsupported and again is not None and reply.model not in LOCAL:
        try:
            other = await again(made)
        except RagkitError as error:  # there is a text, and it says what is wrong with it
            answer = replace(answer, notes=(*answer.notes, f"It could not be asked for again: {error}"))
        else:
            second = await verifier.verified(other, sources, told, numbers)
            if other.stop == "end" and second.claims and (second.groundedness or 0) > (made.groundedness or 0):
                note = f"Written again, for {len(made.unsupported)} of its claims did not rest on what they cite."
                made, answer = second, replace(answer, model=other.model, notes=(*answer.notes, note))
    if not made.text:
        reason = f"Nothing that {reply.model} wrote is supported by what it cites."
        return replace(answer, abstained=True, reason=reason, status="insufficient", missing=())
    return with_verified(answer, made, verifier.losses(made))
