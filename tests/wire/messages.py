"""Anthropic's Messages, on the wire."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.wire.piece import Piece, event, shreds, words
from tests.wire.turn import Seen, Turn

_STOPS = {
    "end": "end_turn",
    "length": "max_tokens",
    "tools": "tool_use",
    "refusal": "refusal",
    "filtered": "refusal",
}

_ERRORS = {
    "rate": (
        429,
        "rate_limit_error",
        "This request would exceed the rate limit for your organization of 50 requests per minute.",
    ),
    "quota": (
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API. "
        "Please go to Plans & Billing to upgrade or purchase credits.",
    ),
    "error": (500, "api_error", "Internal server error"),
    "overloaded": (529, "overloaded_error", "Overloaded"),
    "auth": (401, "authentication_error", "invalid x-api-key"),
    "context": (400, "invalid_request_error", "prompt is too long: 208656 tokens > 200000 maximum"),
    "bad_request": (400, "invalid_request_error", "temperature: range: 0..1"),
    "no_schema": (400, "invalid_request_error", "output_config.format: not supported by this model"),
    "error_in_stream": (200, "overloaded_error", "Overloaded"),
    "unknown": (404, "not_found_error", "Not found"),
}


def error(fault: str, said: str = "") -> tuple[int, dict[str, Any]]:
    status, kind, message = _ERRORS[fault]
    return status, {"type": "error", "error": {"type": kind, "message": said or message}, "request_id": "req_wire"}


def whole(turn: Turn, seen: Seen) -> tuple[dict[str, Any], Counter[str]]:
    content: list[dict[str, Any]] = []
    for text, citations in _texts(turn):
        content.append({"type": "text", "text": text, "citations": list(citations) or None})
    for at, (name, arguments) in enumerate(turn.calls):
        given = json.loads(arguments) if isinstance(arguments, str) else arguments
        content.append({"type": "tool_use", "id": _id(seen, at), "name": name, "input": given})
    usage = _usage(turn, turn.output_tokens)
    return {**_message(seen), "content": content, **_stop(turn), "usage": usage}, turn.tokens


def stream(turn: Turn, seen: Seen) -> list[Piece]:
    first = min(1, turn.output_tokens)  # a real one starts with the first token counted, too
    begun, rest = turn.tokens, Counter(output=turn.output_tokens - first)
    begun["output"] = first
    message = {
        **_message(seen),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _usage(turn, first),
    }
    pieces = [_event("message_start", tokens=begun, message=message)]
    index = 0
    for text, citations in _texts(turn):
        deltas: list[dict[str, Any]] = [{"type": "text_delta", "text": word} for word in words(text)]
        deltas += [{"type": "citations_delta", "citation": one} for one in citations]
        pieces += _block(index, {"type": "text", "text": "", **({"citations": []} if citations else {})}, deltas)
        index += 1
    for at, (name, arguments) in enumerate(turn.calls):
        given = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        block = {"type": "tool_use", "id": _id(seen, at), "name": name, "input": {}}
        pieces += _block(index, block, [{"type": "input_json_delta", "partial_json": part} for part in shreds(given)])
        index += 1
    usage = {"output_tokens": turn.output_tokens}
    return [*pieces, _event("message_delta", tokens=rest, delta=_stop(turn), usage=usage), _event("message_stop")]


def failed(fault: str) -> list[Piece]:
    return [event(error(fault)[1], "error")]


def broken() -> list[Piece]:
    return [event('{"type": "content_block_delta", "delta": {"te', "content_block_delta")]


def _texts(turn: Turn) -> tuple[tuple[str, tuple[Mapping[str, Any], ...]], ...]:
    return turn.cited or (((turn.text, ()),) if turn.text else ())


def _message(seen: Seen) -> dict[str, Any]:
    return {"id": f"msg_{seen.number:04}", "type": "message", "role": "assistant", "model": seen.model}


def _id(seen: Seen, at: int) -> str:
    return f"toolu_{seen.number:04}_{at}"


def _stop(turn: Turn) -> dict[str, Any]:
    stop = turn.stop or ("tools" if turn.calls else "end")
    reason = _STOPS.get(stop, stop)
    details = None
    if reason == "refusal":
        details = {"type": "refusal", "category": None, "explanation": "It was declined by a policy."}
    return {"stop_reason": reason, "stop_sequence": None, "stop_details": details}


def _usage(turn: Turn, output: int) -> dict[str, Any]:
    return {
        "input_tokens": turn.input_tokens,
        "cache_creation_input_tokens": turn.written_tokens,
        "cache_read_input_tokens": turn.cached_tokens,
        "output_tokens": output,
        "service_tier": "standard",
    }


def _block(index: int, block: dict[str, Any], deltas: list[dict[str, Any]]) -> list[Piece]:
    return [
        _event("content_block_start", index=index, content_block=block),
        _event("ping"),
        *(_event("content_block_delta", content=True, index=index, delta=delta) for delta in deltas),
        _event("content_block_stop", index=index),
    ]


def _event(kind: str, *, tokens: Counter[str] | None = None, content: bool = False, **data: Any) -> Piece:
    return event({"type": kind, **data}, kind, tokens=tokens, content=content)
