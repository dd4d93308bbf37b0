"""A Trace: one ask as a tree of steps, with what each took, used and said."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

# What callers say of a span, beside what the semantic conventions have a name for.
QUESTION, ANSWER = "ragkit.question", "ragkit.answer"
MODEL, COST, ATTEMPTS, CACHED = "ragkit.model", "ragkit.cost", "ragkit.attempts", "ragkit.cached"
# Theirs.
OPERATION, PROVIDER = "gen_ai.operation.name", "gen_ai.provider.name"
REQUEST_MODEL, RESPONSE_MODEL = "gen_ai.request.model", "gen_ai.response.model"
INPUT, OUTPUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    at: float
    """Seconds since the trace began."""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """A span, as it is kept."""

    id: str
    parent: str | None
    """None for the root, also where the application has a span above it."""
    name: str
    kind: str
    start: float
    """Seconds since the trace began."""
    seconds: float
    status: str = "ok"
    """ok, error, cancelled, open (it had not ended when the trace was kept), or what the step says of itself."""
    error: str | None = None
    """What kind of error, and its message where texts are kept."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    """Empty where texts are not kept."""
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    id: str
    """32 hexadecimal digits: those of OpenTelemetry, or, below a span of the application, the first half of them."""
    started: float
    """Seconds since 1970."""
    seconds: float
    status: str = "ok"
    question: str | None = None
    model: str | None = None
    input_tokens: int | None = None
    """None when no model said how many."""
    output_tokens: int | None = None
    cost: Decimal | None = None
    """None when a price is unknown; that is not nothing."""
    spans: tuple[Step, ...] = ()
    """By their start."""


def as_json(trace: Trace) -> dict[str, Any]:
    return {
        "id": trace.id,
        "started": trace.started,
        "seconds": trace.seconds,
        "status": trace.status,
        "question": trace.question,
        "model": trace.model,
        "usage": {"input": trace.input_tokens, "output": trace.output_tokens},
        "cost": None if trace.cost is None else float(trace.cost),
        "spans": [asdict(step) for step in trace.spans],
    }
