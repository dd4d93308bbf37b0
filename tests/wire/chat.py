"""OpenAI's Chat Completions, on the wire: as OpenAI itself and servers of its kind speak it."""

import json
from collections import Counter
from typing import Any

from tests.wire.piece import Piece, event, shreds, words
from tests.wire.turn import Seen, Turn

_STOPS = {
    "end": "stop",
    "length": "length",
    "tools": "tool_calls",
    "refusal": "stop",  # the refusal stands in a field of its own
    "filtered": "content_filter",
}

_ERRORS: dict[str, tuple[int, str, str | None, str | int | None, str]] = {
    "rate": (429, "requests", None, "rate_limit_exceeded", "Rate limit reached for requests per min. Limit: 3 / min."),
    "quota": (
        429,
        "insufficient_quota",
        None,
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "error": (
        500,
        "server_error",
        None,
        None,
        "The server had an error while processing your request. Sorry about that!",
    ),
    "overloaded": (
        503,
        "service_unavailable",
        None,
        None,
        "The engine is currently overloaded, please try again later.",
    ),
    "auth": (401, "invalid_request_error", None, "invalid_api_key", "Incorrect API key provided: k."),
    "context": (
        400,
        "invalid_request_error",
        "messages",
        "context_length_exceeded",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 128009 tokens. "
        "Please reduce the length of the messages.",
    ),
    "bad_request": (
        400,
        "invalid_request_error",
        "temperature",
        "unsupported_value",
        "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
    ),
    "no_schema": (  # llama.cpp's words
        400,
        "invalid_request_error",
        None,
        400,
        'response_format type must be one of "text" or "json_object", but got: json_schema',
    ),
    "error_in_stream": (
        200,
        "server_error",
        None,
        None,
        "The server had an error while processing your request. Sorry about that!",
    ),
    "unknown": (404, "invalid_request_error", None, None, "Invalid URL"),
}


def error(fault: str, said: str = "") -> tuple[int, dict[str, Any]]:
    status, kind, param, code, message = _ERRORS[fault]
    return status, {"error": {"message": said or message, "type": kind, "param": param, "code": code}}


def whole(turn: Turn, seen: Seen) -> tuple[dict[str, Any], Counter[str]]:
    message: dict[str, Any] = {"role": "assistant", "content": turn.text or None, "refusal": None, "annotations": []}
    if turn.stop == "refusal":
        message |= {"content": None, "refusal": turn.text}
    if turn.calls:
        message["tool_calls"] = [_call(turn, seen, at) for at in range(len(turn.calls))]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _stop(turn)}
    body = {**_completion(seen, ""), "choices": [] if turn.fault == "no_choices" else [choice]}
    return (body | {"usage": _usage(turn)}, turn.tokens) if turn.usage else (body, Counter())


def stream(turn: Turn, seen: Seen) -> list[Piece]:
    told = turn.usage and bool((seen.body.get("stream_options") or {}).get("include_usage"))
    pieces: list[Piece] = []
    if turn.fault != "no_choices":
        pieces.append(_chunk(seen, told, {"role": "assistant", "content": "", "refusal": None}))
        field = "refusal" if turn.stop == "refusal" else "content"
        pieces += [_chunk(seen, told, {field: word}, content=True) for word in words(turn.text)]
        for at in range(len(turn.calls)):
            call = _call(turn, seen, at)
            parts = shreds(call["function"]["arguments"])
            call["function"]["arguments"] = ""
            pieces.append(_chunk(seen, told, {"tool_calls": [{"index": at, **call}]}))
            for part in parts:
                delta = {"tool_calls": [{"index": at, "function": {"arguments": part}}]}
                pieces.append(_chunk(seen, told, delta, content=True))
        pieces.append(_chunk(seen, told, {}, stop=_stop(turn)))
    if told:
        last = {**_completion(seen, ".chunk"), "choices": [], "usage": _usage(turn)}
        pieces.append(event(last, tokens=turn.tokens))
    return [*pieces, event("[DONE]")]


def failed(fault: str) -> list[Piece]:
    return [event(error(fault)[1])]


def broken() -> list[Piece]:
    return [event('{"id": "chatcmpl-1", "choices": [{"del')]


def _completion(seen: Seen, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{seen.number:04}",
        "object": f"chat.completion{kind}",
        "created": 1_700_000_000 + seen.number,
        "model": seen.model,
        "system_fingerprint": None,
    }


def _call(turn: Turn, seen: Seen, at: int) -> dict[str, Any]:
    name, arguments = turn.calls[at]
    given = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {"id": f"call_{seen.number:04}_{at}", "type": "function", "function": {"name": name, "arguments": given}}


def _stop(turn: Turn) -> str:
    stop = turn.stop or ("tools" if turn.calls else "end")
    return _STOPS.get(stop, stop)


def _usage(turn: Turn) -> dict[str, Any]:
    prompt = turn.input_tokens + turn.cached_tokens + turn.written_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": turn.output_tokens,
        "total_tokens": prompt + turn.output_tokens,
        "prompt_tokens_details": {"cached_tokens": turn.cached_tokens, "cache_write_tokens": turn.written_tokens},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def _chunk(seen: Seen, told: bool, delta: dict[str, Any], *, stop: str | None = None, content: bool = False) -> Piece:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": stop}
    chunk = {**_completion(seen, ".chunk"), "choices": [choice]}
    return event(chunk | {"usage": None} if told else chunk, content=content)
