"""OTLP: collectors elsewhere, such as Phoenix, Langfuse or Jaeger, get every span of ragkit over HTTP.

They are sent in the background. A collector that is dead, slow or wrong is one warning, and nobody waits for it.
"""

import logging
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from ragkit import telemetry
from ragkit.attributes import redacted
from ragkit.errors import InvalidInput, RagkitError, import_extra

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PATH = "/v1/traces"
_exports: "dict[str, BatchSpanProcessor]" = {}
_told: set[str] = set()
"""The collectors whose failure was told."""
_LOCK = threading.Lock()
_log = logging.getLogger("ragkit")


def export_to(endpoint: str = "") -> None:
    """Send every span of ragkit to this OTLP collector from now on, in the background. Saying it again does nothing.

    Without an endpoint, `OTEL_EXPORTER_OTLP_ENDPOINT` says where; if that is not set either, or if the application has
    a provider of its own, which reads it too, nothing is sent. As it may be meant for other programs, it is only warned
    of when it cannot be used. Headers are always read from `OTEL_EXPORTER_OTLP_HEADERS`.
    """
    address = _address(endpoint)
    if not address or address in _exports:
        return
    try:
        _begin(address)
    except RagkitError as error:
        if endpoint:
            raise
        _tell_unsent([address], str(error))


def _begin(address: str) -> None:
    if not address.startswith(("http://", "https://")):
        raise InvalidInput(f"{address!r} is no place for traces.", "Write it as http://localhost:4318")
    module = import_extra("opentelemetry.exporter.otlp.proto.http.trace_exporter", "otel")
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    with _LOCK:
        if address in _exports:
            return
        _prepare()
        _exports[address] = BatchSpanProcessor(_calm(module.OTLPSpanExporter(endpoint=address), address))


@cache
def _prepare() -> None:
    import atexit

    telemetry.senders.append(_Sender())
    for name in _NOISY:
        logging.getLogger(name).addFilter(lambda _: not getattr(_quiet, "on", False))
    atexit.register(lambda: flush() if not set(_exports) <= _told else None)


class _Sender:
    """All collectors at once."""

    def send(self, span: "ReadableSpan") -> None:
        with _quietly():
            for export in list(_exports.values()):
                export.on_end(span)

    def flush(self, seconds: float) -> bool:
        return flush(seconds)


def _address(endpoint: str) -> str:
    if endpoint:
        plain = endpoint.rstrip("/")
        return plain if plain.endswith(_PATH) else plain + _PATH
    exact, base = (os.environ.get(name, "") for name in _ENDPOINTS)
    if not (exact or base):
        return ""
    return "" if telemetry.application_traces() else exact or base.rstrip("/") + _PATH


def flush(seconds: float = 2.0) -> bool:
    """Send what is waiting, for the end of a program; whether all of it could be sent in this time."""
    exports = dict(_exports)
    if not exports:
        return True
    sent = threading.Event()

    def send() -> None:
        for one in exports.values():
            one.force_flush()
        sent.set()

    try:
        threading.Thread(target=send, name="ragkit-flush", daemon=True).start()
    except RuntimeError:  # the interpreter is ending
        return False
    if not sent.wait(seconds):
        _tell_unsent(exports, f"they took longer than {seconds:g} s")
        return False
    return True


def _calm(inner: "SpanExporter", address: str) -> "SpanExporter":
    """An exporter whose collector may be dead: that is said once, in a sentence."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Calm(SpanExporter):
        def export(self, spans: "Sequence[ReadableSpan]") -> SpanExportResult:
            with _quietly():
                try:
                    result = inner.export(spans)
                except Exception:
                    result = SpanExportResult.FAILURE
            if result is not SpanExportResult.SUCCESS:
                _tell_unsent([address], "is a collector listening there?")
            return result

        def shutdown(self) -> None:
            with _quietly():
                inner.shutdown()

    return Calm()


def _tell_unsent(addresses: Iterable[str], why: str) -> None:
    for address in set(addresses) - _told:
        _told.add(address)
        _log.warning("ragkit: traces could not be sent to %s (%s).", redacted(address), why.rstrip("."))


_NOISY = (
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.exporter.otlp.common.http",
    "opentelemetry.sdk._shared_internal",
    "opentelemetry.sdk.trace.export",
    "urllib3.connectionpool",
)
_quiet = threading.local()


@contextmanager
def _quietly() -> Iterator[None]:
    """What the exporter logs of our collectors is dropped; what it logs of the application's is not ours to drop."""
    before = getattr(_quiet, "on", False)
    _quiet.on = True
    try:
        yield
    finally:
        _quiet.on = before
