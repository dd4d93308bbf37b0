"""The wire server speaks what the clients of the providers understand, and its faults are the ones they raise."""

import asyncio
import json
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import anthropic
import httpx2
import openai
import pytest
from anthropic.types import MessageParam, ToolParam
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from tests.wire import Seen, Turn, WireServer, dead_port

PROVIDERS = ("anthropic", "openai")
WAYS = ("whole", "stream")
LONG = "one two three four"
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"verdict": {"type": "string"}},
    "required": ["verdict"],
    "additionalProperties": False,
}


def claude(server: WireServer, timeout: float = 5) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=server.url, api_key="k", max_retries=0, timeout=timeout)


def gpt(server: WireServer, timeout: float = 5) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="k", max_retries=0, timeout=timeout)


async def ask(provider: str, way: str, server: WireServer, timeout: float = 5) -> str:
    """The text of the answer, by the provider's own client."""
    if provider == "anthropic":
        asked: list[MessageParam] = [{"role": "user", "content": "hello"}]
        async with claude(server, timeout) as client:
            if way == "whole":
                message = await client.messages.create(model="m", max_tokens=9, messages=asked)
                return "".join(block.text for block in message.content if block.type == "text")
            async with client.messages.stream(model="m", max_tokens=9, messages=asked) as stream:
                return "".join([text async for text in stream.text_stream])
    said: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
    async with gpt(server, timeout) as other:
        if way == "whole":
            completion = await other.chat.completions.create(model="m", messages=said)
            return completion.choices[0].message.content or ""
        chunks = await other.chat.completions.create(
            model="m", messages=said, stream=True, stream_options={"include_usage": True}
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_turn_is_what_the_client_reads(provider: str, way: str) -> None:
    turn = Turn(
        text="Größe: 4 µm\n\n  und 日本 😀 ", input_tokens=7, output_tokens=3, cached_tokens=2, written_tokens=1
    )
    with WireServer([turn]) as server:
        assert asyncio.run(ask(provider, way, server)) == turn.text
        assert (server.open, server.answered, server.abandoned) == (0, 1, 0)
        assert server.served == Counter(input=7, output=3, cached=2, written=1)
        (seen,) = server.seen
    assert (seen.number, seen.provider, seen.model, seen.stream) == (1, provider, "m", way == "stream")
    assert seen.prompt == "hello"


def test_anthropic_counts_in_whole_messages_and_in_streams() -> None:
    turn = Turn(input_tokens=7, output_tokens=30, cached_tokens=20, written_tokens=10, stop="length")

    async def both(server: WireServer) -> list[anthropic.types.Message]:
        async with claude(server) as client:
            asked: list[MessageParam] = [{"role": "user", "content": "hello"}]
            whole = await client.messages.create(model="m", max_tokens=9, messages=asked)
            async with client.messages.stream(model="m", max_tokens=9, messages=asked) as stream:
                return [whole, await stream.get_final_message()]

    with WireServer([], then=turn) as server:
        for message in asyncio.run(both(server)):
            usage = message.usage
            assert (usage.input_tokens, usage.output_tokens) == (7, 30)
            assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (20, 10)
            assert message.stop_reason == "max_tokens"
        assert server.connections == 1, "a connection is kept"


@pytest.mark.parametrize("told", [True, False])
def test_openai_counts_in_the_last_chunk_of_a_stream_that_asked(told: bool) -> None:
    async def last(server: WireServer) -> Any:
        async with gpt(server) as client:
            options: Any = {"stream_options": {"include_usage": True}} if told else {}
            chunks = await client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "hello"}], stream=True, **options
            )
            return [chunk async for chunk in chunks][-1]

    with WireServer([Turn(input_tokens=7, output_tokens=30, cached_tokens=20, written_tokens=10)]) as server:
        chunk = asyncio.run(last(server))
        if not told:
            assert chunk.usage is None
            assert not server.served, "nobody was told"
            return
        assert (chunk.usage.prompt_tokens, chunk.usage.completion_tokens, chunk.usage.total_tokens) == (37, 30, 67)
        assert chunk.usage.prompt_tokens_details.cached_tokens == 20
        assert server.served == Counter(input=7, output=30, cached=20, written=10)


CALLS = (("search", {"query": "größer als 'x'", "k": 3}), ("read", {"uri": "a/b.md"}))


@pytest.mark.parametrize("way", WAYS)
def test_anthropic_calls_tools_and_takes_their_results(way: str) -> None:
    tools: list[ToolParam] = [{"name": name, "input_schema": {"type": "object"}} for name, _ in CALLS]

    async def talk(server: WireServer) -> anthropic.types.Message:
        said: list[MessageParam] = [{"role": "user", "content": "hello"}]
        async with claude(server) as client:
            if way == "whole":
                message = await client.messages.create(model="m", max_tokens=9, messages=said, tools=tools)
            else:
                async with client.messages.stream(model="m", max_tokens=9, messages=said, tools=tools) as stream:
                    message = await stream.get_final_message()
            results: Any = [
                {"type": "tool_result", "tool_use_id": block.id, "content": f"found {block.name}"}
                for block in message.content
                if block.type == "tool_use"
            ]
            back: Any = [block.model_dump(exclude_none=True) for block in message.content]
            said += [{"role": "assistant", "content": back}, {"role": "user", "content": results}]
            await client.messages.create(model="m", max_tokens=9, messages=said, tools=tools)
            return message

    with WireServer([Turn(text="Let me look.", calls=CALLS), Turn()]) as server:
        message = asyncio.run(talk(server))
        assert server.seen[0].tools == ("search", "read")
        assert server.seen[1].prompt == "hello\nLet me look.\nfound search\nfound read"
    assert message.stop_reason == "tool_use"
    assert [(block.name, block.input) for block in message.content if block.type == "tool_use"] == list(CALLS)


@pytest.mark.parametrize("way", WAYS)
def test_openai_calls_tools_and_takes_their_results(way: str) -> None:
    tools: list[ChatCompletionToolParam] = [
        {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name, _ in CALLS
    ]

    async def talk(server: WireServer) -> Any:
        said: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
        async with gpt(server) as client:
            if way == "whole":
                completion: Any = await client.chat.completions.create(model="m", messages=said, tools=tools)
            else:
                async with client.chat.completions.stream(model="m", messages=said, tools=tools) as stream:
                    completion = await stream.get_final_completion()
            message = completion.choices[0].message
            calls: Any = [
                {"id": call.id, "type": "function", "function": call.function.model_dump(include={"name", "arguments"})}
                for call in message.tool_calls
            ]
            said.append({"role": "assistant", "content": message.content, "tool_calls": calls})
            for call in message.tool_calls:
                said.append({"role": "tool", "tool_call_id": call.id, "content": f"found {call.function.name}"})
            await client.chat.completions.create(model="m", messages=said, tools=tools)
            return completion.choices[0]

    with WireServer([Turn(text="Let me look.", calls=CALLS), Turn()]) as server:
        choice = asyncio.run(talk(server))
        assert server.seen[0].tools == ("search", "read")
        assert server.seen[1].prompt == "hello\nLet me look.\nfound search\nfound read"
    assert choice.finish_reason == "tool_calls"
    called = [(call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls]
    assert called == list(CALLS)


def test_both_ask_for_a_form() -> None:
    async def both(server: WireServer) -> list[str]:
        async with claude(server) as client, gpt(server) as other:
            message = await client.messages.create(
                model="m",
                max_tokens=9,
                messages=[{"role": "user", "content": "hello"}],
                output_config={"format": {"type": "json_schema", "schema": SCHEMA}},
            )
            completion = await other.chat.completions.create(
                model="m",
                messages=[{"role": "user", "content": "hello"}],
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "verdict", "schema": SCHEMA, "strict": True},
                },
            )
            (block,) = message.content
            assert block.type == "text"
            return [block.text, completion.choices[0].message.content or ""]

    with WireServer([], then=Turn('{"verdict": "yes"}')) as server:
        assert asyncio.run(both(server)) == ['{"verdict": "yes"}'] * 2
        assert [seen.schema for seen in server.seen] == [SCHEMA, SCHEMA]


@pytest.mark.parametrize("way", WAYS)
def test_a_refusal_of_each(way: str) -> None:
    async def both(server: WireServer) -> tuple[Any, Any]:
        async with claude(server) as client, gpt(server) as other:
            asked: list[MessageParam] = [{"role": "user", "content": "hello"}]
            said: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
            if way == "whole":
                message: Any = await client.messages.create(model="m", max_tokens=9, messages=asked)
                return message, (await other.chat.completions.create(model="m", messages=said)).choices[0]
            async with client.messages.stream(model="m", max_tokens=9, messages=asked) as stream:
                message = await stream.get_final_message()
            async with other.chat.completions.stream(model="m", messages=said) as chunks:
                async for _ in chunks:
                    pass
                return message, chunks.current_completion_snapshot.choices[0]

    with WireServer([], then=Turn("I cannot help with that.", stop="refusal")) as server:
        message, choice = asyncio.run(both(server))
    assert (message.stop_reason, message.stop_details.type) == ("refusal", "refusal")
    assert (choice.finish_reason, choice.message.refusal) == ("stop", "I cannot help with that.")
    assert not choice.message.content
    with WireServer([], then=Turn("", stop="filtered")) as server:
        message, choice = asyncio.run(both(server))
    assert (message.stop_reason, choice.finish_reason) == ("refusal", "content_filter")


# What each client raises: (fault, anthropic, openai); a pair where whole and stream differ. None: it raises nothing.
Raised = type[Exception] | None
BROKEN = json.JSONDecodeError
RAISED: list[tuple[Turn, tuple[Raised, Raised], tuple[Raised, Raised]]] = [
    (Turn(fault="rate"), (anthropic.RateLimitError,) * 2, (openai.RateLimitError,) * 2),
    (Turn(fault="quota"), (anthropic.BadRequestError,) * 2, (openai.RateLimitError,) * 2),
    (Turn(fault="error"), (anthropic.InternalServerError,) * 2, (openai.InternalServerError,) * 2),
    (Turn(fault="overloaded"), (anthropic._exceptions.OverloadedError,) * 2, (openai.InternalServerError,) * 2),
    (Turn(fault="auth"), (anthropic.AuthenticationError,) * 2, (openai.AuthenticationError,) * 2),
    (Turn(fault="context"), (anthropic.BadRequestError,) * 2, (openai.BadRequestError,) * 2),
    (Turn(fault="bad_request"), (anthropic.BadRequestError,) * 2, (openai.BadRequestError,) * 2),
    (Turn(fault="no_schema"), (anthropic.BadRequestError,) * 2, (openai.BadRequestError,) * 2),
    (Turn(fault="html"), (anthropic.InternalServerError,) * 2, (openai.InternalServerError,) * 2),
    (Turn(fault="raw", status=404, body="{}"), (anthropic.NotFoundError,) * 2, (openai.NotFoundError,) * 2),
    (Turn(fault="invalid_json"), (BROKEN, BROKEN), (BROKEN, BROKEN)),
    # TypeError: the body has none of the fields of an answer, and the client does not look
    (Turn(fault="error_in_stream"), (TypeError, anthropic.APIStatusError), (TypeError, openai.APIError)),
    (Turn(fault="half"), (BROKEN, None), (BROKEN, None)),
    (
        Turn(fault="truncated"),
        (anthropic.APIConnectionError, httpx2.RemoteProtocolError),
        (openai.APIConnectionError, openai.APIConnectionError),
    ),
    (
        Turn(fault="reset_midway"),
        (anthropic.APIConnectionError, httpx2.ReadError),
        (openai.APIConnectionError, openai.APIConnectionError),
    ),
    (Turn(fault="reset"), (anthropic.APIConnectionError,) * 2, (openai.APIConnectionError,) * 2),
    (Turn(delay=30), (anthropic.APITimeoutError,) * 2, (openai.APITimeoutError,) * 2),
    (Turn(pause=30), (anthropic.APITimeoutError, httpx2.ReadTimeout), (openai.APITimeoutError,) * 2),
    (Turn(fault="empty"), (None, None), (None, None)),
    (Turn(fault="no_choices"), (None, None), (IndexError, None)),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("turn", "claudes", "gpts"), RAISED, ids=[f"{r[0].fault or r[0].delay}" for r in RAISED])
def test_a_fault_is_what_the_client_raises(
    turn: Turn, claudes: tuple[Raised, Raised], gpts: tuple[Raised, Raised], provider: str, way: str
) -> None:
    expected = (claudes if provider == "anthropic" else gpts)[WAYS.index(way)]
    waits = bool(turn.delay or turn.pause)
    with WireServer([replace(turn, text=LONG)]) as server:
        asked = ask(provider, way, server, timeout=1 if waits else 30)
        if expected is None:
            text = asyncio.run(asked)
            assert text == ("one two" if turn.fault == "half" else "")
        else:
            with pytest.raises(expected) as caught:
                asyncio.run(asked)
            assert type(caught.value) is expected
        assert server.wait(lambda it: it.open == 0)
        assert server.answered == (turn.fault in ("empty", "no_choices"))
        assert server.abandoned == waits
        told = provider == "anthropic" and way == "stream" and server.seen[0].stream
        begun = turn.pause or turn.fault in ("invalid_json", "error_in_stream", "half", "truncated", "reset_midway")
        if begun:
            assert server.served == (Counter(input=10, output=1) if told else Counter()), "what was told, and no more"
        elif not server.answered:
            assert not server.served


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_page_with_status_200_passes_for_an_empty_stream(provider: str) -> None:
    """Neither client looks at the media type: whoever uses them has to."""
    with WireServer([], then=Turn(fault="html", status=200)) as server:
        with pytest.raises(AttributeError, match="'str' object"):
            asyncio.run(ask(provider, "whole", server))
        assert asyncio.run(ask("openai", "stream", server)) == ""


@pytest.mark.parametrize("given", ["", "2", "0.25"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_limit_says_when_to_come_back_or_does_not(provider: str, given: str) -> None:
    with WireServer([Turn(fault="rate", retry_after=given)]) as server:
        with pytest.raises((anthropic.RateLimitError, openai.RateLimitError)) as caught:
            asyncio.run(ask(provider, "whole", server))
        assert cast(Any, caught.value).response.headers.get("retry-after") == (given or None)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nothing_listens_on_a_dead_port(provider: str) -> None:
    server = WireServer([])
    with dead_port() as port:
        server.url = f"http://127.0.0.1:{port}"
        with pytest.raises((anthropic.APIConnectionError, openai.APIConnectionError)) as caught:
            asyncio.run(ask(provider, "whole", server))
    assert isinstance(caught.value.__cause__, httpx2.ConnectError)


@pytest.mark.parametrize("turn", [Turn(delay=30), Turn(LONG, pause=30)], ids=["before", "between"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_client_that_is_cancelled_leaves_no_orphan(provider: str, way: str, turn: Turn) -> None:
    async def cancelled(server: WireServer) -> None:
        task = asyncio.create_task(ask(provider, way, server))
        assert await asyncio.to_thread(server.wait, lambda it: it.open == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with WireServer([turn]) as server:
        asyncio.run(cancelled(server))
        assert server.wait(lambda it: it.abandoned == 1 and it.open == 0)
        assert server.answered == 0


def test_fifty_are_answered_side_by_side() -> None:
    async def all_of_them(server: WireServer) -> list[str]:
        return await asyncio.gather(
            *(ask(provider, way, server) for _ in range(13) for provider in PROVIDERS for way in WAYS)
        )

    begun = time.monotonic()
    with WireServer([], then=Turn(delay=0.5)) as server:
        assert asyncio.run(all_of_them(server)) == ["ok"] * 52
        assert (server.answered, server.open, len(server.seen)) == (52, 0, 52)
        assert sorted(seen.number for seen in server.seen) == list(range(1, 53))
        assert server.served == Counter(input=520, output=260)
    assert time.monotonic() - begun < 20, "one after the other they take 26"


def test_a_script_may_answer_what_it_sees() -> None:
    def script(seen: Seen) -> Turn:
        return Turn(f"{seen.number} {seen.provider} {seen.key}")

    with WireServer(script) as server:
        assert asyncio.run(ask("anthropic", "whole", server)) == "1 anthropic k"
        assert asyncio.run(ask("openai", "stream", server)) == "2 openai k"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_nobody_planned_is_loud(provider: str) -> None:
    def twice(script: Sequence[Turn] | Callable[[Seen], Turn]) -> None:
        with WireServer(script) as server:
            for _ in range(2):
                with suppress(anthropic.InternalServerError, openai.InternalServerError):
                    asyncio.run(ask(provider, "whole", server))

    def careless(seen: Seen) -> Turn:
        return {1: Turn()}[seen.number]

    with pytest.raises(AssertionError, match=r"^Request 2: .*the script is over"):
        twice([Turn()])
    with pytest.raises(AssertionError, match=r"^Request 2: KeyError"):
        twice(careless)
    with pytest.raises(ValueError, match="no fault"):
        Turn(fault=cast(Any, "tired"))


def test_what_a_provider_refuses_is_refused() -> None:
    open_schema = {key: value for key, value in SCHEMA.items() if key != "additionalProperties"}
    empty: Any = {"max_tokens": 9, "messages": [{"role": "user", "content": ""}]}
    orphan: Any = {
        "messages": [{"role": "user", "content": "hello"}, {"role": "tool", "tool_call_id": "x", "content": "y"}]
    }
    hello: Any = {"messages": [{"role": "user", "content": "hello"}]}
    form: Any = {"output_config": {"format": {"type": "json_schema", "schema": open_schema}}, "max_tokens": 9}
    strict: Any = {"json_schema": {"name": "it", "schema": open_schema, "strict": True}, "type": "json_schema"}

    async def refused(server: WireServer) -> None:
        async with claude(server) as client, gpt(server) as other:
            for wrong in (empty, {**hello, **form}):
                with pytest.raises(anthropic.BadRequestError):
                    await client.messages.create(model="m", **wrong)
            for unfit in (
                orphan,
                {**hello, "response_format": {"type": "json_object"}},
                {**hello, "response_format": strict},
            ):
                with pytest.raises(openai.BadRequestError):
                    await other.chat.completions.create(model="m", **unfit)

    said = r"non-empty\n.*additionalProperties.*\n.*'tool'.*\n.*'json'.*\n.*Properties"
    with pytest.raises(AssertionError, match=said), WireServer([], then=Turn()) as server:
        asyncio.run(refused(server))


def test_both_list_its_models() -> None:
    async def both(server: WireServer) -> list[str]:
        async with claude(server) as client, gpt(server) as other:
            return [(await client.models.list()).data[0].id, (await other.models.list()).data[0].id]

    with WireServer([]) as server:
        assert asyncio.run(both(server)) == ["wire", "wire"]
        assert server.seen == []


def test_it_stops_at_once_and_leaves_its_port() -> None:
    begun = time.monotonic()
    with WireServer([Turn(delay=60)]) as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{}"
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello"}]})
        client.sendall(head.format(len(body), body).encode())
        assert server.wait(lambda it: it.open == 1)
    assert time.monotonic() - begun < 30, "not the 60 that it takes"
    with socket.socket() as again, pytest.raises(ConnectionRefusedError):
        again.connect(("127.0.0.1", server.port))
