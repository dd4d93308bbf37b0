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
from ragkit.write import refused

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

    def left() -> float:
        return way.allowance.deadline.left

    made = await verifier.verified(reply, sources, told, numbers, left())
    if made.unsupported and way.said:
        for one in made.unsupported:
            way.tell(Retracted(one.text, one.reason))
    if made.unsupported and again is not None and reply.model not in LOCAL:
        try:
            other = await again(made)
        except Exception as error:  # also of a model of the user's own: there is a text, which says what is wrong
            answer = replace(answer, notes=(*answer.notes, f"It could not be asked for again: {_why(error)}"))
        else:
            second = await verifier.verified(other, sources, told, numbers, left())
            if not made.groundedness and other.text.strip() and (withdrawn := refused(other, len(sources))):
                return _none(answer, f"{withdrawn} A first text did not rest on what it cites.")
            if _better(other, second, made):
                note = f"Written again, for {len(made.unsupported)} of its claims did not rest on what they cite."
                _retract(way, made, second)
                made, answer = second, replace(answer, model=other.model, notes=(*answer.notes, note))
    if not made.text:
        return _none(answer, f"Nothing that {reply.model} wrote is supported by what it cites.")
    return with_verified(answer, made, verifier.losses(made))


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, RagkitError) else f"{type(error).__name__}: {error}"


def _better(other: Reply, second: Verified, first: Verified) -> bool:
    return other.stop == "end" and bool(second.claims) and (second.groundedness or 0) > (first.groundedness or 0)


def _retract(way: Way, first: Verified, second: Verified) -> None:
    """Of what was streamed, what the second text does not say any more."""
    kept = {one.text for one in second.claims}
    for one in first.claims if way.said else ():
        if one.status not in ("unsupported", "uncited") and one.text not in kept:
            way.tell(Retracted(one.text, "The text was written again, and does not say it so."))


def _none(answer: Answer, reason: str) -> Answer:
    return replace(answer, abstained=True, reason=reason, status="insufficient", missing=())
