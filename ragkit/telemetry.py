"""Telemetry: what happens becomes spans of OpenTelemetry, which nest by themselves, through tasks and threads.

They go to whoever listens (`recording`), to whoever sends them elsewhere (`senders`), and into the traces of the
application if it has a provider of its own. Where nobody wants them, hardly anything is done: OpenTelemetry's SDK is
not even imported.

Texts are another matter than names and numbers. A question, a prompt, a reply, a passage or an error's message goes
through `record`: a recording says whether it wants them, and they leave the process only where the application has
said so with the variable that OpenTelemetry has for it. The conventions call this opt-in.
"""

import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Protocol, TypeVar, overload
from weakref import WeakKeyDictionary, WeakValueDictionary

from ragkit.attributes import legal, text_of, valid

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
    from opentelemetry.trace import Span, Tracer

Kind = Literal["internal", "client"]
P = ParamSpec("P")
T = TypeVar("T")

SCOPE = "ragkit"
"""The name of the instrumentation, by which spans are known for ours."""
SCHEMA = "https://opentelemetry.io/schemas/1.44.0"
STATUS = "ragkit.status"
"""What became of a step, where OpenTelemetry's status has no word for it: cancelled, partial, …"""
SEND_TEXTS = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""With this in the environment, texts are attributes of the spans, and go wherever these go."""

_log = logging.getLogger("ragkit")


class Listener(Protocol):
    """It is told at once, in the thread or task where it happens: so it had better be quick."""

    def started(self, span: "ReadableSpan") -> None: ...

    def ended(self, span: "ReadableSpan", texts: Mapping[str, str]) -> None:
        """`texts` is what was recorded with it; empty for a listener that wants none."""
        ...


class Sender(Protocol):
    """It sends every span of ours elsewhere, whoever listens."""

    def send(self, span: "ReadableSpan") -> None: ...

    def flush(self, seconds: float) -> bool:
        """Send what is waiting; whether all of it could be sent in this time."""
        ...


senders: list[Sender] = []
"""Those who send add themselves."""


# Spans


@contextmanager
def span(name: str, attributes: Mapping[str, object] | None = None, *, kind: Kind = "internal") -> Iterator["Span"]:
    """A span under the current one. An attribute that is None is left out; what OpenTelemetry cannot hold is JSON.

    An exception that leaves it is its error, a cancellation is not. Not for the inside of an asynchronous generator:
    its consumer would run within the span, between two items. `traced` knows how to do that.
    """
    made = _start(name, attributes, kind)
    try:
        with _within(made):
            yield made
    except BaseException as error:
        _end_with(made, error)
        raise
    finally:
        made.end()


def record(span: "Span", texts: Mapping[str, object]) -> None:
    """Texts that belong to a span: kept where they are wanted, and for the rest as if nothing had been said.

    What is no string becomes JSON, and only when it is wanted.
    """
    identity = span.get_span_context().span_id
    inner = _at.get(identity)
    recordings = [] if inner is None else list(inner.chain())
    wanted = any(one.texts for one in recordings)
    sent = os.environ.get(SEND_TEXTS, "").lower() in _YES and all(one.texts for one in recordings)
    if not (wanted or sent) or not span.is_recording():
        return
    clean = {key: text_of(value) for key, value in texts.items() if value is not None}
    if inner is not None and wanted:
        inner.held.setdefault(identity, {}).update(clean)
    if sent:
        span.set_attributes(clean)


_YES = {"true", "1", "yes", "span_only", "span_and_event"}


def _start(name: str, attributes: Mapping[str, object] | None, kind: Kind) -> "Span":
    from opentelemetry import trace

    if not (_CURRENT.get() or senders or "opentelemetry.sdk.trace" in sys.modules):
        return trace.INVALID_SPAN
    said = legal(attributes or {})
    its_kind = trace.SpanKind[kind.upper()]
    now = trace.get_current_span()
    apart = now.is_recording() and not now.get_span_context().trace_flags.sampled
    if not apart:
        made = _tracer(_provider()).start_span(valid(name), attributes=said, kind=its_kind)
        if made.is_recording() or _CURRENT.get() is None:
            return made
    return _tracer(_unsampled()).start_span(valid(name), attributes=said, kind=its_kind)


@contextmanager
def _within(made: "Span") -> Iterator[None]:
    """What is started in here is below it. A token would not do: generators may be closed in another context."""
    from opentelemetry import context, trace

    if not made.get_span_context().is_valid:
        yield
        return
    before = context.get_current()
    inside = trace.set_span_in_context(made, before)
    context.attach(inside)
    try:
        yield
    finally:
        if context.get_current() is inside:
            context.attach(before)


def _end_with(made: "Span", error: BaseException) -> None:
    from opentelemetry.trace import Status, StatusCode

    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if not isinstance(error, Exception):  # a task was cancelled, a generator closed, or Ctrl-C
        made.set_attribute(STATUS, "cancelled")
        return
    made.set_attribute("error.type", error_type(error))
    made.set_status(Status(StatusCode.ERROR))
    record(made, {"exception.message": str(error)})


def error_type(error: BaseException) -> str:
    """One of few words, as the conventions want it: what an error calls its kind, or the name of its class."""
    kind = getattr(error, "kind", None)
    if isinstance(kind, str):
        return kind
    module, name = type(error).__module__, type(error).__qualname__
    return name if module == "builtins" else f"{module}.{name}"


# Recordings


class _Recording:
    """One of those that are told; the others are further out."""

    def __init__(self, listener: Listener, texts: bool, outer: "_Recording | None") -> None:
        self.listener = listener
        self.texts = texts
        self.outer = outer
        self.held: dict[int, dict[str, str]] = {}
        """The texts of open spans."""
        self.warned = False

    def chain(self) -> "Iterator[_Recording]":
        one: _Recording | None = self
        while one is not None:
            yield one
            one = one.outer

    def tell(self, what: Callable[[Listener], None]) -> None:
        try:
            what(self.listener)
        except Exception as error:
            if not self.warned:
                self.warned = True
                _log.warning("ragkit: %s failed to listen (%s: %s). The work goes on without it.",
                             type(self.listener).__name__, type(error).__name__, error)  # fmt: skip


_CURRENT: ContextVar[_Recording | None] = ContextVar("ragkit_recording", default=None)
_at: WeakValueDictionary[int, _Recording] = WeakValueDictionary()
"""The recording in which each open span was started. Weak: a span that never ends must not keep it."""


@contextmanager
def recording(listener: Listener, texts: bool) -> Iterator[None]:
    """Whatever is started in here, in its tasks and threads too, is told to the listener, also what ends later.

    Recordings nest, and each is told. A listener that fails is warned of once, and harms nothing.
    """
    outer = _CURRENT.get()
    mine = _Recording(listener, texts, outer)
    _CURRENT.set(mine)
    try:
        yield
    finally:
        if _CURRENT.get() is mine:
            _CURRENT.set(outer)


# Functions of users


@overload
def traced(name: Callable[P, T], /) -> Callable[P, T]: ...
@overload
def traced(name: str, /) -> Callable[[Callable[P, T]], Callable[P, T]]: ...
def traced(name: Any, /) -> Any:
    """Make a function a step of the trace: `@traced` or `@traced("name")`. Its arguments are not recorded.

    The function may be asynchronous, or a generator of either kind; such a one is a span from its first item to its
    last, and what its consumer does in between is not below it.
    """
    if callable(name):
        return _traced(name, name.__qualname__.rpartition("<locals>.")[2])
    return lambda function: _traced(function, name)


def _traced(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    import inspect

    said = {"code.function.name": f"{function.__module__}.{function.__qualname__}"}

    @wraps(function)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        with span(name, said):
            return await function(*args, **kwargs)

    @wraps(function)
    async def streamed(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        source = function(*args, **kwargs)
        made = _start(name, said, "internal")
        try:
            while True:
                with _within(made):
                    try:
                        item = await anext(source)
                    except StopAsyncIteration:
                        return
                yield item
        except BaseException as error:
            _end_with(made, error)
            raise
        finally:
            try:
                with _within(made):
                    await source.aclose()
            finally:
                made.end()

    @wraps(function)
    def iterated(*args: Any, **kwargs: Any) -> Iterator[Any]:
        source = function(*args, **kwargs)
        made = _start(name, said, "internal")
        try:
            while True:
                with _within(made):
                    try:
                        item = next(source)
                    except StopIteration:
                        return
                yield item
        except BaseException as error:
            _end_with(made, error)
            raise
        finally:
            try:
                with _within(made):
                    source.close()
            finally:
                made.end()

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        with span(name, said):
            return function(*args, **kwargs)

    if inspect.isasyncgenfunction(function):
        return streamed
    if inspect.isgeneratorfunction(function):
        return iterated
    return awaited if inspect.iscoroutinefunction(function) else called


# Providers

_LOCK = threading.RLock()
_tracers: "WeakKeyDictionary[TracerProvider, Tracer]" = WeakKeyDictionary()


def application_traces() -> bool:
    """Whether the application has a provider of its own, so that our spans are in its traces."""
    return _provider() is not _own()


def _provider() -> "TracerProvider":
    """The application's, so that our spans are in its traces; ours, if it has none."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    theirs = trace.get_tracer_provider()
    return theirs if isinstance(theirs, TracerProvider) else _own()


def _tracer(provider: "TracerProvider") -> "Tracer":
    with _LOCK:
        if provider not in _tracers:
            version = sys.modules["ragkit"].__version__  # a leaf imports nothing of ours
            provider.add_span_processor(_processor())
            _tracers[provider] = provider.get_tracer(SCOPE, version, SCHEMA)
        return _tracers[provider]


@cache
def _own() -> "TracerProvider":
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    resource = Resource.create()
    if str(resource.attributes.get("service.name", "")).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": SCOPE}))
    return TracerProvider(resource=resource, shutdown_on_exit=False)  # it would wait half a minute for a dead collector


@cache
def _unsampled() -> "TracerProvider":
    """For recordings within what the application does not sample: they are told, and nothing is sent."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import Decision, StaticSampler

    return TracerProvider(StaticSampler(Decision.RECORD_ONLY), _own().resource, shutdown_on_exit=False)


@cache
def _processor() -> "SpanProcessor":
    """What tells listeners and senders; a class in a function, so that the SDK is imported no earlier."""
    from opentelemetry.sdk.trace import SpanProcessor

    class Telling(SpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            inner = _CURRENT.get()
            if inner is None:
                return
            _at[span.context.span_id] = inner
            for one in inner.chain():
                one.tell(lambda listener: listener.started(span))

        def on_end(self, span: "ReadableSpan") -> None:
            assert span.context is not None
            if span.instrumentation_scope is not None and span.instrumentation_scope.name == SCOPE:
                for sender in senders:
                    sender.send(span)
            inner = _at.pop(span.context.span_id, None)
            if inner is None:
                return
            texts = inner.held.pop(span.context.span_id, {})
            for one in inner.chain():
                its = texts if one.texts else {}
                one.tell(lambda listener, its=its: listener.ended(span, its))  # type: ignore[misc]

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            sent = [sender.flush(timeout_millis / 1000) for sender in senders]
            return all(sent)

        def shutdown(self) -> None:
            self.force_flush(2_000)

    return Telling()
