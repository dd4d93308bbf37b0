"""A Deadline: the time that a whole ask has. Every step takes of what is left; none has a time of its own."""

from math import inf
from time import monotonic


class Deadline:
    def __init__(self, seconds: float | None = None, *, whole: "Deadline | None" = None) -> None:
        self.seconds = seconds
        self.whole = whole
        """Of which this is a share: others have time when it is over."""
        self._end = inf if seconds is None else monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds, never below 0; infinite without a deadline."""
        return max(0.0, self._end - monotonic())

    @property
    def passed(self) -> bool:
        return self.left <= 0

    def share(self, of: int) -> "Deadline":
        """That of the first of so many who come one after the other: who hangs leaves time to the rest."""
        return self if of < 2 or self._end == inf else Deadline(self.left / of, whole=self)
