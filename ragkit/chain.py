"""A Chain: models in the order in which they are asked. The first that answers is it, and the reply says which."""

from collections.abc import Sequence
from dataclasses import dataclass

from ragkit import cache, telemetry
from ragkit.budget import Allowance
from ragkit.cache import SLACK, in_time
from ragkit.errors import InvalidInput
from ragkit.model import LOCAL, ModelError, Reply, Request
from ragkit.structured import conform
from ragkit.trace import CACHED, MODEL
from ragkit.weather import Tell, Told, Weather

_FINAL = frozenset({"budget", "deadline"})
"""Another model has no more money and time. "timeout" is not among them: one model had its share of the time."""


@dataclass(frozen=True)
class Chain:
    members: Sequence[Weather]
    cache: "cache.Cache | None" = None

    async def areply(self, request: Request, allowance: Allowance | None = None, tell: Tell | None = None) -> Reply:
        """The reply of the first model that gives one. With `tell`, its text is told in pieces as it comes.

        Once a piece was told, nothing is tried again: a reader must not get two answers that are stuck together.
        """
        allowance = allowance or Allowance()
        told = None if tell is None else Told(tell)
        failed: list[ModelError] = []
        for at, member in enumerate(self.members):
            others = sum(one.name not in LOCAL for one in self.members[at + 1 :])
            try:
                return await self._ask(member, request, allowance, told, 1 + others)
            except ModelError as error:
                if error.kind in _FINAL or (told and told.any):
                    raise
                failed.append(error)
        raise _none(failed)

    async def _ask(self, member: Weather, request: Request, allowance: Allowance, told: Told | None, of: int) -> Reply:
        """`of` is how many may still be asked, with this one: it leaves time to the others."""
        if self.cache is None or member.name in LOCAL or not member.remembers:
            return await member.areply(request, allowance, told, of=of)
        deadline = allowance.deadline
        settings = member.settings
        key = cache.key(member.name, member.model.server, request, settings.form, settings.citations)
        kept = await in_time(deadline.left / 2, self.cache.get, key)  # a memory that hangs leaves time to the model
        if kept is not None and (reply := await _of_form(kept, request)) is not None:
            with telemetry.span("remembered", {MODEL: member.name, CACHED: True}):
                if told is not None:
                    told(reply.text)
            return reply
        reply = await member.areply(request, allowance, told, of=of)
        await in_time(max(SLACK, deadline.left), self.cache.put, key, reply)
        return reply


async def _of_form(kept: Reply, request: Request) -> Reply | None:
    """None when it is not of the form any more: the schema is the same, but what checks it has changed."""

    async def again(_: Request) -> Reply:
        return kept

    try:
        return await conform(again, request)
    except ModelError:
        return None


def _none(failed: Sequence[ModelError]) -> ModelError:
    if not failed:
        raise InvalidInput("No model is named.", 'Name one, such as "extractive", which needs none.')
    if len(failed) == 1:
        return failed[0]
    said = " ".join(one.reason for one in failed)
    hint = " ".join(dict.fromkeys(one.hint for one in failed if one.hint))
    return ModelError(f"No model answered. {said}", hint, failed[-1].kind, model=failed[-1].model)
