"""A Complaint: what a real provider would say of a request that it refuses. Empty when it takes it.

Not everything that they refuse, but what a client of ours could get wrong.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.wire.turn import Seen

_LIMITS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength")


def complaint(seen: Seen) -> str:
    body = seen.body
    if not isinstance(body.get("model"), str) or not body["model"]:
        return "model: field required"
    if not isinstance(body.get("messages"), list) or not body["messages"]:
        return "messages: at least one message is required"
    return _of_messages(body) if seen.provider == "anthropic" else _of_chat(body)


def _of_messages(body: Mapping[str, Any]) -> str:
    if not isinstance(body.get("max_tokens"), int) or body["max_tokens"] < 1:
        return "max_tokens: field required, at least 1"
    if not 0 <= body.get("temperature", 0) <= 1:
        return "temperature: range: 0..1"
    asked: list[str] = []
    for at, message in enumerate(body["messages"]):
        if message["role"] not in ("user", "assistant"):
            return f"messages.{at}.role: Input should be 'user' or 'assistant'"
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if not blocks or any(block["type"] == "text" and not block["text"].strip() for block in blocks):
            return f"messages.{at}: text content blocks must be non-empty"
        if said := _of_documents([block for block in blocks if block["type"] == "document"]):
            return f"messages.{at}.content.{said}"
        answered = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if sorted(answered) != sorted(asked):
            return f"messages.{at}: `tool_use` ids {asked} and `tool_result` blocks {answered} must match"
        asked = [block["id"] for block in blocks if block["type"] == "tool_use"]
    if asked:
        return f"messages: `tool_use` ids {asked} were found without `tool_result` blocks after them"
    if body["messages"][0]["role"] != "user":
        return "messages: first message must use the user role"
    form = (body.get("output_config") or {}).get("format")
    if form:
        if '"citations": {"enabled": true}' in json.dumps(body["messages"]):
            return "output_config.format: citations cannot be enabled with a format"
        if form.get("type") != "json_schema" or not isinstance(form.get("schema"), dict):
            return "output_config.format: type json_schema with a schema is required"
        for schema in _schemas(form["schema"]):
            if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
                return "output_config.format.schema: For 'object' type, 'additionalProperties' must be false"
            for limit in _LIMITS:
                if limit in schema:
                    return f"output_config.format.schema: property '{limit}' is not supported"
    return ""


def _of_documents(blocks: list[Mapping[str, Any]]) -> str:
    for at, block in enumerate(blocks):
        source = block["source"]
        if (source.get("type"), source.get("media_type")) != ("text", "text/plain"):
            return f"{at}.document.source: Input should be a text/plain of type text"
        if not source.get("data", "").strip():
            return f"{at}.document.source.text.data: String should have at least 1 character"
        if len(block.get("title") or "") > 500:
            return f"{at}.document.title: String should have at most 500 characters"
    if len({bool((block.get("citations") or {}).get("enabled")) for block in blocks}) > 1:
        return "0.document.citations: Citations must be enabled on all or none of the documents"
    return ""


def _of_chat(body: Mapping[str, Any]) -> str:
    if "stream_options" in body and not body.get("stream"):
        return "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    asked: list[str] = []
    for at, message in enumerate(body["messages"]):
        if message["role"] == "tool":
            if message.get("tool_call_id") not in asked:
                return f"messages.[{at}]: a message of role 'tool' must answer a preceding message with 'tool_calls'"
            asked.remove(message["tool_call_id"])
            continue
        if asked:
            break
        if message["role"] not in ("system", "developer", "user", "assistant"):
            return f"Invalid value: '{message['role']}' for messages[{at}].role"
        asked = [call["id"] for call in message.get("tool_calls") or ()]
        if message.get("content") is None and not asked:
            return f"Invalid value for 'content' of messages[{at}]: expected a string, got null."
    if asked:
        return f"An assistant message with 'tool_calls' must be followed by tool messages. Missing: {asked}"
    form = body.get("response_format") or {}
    if form.get("type") == "json_object" and "json" not in json.dumps(body["messages"]).lower():
        return "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
    if form.get("type") == "json_schema":
        asked_form = form.get("json_schema") or {}
        if not asked_form.get("name"):
            return "Missing required parameter: 'response_format.json_schema.name'."
        if asked_form.get("strict"):
            for schema in _schemas(asked_form.get("schema")):
                if schema.get("type") != "object":
                    continue
                if schema.get("additionalProperties") is not False:
                    return "Invalid schema for response_format: 'additionalProperties' is required to be false."
                if set(schema.get("properties") or ()) != set(schema.get("required") or ()):
                    return "Invalid schema for response_format: 'required' must include every key in properties."
    return ""


def _schemas(schema: Any) -> Iterator[Mapping[str, Any]]:
    """This schema and all within it; names of properties are no keywords."""
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            if key in ("properties", "$defs", "definitions"):
                for one in value.values():
                    yield from _schemas(one)
            elif key not in ("enum", "const", "default", "examples"):
                yield from _schemas(value)
    elif isinstance(schema, list):
        for one in schema:
            yield from _schemas(one)
