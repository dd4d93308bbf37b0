"""A Verifier: the step of an ask in which what was written is checked, with the workspace's policy."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import anyio.to_thread

from ragkit import telemetry
from ragkit.answer import Answer, Citation
from ragkit.checking import Check
from ragkit.indexes.outline import Outline
from ragkit.model import Reply
from ragkit.rewrite import DOUBT, Policy, Range, Verified
from ragkit.source import Source
from ragkit.verify import verify

_LEAST = 1.0
"""Seconds for it also where the time of the ask is over: what was written until then is still to be checked."""
_TOLD = 20
"""Of the claims that are not supported; who writes more of them need not be quoted in full."""
Place = Callable[[Citation], Outline | None]
"""The document of a citation, as it is divided; None when it is no longer the one that was found."""


@dataclass(frozen=True, slots=True)
class Verifier:
    policy: Policy
    check: Check
    place: Place

    async def verified(
        self,
        reply: Reply,
        sources: Mapping[int, Source],
        told: Mapping[int, str] | None = None,
        numbers: Mapping[Range, int] | None = None,
        seconds: float = math.inf,
    ) -> Verified:
        """`told` are texts of tools, which support a claim and are no range of a document. What cannot be checked in so
        many seconds is not checked, and its claims say so."""
        with telemetry.span("verify") as span:
            work = partial(self._verified, reply, sources, told or {}, numbers or {})
            try:
                with anyio.fail_after(max(seconds, _LEAST)):
                    made = await anyio.to_thread.run_sync(work, self.check, abandon_on_cancel=True)
            except TimeoutError:
                span.set_attribute("ragkit.unchecked", True)
                made = await anyio.to_thread.run_sync(work, None)
            span.set_attribute("ragkit.claims", len(made.claims) + len(made.left_out))
            span.set_attribute("ragkit.unsupported", len(made.unsupported))
            telemetry.record(span, {"ragkit.doubts": [f"{one.text}: {one.reason}" for one in made.unsupported] or None})
            return made

    def losses(self, made: Verified) -> tuple[str, ...]:
        """What a reader is told of claims that are not supported."""
        done = "was left out" if self.policy == "strict" else f"is marked {DOUBT}"
        told = [f"“{one.text}” {done}: {one.reason}" for one in made.unsupported]
        more = len(told) - _TOLD
        return tuple(told) if more <= 0 else (*told[:_TOLD], f"{more} more claims that are not supported.")

    def _verified(
        self,
        reply: Reply,
        sources: Mapping[int, Source],
        told: Mapping[int, str],
        numbers: Mapping[Range, int],
        check: Check | None,
    ) -> Verified:
        unfinished = reply.stop == "length"
        made = verify(reply.text, reply.quotes, sources, check, self.policy, dict(numbers), told, unfinished)
        placed = {one.marker: self._placed(one) for one in made.citations}
        claims = tuple(
            replace(one, citations=tuple(replace(placed[each.marker], support=each.support) for each in one.citations))
            for one in made.claims
        )
        return replace(made, citations=tuple(placed.values()), claims=claims)

    def _placed(self, one: Citation) -> Citation:
        """On the page where the range itself stands, if the passage that it is of stands on several."""
        outline = self.place(one) if len(one.pages) > 1 else None
        return one if outline is None else replace(one, pages=outline.pages(one.start, one.end))


def with_verified(answer: Answer, made: Verified, losses: Sequence[str]) -> Answer:
    """The answer, with what was verified as its text."""
    return replace(
        answer,
        text=made.text,
        citations=made.citations,
        claims=made.claims,
        groundedness=made.groundedness,
        missing=(*answer.missing, *losses),
    )
