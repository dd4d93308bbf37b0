"""A Deadline: the time that a whole ask has. Every step takes of what is left; none has a time of its own."""

import time
from math import inf


class Deadline:
    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self._end = inf if seconds is None else time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds, never below 0; infinite without a deadline."""
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        return self.left <= 0
