"""What a scorer says of one claim: whether the cited texts support it, how much, and why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from ragkit.errors import InvalidInput

Status = Literal["supported", "unsupported", "uncited", "refused", "unreadable"]


@dataclass(frozen=True, slots=True)
class Support:
    """A verdict: `supported` or `unsupported` with a score, `uncited`, or `refused` or `unreadable` for want of one."""

    score: float | None
    """How much, from 0 to 1; None where nothing was judged."""
    status: Status
    reason: str = ""

    def __post_init__(self) -> None:
        if self.status not in get_args(Status):
            raise InvalidInput(f"{self.status!r} is no status of a claim.", f"Known are {', '.join(get_args(Status))}.")
        if self.judged and (self.score is None or not 0 <= self.score <= 1):
            raise InvalidInput(f"The score {self.score} is not between 0 and 1.", "Bring it there, or say unreadable.")
        if not self.judged and self.score is not None:
            raise InvalidInput(f"A claim that is {self.status} has the score {self.score}.", "Such a claim has none.")

    @property
    def judged(self) -> bool:
        """Whether a scorer came to a verdict."""
        return self.status in ("supported", "unsupported")


class Scorer(Protocol):
    """Judges one claim by the cited texts, taken together. There is at least one, and none is blank."""

    def support(self, claim: str, cited: Sequence[str]) -> Support: ...
