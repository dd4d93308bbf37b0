"""What a collector gets of real asks: whole trees, by the conventions, and nothing that anybody said."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import ragkit
from ragkit import otlp, telemetry, weather
from ragkit.answer import Answer
from ragkit.model import Message, ModelError, Request
from ragkit.trace import Trace
from ragkit.tracestore import FILE, TraceStore
from tests import asks
from tests.faulttable import PROVIDERS, Tower
from tests.ragkit import semconv
from tests.ragkit.test_telemetry import Collector, _forget
from tests.wire import Turn, WireServer

QUESTION = "How high is the tower of Delft?"
SAID = "It is 43 metres high, as the sign at its door says. [1]"
WELL = Turn(SAID, input_tokens=70, output_tokens=9, cached_tokens=20, written_tokens=30)
RETRIED = (Turn(fault="error"), Turn(fault="overloaded"), Turn(fault="rate", retry_after="0.01"), WELL)
"""The first model is tried twice, the second answers when it is tried again."""
UNSAID = (
    "Delft", "tower", "metres", "passage", "sign at its door", "Ignore", "test-key", "Internal server error",
    "Rate limit",
)  # fmt: skip
"""Of the question, the documents, the prompt, the answer, what servers say of errors, and the keys."""


@dataclass
class Sent:
    """All that came to the collector."""

    collector: Collector

    @property
    def spans(self) -> list[Any]:
        return [
            one
            for _, _, sent in self.collector.requests
            for resource in sent.resource_spans
            for scope in resource.scope_spans
            for one in scope.spans
        ]

    @property
    def bytes(self) -> bytes:
        return b"".join(sent.SerializeToString() for _, _, sent in self.collector.requests)

    def tree(self) -> Counter[tuple[str, str]]:
        """Each span's name, and that of the one above it."""
        names = {one.span_id: one.name for one in self.spans}
        return Counter((one.name, names.get(one.parent_span_id, "")) for one in self.spans)

    def calls(self) -> list[Any]:
        return sorted((one for one in self.spans if one.name == "chat test"), key=lambda one: one.start_time_unix_nano)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sent]:
    monkeypatch.setattr(weather, "BASE", 0.01)
    monkeypatch.delenv(telemetry.SEND_TEXTS, raising=False)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key-anthropic")
    monkeypatch.setenv("OPENAI_API_KEY", "test-key-openai")
    server = Collector()
    yield Sent(server)
    _forget()
    server.shutdown()
    server.server_close()


Work = Callable[[ragkit.Workspace], Answer | None]


def whole(place: ragkit.Workspace) -> Answer:
    return place.ask(QUESTION)


def streamed(place: ragkit.Workspace) -> Answer:
    *_, answer = place.stream(QUESTION)
    assert isinstance(answer, Answer)
    return answer


def play(folder: Path, sent: Sent, turns: tuple[Turn, ...], work: Work, more: str = "") -> Answer | None:
    """What comes of it, once all its spans have been sent."""
    with WireServer(list(turns)) as server:
        settings = asks.models(server.url, timeout=5, more="tries = 2")
        place = asks.workspace(folder, f'{settings}\n[trace]\notlp = "{sent.collector.url}"\n{more}')
        try:
            answer = work(place)
        except ModelError:
            answer = None
        place.close()
        assert len(server.seen) == len(turns)
    assert otlp.flush(10)
    return answer


def kept(folder: Path) -> Trace:
    return TraceStore(folder / ".ragkit" / FILE).get("last")


@pytest.mark.parametrize("work", [whole, streamed])
def test_the_spans_of_an_ask_are_one_tree_by_the_conventions(tmp_path: Path, sent: Sent, work: Work) -> None:
    answer = play(tmp_path, sent, RETRIED, work)
    assert answer is not None
    assert (answer.text, answer.model) == (SAID, "openai:test")
    assert {path for path, _, _ in sent.collector.requests} == {"/v1/traces"}
    assert sent.tree() == Counter({
        ("invoke_workflow ask", ""): 1,
        ("plan", "invoke_workflow ask"): 1,
        ("retrieval", "invoke_workflow ask"): 1,
        ("verify", "invoke_workflow ask"): 1,
        ("write", "invoke_workflow ask"): 1,
        ("chat test", "write"): 4,
    })  # fmt: skip
    assert {one.trace_id.hex() for one in sent.spans} == {answer.trace}
    assert semconv.of_otlp(sent.spans) == []
    assert semconv.of_trace(kept(tmp_path)) == []


@pytest.mark.parametrize("work", [whole, streamed])
def test_each_try_is_a_span_with_its_model_and_its_error_or_its_usage(tmp_path: Path, sent: Sent, work: Work) -> None:
    answer = play(tmp_path, sent, RETRIED, work)
    assert answer is not None
    calls = [semconv.attributes_of(one) for one in sent.calls()]
    assert [(one["gen_ai.provider.name"], one["ragkit.attempts"], one.get("error.type")) for one in calls] == [
        ("anthropic", 1, "server"), ("anthropic", 2, "overloaded"), ("openai", 1, "rate"), ("openai", 2, None),
    ]  # fmt: skip
    assert [one.status.code for one in sent.calls()] == [2, 2, 2, 0]
    assert all(one["gen_ai.request.model"] == "test" and one["gen_ai.request.max_tokens"] == 1024 for one in calls)
    assert all(one.get("gen_ai.request.stream", False) == (work is streamed) for one in calls), (
        "it is required of what is streamed, and of nothing else"
    )
    last = calls[-1]
    assert last["gen_ai.response.finish_reasons"] == ["end"]
    assert last["gen_ai.usage.input_tokens"] == 120, "by the conventions with what a prompt cache had or took"
    assert last["gen_ai.usage.output_tokens"] == 9
    assert last["gen_ai.usage.cache_read.input_tokens"] == 20
    assert last["gen_ai.usage.cache_creation.input_tokens"] == 30
    assert answer.usage.tokens == 129
    assert float(last["ragkit.cost"]) == pytest.approx(float(answer.usage.money))
    ids = {step.id: step for step in kept(tmp_path).spans}
    assert {one.span_id.hex() for one in sent.spans} == ids.keys()
    for one in sent.spans:
        said, step = semconv.attributes_of(one), ids[one.span_id.hex()]
        assert {key for key in said if key != telemetry.STATUS} == step.attributes.keys(), "kept is what was sent"


def test_where_a_model_is_asked_is_said(tmp_path: Path, sent: Sent) -> None:
    play(tmp_path, sent, RETRIED, whole)
    for one in map(semconv.attributes_of, sent.calls()):
        assert one["server.address"] == "127.0.0.1"
        assert isinstance(one["server.port"], int)


def partial(place: ragkit.Workspace) -> Answer:
    answer = streamed(place)
    assert answer.partial
    return answer


def twice(place: ragkit.Workspace) -> Answer:
    place.ask(QUESTION)
    again = place.ask(QUESTION)
    assert again.cached
    return again


def late(place: ragkit.Workspace) -> Answer:
    answer = place.ask(QUESTION, model="anthropic:test", seconds=1.5)
    assert answer.partial
    return answer


def of_a_form(place: ragkit.Workspace) -> None:
    place.reply(Request((Message("user", QUESTION),), schema=Tower))


FAILED = Turn(fault="error")
SCENES: dict[str, tuple[tuple[Turn, ...], Work, str]] = {
    "no model answers": ((FAILED,) * 4, whole, ""),
    "no model answers a stream": ((FAILED,) * 4, streamed, ""),
    "a stream breaks off": ((Turn(SAID, fault="truncated"),), partial, ""),
    "the deadline": ((Turn(delay=30),), late, ""),
    "a refusal": ((Turn("I cannot.", stop="refusal"),), whole, ""),
    "a reply from memory": ((WELL,), twice, ""),
    "an answer from memory": ((WELL,), twice, "[cache]\nsemantic = 0.9\n"),
    "a budget": ((), whole, "[ask]\ncalls = 0\n"),
    "a form, at the second try": ((Turn('{"town": "Delft"}'), Turn('{"town": "Delft", "metres": 43}')), of_a_form, ""),
}


@pytest.mark.parametrize("scene", SCENES)
def test_whatever_becomes_of_an_ask_its_spans_keep_to_the_conventions(tmp_path: Path, sent: Sent, scene: str) -> None:
    turns, work, more = SCENES[scene]
    answer = play(tmp_path, sent, turns, work, more)
    assert len(sent.calls()) == len(turns)
    assert semconv.of_otlp(sent.spans) == []
    if work is not of_a_form:
        trace = kept(tmp_path)
        assert semconv.of_trace(trace) == []
        assert answer is None or answer.trace == trace.id
        assert {one.trace_id.hex() for one in sent.spans} >= {trace.id}
    _nothing_said(sent)
    if "no model" in scene:
        (root,) = (one for one in sent.spans if not one.parent_span_id)
        assert semconv.attributes_of(root)["error.type"] == "server"


@pytest.mark.parametrize("work", [whole, streamed])
def test_what_anybody_said_does_not_leave_the_process(tmp_path: Path, sent: Sent, work: Work) -> None:
    play(tmp_path, sent, RETRIED, work)
    _nothing_said(sent)
    assert b"invoke_workflow ask" in sent.bytes, "or nothing would be there to be found"
    texts = "".join(text for step in kept(tmp_path).spans for text in step.texts.values())
    assert QUESTION in texts, "and what is kept at home has it"


def test_who_opts_in_sends_texts_and_still_no_key(tmp_path: Path, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(telemetry.SEND_TEXTS, "true")
    echo = Turn(fault="raw", status=400, body='{"error": {"message": "Not with test-key-anthropic."}}')
    play(tmp_path, sent, (echo, WELL), whole)
    assert QUESTION.encode() in sent.bytes
    assert b"Not with" in sent.bytes
    assert not any(f"test-key-{provider}".encode() in sent.bytes for provider in PROVIDERS)
    assert semconv.of_otlp(sent.spans, texts=True) == []


def _nothing_said(sent: Sent) -> None:
    found = [words for words in UNSAID if words.lower().encode() in sent.bytes.lower()]
    assert not found
