"""The Collector: listens to one ask, and makes a trace of what it hears."""

import threading
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ragkit.attributes import legal, redacted
from ragkit.telemetry import SCOPE, STATUS
from ragkit.trace import (
    COST,
    INPUT,
    MODEL,
    OPERATION,
    OUTPUT,
    PROVIDER,
    QUESTION,
    REQUEST_MODEL,
    RESPONSE_MODEL,
    Event,
    Step,
    Trace,
)

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_CALLS = {"chat", "generate_content", "text_completion"}


class Collector:
    """Listens to one ask, and makes a trace of what it hears.

    A step that ends after the root is not lost: then `late` gets the trace anew, with the same id.
    """

    def __init__(self, texts: bool, late: Callable[[Trace], object] | None = None) -> None:
        self.texts = texts
        self._late = late
        self._lock = threading.Lock()
        self._root: ReadableSpan | None = None
        self._over = False
        self._open: dict[int, ReadableSpan] = {}
        self._steps: list[Step] = []

    def started(self, span: "ReadableSpan") -> None:
        assert span.context is not None
        with self._lock:
            self._root = self._root or span
            self._open[span.context.span_id] = span

    def ended(self, span: "ReadableSpan", texts: Mapping[str, str]) -> None:
        assert span.context is not None
        with self._lock:
            if self._root is None or self._root.context is None:
                return
            self._open.pop(span.context.span_id, None)
            self._steps.append(_step(span, self._root, texts if self.texts else {}, self.texts))
            late, self._over = self._over, self._over or span.context.span_id == self._root.context.span_id
        if late and self._late is not None and (trace := self.trace) is not None:
            self._late(trace)

    @property
    def trace(self) -> Trace | None:
        """As far as it has come; None before anything began, or where OpenTelemetry is switched off."""
        with self._lock:
            if self._root is None or self._root.context is None:
                return None
            known = {step.id for step in self._steps} | {_hex(identity) for identity in self._open}
            open_ = [_step(span, self._root, {}, False) for span in self._open.values()]
            steps = sorted([*self._steps, *open_], key=lambda step: step.start)
            root, context = _hex(self._root.context.span_id), self._root.context
            identity = f"{context.trace_id:032x}"
            if self._root.parent is not None:  # the application may ask several times below one span
                identity = identity[:16] + root
            began = (self._root.start_time or 0) / 1e9
        spans = tuple(_orphaned(step) if step.parent not in known else step for step in steps)
        return _summed(identity, began, next(step for step in spans if step.id == root), spans)


def _hex(span_id: int) -> str:
    return f"{span_id:016x}"


def _orphaned(step: Step) -> Step:
    return Step(**{**{name: getattr(step, name) for name in Step.__slots__}, "parent": None})


def _step(span: "ReadableSpan", root: "ReadableSpan", texts: Mapping[str, str], words: bool) -> Step:
    """`words`: whether what other instrumentations wrote in words, such as URLs with a query, is kept too."""
    assert span.context is not None
    began, start = root.start_time or 0, span.start_time or 0
    over = span.end_time is not None
    ours = span.instrumentation_scope is not None and span.instrumentation_scope.name == SCOPE
    said = legal(dict(span.attributes or {})) if over else {}  # an open one may be changing
    clean: dict[str, Any] = {
        key: _clean(value)
        for key, value in said.items()
        if key not in texts and key != STATUS and (ours or words or not _wordy(value))
    }
    kind = said.get("error.type") if over else None
    failed = over and span.status.status_code.name == "ERROR"
    message = texts.get("exception.message", "")
    return Step(
        id=_hex(span.context.span_id),
        parent=None if span.parent is None or span is root else _hex(span.parent.span_id),
        name=redacted(span.name),
        kind=span.kind.name.lower(),
        start=(start - began) / 1e9,
        seconds=max(0, (span.end_time or time.time_ns()) - start) / 1e9,
        status=str(said.get(STATUS) or ("error" if failed else "ok")) if over else "open",
        error=(f"{kind}: {message}" if message else str(kind or "error")) if failed or kind else None,
        attributes=clean,
        texts=dict(texts),
        events=tuple(
            Event(
                event.name,
                (event.timestamp - began) / 1e9,
                {key: _clean(value) for key, value in legal(dict(event.attributes or {})).items()}
                if ours or words
                else {},
            )
            for event in (span.events if over else ())
        ),
    )


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    return [_clean(item) for item in value] if isinstance(value, tuple | list) else value


def _wordy(value: object) -> bool:
    return not isinstance(value, bool | int | float)


def _summed(identity: str, began: float, root: Step, steps: tuple[Step, ...]) -> Trace:
    calls = [step for step in steps if step.attributes.get(OPERATION) in _CALLS]
    models = [step.attributes.get(MODEL) or _model(step) for step in steps if step in calls or MODEL in step.attributes]
    paid = [step for step in calls if INPUT in step.attributes or OUTPUT in step.attributes]
    costs = [step.attributes.get(COST) for step in paid]
    cost = root.attributes.get(COST)
    if cost is None and costs and None not in costs:
        cost = sum(Decimal(str(one)) for one in costs)
    return Trace(
        id=identity,
        started=began,
        seconds=root.seconds,
        status=root.status,
        question=root.texts.get(QUESTION),
        model=root.attributes.get(MODEL) or (models[-1] if models else None),
        input_tokens=_tokens(INPUT, root, paid),
        output_tokens=_tokens(OUTPUT, root, paid),
        cost=None if cost is None else Decimal(str(cost)),
        spans=steps,
    )


def _tokens(key: str, root: Step, paid: list[Step]) -> int | None:
    if key in root.attributes:
        return int(root.attributes[key])
    return sum(int(step.attributes.get(key, 0)) for step in paid) if paid else None


def _model(step: Step) -> str | None:
    name = step.attributes.get(RESPONSE_MODEL) or step.attributes.get(REQUEST_MODEL)
    provider = step.attributes.get(PROVIDER)
    return f"{provider}:{name}" if provider and name else name or provider
