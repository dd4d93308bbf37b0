"""Models of OpenAI, and of every server that speaks as OpenAI does (Ollama, vLLM, llama.cpp, LM Studio, Azure's v1).

Chat Completions, for that is what they all speak. What one of them refuses is said another way, and remembered.
"""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from ragkit.errors import InvalidInput
from ragkit.model import Message, ModelError, Reply, Request, Usage
from ragkit.modelserver import Opening, sendable
from ragkit.modelsettings import ModelSettings
from ragkit.openaifailure import Refusal, failure, refused
from ragkit.openaiform import Form, instruction, json_within, response_format
from ragkit.openaireply import Broken, Heard, read
from ragkit.openaiserver import Server
from ragkit.prompt import with_passages

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from pydantic import BaseModel

Sent = TypeVar("Sent")

_LESS: dict[Form, Form] = {"schema": "object", "object": "prompt"}
_OTHER = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}

_NOT_TAKEN = re.compile(
    r"unsupported|not support|unknown|unrecogni|unexpected|not permitted|not allowed|extra_|invalid param"
)
_OF_FORM = re.compile(r"response[_ .]?format|json[_ ]?(schema|object|mode)|structured|grammar|guided")
_OF_THIS_SCHEMA = re.compile(r"invalid schema|schema contains|schema conversion|(parse|compile|invalid) (the )?grammar")


class OpenAIModel:
    """The key is read from OPENAI_API_KEY. A server at another `base_url` may need none."""

    def __init__(self, name: str, settings: ModelSettings) -> None:
        if not name:
            raise InvalidInput("openai: names no model.", "Use a name such as openai:gpt-5-mini.")
        self._name = name
        self._settings = settings
        self._server = Server(self.name, settings)
        self._opening = Opening(self._server, self._make)
        self._limit = "max_completion_tokens" if self._server.official else "max_tokens"
        self._refused: set[str] = set()
        """Names of the limit that were refused since a call was last taken: when all are, asking again is no use."""
        self._counts = True
        """Whether a stream is asked for its usage."""
        self._forms: dict[type[BaseModel] | None, Form] = {}
        """What the server takes, and, by schema, what it takes of those that are too much for it."""

    @property
    def name(self) -> str:
        return f"openai:{self._name}"

    @property
    def server(self) -> str:
        return self._server.address

    async def aopen(self) -> None:
        await self._opening.ready()

    async def areply(self, request: Request) -> Reply:
        client = await self._opening.ready()
        heard = Heard()
        try:
            raw = await self._asked(request, lambda body: client.chat.completions.with_raw_response.create(**body))
            heard.whole(read(raw.text))
            return self._reply(heard, request)
        except Exception as error:
            raise self._failure(error, client, heard.usage) from None  # what is behind it holds the key

    async def astream(self, request: Request) -> AsyncGenerator[str | Usage | Reply, None]:
        client = await self._opening.ready()
        heard = Heard()
        try:
            stream = await self._asked(request, lambda body: client.chat.completions.create(**body), stream=True)
            try:
                if "json" in stream.response.headers.get("content-type", ""):  # an error, or it does not stream
                    await stream.response.aread()
                    heard.whole(read(stream.response.text))
                    yield heard.said
                else:
                    async for chunk in _chunks(stream, heard):
                        if piece := heard.piece(chunk):
                            yield piece
                    if rest := heard.end():
                        yield rest
            finally:
                await stream.close()
            reply = self._reply(heard, request)
        except Exception as error:
            raise self._failure(error, client, heard.usage) from None
        yield reply

    async def aclose(self) -> None:
        await self._opening.aclose()

    def _make(self) -> "AsyncOpenAI":
        key = self._server.key_or_none()
        import openai

        client = openai.AsyncOpenAI(
            api_key=key,
            base_url=self._server.url,
            timeout=self._settings.timeout,
            max_retries=0,  # `weather` is the one policy
            http_client=openai.DefaultAsyncHttpxClient(follow_redirects=False),
        )
        if not self._server.official:
            client.organization = client.project = None  # of OPENAI_ORG_ID and OPENAI_PROJECT_ID
        if self._server.strange:
            client._custom_headers = {}  # of OPENAI_CUSTOM_HEADERS; there is no other way to say no to them
        assert client.chat.completions.with_raw_response  # it is imported when it is first looked at
        return client

    def _failure(self, error: Exception, client: "AsyncOpenAI", usage: Usage | None) -> Exception:
        if self._opening.client is not client and not isinstance(error, ModelError):
            return self._server.closed(usage)
        return failure(error, self._server, usage)

    def _reply(self, heard: Heard, request: Request) -> Reply:
        reply = heard.reply(self.name)
        return reply if request.schema is None else replace(reply, text=json_within(reply.text))

    async def _asked(
        self, request: Request, send: Callable[[dict[str, Any]], Awaitable[Sent]], stream: bool = False
    ) -> Sent:
        """What the server answers. When it does not take how it was asked, the next call is made in another way."""
        form = self._form(request.schema)
        body = self._body(request, form, stream)
        try:
            sent = await send(body)
        except Exception as error:
            refusal = refused(error)
            if refusal is None or not self._learns(refusal, body, request.schema, form):
                raise
            raise self._server.failure("learnt", refusal.said, retry_after=0.0) from None
        self._refused.clear()
        return sent

    def _form(self, schema: "type[BaseModel] | None") -> Form:
        return self._settings.form or self._forms.get(schema) or self._forms.get(None, "schema")

    def _learns(self, refusal: Refusal, body: dict[str, Any], schema: "type[BaseModel] | None", form: Form) -> bool:
        """Whether it is worth asking again, said in another way.

        What another call has learnt in the meantime is not learnt twice; and nothing is unlearnt, so that it ends.
        """
        said = refusal.about
        if refusal.fault == "context" or refusal.status not in (400, 422, 500, 501):
            return False
        if refusal.status >= 500 and not re.search("not implemented|not supported|unsupported", said):
            return False
        if "response_format" in body and not self._settings.form and _OF_FORM.search(said):
            of_all = _OF_THIS_SCHEMA.search(said) is None
            if self._form(schema) == form:
                self._forms[None if of_all else schema] = _LESS[form]
                if of_all:
                    self._forms.pop(schema, None)
            return True
        if not _NOT_TAKEN.search(said):
            return False
        if "stream_options" in body and "stream_options" in said:
            self._counts = False
            return True
        limit = next(name for name in _OTHER if name in body)
        if re.search(rf"\b{limit}\b", said) is None:
            return False
        self._refused.add(limit)
        if _OTHER[limit] in self._refused:
            return False
        self._limit = _OTHER[limit]
        return True

    def _body(self, request: Request, form: Form, stream: bool) -> dict[str, Any]:
        system = request.system
        asked: dict[str, Any] = {}
        if request.schema is not None:
            system = f"{system}\n\n{instruction(request.schema, form)}".strip()
            if (told := response_format(request.schema, form)) is not None:
                asked["response_format"] = told
        if request.tools:
            asked["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": dict(tool.parameters),
                    },
                }
                for tool in request.tools
            ]
        if request.temperature is not None:
            asked["temperature"] = request.temperature
        if stream:
            asked["stream"] = True
            if self._counts:
                asked["stream_options"] = {"include_usage": True}
        first = [{"role": "system", "content": system}] if system else []
        messages = [*first, *map(_message, with_passages(request))]
        return dict(sendable({"model": self._name, "messages": messages, self._limit: request.max_tokens, **asked}))


def _message(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.answers, "content": message.text}
    if not message.calls:
        return {"role": message.role, "content": message.text}
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(dict(call.arguments))},
        }
        for call in message.calls
    ]
    return {"role": message.role, "content": message.text or None, "tool_calls": calls}


async def _chunks(stream: Any, heard: Heard) -> AsyncIterator[dict[str, Any]]:
    """What comes after the last word is only the usage: when that is lost, it is unknown, and nothing is broken."""
    from openai import APIConnectionError

    try:
        while (chunk := await anext(stream, None)) is not None:
            if not hasattr(chunk, "to_dict"):
                raise Broken("a piece is no JSON object")
            yield chunk.to_dict(warnings=False)
    except APIConnectionError:
        if not heard.finish:
            raise
