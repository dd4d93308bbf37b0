"""A clock that runs only while nobody has anything to do: waits cost nothing, and a busy machine is never late.

For what one event loop does by itself. Threads and sockets do not know of it.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from ragkit import deadline

T = TypeVar("T")


class Clock:
    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        patch.setattr(deadline, "monotonic", self)

    def __call__(self) -> float:
        return self.now

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=lambda: _Loop(self)) as runner:
            return runner.run(work)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        super().__init__(_Selector(clock))

    def time(self) -> float:
        return self._clock.now


class _Selector(selectors.SelectSelector):
    """Does not wait until the next timer is due: makes it due."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(None if timeout is None else 0)
        if not ready and timeout:
            self._clock.now += timeout
        return ready
