"""A Breaker: a model that failed several times in a row is left alone for a while, so that nobody waits for it.

Nygard, Release It! (2007). After the cooldown one call may try whether it is well again; the others still pass by.
Written here because what the registries have either keeps no half-open state for concurrent calls, or counts every
exception: a question that is too long says nothing against the provider's health.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ragkit.model import ModelError

_ILL = frozenset({"overloaded", "server", "timeout", "connection", "broken", "deadline"})
_ANSWERED = frozenset({"rate", "key", "context", "request", "schema", "learnt"})
"""Not what was hoped for, but somebody is there who says it."""


@dataclass(eq=False, slots=True)
class Entry:
    """One call that was let in."""

    era: int
    started: bool = False
    """Whether the model was really asked: who ran out of time while waiting for a place knows nothing of it."""


class Breaker:
    """Used by one event loop, so it needs no lock."""

    def __init__(self, failures: int, cooldown: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures = failures
        self._cooldown = cooldown
        self._clock = clock
        self._row = 0
        self._open_until: float | None = None
        self._trial: Entry | None = None
        self._era = 0
        """Of a call that was begun before it last opened or closed, the end is old news."""

    @property
    def left(self) -> float:
        """Seconds until it may be tried again."""
        return 0.0 if self._open_until is None else max(0.0, self._open_until - self._clock())

    def enter(self) -> Entry | None:
        """None when no call may be made; who is let in must say how it ended."""
        entry = Entry(self._era)
        if self._open_until is not None:
            if self.left or self._trial is not None:
                return None
            self._trial = entry
        return entry

    def leave(self, entry: Entry, error: BaseException | None) -> None:
        """How a call ended. What says nothing of the provider's health, such as a cancelled call, is no news."""
        trial = entry is self._trial
        if trial:
            self._trial = None
        if entry.era != self._era or not entry.started:
            return
        kind = error.kind if isinstance(error, ModelError) else ""
        if error is None or kind in _ANSWERED:
            self._row = 0
            if trial:
                self._turn(None)
        elif kind in _ILL:
            self._row += 1
            if self._row >= self._failures:
                self._turn(self._clock() + self._cooldown)

    def _turn(self, open_until: float | None) -> None:
        self._open_until = open_until
        self._era += 1
