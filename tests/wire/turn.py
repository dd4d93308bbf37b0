"""A Turn: what the server is to answer next, to what it has Seen."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Provider = Literal["anthropic", "openai"]
Fault = Literal[
    "",
    "rate",  # 429, with `retry_after` when that is given
    "quota",  # no money left: 429 of OpenAI, 400 of Anthropic; trying again cannot help
    "error",  # 500
    "overloaded",  # 529 of Anthropic, 503 of OpenAI
    "auth",  # 401
    "context",  # 400: the prompt is too long
    "bad_request",  # 400
    "no_schema",  # 400: structured output is not supported
    "raw",  # `status` and `body`, as JSON
    "html",  # a page of a gateway: 502, or `status`
    "invalid_json",  # 200 and no JSON; in a stream: an event that is none, after half of the content
    "error_in_stream",  # 200 and the provider's error: as an event after half of the content, or as the whole body
    "empty",  # an answer without content
    "no_choices",  # `choices` of OpenAI is []; of Anthropic the same as "empty"
    "half",  # whole as HTTP, but it ends after half of the content
    "truncated",  # the connection is closed after half of the content
    "reset_midway",  # ... is reset then
    "reset",  # ... before the first byte
]  # fmt: skip


@dataclass(frozen=True)
class Turn:
    text: str = "ok"
    cited: tuple[tuple[str, tuple[Mapping[str, Any], ...]], ...] = ()
    """Blocks of text, each with its citations as they are sent, instead of `text` (Anthropic's form only)."""
    calls: tuple[tuple[str, Mapping[str, Any] | str], ...] = ()
    """Names and arguments of the tools that the model calls; arguments as a string are sent as they are."""
    stop: str = ""
    """`end`, `length`, `tools`, `refusal`, `filtered` or a provider's own word; by default what the content implies."""
    input_tokens: int = 10
    """Those neither read from the prompt cache nor written to it."""
    output_tokens: int = 5
    cached_tokens: int = 0
    written_tokens: int = 0
    usage: bool = True
    """False: the server does not say what it counted (OpenAI's form only)."""
    fault: Fault = ""
    delay: float = 0
    """Seconds before the first byte."""
    pause: float = 0
    """Seconds between pieces."""
    retry_after: str = ""
    """The header, as it is; absent when empty."""
    status: int = 0
    """Of `raw` and `html`."""
    body: str = ""
    """Of `raw`."""

    def __post_init__(self) -> None:
        if self.fault not in get_args(Fault):  # a typing error would pass for a good answer
            raise ValueError(f"{self.fault!r} is no fault.")

    @property
    def tokens(self) -> Counter[str]:
        return Counter(
            input=self.input_tokens,
            output=self.output_tokens,
            cached=self.cached_tokens,
            written=self.written_tokens,
        )


@dataclass(frozen=True)
class Seen:
    """One request, as it came over the wire."""

    number: int
    """From 1."""
    provider: Provider
    path: str
    headers: Mapping[str, str] = field(repr=False)
    """With names in small letters."""
    body: Mapping[str, Any] = field(repr=False)

    @property
    def stream(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def key(self) -> str:
        return self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """The JSON schema that the reply must have, whichever way it was asked for."""
        form: Mapping[str, Any]
        if self.provider == "anthropic":
            form = (self.body.get("output_config") or {}).get("format") or {}
        else:
            form = (self.body.get("response_format") or {}).get("json_schema") or {}
        return form.get("schema")

    @property
    def tools(self) -> tuple[str, ...]:
        tools = self.body.get("tools") or ()
        return tuple(tool["name"] if self.provider == "anthropic" else tool["function"]["name"] for tool in tools)

    @property
    def documents(self) -> tuple[Mapping[str, Any], ...]:
        """Blocks that may be cited (Anthropic's form only), in the order in which citations count them."""
        contents = [message["content"] for message in self.body.get("messages") or ()]
        blocks = [block for content in contents if isinstance(content, list) for block in content]
        return tuple(block for block in blocks if block["type"] == "document")

    def cites(self, at: int, part: str) -> dict[str, Any]:
        """What the API says that cites this part of a document."""
        document = self.documents[at]
        start = document["source"]["data"].index(part)
        return {
            "type": "char_location",
            "cited_text": part,
            "document_index": at,
            "document_title": document["title"],
            "start_char_index": start,
            "end_char_index": start + len(part),
            "file_id": None,
        }

    @property
    def prompt(self) -> str:
        """All texts that were sent, system and tool results too, one a line."""
        return "\n".join(_texts([self.body.get("system"), self.body.get("messages")]))


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    if isinstance(value, dict):
        return [text for key in ("title", "source", "data", "text", "content") for text in _texts(value.get(key))]
    return []
