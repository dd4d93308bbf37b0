"""Models of OpenAI, and of every server that speaks as OpenAI does (Ollama, vLLM, llama.cpp, LM Studio, Azure's v1).

Chat Completions, for that is what they all speak. What one of them refuses is said another way, and remembered.
"""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from ragkit.errors import InvalidInput
from ragkit.indexes.embedder import encodable
from ragkit.model import Message, Reply, Request, Usage
from ragkit.modelsettings import ModelSettings
from ragkit.openaifailure import Refusal, failure, refused
from ragkit.openaiform import Form, instruction, json_within, response_format
from ragkit.openaireply import Broken, Heard, read
from ragkit.openaiserver import Server
from ragkit.prompt import with_passages

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.resources.chat import AsyncCompletions
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
        self._made: AsyncOpenAI | None = None
        self._limit = "max_completion_tokens" if self._server.official else "max_tokens"
        self._counts = True
        """Whether a stream is asked for its usage."""
        self._forms: dict[type[BaseModel] | None, Form] = {}
        """What the server takes, and, by schema, what it takes of those that are too much for it."""

    @property
    def name(self) -> str:
        return f"openai:{self._name}"

    async def areply(self, request: Request) -> Reply:
        heard = Heard()
        try:
            raw = await self._asked(request, lambda body: self._completions.with_raw_response.create(**body))
            heard.whole(read(raw.text))
            return self._reply(heard, request)
        except Exception as error:
            raise failure(error, self._server, heard.usage) from None  # what is behind it holds the key

    async def astream(self, request: Request) -> AsyncGenerator[str | Usage | Reply, None]:
        heard = Heard()
        try:
            stream = await self._asked(request, lambda body: self._completions.create(**body), stream=True)
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
            raise failure(error, self._server, heard.usage) from None
        yield reply

    async def aclose(self) -> None:
        made, self._made = self._made, None
        if made is not None:
            await made.close()

    def _reply(self, heard: Heard, request: Request) -> Reply:
        reply = heard.reply(self.name)
        return reply if request.schema is None else replace(reply, text=json_within(reply.text))

    @property
    def _completions(self) -> "AsyncCompletions":
        if self._made is None:
            key = self._server.key_or_none()
            from openai import AsyncOpenAI

            # Its own retries are off: `weather` is the one policy.
            self._made = AsyncOpenAI(
                api_key=key, base_url=self._server.url or None, timeout=self._settings.timeout, max_retries=0
            )
        return self._made.chat.completions

    async def _asked(
        self, request: Request, send: Callable[[dict[str, Any]], Awaitable[Sent]], stream: bool = False
    ) -> Sent:
        """What the server answers once it takes what it is sent."""
        tried: set[str] = set()
        while True:
            form = self._form(request)
            body = self._body(request, form, stream)
            try:
                return await send(body)
            except Exception as error:
                refusal = refused(error)
                if refusal is None or not self._learns(refusal, body, request.schema, form, tried):
                    raise

    def _form(self, request: Request) -> Form:
        return self._settings.form or self._forms.get(request.schema) or self._forms.get(None, "schema")

    def _learns(
        self, refusal: Refusal, body: dict[str, Any], schema: "type[BaseModel] | None", form: Form, tried: set[str]
    ) -> bool:
        """Whether it is worth asking again, said in another way."""
        said = refusal.about
        if refusal.fault == "context" or refusal.status not in (400, 422, 500, 501):
            return False
        if refusal.status >= 500 and not re.search("not implemented|not supported|unsupported", said):
            return False
        if "response_format" in body and not self._settings.form and _OF_FORM.search(said):
            of_all = _OF_THIS_SCHEMA.search(said) is None
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
        if re.search(rf"\b{limit}\b", said) and _OTHER[limit] not in tried:
            tried.add(limit)
            self._limit = _OTHER[limit]
            return True
        return False

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
        first = [{"role": "system", "content": encodable(system)}] if system else []
        messages = [*first, *map(_message, with_passages(request))]
        return {"model": self._name, "messages": messages, self._limit: request.max_tokens, **asked}


def _message(message: Message) -> dict[str, Any]:
    text = encodable(message.text)
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.answers, "content": text}
    if not message.calls:
        return {"role": message.role, "content": text}
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(dict(call.arguments))},
        }
        for call in message.calls
    ]
    return {"role": message.role, "content": text or None, "tool_calls": calls}


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
