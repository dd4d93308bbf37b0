"""OpenAIModel, over real HTTP and with the real SDK, against servers that fail as real ones do."""

import asyncio
import gc
import json
import logging
import pickle
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal, TypeVar

import anyio
import pytest
from pydantic import BaseModel, Field

from ragkit.errors import InvalidInput
from ragkit.model import Message, ModelError, Passage, Reply, Request, ToolCall, ToolSpec, Usage
from ragkit.modelsettings import ModelSettings
from ragkit.openaifailure import failure
from ragkit.openaiform import json_within, response_format
from ragkit.openaimodel import OpenAIModel
from ragkit.openaiserver import Server
from ragkit.providers import make_model
from tests.wire import Seen, Turn, WireServer, dead_port

KEY = "sk-proj-a-very-secret-key-0123456789"
ASKED = Request((Message("user", "How much?"),), system="Be brief.")
T = TypeVar("T")


class City(BaseModel):
    name: str
    people: int | None = None


WITH_SCHEMA = Request((Message("user", "Which city?"),), schema=City)
WITH_TOOLS = Request(
    (Message("user", "Weather?"),),
    tools=(ToolSpec("weather", "Of a city.", {"type": "object", "properties": {"city": {"type": "string"}}}),),
)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def use(base_url: str, work: Callable[[OpenAIModel], Awaitable[T]], **settings: Any) -> T:
    async def main() -> T:
        model = OpenAIModel("wire", ModelSettings(base_url=base_url, **settings))
        try:
            return await work(model)
        finally:
            await model.aclose()

    gc.freeze()  # what is older was looked at before
    try:
        return asyncio.run(main())
    finally:
        gc.collect()  # what was left open warns, and a warning is an error


def ask(server: WireServer, request: Request = ASKED, **settings: Any) -> Reply:
    return use(f"{server.url}/v1", lambda model: model.areply(request), **settings)


def listen(server: WireServer, request: Request = ASKED, **settings: Any) -> tuple[list[str], Reply]:
    return use(f"{server.url}/v1", lambda model: heard(model, request), **settings)


async def heard(model: OpenAIModel, request: Request) -> tuple[list[str], Reply]:
    *pieces, last = [piece async for piece in model.astream(request)]
    assert isinstance(last, Reply)
    return [piece for piece in pieces if isinstance(piece, str)], last


async def taken(model: OpenAIModel, request: Request = ASKED, way: str = "whole") -> Reply:
    """The reply, once the server has told how it wants to be asked; as `weather` asks for it."""
    for _ in range(5):
        try:
            return await model.areply(request) if way == "whole" else (await heard(model, request))[1]
        except ModelError as error:
            if (error.kind, error.retryable, error.retry_after) != ("learnt", True, 0):
                raise
    raise AssertionError("it never ends")


def either(way: str, server: WireServer, request: Request = ASKED, **settings: Any) -> Reply:
    return ask(server, request, **settings) if way == "whole" else listen(server, request, **settings)[1]


def raw(body: Any, status: int = 200) -> Turn:
    return Turn(fault="raw", status=status, body=body if isinstance(body, str) else json.dumps(body))


def completion(message: dict[str, Any], finish: str | None = "stop", **more: Any) -> Turn:
    return raw({"choices": [{"message": message, "finish_reason": finish}], **more})


both = pytest.mark.parametrize("way", ["whole", "stream"])


def test_a_reply_and_what_was_sent() -> None:
    with WireServer([Turn("Ten.", input_tokens=7, output_tokens=3, cached_tokens=90)]) as server:
        request = Request(
            (Message("user", "How much \ud800?"),), "Be brief.", (Passage(1, "Plan", "Ten."),), temperature=0.0
        )
        reply = ask(server, request)
    assert reply == Reply("Ten.", "openai:wire", "end", Usage(7, 3, cache_read=90))
    sent = server.seen[0]
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.body["max_tokens"] == 1024
    assert sent.body["temperature"] == 0.0
    assert sent.body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert '<passage n="1"' in sent.body["messages"][1]["content"]
    assert sent.body.keys() == {"model", "messages", "max_tokens", "temperature"}


def test_a_stream() -> None:
    with WireServer([Turn("One two three.", cached_tokens=4)]) as server:
        pieces, reply = listen(server)
    assert pieces == ["One", " two", " three."]
    assert reply == Reply("One two three.", "openai:wire", "end", Usage(10, 5, cache_read=4))
    assert "temperature" not in server.seen[0].body


def test_tokens_written_to_the_cache_are_not_among_input() -> None:
    with WireServer([Turn(input_tokens=3, cached_tokens=4, written_tokens=5)]) as server:
        assert ask(server).usage == Usage(3, 5, 4, 5)


@both
def test_a_server_that_does_not_count(way: str) -> None:
    with WireServer([Turn(usage=False)]) as server:
        assert either(way, server).usage is None


@both
def test_a_round_of_tools(way: str) -> None:
    with WireServer([Turn("", calls=(("weather", {"city": "Zürich"}), ("weather", {})))]) as server:
        reply = either(way, server, WITH_TOOLS)
    assert reply.stop == "tools"
    assert [(call.name, call.arguments) for call in reply.calls] == [("weather", {"city": "Zürich"}), ("weather", {})]
    assert server.seen[0].tools == ("weather",)
    first, second = reply.calls
    told = (
        Message("assistant", calls=reply.calls),
        Message("tool", "rain", answers=first.id),
        Message("tool", "sun", answers=second.id),
    )
    with WireServer([Turn("Rain.")]) as server:
        assert either(way, server, Request((*WITH_TOOLS.messages, *told))).text == "Rain."
    _, asked, rain, _ = server.seen[0].body["messages"]
    assert asked["tool_calls"][0] == {
        "id": first.id,
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Z\\u00fcrich"}'},
    }
    assert asked["content"] is None
    assert rain == {"role": "tool", "tool_call_id": first.id, "content": "rain"}


@both
@pytest.mark.parametrize("arguments", ["[1]", '{"city": ', "Zürich"])
def test_arguments_that_are_no_object(way: str, arguments: str) -> None:
    with WireServer([Turn("", calls=(("weather", arguments),))]) as server, pytest.raises(ModelError) as failed:
        either(way, server, WITH_TOOLS)
    assert failed.value.kind == "broken"
    assert failed.value.usage == Usage(10, 5)


def test_calls_as_odd_servers_make_them() -> None:
    call = {"function": {"name": "weather", "arguments": {"city": "Bern"}}}
    empty = {"id": "", "function": {"name": "now", "arguments": ""}}
    with WireServer([completion({"content": None, "tool_calls": [call, empty]}, "stop")]) as server:
        reply = ask(server)
    assert reply.stop == "tools"
    assert [(one.name, one.arguments) for one in reply.calls] == [("weather", {"city": "Bern"}), ("now", {})]
    assert len({one.id for one in reply.calls}) == 2
    assert all(one.id for one in reply.calls)
    legacy = {"content": "", "function_call": {"name": "weather", "arguments": "{}"}}
    with WireServer([completion(legacy, "function_call")]) as server:
        assert ask(server).calls[0].name == "weather"


@both
@pytest.mark.parametrize(
    ("turn", "stop"),
    [
        (Turn("I cannot help.", stop="refusal"), "refusal"),
        (Turn("Cannot", stop="filtered"), "refusal"),
        (Turn("And so", stop="length"), "length"),
        (Turn("", fault="empty"), "end"),
        (Turn("Done", stop="eos"), "end"),
    ],
)
def test_how_it_stopped(way: str, turn: Turn, stop: str) -> None:
    with WireServer([turn]) as server:
        reply = either(way, server)
    assert (reply.stop, reply.text) == (stop, turn.text)


@both
@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("<think>\nWell, hm.\n</think>\n\nTen.", "Ten."),
        ("\n<think></think> Ten.", "Ten."),
        ("<think>Only thoughts.</think>", ""),
        ("Ten <think>hm</think>", "Ten <think>hm</think>"),
        ("<thinking is hard", "<thinking is hard"),
        ("<think>never closed", "<think>never closed"),
        ("<thi", "<thi"),
    ],
)
def test_reasoning_is_not_part_of_the_text(way: str, said: str, text: str) -> None:
    with WireServer([Turn(said)]) as server:
        assert either(way, server).text == text
    if way == "stream":
        with WireServer([Turn(said)]) as server:
            assert "".join(listen(server)[0]) == text


def test_a_text_in_parts() -> None:
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Te"}, {"type": "text", "text": "n."}]
    with WireServer([completion({"content": parts}, None)]) as server:
        assert ask(server).text == "Ten."


@both
def test_a_schema_that_the_server_enforces(way: str) -> None:
    with WireServer([Turn('{"name": "Bern", "people": null}')]) as server:
        assert json.loads(either(way, server, WITH_SCHEMA).text) == {"name": "Bern", "people": None}
    form = server.seen[0].body["response_format"]["json_schema"]
    assert form["strict"] is True
    assert form["schema"]["required"] == ["name", "people"]
    assert form["schema"]["additionalProperties"] is False
    assert "system" not in [one["role"] for one in server.seen[0].body["messages"]]


@both
def test_a_form_that_is_refused_is_asked_for_in_another_way(way: str) -> None:
    def script(seen: Seen) -> Turn:
        form = seen.body.get("response_format")
        if form and form["type"] == "json_schema":
            return Turn(fault="no_schema")
        if form:
            return raw({"error": "'response_format.type' must be 'json_schema' or 'text'"}, 400)
        return Turn('Here it is:\n```json\n{"name": "Bern"}\n```\nWith [regards].')

    async def work(model: OpenAIModel) -> list[Reply]:
        return [await taken(model, WITH_SCHEMA, way) for _ in range(2)]

    with WireServer(script) as server:
        for reply in use(f"{server.url}/v1", work):
            assert City.model_validate_json(reply.text) == City(name="Bern")
    assert [(one.body.get("response_format") or {}).get("type") for one in server.seen] == [
        "json_schema", "json_object", None, None,
    ]  # fmt: skip
    assert '"people"' in server.seen[1].prompt
    assert '"people"' in server.seen[3].prompt


def test_a_schema_that_is_too_much_says_nothing_of_others() -> None:
    class Odd(BaseModel):
        any: dict[str, int]

    def script(seen: Seen) -> Turn:
        if seen.schema and "any" in seen.schema["properties"]:
            return raw({"error": {"message": "Invalid schema for response_format 'Odd': no."}}, 400)
        return Turn('{"name": "Bern"}')

    async def work(model: OpenAIModel) -> None:
        for schema in (Odd, Odd, City):
            await taken(model, Request(ASKED.messages, schema=schema))

    with WireServer(script) as server:
        use(f"{server.url}/v1", work)
    types = [one.body["response_format"]["type"] for one in server.seen]
    assert types == ["json_schema", "json_object", "json_object", "json_schema"]
    assert "strict" not in server.seen[0].body["response_format"]["json_schema"]


def test_a_form_that_is_pinned_is_not_left() -> None:
    with WireServer([Turn('{"name": "Bern"}')]) as server:
        ask(server, WITH_SCHEMA, form="object")
        assert server.seen[0].body["response_format"] == {"type": "json_object"}
    with WireServer([Turn(fault="no_schema")]) as server, pytest.raises(ModelError) as failed:
        ask(server, WITH_SCHEMA, form="schema")
    assert failed.value.kind == "request"


def test_other_refusals_do_not_cost_the_schema() -> None:
    echo = [{"loc": ["body", "messages"], "msg": "bad", "input": {"response_format": "unsupported stream_options"}}]

    async def work(model: OpenAIModel) -> None:
        for _ in range(2):
            with pytest.raises(ModelError):
                await model.areply(WITH_SCHEMA)
        await model.areply(WITH_SCHEMA)

    long = {"error": {"message": "maximum context length exceeded, with the json_schema"}}
    turns = [raw(long, 400), raw({"detail": echo}, 422), Turn("{}")]
    with WireServer(turns) as server:
        use(f"{server.url}/v1", work)
    assert all(one.schema for one in server.seen)


def test_strict_where_the_schema_allows() -> None:
    class Cat(BaseModel):
        kind: Literal["cat"] = "cat"
        name: str = Field(min_length=1, max_length=9, examples=["Tom"])

    class Dog(BaseModel):
        kind: Literal["dog"] = "dog"
        title: str = "Sir"

    class Pets(BaseModel):
        pets: list[Cat | Dog] = Field(max_length=3)
        first: Cat | Dog = Field(discriminator="kind")

    class Pair(BaseModel):
        pair: tuple[int, str]

    told = response_format(Pets, "schema")
    assert told is not None
    form = told["json_schema"]
    assert form["strict"] is True
    assert set(form["schema"]["$defs"]["Dog"]["properties"]) == {"kind", "title"}, "properties may be named as keywords"
    assert form["schema"]["properties"]["first"].keys() == {"anyOf"}
    assert form["schema"]["properties"]["pets"]["maxItems"] == 3
    assert not {'"default"', '"minLength"', '"oneOf"'} & set(json.dumps(form).replace(":", " ").split())
    loose = response_format(Pair, "schema")
    assert loose is not None
    assert "strict" not in loose["json_schema"]


@pytest.mark.parametrize(
    ("text", "json_text"),
    [
        ('{"a": 1}', '{"a": 1}'),
        (' [{"a": 1}]\n', ' [{"a": 1}]\n'),
        ('```json\n{"a": "}"}\n```', '{"a": "}"}'),
        ('As [1] says: {"a": {"b": [2]}} – see {x}.', '{"a": {"b": [2]}}'),
        ('{"a": [{"b": 1}, {"b": 2}', '{"a": [{"b": 1}, {"b": 2}'),
        ("{'a': {\"b\": 1}}", "{'a': {\"b\": 1}}"),
        ("No JSON at all.", "No JSON at all."),
        ("[" * 100_000, "[" * 100_000),
        ("", ""),
    ],
)
def test_json_within_a_text(text: str, json_text: str) -> None:
    assert json_within(text) == json_text


def test_the_name_of_the_limit_is_learnt() -> None:
    def script(seen: Seen) -> Turn:
        if "max_tokens" in seen.body:
            said = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'."
            return raw({"error": {"message": said, "param": "max_tokens", "code": "unsupported_parameter"}}, 400)
        return Turn()

    async def work(model: OpenAIModel) -> None:
        with pytest.raises(ModelError, match="wants to be asked in another way: Unsupported parameter") as failed:
            await model.areply(ASKED)
        assert failed.value.kind == "learnt"
        assert len(server.seen) == 1, "a call is one request"
        await model.areply(ASKED)
        await model.areply(ASKED)

    with WireServer(script) as server:
        use(f"{server.url}/v1", work)
    assert ["max_tokens" in one.body for one in server.seen] == [True, False, False]


def test_a_server_that_takes_neither_name_of_the_limit() -> None:
    def script(seen: Seen) -> Turn:
        name = next(one for one in ("max_tokens", "max_completion_tokens") if one in seen.body)
        return raw({"error": {"message": f"Unknown parameter: {name}"}}, 400)

    async def work(model: OpenAIModel) -> None:
        for _ in range(2):
            with pytest.raises(ModelError) as failed:
                await taken(model)
            assert failed.value.kind == "request"

    with WireServer(script) as server:
        use(f"{server.url}/v1", work)
    assert len(server.seen) == 3


def test_a_server_that_is_changed_while_it_is_asked() -> None:
    takes = ["max_completion_tokens"]

    def script(seen: Seen) -> Turn:
        name = next(one for one in ("max_tokens", "max_completion_tokens") if one in seen.body)
        return Turn() if name in takes else raw({"error": {"message": f"Unknown parameter: {name}"}}, 400)

    async def work(model: OpenAIModel) -> None:
        for takes[0] in ("max_completion_tokens", "max_tokens", "max_completion_tokens"):
            await taken(model)

    with WireServer(script) as server:
        use(f"{server.url}/v1", work)
    assert len(server.seen) == 6


def test_what_is_learnt_late_is_not_learnt_again() -> None:
    """One that was asked long ago must not take back what the others have learnt."""

    def script(seen: Seen) -> Turn:
        form = seen.body.get("response_format")
        first = seen.number == 1
        return Turn(fault="no_schema", delay=0.5 if first else 0) if form else Turn('{"name": "Bern"}')

    async def work(model: OpenAIModel) -> None:
        late = asyncio.ensure_future(taken(model, WITH_SCHEMA))
        await asyncio.to_thread(server.wait, lambda one: one.open == 1)
        await taken(model, WITH_SCHEMA)
        await late

    with WireServer(script) as server:
        use(f"{server.url}/v1", work)
    assert len(server.seen) == 5, "late: schema, then nothing; the other: schema, object, nothing"


def test_a_limit_that_is_too_large_keeps_its_name() -> None:
    said = "max_tokens is too large: 100000. This model supports at most 16384 completion tokens."
    with WireServer([raw({"error": {"message": said, "param": "max_tokens"}}, 400)]) as server:
        with pytest.raises(ModelError, match="too large") as failed:
            ask(server)
        assert len(server.seen) == 1
    assert failed.value.kind == "request"


def test_what_was_counted_before_it_failed() -> None:
    chunks = [
        {"choices": [{"delta": {"content": "Te"}}], "usage": {"prompt_tokens": 8, "completion_tokens": 1}},
        {"error": {"message": "boom", "code": 503}},
    ]
    events = "".join(f"data: {json.dumps(one)}\n\n" for one in chunks)
    with pytest.raises(ModelError, match="boom") as failed:
        asyncio.run(_over_a_socket(b"content-type: text/event-stream\r\n\r\n" + events.encode()))
    assert (failed.value.kind, failed.value.usage) == ("overloaded", Usage(8, 1))


def test_a_stream_without_stream_options() -> None:
    def script(seen: Seen) -> Turn:
        detail = [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs not permitted"}]
        return raw({"detail": detail}, 422) if "stream_options" in seen.body else Turn("Ten.")

    with WireServer(script) as server:
        reply = use(f"{server.url}/v1", lambda model: taken(model, way="stream"))
    assert reply == Reply("Ten.", "openai:wire")
    assert len(server.seen) == 2


@both
@pytest.mark.parametrize(
    ("turn", "kind"),
    [
        (Turn(fault="rate"), "rate"),
        (Turn(fault="quota"), "request"),
        (Turn(fault="error"), "server"),
        (Turn(fault="overloaded"), "overloaded"),
        (Turn(fault="auth"), "key"),
        (Turn(fault="context"), "context"),
        (Turn(fault="bad_request"), "request"),
        (Turn(fault="html"), "server"),
        (Turn(fault="html", status=503), "overloaded"),
        (Turn(fault="html", status=200), "broken"),
        (Turn(fault="invalid_json"), "broken"),
        (Turn("one two three four", fault="half"), "broken"),
        (Turn("one two three four", fault="truncated"), "broken"),
        (Turn("one two three four", fault="error_in_stream"), "server"),
        (Turn("one two three four", fault="reset_midway"), "connection"),
        (Turn(fault="reset"), "connection"),
        (Turn(fault="no_choices"), "broken"),
        (raw("[]"), "broken"),
        (raw("null"), "broken"),
        (raw('{"choices": "no"}'), "broken"),
        (raw({"error": {"message": "slow down", "code": 429}}), "rate"),
        (raw({"error": {"message": "slow down", "type": "rate_limit_error"}}), "rate"),
        (raw({"error": {"message": "Provider returned error", "code": 502}}), "server"),
        (raw({"error": "Unexpected endpoint or method. (POST /chat/completions)"}), "request"),
        (raw({"choices": [{"error": {"code": 503}, "message": {"content": ""}}]}), "overloaded"),
        (raw({"error": {"message": "the request exceeds the available context size"}}, 400), "context"),
        (raw({"message": "prompt is too long"}, 400), "context"),
        (raw({"error": {"message": "This model's maximum context length is 8 tokens"}}, 422), "context"),
        (raw({"error": {"message": "no"}}, 402), "request"),
        (raw({"error": {"message": "not in your country"}}, 403), "key"),
        (raw({"error": {"message": "gone"}}, 404), "request"),
        (raw("", 408), "timeout"),
        (raw("", 504), "timeout"),
        (raw("", 529), "overloaded"),
        (raw("", 409), "request"),
        (raw("{", 500), "server"),
    ],
)
def test_faults(way: str, turn: Turn, kind: str) -> None:
    with WireServer([turn]) as server, pytest.raises(ModelError) as failed:
        either(way, server)
    error = failed.value
    assert error.kind == kind
    assert error.reason.startswith(f"openai:wire at 127.0.0.1:{server.port} ")
    assert error.reason.endswith(".")
    assert error.reason[-2] not in ".!?"
    assert error.hint.endswith(".")
    assert error.model == "openai:wire"
    assert len(server.seen) == 1, "the SDK does not try again on its own"
    assert pickle.loads(pickle.dumps(error)).kind == kind


def test_a_server_that_is_not_there() -> None:
    async def work(model: OpenAIModel) -> list[ModelError]:
        errors = await asyncio.gather(model.areply(ASKED), heard(model, ASKED), return_exceptions=True)
        return [error for error in errors if isinstance(error, ModelError)]

    with dead_port() as port:
        assert [error.kind for error in use(f"http://127.0.0.1:{port}/v1", work)] == ["connection"] * 2


@both
def test_a_server_that_does_not_answer(way: str) -> None:
    with WireServer([Turn(delay=30)]) as server, pytest.raises(ModelError) as failed:
        either(way, server, timeout=1)
    assert failed.value.kind == "timeout"


def test_a_stream_that_stands_still() -> None:
    with WireServer([Turn("one two three", pause=30)]) as server, pytest.raises(ModelError) as failed:
        listen(server, timeout=1)
    assert failed.value.kind == "timeout"


def test_what_is_lost_after_the_last_word_is_only_the_usage() -> None:
    chunk = json.dumps({"choices": [{"index": 0, "delta": {"content": "Ten."}, "finish_reason": "stop"}]})
    data = f"data: {chunk}\n\n".encode()
    head = b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    assert asyncio.run(_over_a_socket(head + b"%x\r\n%b\r\n" % (len(data), data))) == Reply("Ten.", "openai:wire")


async def _over_a_socket(sent: bytes) -> Reply:
    """A stream that is sent as it is, and then breaks off."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        await reader.readexactly(int(length.split(b":")[1]))
        writer.write(b"HTTP/1.1 200 OK\r\n" + sent)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        model = OpenAIModel("wire", ModelSettings(base_url=f"http://127.0.0.1:{port}/v1"))
        try:
            return (await heard(model, ASKED))[1]
        finally:
            await model.aclose()


def test_a_server_that_does_not_stream() -> None:
    usage = {"prompt_tokens": 2, "completion_tokens": 1}
    with WireServer([completion({"content": "Ten."}, usage=usage)]) as server:
        assert listen(server) == (["Ten."], Reply("Ten.", "openai:wire", usage=Usage(2, 1)))


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        ("7", 7, 7),
        ("0.5", 0.5, 0.5),
        ("-3", 0, 0),
        ("in 90 s", 60, 90),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
    ],
)
def test_when_to_come_back(said: str, least: float, most: float) -> None:
    if said == "in 90 s":
        said = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    with WireServer([Turn(fault="rate", retry_after=said)]) as server, pytest.raises(ModelError) as failed:
        ask(server)
    assert failed.value.retry_after is not None
    assert least <= failed.value.retry_after <= most


def test_who_is_asked_to_wait_reads_for_how_long() -> None:
    with WireServer([Turn(fault="rate", retry_after="600")]) as server, pytest.raises(ModelError) as failed:
        ask(server)
    assert failed.value.hint.startswith("It asks to wait 600 s. Try again later")


@pytest.mark.parametrize("fault", ["quota", "raw"])
def test_no_money_left(fault: Literal["quota", "raw"]) -> None:
    turn = Turn(fault=fault, status=402, body='{"detail": "Insufficient balance!"}')
    with WireServer([turn]) as server, pytest.raises(ModelError, match="may spend no more money: ") as failed:
        ask(server)
    assert "billing" in failed.value.hint
    assert "OPENAI_API_KEY" in failed.value.hint


@pytest.mark.parametrize("said", ["", "soon", "nan", "inf"])
def test_when_to_come_back_is_not_said(said: str) -> None:
    with WireServer([Turn(fault="rate", retry_after=said)]) as server, pytest.raises(ModelError) as failed:
        ask(server)
    assert failed.value.retry_after is None


def test_when_to_come_back_in_thousandths() -> None:
    from ragkit.openaifailure import Refusal

    assert Refusal({}, 429, {"retry-after-ms": "250", "retry-after": "9"}).retry_after == 0.25
    assert Refusal({}, 429, {"retry-after-ms": "soon", "retry-after": "9"}).retry_after == 9


@pytest.mark.parametrize("url", ["", "https://api.openai.com/v1", "https://eu.api.openai.com/v1"])
def test_no_key(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ModelError, match="OPENAI_API_KEY is not set") as failed:
        use(url, lambda model: model.areply(ASKED))
    assert failed.value.kind == "key"
    with pytest.raises(ModelError, match="MY_KEY is not set"):
        use(url, lambda model: heard(model, ASKED), key="MY_KEY")


def test_a_server_of_ones_own_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with WireServer([Turn(), Turn()]) as server:
        ask(server)
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        use("", lambda model: model.areply(ASKED))
        assert server.seen[1].headers["authorization"] == "Bearer none"
        with pytest.raises(ModelError, match="MY_KEY is not set"):
            ask(server, key="MY_KEY")
        monkeypatch.setenv("MY_KEY", "line\nbreak")
        with pytest.raises(ModelError, match="MY_KEY holds is no key") as failed:
            ask(server, key="MY_KEY")
    assert "line" not in str(failed.value)


@both
def test_the_key_is_told_to_nobody(way: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    masked = f"{KEY[:9]}*****{KEY[-4:]}"
    turns = [
        raw({"error": {"message": f"Incorrect API key provided: {KEY[:12]}"}}, 401),
        raw({"error": {"message": f"Not for {KEY} or {masked}: \x1b[31mno\x00"}}, 403),
        raw({"error": {"message": f"bad {KEY} " + "x" * 1000}}, 400),
    ]
    with WireServer(turns) as server:
        for _ in turns:
            with pytest.raises(ModelError) as failed:
                either(way, server)
            error = failed.value
            assert len(error.reason) < 450
            assert error.reason.isprintable()
            for told in (str(error), repr(error), repr(error.__cause__), repr(error.args)):
                assert KEY[:9] not in told
    assert KEY[:9] not in caplog.text
    assert KEY not in repr(OpenAIModel("wire", ModelSettings()))


@pytest.mark.parametrize(
    ("path", "said", "hint"),
    [
        ("", "404 page not found", "ends in /v1"),
        ("/v1", 'model "wire" not found, try pulling it first', "ollama pull wire"),
    ],
)
def test_what_to_do_when_it_is_not_there(path: str, said: str, hint: str) -> None:
    class Anywhere(WireServer):
        def _plan(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
            return super()._plan(method, "/v1/chat/completions", headers, body)

    with Anywhere([raw({"error": {"message": said}}, 404)]) as server, pytest.raises(ModelError) as failed:
        use(server.url + path, lambda model: model.areply(ASKED))
    assert hint in failed.value.hint


@pytest.mark.parametrize(
    "url", ["localhost:11434", "nonsense", "http://", "http://[", "http://host:99999999", "ftp://h"]
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(InvalidInput, match="base_url"):
        OpenAIModel("wire", ModelSettings(base_url=url))


def cancelled(work: Sequence[Turn], begin: Callable[[OpenAIModel], Awaitable[Any]]) -> WireServer:
    async def main(model: OpenAIModel) -> None:
        task = asyncio.ensure_future(begin(model))
        await asyncio.to_thread(server.wait, lambda one: one.open == 1)
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gone = await asyncio.to_thread(server.wait, lambda one: one.abandoned == 1 and one.open == 0)
        assert gone, "the connection is closed at once, not when the client is"
        assert (await model.areply(ASKED)).text == "again"

    with WireServer([*work, Turn("again")]) as server:
        use(f"{server.url}/v1", main)
    return server


def test_a_call_that_is_cancelled() -> None:
    assert cancelled([Turn(delay=20)], lambda model: model.areply(ASKED)).abandoned == 1


def test_a_stream_that_is_cancelled() -> None:
    for turn in (Turn("one two three four", pause=20), Turn(delay=20)):
        assert cancelled([turn], lambda model: heard(model, ASKED)).abandoned == 1


def test_a_stream_that_is_left() -> None:
    async def main(model: OpenAIModel) -> None:
        pieces: Any = model.astream(ASKED)
        async with aclosing(pieces):
            assert await anext(pieces) == "one"
        gone = await asyncio.to_thread(server.wait, lambda one: one.abandoned == 1 and one.open == 0)
        assert gone

    with WireServer([Turn("one two three four", pause=0.2)]) as server:
        use(f"{server.url}/v1", main)


def test_a_deadline_of_anyio_closes_the_stream() -> None:
    """It cancels again at every await, also at those that clean up."""

    async def main(model: OpenAIModel) -> None:
        with anyio.move_on_after(0.3) as scope:
            await heard(model, ASKED)
        assert scope.cancelled_caught
        assert await asyncio.to_thread(server.wait, lambda one: one.abandoned == 1 and one.open == 0)

    with WireServer([Turn("one two three four", pause=20)]) as server:
        use(f"{server.url}/v1", main)


def test_many_at_a_time_learn_together() -> None:
    def script(seen: Seen) -> Turn:
        return Turn(fault="no_schema", delay=0.05) if seen.schema else Turn('{"name": "Bern"}')

    async def work(model: OpenAIModel) -> list[Reply]:
        return list(await asyncio.gather(*(taken(model, WITH_SCHEMA) for _ in range(8))))

    with WireServer(script) as server:
        assert len(use(f"{server.url}/v1", work)) == 8
        assert server.answered == 8


def test_pieces_of_calls_as_odd_servers_send_them() -> None:
    from ragkit.openaireply import Heard

    def reply(*deltas: Any) -> tuple[ToolCall, ...]:
        heard = Heard()
        for delta in deltas:
            heard.piece({"choices": [{"delta": {"tool_calls": [delta]}}]})
        heard.piece({"choices": [{"delta": {}, "finish_reason": "stop"}]})
        heard.end()
        return heard.reply("m").calls

    same_index = reply(
        {"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x": 1}'}},
        {"index": 0, "id": "b", "function": {"name": "f", "arguments": '{"x": 2}'}},
    )
    assert [dict(call.arguments) for call in same_index] == [{"x": 1}, {"x": 2}]
    no_index = reply(
        {"function": {"name": "f", "arguments": '{"x"'}},
        {"function": {"arguments": ": 1}"}},
        {"function": {"name": "g", "arguments": "{}"}},
    )
    assert [(call.name, dict(call.arguments)) for call in no_index] == [("f", {"x": 1}), ("g", {})]


def test_what_is_slow_to_import_waits_for_its_use() -> None:
    code = (
        "import sys; from ragkit.providers import make_model; from ragkit.modelsettings import ModelSettings;"
        "make_model('openai:x', ModelSettings()); print('openai' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
    assert make_model("openai:x", ModelSettings()).name == "openai:x"
    assert OpenAIModel("x", ModelSettings())._limit == "max_completion_tokens"


def test_opening_blocks_nobody_happens_once_and_can_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    made = threading.Event()
    make = OpenAIModel._make

    def slowly(model: OpenAIModel) -> Any:
        threads.append(threading.current_thread())
        assert made.wait(60), "nobody else could go on"
        return make(model)

    async def work(model: OpenAIModel) -> None:
        with anyio.move_on_after(0.05) as left:
            await model.aopen()
        assert left.cancelled_caught
        calls = asyncio.gather(model.areply(ASKED), model.areply(ASKED), heard(model, ASKED), model.aopen())
        for _ in range(5):
            await asyncio.sleep(0.01)
        assert not calls.done()
        made.set()
        await calls

    monkeypatch.setattr(OpenAIModel, "_make", slowly)
    with WireServer([], then=Turn()) as server:
        use(f"{server.url}/v1", work)
        assert len(server.seen) == 3
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


@both
def test_redirects_are_told_and_not_followed(way: str) -> None:
    class Redirecting(WireServer):
        def _plan(self, *asked: Any) -> Any:
            turn, planned = super()._plan(*asked)
            return turn, replace(planned, status=307, headers={"location": f"{other.url}/v1/chat/completions?k=v"})

    with WireServer([]) as other, Redirecting([Turn()]) as server:
        with pytest.raises(ModelError) as failed:
            either(way, server)
        assert other.connections == 0
        assert len(server.seen) == 1
    error = failed.value
    assert (error.kind, error.retryable) == ("request", False)
    to = f"{other.url}/v1/chat/completions"
    assert error.reason == f"openai:wire at 127.0.0.1:{server.port} redirects to {to}."
    assert "base_url" in error.hint
    assert "OPENAI_BASE_URL" in error.hint


AMBIENT = {
    "OPENAI_ORG_ID": "ambient-organization",
    "OPENAI_PROJECT_ID": "ambient-project",
    "OPENAI_PROJECT": "ambient-older-project",
    "OPENAI_ORGANIZATION": "ambient-older-organization",
    "OPENAI_ADMIN_KEY": "ambient-admin",
    "OPENAI_WEBHOOK_SECRET": "ambient-webhook",
    "OPENAI_CUSTOM_HEADERS": "X-Own: ambient-own\nAuthorization: Bearer ambient-other",
    "ANTHROPIC_API_KEY": "ambient-anthropic",
}


@both
@pytest.mark.parametrize("key", [KEY, ""])
def test_a_server_that_the_settings_name_gets_nothing_but_the_key(
    monkeypatch: pytest.MonkeyPatch, way: str, key: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    for name, value in AMBIENT.items():
        monkeypatch.setenv(name, value)
    with WireServer([Turn()]) as server:
        either(way, server)
        headers = server.seen[0].headers
    assert "ambient" not in str(dict(headers))
    assert headers["authorization"] == f"Bearer {key or 'none'}"
    assert {name for name in headers if not name.startswith("x-stainless-")} <= {
        "accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host",
        "user-agent",
    }  # fmt: skip


def test_what_the_environment_says_of_its_own_server_holds_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in AMBIENT.items():
        monkeypatch.setenv(name, value)

    async def official(model: OpenAIModel) -> tuple[str | None, str | None]:
        client = await model._opening.ready()
        return client.organization, client.project

    assert use("", official) == ("ambient-organization", "ambient-project")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: team")
    with WireServer([Turn()]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        use("", lambda model: model.areply(ASKED))
        headers = server.seen[0].headers
    assert headers["x-gateway"] == "team"
    assert "ambient" not in str(dict(headers)), "an organization is one of OpenAI's"


def test_what_no_wire_takes_is_replaced_wherever_it_stands() -> None:
    odd = "\ud800?"
    tool = replace(WITH_TOOLS.tools[0], description=odd)
    request = Request((Message("user", odd),), odd, (Passage(1, odd, odd),), tools=(tool,))
    with WireServer([Turn("Fine.")]) as server:
        assert ask(server, request).text == "Fine."
    assert "\ud800" not in repr(server.seen[0].body)
    assert server.seen[0].body["messages"][0]["content"] == "??"


def test_what_cannot_be_encoded_is_no_fault_of_the_server() -> None:
    error = failure(UnicodeEncodeError("utf-8", "\ud800", 0, 1, "no"), Server("openai:wire", ModelSettings()), Usage(1))
    assert isinstance(error, ModelError)
    assert (error.kind, error.retryable, error.usage) == ("request", False, Usage(1))


@both
@pytest.mark.parametrize("turn", [Turn(delay=30), Turn("one two three", pause=30)], ids=["before", "within"])
def test_closing_ends_a_call(turn: Turn, way: str) -> None:
    async def closed(model: OpenAIModel) -> None:
        call = asyncio.ensure_future(taken(model, way=way))
        await asyncio.to_thread(server.wait, lambda one: one.open == 1)
        await asyncio.sleep(0.1)
        await model.aclose()
        with pytest.raises(ModelError, match="The workspace was closed during this call") as failed:
            await asyncio.wait_for(call, 20)
        assert (failed.value.kind, failed.value.model) == ("connection", "openai:wire")

    with WireServer([turn]) as server:
        use(f"{server.url}/v1", closed)


def test_a_key_that_is_no_secret_does_not_spoil_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "e")
    said = "the request exceeds the available context size"
    with WireServer([raw({"error": {"message": said}}, 400)]) as server, pytest.raises(ModelError, match=said):
        use(f"{server.url}/v1".replace("//", "//me:e@"), lambda model: model.areply(ASKED))


def test_where_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert OpenAIModel("wire", ModelSettings()).server == "https://api.openai.com/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:pass@Host:8080/v1/")
    assert OpenAIModel("wire", ModelSettings()).server == "http://host:8080/v1"
    assert OpenAIModel("wire", ModelSettings(base_url="http://other/v1")).server == "http://other/v1"
