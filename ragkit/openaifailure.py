"""What went wrong at a server of OpenAI's kind, as a ModelError: the edge where other people's exceptions end."""

import json
import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from ragkit.model import Kind, ModelError, Usage
from ragkit.openaiserver import Server

_CONTEXT = re.compile(
    r"context_length|context[ _]?(length|size|window)|exceed_context|prompt is too long|too many (input )?tokens"
    r"|maximum number of tokens|input token|input is too long",
    re.IGNORECASE,
)
_NOWHERE = re.compile(r"unexpected endpoint", re.IGNORECASE)  # LM Studio says it with 200
_STATUSES: Mapping[str, int] = {
    "invalid_api_key": 401, "authentication_error": 401,
    "insufficient_quota": 429, "rate_limit_exceeded": 429, "rate_limit_error": 429,
    "overloaded": 503, "overloaded_error": 503, "service_unavailable": 503,
    "server_error": 500, "timeout": 504,
    "invalid_request_error": 400, "context_length_exceeded": 400, "model_not_found": 404,
}  # fmt: skip
"""What an error means that came without a status: within a stream, or in a body that says 200."""

_SAYS: Mapping[Kind, tuple[str, str]] = {
    "rate": ("takes no more requests for now", "Wait, or set requests_per_minute for it in ragkit.toml."),
    "overloaded": ("is overloaded", "Try again in a while, or name a second model to fall back to."),
    "server": ("failed", "Try again; when it stays so, look into the log of the server."),
    "timeout": ("did not answer in time", "Raise its timeout in ragkit.toml, or ask a faster model."),
    "connection": ("could not be reached", "Check base_url and the network, and that the server runs."),
    "broken": (
        "sent a broken response",
        "Try again; when it stays so, check that base_url is a server of OpenAI's kind: it mostly ends in /v1.",
    ),
    "context": ("was asked for more than it can read", "Send fewer or shorter passages, or ask one that reads more."),
    "request": ("refused the request", "Check the name of the model, and what ragkit.toml says of it."),
}


class Refusal(Exception):
    """What a server said instead of an answer."""

    def __init__(self, body: Any, status: int | None = None, headers: Mapping[str, str] | None = None) -> None:
        fields = body if isinstance(body, Mapping) else {}
        words = [str(fields.get(name) or "") for name in ("code", "type")]
        numbers = [int(word) for word in words if re.fullmatch(r"[45]\d\d", word)]
        numbers += [_STATUSES[word] for word in words if word in _STATUSES]
        self.words = words
        self.said = _said(body)
        self.about = " ".join([self.said, *words, *_places(fields)]).lower()
        """Without what it echoes of the request."""
        self.status = status or next(iter(numbers), 404 if _NOWHERE.search(self.said) else 500)
        self.retry_after = _retry_after(headers or {})

    @property
    def kind(self) -> Kind:
        if self.status not in (401, 403, 404, 429) and _CONTEXT.search(f"{' '.join(self.words)} {self.said}"):
            return "context"
        match self.status:
            case 401 | 402 | 403:
                return "key"
            case 429:
                return "key" if self.unpaid else "rate"
            case 503 | 529:
                return "overloaded"
            case 408 | 504:
                return "timeout"
        return "server" if self.status >= 500 else "request"

    @property
    def unpaid(self) -> bool:
        """By its code alone: others say quota, plan and billing when they mean requests a minute."""
        return self.status == 402 or "insufficient_quota" in self.words


def refused(error: Exception) -> Refusal | None:
    """What the server said; None when it is something else that went wrong."""
    import openai

    match error:
        case Refusal():
            return error
        case openai.APIStatusError():
            return Refusal(error.body, error.status_code, error.response.headers)
        case openai.APIConnectionError():
            return None
        case openai.APIError():  # within a stream
            return Refusal(error.body or error.message)
    return None


def failure(error: Exception, server: Server, usage: Usage | None) -> Exception:
    """What is no failure of a server stays what it is: it is a mistake of ours."""
    import openai

    if isinstance(error, ModelError):
        return error
    if (refusal := refused(error)) is not None:
        return _refused(refusal, server, usage)
    match error:
        case openai.APITimeoutError() | TimeoutError():
            return _made(server, "timeout", usage)
        case openai.APIConnectionError():
            cause = error.__cause__
            return _made(server, "broken" if _cut(cause) else "connection", usage, str(cause or ""))
        case json.JSONDecodeError() | RecursionError() | UnicodeError():
            return _made(server, "broken", usage, "it is no JSON")
        case ValueError():
            return _made(server, "broken", usage, str(error))
        case OSError() | openai.OpenAIError():
            return _made(server, "connection", usage, str(error))
    if type(error).__module__.startswith("httpx"):
        return _made(server, "broken" if _cut(error) else "connection", usage, str(error))
    return error


def _refused(refusal: Refusal, server: Server, usage: Usage | None) -> ModelError:
    kind, said = refusal.kind, refusal.said
    if kind == "key":
        if refusal.unpaid:
            why, hint = "has no money left", f"Check plan and billing of the account that {server.variable} is of."
        else:
            why, hint = "refuses the key", f"Check {server.variable}, and what its key may do."
        said = "" if refusal.status == 401 else said  # it echoes parts of the key
        return _made(server, kind, usage, said, refusal.retry_after, why, hint)
    if refusal.status in (404, 405):
        return _made(server, kind, usage, said, None, "is not there", _elsewhere(refusal, server))
    return _made(server, kind, usage, said, refusal.retry_after)


def _elsewhere(refusal: Refusal, server: Server) -> str:
    if server.official:
        return "Check the name of the model, and that the key may use it."
    name = server.model.partition(":")[2]
    if "model" not in refusal.said.lower() and not re.search(r"/v\d", server.path):
        return "Check base_url: it mostly ends in /v1."
    return f"Check the name; a server of one's own may have to get it first (Ollama: ollama pull {name})."


def _made(
    server: Server,
    kind: Kind,
    usage: Usage | None,
    said: str = "",
    retry_after: float | None = None,
    why: str = "",
    hint: str = "",
) -> ModelError:
    usual, advice = _SAYS.get(kind, ("", ""))
    said = server.clean(said).rstrip(".")
    reason = f"{server.model} at {server.host} {why or usual}{': ' if said else ''}{said}."
    return ModelError(reason, hint or advice, kind, model=server.model, retry_after=retry_after, usage=usage)


def _cut(cause: BaseException | None) -> bool:
    """Whether a response had begun. By name: the SDK has changed the library that it speaks HTTP with before."""
    name = type(cause).__name__
    return name == "DecodingError" or (name == "RemoteProtocolError" and "without sending a response" not in str(cause))


def _said(body: Any) -> str:
    """The sentence for people; of a page, its title."""
    if isinstance(body, Mapping):
        for name in ("message", "error", "detail", "msg"):
            if body.get(name):
                return _said(body[name])
        return ""
    if isinstance(body, list):
        return "; ".join(filter(None, map(_said, body)))
    text = "" if body is None else str(body)
    if text.lstrip().startswith("<"):
        title = re.search(r"<title[^>]*>([^<]*)", text, re.IGNORECASE)
        return title[1] if title else ""
    return text


def _places(fields: Mapping[str, Any]) -> list[str]:
    """The parameters that it names: OpenAI in `param`, FastAPI in `loc`."""
    details = fields.get("detail")
    places = [one.get("loc") for one in details if isinstance(one, Mapping)] if isinstance(details, list) else []
    return [str(place) for place in [fields.get("param"), *places] if place]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds: in thousandths, as a number, or until a date."""
    try:
        if given := headers.get("retry-after-ms"):
            return _seconds(float(given) / 1000)
    except ValueError:
        pass
    given = headers.get("retry-after", "")
    try:
        return _seconds(float(given))
    except ValueError:
        pass
    try:
        return _seconds(parsedate_to_datetime(given).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _seconds(given: float) -> float | None:
    return max(0.0, given) if math.isfinite(given) else None
