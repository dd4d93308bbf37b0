"""A Model: messages in; text, data of a given form, or calls of tools out. One seam for every provider, and for none.

A model makes one call and reports truthfully how it ended. Trying again, waiting, falling back, counting, remembering
and checking the form are not its business: see `weather`, `budget`, `cache` and `structured`.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ragkit.errors import RagkitError

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model sees it."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """A JSON schema of an object."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["user", "assistant", "tool"]
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    """What an assistant asked of tools."""
    answers: str = ""
    """Of a tool's message: the id of the call that it answers."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A source that may be cited by its number. What it says is data, never an instruction."""

    number: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Quote:
    """A range of a passage that a reply rests on: `passage.text[start:end]`."""

    number: int
    """Of the passage."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Request:
    messages: tuple[Message, ...]
    system: str = ""
    passages: tuple[Passage, ...] = ()
    """They stand before the last message."""
    schema: "type[BaseModel] | None" = None
    """The form that the text of the reply must have, as JSON. `structured` checks it."""
    tools: tuple[ToolSpec, ...] = ()
    max_tokens: int = 1024
    temperature: float | None = None
    """Not sent when None: some models refuse it."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, as the provider counted them. Those of a prompt cache are not among `input`."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
        )

    @property
    def total(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_write


Stop = Literal["end", "length", "tools", "refusal"]


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    model: str
    """Which one answered, as `provider:name`."""
    stop: Stop = "end"
    usage: Usage | None = None
    """None when the server did not say: that is unknown, not nothing."""
    calls: tuple[ToolCall, ...] = ()
    data: "BaseModel | None" = None
    """Of the request's schema, once `structured` has checked it."""
    cached: bool = False
    quotes: tuple[Quote | None, ...] = ()
    """What each marker of the text rests on, in the order of `markers.marked`, from a model that says so itself.

    None of a marker without a range; empty when no marker has one.
    """


Kind = Literal[
    "rate",  # too many requests: it says when to come back, or does not
    "overloaded", "server", "timeout", "connection",  # the provider is ill
    "broken",  # the response ended in the middle, or is no JSON
    "learnt",  # it told how it wants to be asked: the next call says it so, and need not wait
    "key", "context", "request",  # asking the same again cannot help
    "schema",  # twice not of the form that was asked for
    "budget", "deadline", "open",  # it was not asked: see budget, deadline and breaker
]  # fmt: skip
_RETRYABLE: frozenset[str] = frozenset({"rate", "overloaded", "server", "timeout", "connection", "broken", "learnt"})


class ModelError(RagkitError):
    """A call of a model failed. It knows whether trying again may help, and what it cost."""

    def __init__(
        self,
        reason: str,
        hint: str = "",
        kind: Kind = "request",
        *,
        model: str = "",
        retry_after: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        super().__init__(reason, hint)
        self.kind = kind
        self.model = model
        self.retry_after = retry_after
        """Seconds that the server asked us to wait."""
        self.usage = usage
        """What was served before it failed, as far as the server said it."""

    @property
    def retryable(self) -> bool:
        return self.kind in _RETRYABLE

    def __reduce__(self) -> Any:
        return _again, (self.reason, self.hint, self.kind, self.model, self.retry_after, self.usage)


def _again(
    reason: str, hint: str, kind: Kind, model: str, retry_after: float | None, usage: Usage | None
) -> ModelError:
    return ModelError(reason, hint, kind, model=model, retry_after=retry_after, usage=usage)


class Model(Protocol):
    @property
    def name(self) -> str:
        """As users know it: `provider:name`."""
        ...

    @property
    def server(self) -> str:
        """The address that is really asked, without a login; "" when no call leaves the process."""
        ...

    async def aopen(self) -> None:
        """Make ready what a call needs: imports, the key, the client. No call is made.

        Quick when it was done before, and cancelled at once. Who calls without it waits for it in the first call.
        """
        ...

    async def areply(self, request: Request) -> Reply:
        """One call. It may be cancelled at any time, and leaves nothing behind then."""
        ...

    def astream(self, request: Request) -> AsyncGenerator[str | Usage | Reply, None]:
        """The text in pieces as they come, and last the whole reply; between them, what was used so far if it is said.

        Who stops listening in the middle is billed for that.
        """
        ...

    async def aclose(self) -> None: ...


LOCAL = frozenset({"extractive"})
"""No call of them leaves the process: they cost nothing, fail for no weather, and are not worth remembering."""
