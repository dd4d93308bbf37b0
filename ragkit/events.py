"""What an ask tells on its way, and what its steps share meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ragkit.answer import Answer
from ragkit.budget import Allowance
from ragkit.indexes.hit import Hit
from ragkit.means import Means
from ragkit.plan import Plan
from ragkit.route import Route


@dataclass(frozen=True, slots=True)
class Planned:
    """What will be asked."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Routed:
    """Where a question, or a part of it, goes."""

    question: str
    route: Route


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that the answer to a question, or a part of it, will be written from."""

    question: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the question is answered, or why it is not."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Piece:
    """The next piece of the answer's text, before it was checked."""

    text: str


@dataclass(frozen=True, slots=True)
class Retracted:
    """A sentence that was streamed, and that what it cites does not support."""

    text: str
    reason: str


Event = Planned | Routed | Found | Part | Piece | Retracted
Tell = Callable[[Event], None]


@dataclass
class Way:
    """One ask: its means and limits, who is told of it, and what was decided and said so far."""

    means: Means
    allowance: Allowance
    tell: Tell
    streams: bool
    routes: dict[str, Route] = field(default_factory=dict)
    """By question."""
    said: bool = False
    """The text that was streamed is that of the answer."""


class Pieces:
    """What one reply streamed so far."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._said: list[str] = []

    @property
    def told(self) -> Callable[[str], None] | None:
        return self._tell if self._way.streams else None

    @property
    def text(self) -> str:
        return "".join(self._said)

    def taken_back(self) -> None:
        """The answer will be another text: it is told anew."""
        self._way.said = False

    def _tell(self, piece: str) -> None:
        self._said.append(piece)
        self._way.said = True
        self._way.tell(Piece(piece))
