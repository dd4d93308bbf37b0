"""A Breaker: a model that failed several times in a row is left alone for a while, so that nobody waits for it.

Nygard, Release It! (2007). After the cooldown one call may try whether it is well again; the others still pass by.
Written here because what the registries have either keeps no half-open state for concurrent calls, or counts every
exception: a question that is too long says nothing of the provider's health.
"""

import time
from collections.abc import Callable

from ragkit.model import ModelError

_ILL = frozenset({"overloaded", "server", "timeout", "connection", "broken"})


class Breaker:
    """Used by one event loop, so it needs no lock."""

    def __init__(self, failures: int, cooldown: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures = failures
        self._cooldown = cooldown
        self._clock = clock
        self._row = 0
        self._open_until: float | None = None
        self._trying = False

    @property
    def left(self) -> float:
        """Seconds until it may be tried again."""
        return 0.0 if self._open_until is None else max(0.0, self._open_until - self._clock())

    def enter(self) -> bool:
        """Whether a call may be made; who is let in must say how it ended."""
        if self._open_until is None:
            return True
        if self.left or self._trying:
            return False
        self._trying = True
        return True

    def leave(self, error: BaseException | None) -> None:
        """How a call ended. What says nothing of the provider's health (a cancelled call, a bad request) is no news."""
        self._trying = False
        if error is None:
            self._row, self._open_until = 0, None
        elif isinstance(error, ModelError) and error.kind in _ILL:
            self._row += 1
            if self._row >= self._failures:
                self._open_until = self._clock() + self._cooldown
