"""A Chain: models in the order in which they are asked. The first that answers is it, and the reply says which."""

from collections.abc import Sequence
from dataclasses import dataclass

from anyio import to_thread

from ragkit import cache, telemetry
from ragkit.budget import Allowance
from ragkit.errors import InvalidInput
from ragkit.model import LOCAL, ModelError, Reply, Request
from ragkit.structured import conform
from ragkit.trace import CACHED, MODEL
from ragkit.weather import Tell, Told, Weather

_FINAL = frozenset({"budget", "deadline"})
"""Another model has no more money and time."""


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
        for member in self.members:
            try:
                return await self._ask(member, request, allowance, told)
            except ModelError as error:
                if error.kind in _FINAL or (told and told.any):
                    raise
                failed.append(error)
        raise _none(failed)

    async def _ask(self, member: Weather, request: Request, allowance: Allowance, told: Told | None) -> Reply:
        if self.cache is None or member.name in LOCAL:
            return await member.areply(request, allowance, told)
        key = cache.key(member.name, member.settings.base_url, request)
        kept = await to_thread.run_sync(self.cache.get, key)
        if kept is not None:

            async def again(_: Request) -> Reply:
                return kept

            with telemetry.span("remembered", {MODEL: member.name, CACHED: True}):
                reply = await conform(again, request)
            if told is not None:
                told(reply.text)
            return reply
        reply = await member.areply(request, allowance, told)
        await to_thread.run_sync(self.cache.put, key, reply)
        return reply


def _none(failed: Sequence[ModelError]) -> ModelError:
    if not failed:
        raise InvalidInput("No model is named.", 'Name one, such as "extractive", which needs none.')
    if len(failed) == 1:
        return failed[0]
    said = " ".join(one.reason for one in failed)
    hint = " ".join(dict.fromkeys(one.hint for one in failed if one.hint))
    return ModelError(f"No model answered. {said}", hint, failed[-1].kind, model=failed[-1].model)
