"""Spans nest, tell whoever listens, reach a collector, and harm nobody."""

import asyncio
import contextvars
import logging
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry import context, trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased

from ragkit import attributes, otlp, telemetry
from ragkit.errors import InvalidInput
from ragkit.model import ModelError
from ragkit.telemetry import record, recording, span, traced
from tests.ragkit import semconv


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.spans: dict[str, ReadableSpan] = {}
        self.texts: dict[str, dict[str, str]] = {}
        self.began: list[str] = []

    def started(self, span: ReadableSpan) -> None:
        self.began.append(span.name)

    def ended(self, span: ReadableSpan, texts: Mapping[str, str]) -> None:
        self.spans[span.name] = span
        self.texts[span.name] = dict(texts)

    def parent(self, name: str) -> str | None:
        above = self.spans[name].parent
        ids = {one.context.span_id: title for title, one in self.spans.items() if one.context}
        return None if above is None else ids.get(above.span_id, "outside")

    def said(self, name: str) -> dict[str, Any]:
        return dict(self.spans[name].attributes or {})


@pytest.fixture(autouse=True)
def no_texts_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(telemetry.SEND_TEXTS, raising=False)


def test_spans_nest_through_tasks_and_threads() -> None:
    heard = Heard()

    def thread() -> None:
        with span("in thread"):
            pass

    async def task(name: str) -> None:
        with span(name):
            await asyncio.sleep(0)
            await asyncio.to_thread(thread)

    async def ask() -> None:
        with recording(heard, True), span("root"):
            await asyncio.gather(task("one"), task("two"))
            with span("three"):
                await asyncio.sleep(0)
        with span("not in it"):
            pass

    asyncio.run(ask())
    assert set(heard.spans) == {"root", "one", "two", "three", "in thread"}
    assert {heard.parent(name) for name in ("one", "two", "three")} == {"root"}
    assert heard.parent("in thread") in ("one", "two")
    assert heard.began[0] == "root"


def test_attributes_become_what_opentelemetry_can_hold() -> None:
    heard = Heard()
    said = {
        "none": None, "money": Decimal("0.1"), "list": ["a", "b"], "mixed": [1, "a"], "map": {"a": {1}}, "big": 2**70,
        "half": "a\ud800b", "flag": True, "infinite": float("inf"),
    }  # fmt: skip
    with recording(heard, True), span("it", said, kind="client"):
        pass
    assert heard.said("it") == {
        "money": 0.1, "list": ("a", "b"), "mixed": '[1, "a"]', "map": '{"a": [1]}', "big": str(2**70), "half": "a?b",
        "flag": True, "infinite": "inf",
    }  # fmt: skip
    assert heard.spans["it"].kind is trace.SpanKind.CLIENT


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ModelError("It is busy: SECRET.", kind="overloaded"), "overloaded"),
        (ValueError("SECRET"), "ValueError"),
        (InvalidInput("SECRET"), "ragkit.errors.InvalidInput"),
        (ExceptionGroup("SECRET", [ModelError("SECRET", kind="rate")]), "rate"),
    ],
)
@pytest.mark.parametrize("texts", [True, False])
def test_an_error_is_its_kind_and_its_message_a_text(error: Exception, kind: str, texts: bool) -> None:
    heard = Heard()
    with recording(heard, texts), pytest.raises(type(error)), span("it"):
        raise error
    assert heard.spans["it"].status.status_code is trace.StatusCode.ERROR
    assert heard.said("it") == {"error.type": kind}
    assert ("SECRET" in str(heard.texts["it"])) is texts
    assert "SECRET" not in heard.spans["it"].to_json()


def test_a_cancellation_is_no_error() -> None:
    heard = Heard()

    async def slow() -> None:
        with span("slow"):
            await asyncio.sleep(60)

    async def ask() -> None:
        with recording(heard, True), span("root"):
            task = asyncio.create_task(slow())
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(ask())
    assert heard.said("slow") == {"ragkit.status": "cancelled"}
    assert heard.spans["slow"].status.is_ok


def test_texts_are_kept_only_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    open_, closed = Heard(), Heard()
    with recording(open_, True), recording(closed, False), span("it") as it:
        record(it, {"ragkit.question": "Why?", "gen_ai.input.messages": [{"role": "user"}], "none": None})
    assert open_.texts["it"] == {"ragkit.question": "Why?", "gen_ai.input.messages": '[{"role": "user"}]'}
    assert closed.texts["it"] == {}
    assert not open_.said("it")
    monkeypatch.setenv(telemetry.SEND_TEXTS, "true")
    for texts in (True, False):
        with recording(open_, texts), span("it") as it:
            record(it, {"ragkit.question": "Why?"})
        assert bool(open_.said("it")) is texts
    with span("outside of a recording, sent") as it:
        record(it, {"ragkit.question": "Why?"})
    assert dict(it.attributes or {}) == {"ragkit.question": "Why?"}  # type: ignore[attr-defined]


def test_keys_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "correct-horse-battery")
    attributes.hide("hunter2-hunter2")
    heard = Heard()
    quoted = f"no correct-horse-battery hunter2-hunter2 sk-{'a1' * 10} Bearer abc.def.ghi end"
    with recording(heard, True), pytest.raises(ValueError, match="no"), span("it", {"said": quoted}):
        raise ValueError(quoted)
    expected = "no [hidden] [hidden] [hidden] Bearer [hidden] end"
    assert heard.said("it")["said"] == heard.texts["it"]["exception.message"] == expected


def test_a_listener_that_fails_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Heard):
        def started(self, span: ReadableSpan) -> None:
            raise RuntimeError("it broke")

    outer = Heard()
    with recording(outer, True), recording(Broken(), True), span("one"), span("two"):
        pass
    assert set(outer.spans) == {"one", "two"}
    assert [one.getMessage() for one in caplog.records] == [
        "ragkit: Broken failed to listen (RuntimeError: it broke). The work goes on without it."
    ]


def test_functions_of_users_are_steps() -> None:
    heard = Heard()

    @traced
    def plain(secret: str) -> str:
        with span("below plain"):
            return secret

    @traced("a name")
    async def waiting(number: int) -> int:
        await asyncio.sleep(0)
        return number + 1

    @traced
    async def stream(count: int) -> AsyncIterator[int]:
        for at in range(count):
            with span("below stream"):
                await asyncio.sleep(0)
            yield at

    @traced
    def items() -> Iterator[int]:
        yield from (1, 2)

    async def ask() -> list[int]:
        got = []
        with recording(heard, True), span("root"):
            assert plain("SECRET") == "SECRET"
            assert await waiting(1) == 2
            async for at in stream(2):
                with span("between items"):
                    got.append(at)
            assert list(items()) == [1, 2]
        return got

    assert asyncio.run(ask()) == [0, 1]
    assert {name: heard.parent(name) for name in heard.spans} == {
        "root": None, "plain": "root", "below plain": "plain", "a name": "root", "stream": "root",
        "below stream": "stream", "between items": "root", "items": "root",
    }  # fmt: skip
    assert "SECRET" not in "".join(one.to_json() for one in heard.spans.values())
    assert plain.__name__ == "plain"


def test_a_generator_that_is_left_early_ends_its_step(caplog: pytest.LogCaptureFixture) -> None:
    heard = Heard()
    closed = []

    @traced
    async def stream() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append(True)

    async def ask() -> None:
        source = stream()
        with recording(heard, True), span("root"):
            async for _ in source:
                break
            await source.aclose()  # type: ignore[attr-defined]

    asyncio.run(ask())
    assert closed == [True]
    assert heard.said("stream")[telemetry.STATUS] == "cancelled"
    assert not caplog.records


def test_a_span_that_ends_in_another_context_leaves_no_trace_of_itself(caplog: pytest.LogCaptureFixture) -> None:
    manager = span("it")
    before = context.get_current()
    contextvars.copy_context().run(manager.__enter__)
    manager.__exit__(None, None, None)
    assert context.get_current() is before
    assert not caplog.records


def _theirs(monkeypatch: pytest.MonkeyPatch, sampler: Any = None) -> tuple[TracerProvider, InMemorySpanExporter]:
    kept = InMemorySpanExporter()
    provider = TracerProvider(sampler, Resource({"service.name": "their app"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return provider, kept


def test_spans_are_in_the_traces_of_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    provider, kept = _theirs(monkeypatch)
    heard = Heard()
    with provider.get_tracer("theirs").start_as_current_span("request"), recording(heard, True), span("ask"):
        pass
    ask, request = kept.get_finished_spans()
    assert (ask.name, ask.resource.attributes["service.name"]) == ("ask", "their app")
    assert ask.parent is not None
    assert request.context is not None
    assert ask.parent.span_id == request.context.span_id
    assert heard.parent("ask") == "outside"


@pytest.mark.parametrize("sampler", [ALWAYS_OFF, ParentBased(ALWAYS_OFF), TraceIdRatioBased(0)])
def test_what_the_application_does_not_sample_is_heard_but_not_sent(
    monkeypatch: pytest.MonkeyPatch, sampler: Any
) -> None:
    provider, kept = _theirs(monkeypatch, sampler)
    heard = Heard()
    with provider.get_tracer("theirs").start_as_current_span("request"), recording(heard, True), span("ask"), span("b"):
        pass
    assert heard.parent("b") == "ask"
    assert not kept.get_finished_spans()


# A collector


class Collector(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, status: int = 200, delay: float = 0) -> None:
        outer = self
        self.requests: list[tuple[str, dict[str, str], ExportTraceServiceRequest]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                time.sleep(delay)
                sent = ExportTraceServiceRequest.FromString(body)
                outer.requests.append((self.path, dict(self.headers), sent))
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def spans(self) -> dict[str, Any]:
        return {
            one.name: one
            for _, _, sent in self.requests
            for resource in sent.resource_spans
            for scope in resource.scope_spans
            for one in scope.spans
        }


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    yield server
    _forget()
    server.shutdown()
    server.server_close()


def _forget() -> None:
    """No collector any more, and without waiting for a dead one."""
    for export in [otlp._exports.pop(address) for address in list(otlp._exports)]:
        export.span_exporter.shutdown()
        export.shutdown()  # type: ignore[no-untyped-call]
    otlp._told.clear()


CHAT = {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude",
    "gen_ai.usage.input_tokens": 12, "gen_ai.response.finish_reasons": ["stop"], "server.address": "api.anthropic.com",
    "server.port": 443, "ragkit.cost": Decimal("0.25"),
}  # fmt: skip


def test_a_collector_gets_the_tree(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20abc")
    otlp.export_to(collector.url)
    otlp.export_to(collector.url + "/")
    with span("invoke_workflow ask", {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "ask"}):
        with span("chat claude", CHAT, kind="client") as chat:
            record(chat, {"gen_ai.input.messages": "SECRET"})
        with pytest.raises(ModelError), span("chat claude 2", kind="client"):
            raise ModelError("SECRET", kind="rate")
    assert otlp.flush(5)
    ((path, headers, sent),) = collector.requests
    assert path == "/v1/traces"
    assert headers["authorization"] == "Basic abc"
    (resource,) = sent.resource_spans
    assert {pair.key: pair.value.string_value for pair in resource.resource.attributes}["service.name"] == "ragkit"
    assert resource.scope_spans[0].scope.name == "ragkit"
    root, chat_sent, failed = (collector.spans[one] for one in ("invoke_workflow ask", "chat claude", "chat claude 2"))
    assert not root.parent_span_id
    assert chat_sent.parent_span_id == failed.parent_span_id == root.span_id
    assert chat_sent.trace_id == root.trace_id
    assert (root.kind, chat_sent.kind) == (1, 3)
    assert semconv.attributes_of(chat_sent) == {**CHAT, "ragkit.cost": 0.25}
    assert (failed.status.code, semconv.attributes_of(failed)) == (2, {"error.type": "rate"})
    assert b"SECRET" not in sent.SerializeToString()
    assert semconv.of_otlp([root, chat_sent, failed]) == []


def test_the_environment_says_where(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    otlp.export_to()
    assert not otlp._exports
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv(telemetry.SEND_TEXTS, "true")
    otlp.export_to()
    with span("it") as it:
        record(it, {"ragkit.question": "Why?"})
    assert otlp.flush(5)
    assert semconv.attributes_of(collector.spans["it"]) == {"ragkit.question": "Why?"}


def test_a_place_that_is_none_is_told() -> None:
    with pytest.raises(InvalidInput, match="Write it as http"):
        otlp.export_to("localhost:4318")


def test_an_environment_that_is_meant_for_others_is_only_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317")
    for _ in range(2):
        otlp.export_to()
    (said,) = caplog.messages
    assert said.endswith("('localhost:4317/v1/traces' is no place for traces. Write it as http://localhost:4318).")
    assert not otlp._exports
    _forget()


def test_an_application_that_exports_by_itself_is_not_sent_for(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    otlp.export_to()
    sent = list(otlp._exports)
    _forget()
    assert sent == [], "every span would be there twice"


def test_an_application_that_flushes_its_provider_flushes_collectors(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    otlp.export_to(collector.url)
    with span("it"), provider.get_tracer("theirs").start_as_current_span("not ours"):
        pass
    assert provider.force_flush(5_000)
    assert list(collector.spans) == ["it"]


@pytest.mark.parametrize("status", [400, 503])
def test_a_collector_that_refuses_is_told_of_once(status: int, caplog: pytest.LogCaptureFixture) -> None:
    server = Collector(status)
    try:
        otlp.export_to(server.url)
        for _ in range(3):
            with span("it"):
                pass
            otlp.flush(0.5)
        assert [one.levelno for one in caplog.records] == [logging.WARNING]
        assert "could not be sent" in caplog.text
    finally:
        _forget()
        server.shutdown()
        server.server_close()


def test_a_collector_that_hangs_slows_nothing(caplog: pytest.LogCaptureFixture) -> None:
    server = Collector(delay=30)
    try:
        otlp.export_to(server.url)
        began = time.monotonic()
        for _ in range(3000):  # more than the queue holds
            with span("it"):
                pass
        assert not otlp.flush(0.2)
        assert time.monotonic() - began < 20, "not the 30 that it hangs"
        assert len(caplog.records) == 1
    finally:
        _forget()
        server.shutdown()
        server.server_close()


def run(code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment, timeout=60
    )


def test_a_dead_collector_is_one_line_at_the_end_of_a_program() -> None:
    done = run(
        "from ragkit import otlp, telemetry\notlp.export_to('http://127.0.0.1:9')\n"
        "with telemetry.span('it'): pass\nprint('done')"
    )
    assert done.stdout == "done\n"
    assert done.stderr.count("\n") == 1
    assert "could not be sent to http://127.0.0.1:9/v1/traces" in done.stderr


def test_where_nobody_listens_the_sdk_is_not_imported() -> None:
    code = (
        "import sys; from ragkit.telemetry import span, record, traced\n"
        "assert not [one for one in sys.modules if one.startswith('opentelemetry')]\n"
        "with span('it') as it: record(it, {'a': 'b'}); assert not it.is_recording()\n"
        "print('opentelemetry.sdk.trace' in sys.modules)"
    )
    assert run(code).stdout == "False\n"


def test_it_can_be_switched_off() -> None:
    code = (
        "from ragkit.telemetry import span, recording, record\nfrom ragkit.tracecollector import Collector\n"
        "c = Collector(True)\nwith recording(c, True), span('it') as it: record(it, {'a': 'b'})\nprint(c.trace)"
    )
    assert run(code, OTEL_SDK_DISABLED="true").stdout == "None\n"


def test_the_conventions_are_checked() -> None:
    assert semconv.violations("chat claude", "client", dict(CHAT)) == []
    assert semconv.missing(CHAT) == ["gen_ai.response.model", "gen_ai.usage.output_tokens"]
    wrong = {**CHAT, "gen_ai.usage.input_tokens": "12", "gen_ai.usage.tokens": 1, "gen_ai.input.messages": "…"}
    del wrong["gen_ai.provider.name"], wrong["server.port"]
    said = "\n".join(semconv.violations("chat", "server", wrong, failed=True))
    for words in ("wrong type", "no attribute", "opt-in", "provider.name is required", "without server.port",
                  "without error.type", "its kind is server", "'chat claude'"):  # fmt: skip
        assert words in said
    assert semconv.violations("execute_tool x", "internal", {"gen_ai.operation.name": "execute_tool"})
    assert semconv.violations("x", "internal", {"gen_ai.request.model": "m"})
    assert semconv.violations("anything", "internal", {"ragkit.n": 1}) == []
