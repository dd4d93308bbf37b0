"""Models of the Messages API, which Anthropic serves, and others with it: `anthropic:NAME`."""

import json
import math
import os
import re
import time
import unicodedata
from collections.abc import AsyncGenerator
from email.utils import mktime_tz, parsedate_tz
from typing import TYPE_CHECKING, Any

from ragkit import telemetry
from ragkit.model import Kind, ModelError, Reply, Request, Stop, ToolCall, Usage
from ragkit.prompt import with_passages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anthropic import AsyncAnthropic

    from ragkit.modelsettings import ModelSettings

KEY = "ANTHROPIC_API_KEY"
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
_STATUS = {
    "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
    "not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500,
    "timeout_error": 504, "overloaded_error": 529,
}  # fmt: skip
"""An error in the middle of a stream comes with the status 200: its type says which one it would have had."""
_SPENT = {"contract_spend_limit_reached", "enforced_spend_limit_reached"}
"""They come as 429 too, but no wait of minutes helps."""
_TOO_LONG = re.compile(r"too long|too many tokens|context (limit|window|length)|exceeds? .*\bcontext", re.IGNORECASE)
_MALFORMED = ValueError, TypeError, LookupError, AttributeError
"""What the SDK, which checks nothing, and our reading of it stumble with over a body that is no message."""
_LONGEST = 200
_SECRET = 8
"""Letters. Servers at home take any key, such as "x"; it is no secret, and to hide it would spoil what they say."""
_ADDRESS = "Write base_url like https://api.anthropic.com, in ragkit.toml or in ANTHROPIC_BASE_URL."
_SAYS: dict[str, tuple[str, str]] = {
    "rate": (
        "{host} gets more requests for {model} than it allows",
        "Wait, or lower requests_per_minute, tokens_per_minute or concurrency of this model in ragkit.toml.",
    ),
    "overloaded": (
        "{host} is overloaded and did not answer for {model}",
        "Try later, or name a model to fall back to.",
    ),
    "server": ("{host} failed while it answered for {model}", "Try later, or name a model to fall back to."),
    "timeout": (
        "{host} took too long to answer for {model}",
        "Raise its timeout in ragkit.toml, or ask a faster model.",
    ),
    "connection": (
        "The connection to {host} failed for {model}",
        "Check the network, the proxy, and base_url in ragkit.toml.",
    ),
    "broken": (
        "{host} sent no whole reply of {model}",
        "Try again. If it stays so, see whether base_url names a server of the Messages API.",
    ),
    "key": ("{host} refused the key for {model}", "Check the key in {variable}, and what it is allowed."),
    "context": (
        "The request is too long for {model} at {host}",
        "Ask with fewer passages or a shorter conversation, or a model that reads more.",
    ),
    "request": ("{host} refused the request to {model}", "Change what it names, or ask another model."),
}


class AnthropicModel:
    """One model, through the SDK. Its client is made when it is first used, for the event loop it is used in."""

    def __init__(self, name: str, settings: "ModelSettings") -> None:
        self.name = f"anthropic:{name}"
        self.settings = settings
        self._id = name
        self._client: AsyncAnthropic | None = None

    async def areply(self, request: Request) -> Reply:
        client, body = self._open(), self._body(request)
        try:
            return self._reply(await client.messages.create(**body))
        except Exception as error:
            raise self._failure(error) from None  # the SDK's errors hold the request, and so the key

    async def astream(self, request: Request) -> AsyncGenerator[str | Usage | Reply, None]:
        client, body = self._open(), self._body(request)
        usage, whole = None, False
        try:
            async with client.messages.stream(**body) as stream:
                async for event in stream:
                    if event.type in ("message_start", "message_delta"):
                        usage = _usage(stream.current_message_snapshot.usage)
                        if usage is not None:
                            yield usage
                    whole = whole or event.type == "message_stop"
                    if piece := _piece(event):
                        yield piece
                if not whole:
                    raise _Broken("it ended before its end")
                reply = self._reply(stream.current_message_snapshot)
        except Exception as error:
            raise self._failure(error, usage) from None
        yield reply

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _open(self) -> "AsyncAnthropic":
        if self._client is None:
            key = self._key()
            import anthropic
            import httpx2

            try:
                self._client = anthropic.AsyncAnthropic(
                    api_key=key,
                    base_url=self.settings.base_url or None,
                    timeout=self.settings.timeout,
                    max_retries=0,  # `weather` tries again
                    open_telemetry=False,  # and `weather` tells of the call
                )
            except httpx2.InvalidURL as error:
                raise ModelError(
                    f"The base_url of {self.name} is no address of a server: {error}.",
                    _ADDRESS,
                    model=self.name,
                ) from None
        return self._client

    @property
    def _variable(self) -> str:
        return self.settings.key or KEY

    def _key(self) -> str:
        key = os.environ.get(self._variable, "").strip()
        if not key:
            reason = f"{self.name} needs a key, and there is none in {self._variable}."
            hint = f"Set the environment variable {self._variable}."
        elif not key.isascii() or not key.isprintable() or " " in key:
            reason = f"What is in {self._variable} cannot be the key that {self.name} needs."
            hint = f"Set {self._variable} to the key alone: letters, digits and signs, without spaces."
        else:
            telemetry.hide(key)
            return key
        raise ModelError(reason, hint, "key", model=self.name)

    def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self._id, "max_tokens": request.max_tokens, "messages": _messages(request)}
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
        return body

    def _schema(self, request: Request) -> dict[str, Any]:
        from anthropic import transform_schema

        assert request.schema is not None
        try:
            return transform_schema(request.schema)
        except ValueError as error:
            raise ModelError(
                f"The form {request.schema.__name__} cannot be told to {self.name}: {error}",
                "Give each of its fields a type.",
                model=self.name,
            ) from error

    def _reply(self, message: Any) -> Reply:
        """Of a message that nobody has checked. What was called for is only told when the model had said all of it."""
        if message.type == "error":
            raise _Refused(message.to_dict().get("error"))
        stop = message.stop_reason
        if not isinstance(stop, str):
            raise _Broken("it does not say how it ended")
        blocks = list(message.content)
        ended = _STOPS.get(stop, "end")
        return Reply(
            "".join(block.text for block in blocks if block.type == "text"),
            self.name,
            ended,
            _usage(message.usage),
            tuple(
                ToolCall(block.id, block.name, dict(block.input))
                for block in blocks
                if block.type == "tool_use" and ended == "tools"
            ),
        )

    def _failure(self, error: Exception, usage: Usage | None = None) -> Exception:
        """What went wrong, in our words; an error that is neither the SDK's nor the server's stays what it is."""
        kind, said = _kind(error), _said(error)
        if kind is None or self._client is None:
            return error
        if self._client.api_key and len(self._client.api_key) >= _SECRET:
            said = said.replace(self._client.api_key, "[key]")
        what, hint = _SAYS[kind]
        status = getattr(error, "status_code", None)
        if status == 404:
            what, hint = "There is no model {model} at {host}", "Check the name of the model, and base_url."
        elif status == 402 or _code(error) in _SPENT or (kind == "request" and "credit balance" in said):
            hint = "See to the billing and the spending limits of the account, or ask another model."
        elif kind == "request" and isinstance(error.__cause__, Exception):
            hint = _ADDRESS
        elif kind == "request" and "output_config" in said:
            hint = 'Set form = "prompt" for this model in ragkit.toml: it does not know how to answer in a form.'
        short = said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"
        names = {"host": self._client.base_url.netloc.decode(), "model": self.name, "variable": self._variable}
        return ModelError(
            f"{what.format(**names)}{f': {short}' if short else ''}".rstrip(".") + ".",
            hint.format(**names),
            kind,
            model=self.name,
            retry_after=_retry_after(error.response.headers) if hasattr(error, "response") else None,
            usage=usage,
        )


class _Broken(Exception):
    """The server was heard, and what it said is no reply."""


class _Refused(Exception):
    """An error as the whole body, with the status of a success: gateways do that. It has what `APIStatusError` has."""

    status_code = 200
    error_code = None

    def __init__(self, said: Any) -> None:
        super().__init__()
        self.body = {"error": said}
        self.type = said.get("type") if isinstance(said, dict) else None


def _messages(request: Request) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    answering = False
    for one in with_passages(request):
        if one.role == "tool":
            result = {"type": "tool_result", "tool_use_id": one.answers, "content": one.text}
            if answering:
                messages[-1]["content"].append(result)
            else:
                messages.append({"role": "user", "content": [result]})
        elif one.calls:
            said = [{"type": "text", "text": one.text}] if one.text else []
            calls = [
                {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)}
                for call in one.calls
            ]
            messages.append({"role": one.role, "content": [*said, *calls]})
        else:
            messages.append({"role": one.role, "content": one.text})
        answering = one.role == "tool"
    return messages


def _piece(event: Any) -> str:
    if event.type == "text":
        return str(event.text)
    if event.type == "content_block_start" and event.content_block.type == "text":
        return str(event.content_block.text)
    return ""


def _usage(usage: Any) -> Usage | None:
    """Of the API, `input_tokens` are those that no cache had or took: as ours are."""
    names = "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"
    counts = [getattr(usage, name, None) for name in names]
    if not isinstance(counts[0], int) or not isinstance(counts[1], int):
        return None
    return Usage(*(count if isinstance(count, int) else 0 for count in counts))


def _kind(error: Exception) -> Kind | None:
    import anthropic
    import httpx2

    if isinstance(error, anthropic.APIStatusError | _Refused):
        return _kind_of_status(error)
    if isinstance(error, anthropic.APITimeoutError | httpx2.TimeoutException):
        return "timeout"
    if isinstance(error, anthropic.CredentialsError):
        return "key"
    if isinstance(error, anthropic.APIConnectionError):
        error = error.__cause__ if isinstance(error.__cause__, Exception) else error
    if isinstance(error, httpx2.RemoteProtocolError):  # two things have this name, and only the words tell them apart
        return "connection" if "without sending a response" in str(error) else "broken"
    if isinstance(error, (httpx2.DecodingError, httpx2.TooManyRedirects, _Broken, *_MALFORMED)):
        return "broken"
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError | httpx2.InvalidURL):
        return "request"
    if isinstance(error, httpx2.HTTPError | anthropic.APIConnectionError | OSError):
        return "connection"
    return "broken" if isinstance(error, anthropic.AnthropicError) else None


def _kind_of_status(error: Any) -> Kind:
    status = error.status_code if error.status_code >= 400 else _STATUS.get(error.type, 500)
    if error.type == "overloaded_error" or status == 529:
        return "overloaded"
    if status == 429:
        return "request" if _code(error) in _SPENT else "rate"
    if status in (408, 504):
        return "timeout"
    if status >= 500:
        return "server"
    if status in (401, 403):
        return "key"
    if status == 413 or (status == 400 and _TOO_LONG.search(_said(error))):
        return "context"
    return "request"


def _code(error: Exception) -> str | None:
    return getattr(error, "error_code", None)


def _said(error: Exception) -> str:
    """The message of the server, or of what could not reach it, in one line without signs that a terminal obeys."""
    import anthropic

    if isinstance(error, anthropic.APIStatusError | _Refused):
        said = _said_in(error.body) or f"HTTP {error.status_code}"
    elif isinstance(error, _MALFORMED):
        said = "it is not of the form of a message"
    elif isinstance(error, anthropic.APITimeoutError):
        said = ""
    elif isinstance(error, anthropic.APIConnectionError):
        said = str(error.__cause__ or error)
    else:
        said = str(error)
    visible = "".join(sign if unicodedata.category(sign)[0] != "C" else " " for sign in said)
    return " ".join(visible.split())


def _said_in(body: object) -> str:
    """Where servers put their message: Anthropic's has it in `error.message`. A page of HTML says nothing."""
    if isinstance(body, dict):
        found = (body.get(name) for name in ("error", "message", "detail"))
        return next((_said_in(one) for one in found if one), "")
    return body if isinstance(body, str) and not body.lstrip().startswith("<") else ""


def _retry_after(headers: "Mapping[str, str]") -> float | None:
    """Seconds, of milliseconds, of seconds or of a date."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    try:
        date = parsedate_tz(headers.get("retry-after", ""))
        return None if date is None else max(0.0, mktime_tz(date) - time.time())
    except (ValueError, OverflowError):
        return None
