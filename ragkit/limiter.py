"""A Limiter: how many calls of a model may run at a time, and how many requests and tokens may start in a minute."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from aiolimiter import AsyncLimiter

from ragkit.model import Request, Usage
from ragkit.modelsettings import ModelSettings

_LETTERS = 4
"""Of English in a token. A limit counts what a call may take before it is made; providers do the same."""


class Limiter:
    def __init__(self, settings: ModelSettings) -> None:
        self._running = anyio.Semaphore(settings.concurrency)
        self._requests = _a_minute(settings.requests_per_minute)
        self._tokens = _a_minute(settings.tokens_per_minute)

    @asynccontextmanager
    async def turn(self, request: Request) -> AsyncIterator[None]:
        """Wait for a place, and keep it."""
        async with self._running:
            if self._requests is not None:
                await self._requests.acquire()
            if self._tokens is not None:
                # A call that is larger than the limit of a minute waits for a whole minute, not for ever.
                await self._tokens.acquire(min(estimate(request).total, self._tokens.max_rate))
            yield


def estimate(request: Request) -> Usage:
    """The tokens that a request may take, about."""
    texts = [request.system, *(one.text for one in request.messages), *(one.text for one in request.passages)]
    return Usage(sum(map(len, texts)) // _LETTERS, request.max_tokens)


def _a_minute(most: int | None) -> AsyncLimiter | None:
    return None if most is None else AsyncLimiter(most, 60)
