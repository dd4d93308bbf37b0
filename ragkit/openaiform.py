"""How a server of OpenAI's kind is told the form of its answer, and how the JSON gets out of what comes back."""

import json
import re
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pydantic import BaseModel

Form = Literal["schema", "object", "prompt"]
"""A JSON schema that the server enforces; any JSON object, and the schema in the prompt; the schema in the prompt."""

_AS_JSON = """Answer with one JSON object that fits this JSON schema, and with nothing else: no words around it.
{schema}"""
"""OpenAI refuses `json_object` unless the prompt has the word JSON; small models add a sentence unless told."""

_KNOWN = {
    "$defs", "$ref", "additionalProperties", "anyOf", "const", "description", "enum", "exclusiveMaximum",
    "exclusiveMinimum", "format", "items", "maxItems", "maximum", "minItems", "minimum", "multipleOf", "pattern",
    "properties", "required", "type",
}  # fmt: skip
"""What OpenAI enforces: https://platform.openai.com/docs/guides/structured-outputs (supported schemas)."""

_LEFT_OUT = {"default", "discriminator", "examples", "maxLength", "minLength", "title", "uniqueItems"}
"""What says more than the shape does: it is refused there, and `structured` checks it anyway."""

_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}


def response_format(schema: "type[BaseModel]", form: Form) -> dict[str, Any] | None:
    """None where the prompt alone says it."""
    match form:
        case "schema":
            tidy = _strict(schema)
            given = {"schema": schema.model_json_schema()} if tidy is None else {"schema": tidy, "strict": True}
            name = re.sub(r"[^A-Za-z0-9_-]", "_", schema.__name__)[:64]
            return {"type": "json_schema", "json_schema": {"name": name, **given}}
        case "object":
            return {"type": "json_object"}
    return None


def instruction(schema: "type[BaseModel]", form: Form) -> str:
    """What the prompt says of it."""
    return "" if form == "schema" else _AS_JSON.format(schema=json.dumps(schema.model_json_schema()))


def json_within(text: str) -> str:
    """The one JSON object or array of a text, without fence and prose; the text itself when there is none.

    A part of something broken is not taken for the whole: `structured` reports what is left.
    """
    if _parses(text):
        return text
    found = ""
    at = 0
    while (start := _OPENING.search(text, at)) is not None:
        end = _balanced(text, start.start())
        if end is None:  # cut off, or a bracket of the prose
            break
        part = text[start.start() : end]
        if len(part) > len(found) and _parses(part):
            found = part
        at = end
    return found or text


_OPENING = re.compile(r"[{\[]")
_SIGN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)


def _balanced(text: str, start: int) -> int | None:
    """Where the bracket that opens here is closed; brackets within strings do not count."""
    depth = 0
    for sign in _SIGN.finditer(text, start):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(sign[0], 0)
        if depth == 0:
            return sign.end()
    return None


def _parses(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _strict(schema: "type[BaseModel]") -> dict[str, Any] | None:
    """The schema as OpenAI's strict mode takes it; None when it cannot say this form.

    The SDK's public helper makes all properties required and forbids others. What it leaves in is sorted out here.
    """
    import openai

    made = openai.pydantic_function_tool(schema)["function"].get("parameters", {})
    tidy = _tidy(made)
    return tidy if isinstance(tidy, dict) and tidy.get("type") == "object" else None


def _tidy(schema: Any) -> dict[str, Any] | None:
    if not isinstance(schema, dict):
        return None
    tidy: dict[str, Any] = {}
    for word, said in schema.items():
        match word:
            case "oneOf":  # of a union with a discriminator: its alternatives exclude each other anyway
                word, said = "anyOf", [_tidy(one) for one in said]
            case "anyOf":
                said = [_tidy(one) for one in said]
            case "$defs" | "properties":
                said = {name: _tidy(one) for name, one in said.items()}
            case "items":
                said = _tidy(said)
            case "additionalProperties" if said is not False:
                return None
            case "format" if said not in _FORMATS:
                continue
            case _ if word in _LEFT_OUT:
                continue
            case _ if word not in _KNOWN:
                return None
        if said is None or (word in ("anyOf", "$defs", "properties") and None in _each(said)):
            return None
        tidy[word] = said
    return tidy if tidy.keys() - {"description"} else None


def _each(said: Any) -> list[Any]:
    return list(said.values()) if isinstance(said, dict) else list(said)
