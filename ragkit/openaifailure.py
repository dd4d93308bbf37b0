"""What went wrong at a server of OpenAI's kind, as a ModelError: the edge where other people's exceptions end."""

import json
import re
from collections.abc import Mapping
from typing import Any

from ragkit.model import ModelError, Usage
from ragkit.modelserver import Fault, below, retry_after, said_in
from ragkit.openaiserver import Server

_CONTEXT = re.compile(
    r"context_length|context[ _]?(length|size|window)|exceed_context|prompt is too long|too many (input )?tokens"
    r"|maximum number of tokens|input token|input is too long",
    re.IGNORECASE,
)
_NOWHERE = re.compile(r"unexpected endpoint", re.IGNORECASE)  # LM Studio says it with 200
_UNPAID = "insufficient_quota"
"""By this code alone: others say quota, plan and billing when they mean requests a minute."""
_STATUSES: Mapping[str, int] = {
    "invalid_api_key": 401, "authentication_error": 401,
    _UNPAID: 429, "rate_limit_exceeded": 429, "rate_limit_error": 429,
    "overloaded": 503, "overloaded_error": 503, "service_unavailable": 503,
    "server_error": 500, "timeout": 504,
    "invalid_request_error": 400, "context_length_exceeded": 400, "model_not_found": 404,
}  # fmt: skip
"""What an error means that came without a status: within a stream, or in a body that says 200."""


class Refusal(Exception):
    """What a server said instead of an answer."""

    def __init__(self, body: Any, status: int | None = None, headers: Mapping[str, str] | None = None) -> None:
        fields = body if isinstance(body, Mapping) else {}
        words = [str(fields.get(name) or "") for name in ("code", "type")]
        numbers = [int(word) for word in words if re.fullmatch(r"[45]\d\d", word)]
        numbers += [_STATUSES[word] for word in words if word in _STATUSES]
        self.words = words
        self.said = said_in(body) or (f"HTTP {status}" if status else "")
        self.about = " ".join([self.said, *words, *_places(fields)]).lower()
        """Without what it echoes of the request."""
        self.status = status or next(iter(numbers), 404 if _NOWHERE.search(self.said) else 500)
        self.retry_after = retry_after(headers or {})
        self.place = (headers or {}).get("location", "")

    @property
    def fault(self) -> Fault:
        if self.status not in (401, 403, 404, 429) and _CONTEXT.search(f"{' '.join(self.words)} {self.said}"):
            return "context"
        if self.status == 402 or (self.status == 429 and _UNPAID in self.words):
            return "unpaid"
        match self.status:
            case 401 | 403:
                return "key"
            case 404 | 405:
                return "absent"
            case 408 | 504:
                return "timeout"
            case 429:
                return "rate"
            case 503 | 529:
                return "overloaded"
        return "server" if self.status >= 500 else "request"


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
        case openai.APITimeoutError():
            return server.failure("timeout", usage=usage)
        case openai.APIConnectionError():
            cause = error.__cause__
            return server.failure(below(cause), str(cause or ""), usage=usage)
        case UnicodeEncodeError():
            return server.unsent(error, usage)
        case json.JSONDecodeError() | RecursionError() | UnicodeError():
            return server.failure("broken", "it is no JSON", usage=usage)
        case ValueError():
            return server.failure("broken", str(error), usage=usage)
        case OSError() | openai.OpenAIError():
            return server.failure(below(error), str(error), usage=usage)
    if type(error).__module__.startswith("httpx"):
        return server.failure(below(error), str(error), usage=usage)
    return error


def _refused(refusal: Refusal, server: Server, usage: Usage | None) -> ModelError:
    if 300 <= refusal.status < 400:
        return server.moved(refusal.place)
    fault = refusal.fault
    hint = _elsewhere(refusal, server) if fault == "absent" and not server.official else ""
    return server.failure(fault, refusal.said, hint=hint, retry_after=refusal.retry_after, usage=usage)


def _elsewhere(refusal: Refusal, server: Server) -> str:
    name = server.model.partition(":")[2]
    if "model" not in refusal.said.lower() and not re.search(r"/v\d", server.path):
        return "Check base_url: it mostly ends in /v1."
    return f"Check the name; a server of one's own may have to get it first (Ollama: ollama pull {name})."


def _places(fields: Mapping[str, Any]) -> list[str]:
    """The parameters that it names: OpenAI in `param`, FastAPI in `loc`."""
    details = fields.get("detail")
    places = [one.get("loc") for one in details if isinstance(one, Mapping)] if isinstance(details, list) else []
    return [str(place) for place in [fields.get("param"), *places] if place]
