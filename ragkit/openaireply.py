"""What a server of OpenAI's kind has said, whole or in pieces, read with patience for what such servers do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from ragkit.model import Reply, Stop, ToolCall, Usage
from ragkit.openaifailure import Refusal

_THINK, _THOUGHT = "<think>", "</think>"


class Broken(ValueError):
    """A response that ended in the middle, or makes no sense."""


@dataclass
class _Call:
    index: Any
    id: str = ""
    name: str = ""
    arguments: str = ""


class Heard:
    """Of one response, as far as it came."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.finish = ""
        self.said = ""
        self._aloud = _Aloud()
        self._refused = False
        self._calls: list[_Call] = []

    def whole(self, body: Mapping[str, Any]) -> None:
        if not self._choice(body) and not body.get("error"):
            self._count(body)
            raise Broken("it has no choices")
        self.piece(body)
        self.said += self._aloud.end()
        self.finish = self.finish or "stop"

    def piece(self, body: Mapping[str, Any]) -> str:
        """Of a stream: the text that it adds to the answer."""
        self._count(body)
        choice = self._choice(body)
        if error := body.get("error") or choice.get("error"):
            raise Refusal(error)
        said = choice.get("delta") or choice.get("message") or {}
        if not isinstance(said, Mapping):
            raise Broken("its message is none")
        self.finish = _text(choice.get("finish_reason")) or self.finish
        if self.finish == "error":
            raise Refusal("the model ended with an error")
        for call in said.get("tool_calls") or ():
            self._call(call)
        if isinstance(legacy := said.get("function_call"), Mapping):
            self._call({"index": "legacy", "function": legacy})
        refusal = _text(said.get("refusal"))
        self._refused = self._refused or bool(refusal)
        piece = self._aloud.hear(_text(said.get("content")) + refusal)
        self.said += piece
        return piece

    def end(self) -> str:
        """Of a stream: what was kept back."""
        if not self.finish:
            raise Broken("it ended in the middle")
        rest = self._aloud.end()
        self.said += rest
        return rest

    def reply(self, model: str) -> Reply:
        return Reply(self.said, model, self._stop, self.usage, tuple(map(self._made, self._calls)))

    @property
    def _stop(self) -> Stop:
        if self.finish == "content_filter" or self._refused:
            return "refusal"
        if self.finish == "length":
            return "length"
        return "tools" if self._calls else "end"

    def _choice(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        choices = body.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else {}
        return first if isinstance(first, Mapping) else {}

    def _count(self, body: Mapping[str, Any]) -> None:
        """The last one holds: some servers count on in every piece."""
        usage = body.get("usage")
        if not isinstance(usage, Mapping) or not {"prompt_tokens", "completion_tokens"} & usage.keys():
            return
        details = usage.get("prompt_tokens_details")
        details = details if isinstance(details, Mapping) else {}
        read, written = _number(details, "cached_tokens"), _number(details, "cache_write_tokens")
        fresh = max(0, _number(usage, "prompt_tokens") - read - written)
        self.usage = Usage(fresh, _number(usage, "completion_tokens"), read, written)

    def _call(self, given: Any) -> None:
        """Pieces of a call share its index; servers that give none, or always 0, begin a call with an id or a name."""
        if not isinstance(given, Mapping):
            raise Broken("a call of a tool is none")
        function = given.get("function")
        function = function if isinstance(function, Mapping) else {}
        index, id, name = given.get("index"), _text(given.get("id")), _text(function.get("name"))
        same = [one for one in self._calls if one.index == index]
        if not same or (id and same[-1].id not in ("", id)) or (index is None and name):
            self._calls.append(_Call(index))
            same = self._calls[-1:]
        call = same[-1]
        call.id, call.name = call.id or id, call.name or name
        arguments = function.get("arguments")
        call.arguments += json.dumps(arguments) if isinstance(arguments, Mapping) else _text(arguments)

    def _made(self, call: _Call) -> ToolCall:
        try:
            arguments = json.loads(call.arguments.strip() or "{}")  # of a tool without parameters, some servers say ""
        except ValueError:
            arguments = None
        if not call.name or not isinstance(arguments, dict):
            cut = ": it ran out of tokens" if self.finish == "length" else ""
            raise Broken(f"the arguments for the tool {call.name!r} are no JSON object{cut}")
        return ToolCall(call.id or f"call_{uuid4().hex[:16]}", call.name, arguments)


class _Aloud:
    """Keeps to itself the reasoning with which some local models open a reply: `<think>…</think>`."""

    def __init__(self) -> None:
        self._kept = ""
        self._open = False

    def hear(self, piece: str) -> str:
        if self._open:
            return piece
        self._kept += piece
        begun = self._kept.lstrip()
        answer = self._kept
        if _THINK.startswith(begun[: len(_THINK)]):
            answer = self._kept.partition(_THOUGHT)[2].lstrip()
        self._open = bool(answer)
        return answer

    def end(self) -> str:
        """What was never closed is no reasoning."""
        return "" if self._open or _THOUGHT in self._kept else self._kept


def read(text: str) -> Mapping[str, Any]:
    body = json.loads(text)
    if not isinstance(body, dict):
        raise Broken("it is no JSON object")
    return body


def _text(said: Any) -> str:
    """Of a text, or of a list of parts; what is no text (reasoning, images) has none."""
    if isinstance(said, list):
        return "".join(_text(part.get("text")) + _text(part.get("refusal")) for part in said if isinstance(part, dict))
    return said if isinstance(said, str) else ""


def _number(counts: Mapping[str, Any], name: str) -> int:
    number = counts.get(name)
    return number if isinstance(number, int) else 0
