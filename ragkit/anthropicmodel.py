"""Models of the Messages API, which Anthropic serves, and others with it: `anthropic:NAME`."""

import json
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

from ragkit.anthropiccites import Cited, citable, documents, placed
from ragkit.anthropicfailure import Broken, Refused, failure, uncited
from ragkit.model import ModelError, Passage, Reply, Request, Stop, ToolCall, Usage
from ragkit.modelserver import ModelServer, Opening, sendable, sentence
from ragkit.prompt import with_passages

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

    from ragkit.modelsettings import ModelSettings

_CACHE = {"type": "ephemeral"}
"""Marks where what is the same from call to call ends: tools, then the system prompt. Passages are other ones each
time, and to write them to the cache costs more than to read them once."""
_FORM = "Answer with nothing but JSON, without a fence, of this schema:\n"
"""For servers that do not know `output_config`: the setting form = "prompt"."""
_STOPS: dict[str, Stop] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",  # only tools of the server's own pause, and we send none: what is there is not the whole
    "tool_use": "tools",
    "refusal": "refusal",
}


class AnthropicModel:
    """One model, through the SDK. The key is read from ANTHROPIC_API_KEY, or from the variable that `key` names."""

    def __init__(self, name: str, settings: "ModelSettings") -> None:
        self.name = f"anthropic:{name}"
        self.settings = settings
        self._id = name
        self._server = ModelServer(self.name, settings, "ANTHROPIC", "https://api.anthropic.com")
        self.server = self._server.address
        self._opening = Opening(self._server, self._make)
        self._cites = self._server.official if settings.citations is None else settings.citations
        """Whether passages are sent as documents that the server cites: until it says that it does not."""

    async def aopen(self) -> None:
        await self._opening.ready()

    async def areply(self, request: Request) -> Reply:
        client = await self._opening.ready()
        cited = self._cited(request)
        body = self._body(request, cited.sent)
        try:
            return self._reply(await client.messages.create(**body), cited, streamed=False)
        except Exception as error:
            raise self._failure(
                error, client, cited.sent
            ) from None  # the SDK's errors hold the request, and so the key

    async def astream(self, request: Request) -> AsyncGenerator[str | Usage | Reply, None]:
        client = await self._opening.ready()
        cited = self._cited(request)
        body = self._body(request, cited.sent)
        usage, whole = None, False
        try:
            async with client.messages.stream(**body) as stream:
                async for event in stream:
                    if event.type in ("message_start", "message_delta"):
                        usage = _usage(stream.current_message_snapshot.usage)
                        if usage is not None:
                            yield usage
                    whole = whole or event.type == "message_stop"
                    if piece := _piece(event, cited):
                        yield piece
                if not whole:
                    raise Broken("it ended before its end")
                if rest := cited.end():
                    yield rest
                reply = self._reply(stream.current_message_snapshot, cited, streamed=True)
        except Exception as error:
            raise self._failure(error, client, cited.sent, usage) from None
        yield reply

    async def aclose(self) -> None:
        await self._opening.aclose()

    def _make(self) -> "AsyncAnthropic":
        if not self._server.valid:
            raise ModelError(*self._server.misplaced, model=self.name)
        key = self._server.key()
        import anthropic

        client = anthropic.AsyncAnthropic(
            api_key=key,
            base_url=self._server.url,
            timeout=self.settings.timeout,
            max_retries=0,  # `weather` tries again
            open_telemetry=False,  # and `weather` tells of the call
            http_client=anthropic.DefaultAsyncHttpxClient(follow_redirects=False),
        )
        if self._server.strange:
            client._custom_headers = {}  # of ANTHROPIC_CUSTOM_HEADERS; there is no other way to say no to them
        return client

    def _failure(
        self, error: Exception, client: "AsyncAnthropic", sent: Sequence[Passage], usage: Usage | None = None
    ) -> Exception:
        if self._opening.client is not client:
            return self._server.closed(usage)
        if sent and (said := uncited(error)):
            self._cites = False
            return self._server.failure("learnt", said, retry_after=0.0, usage=usage)
        return failure(error, self._server, usage)

    def _cited(self, request: Request) -> Cited:
        """The API refuses to cite and to keep to a form at once."""
        return Cited(citable(request.passages) if self._cites and request.schema is None else ())

    def _body(self, request: Request, sent: Sequence[Passage]) -> dict[str, Any]:
        messages = _messages(request, sent)
        body: dict[str, Any] = {"model": self._id, "max_tokens": request.max_tokens, "messages": messages}
        system = request.system
        if request.schema is not None:
            if self.settings.form in ("", "schema"):
                body["output_config"] = {"format": {"type": "json_schema", "schema": self._schema(request)}}
            else:
                system = f"{system}\n\n{_FORM}{json.dumps(request.schema.model_json_schema())}".strip()
        if request.tools:
            body["tools"] = [
                {"name": one.name, "description": one.description, "input_schema": dict(one.parameters)}
                for one in request.tools
            ]
        if system:
            body["system"] = [{"type": "text", "text": system, "cache_control": _CACHE}]
        elif request.tools:
            body["tools"][-1]["cache_control"] = _CACHE
        if request.temperature is not None:
            body["extra_body"] = {"temperature": request.temperature}  # the SDK has no name for it any more
        return dict(sendable(body))

    def _schema(self, request: Request) -> dict[str, Any]:
        from anthropic import transform_schema

        assert request.schema is not None
        try:
            return transform_schema(request.schema)
        except ValueError as error:
            raise ModelError(
                sentence(f"The form {request.schema.__name__} cannot be told to {self.name}", str(error)),
                "Give each of its fields a type.",
                model=self.name,
            ) from error

    def _reply(self, message: Any, cited: Cited, *, streamed: bool) -> Reply:
        """Of a message that nobody has checked. What was called for is only told when the model had said all of it."""
        if message.type == "error":
            raise Refused(message.to_dict().get("error"))
        stop = message.stop_reason
        if not isinstance(stop, str):
            raise Broken("it does not say how it ended")
        blocks = list(message.content)
        for block in blocks:
            if block.type == "text" and not streamed:
                cited.add(block.text)
                cited.end(block.citations)
        ended = _STOPS.get(stop, "end")
        return Reply(
            cited.text,
            self.name,
            ended,
            _usage(message.usage),
            tuple(
                ToolCall(block.id, block.name, dict(block.input))
                for block in blocks
                if block.type == "tool_use" and ended == "tools"
            ),
            quotes=cited.quotes,
        )


def _messages(request: Request, sent: Sequence[Passage]) -> list[dict[str, Any]]:
    """With the passages before the last question: as documents when they are `sent` so, else in its text."""
    messages: list[dict[str, Any]] = []
    answering = False
    said, at = placed(request.messages) if sent else (with_passages(request), -1)
    for number, one in enumerate(said):
        if number == at:
            asked = [{"type": "text", "text": one.text}] if one.text.strip() else []
            messages.append({"role": "user", "content": [*documents(sent), *asked]})
        elif one.role == "tool":
            result = {"type": "tool_result", "tool_use_id": one.answers, "content": one.text}
            if answering:
                messages[-1]["content"].append(result)
            else:
                messages.append({"role": "user", "content": [result]})
        elif one.calls:
            told = [{"type": "text", "text": one.text}] if one.text else []
            calls = [
                {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)}
                for call in one.calls
            ]
            messages.append({"role": one.role, "content": [*told, *calls]})
        else:
            messages.append({"role": one.role, "content": one.text})
        answering = one.role == "tool"
    return messages


def _piece(event: Any, cited: Cited) -> str:
    if event.type == "text":
        return cited.add(str(event.text))
    if event.type in ("content_block_start", "content_block_stop") and event.content_block.type == "text":
        block = event.content_block
        return cited.add(str(block.text)) if event.type == "content_block_start" else cited.end(block.citations)
    return ""


def _usage(usage: Any) -> Usage | None:
    """Of the API, `input_tokens` are those that no cache had or took: as ours are."""
    names = "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"
    counts = [getattr(usage, name, None) for name in names]
    if not isinstance(counts[0], int) or not isinstance(counts[1], int):
        return None
    return Usage(*(count if isinstance(count, int) else 0 for count in counts))
