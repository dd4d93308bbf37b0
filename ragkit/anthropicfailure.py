"""What went wrong at a server of the Messages API, as a ModelError: the edge where other people's exceptions end."""

import re
from typing import Any

from ragkit.model import ModelError, Usage
from ragkit.modelserver import Fault, ModelServer, below, retry_after, said_in

_STATUS = {
    "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
    "not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500,
    "timeout_error": 504, "overloaded_error": 529,
}  # fmt: skip
"""An error in the middle of a stream comes with the status 200: its type says which one it would have had."""
_SPENT = {"contract_spend_limit_reached", "enforced_spend_limit_reached"}
"""They come as 429 too, but no wait of minutes helps."""
_TOO_LONG = re.compile(r"too long|too many tokens|context (limit|window|length)|exceeds? .*\bcontext", re.IGNORECASE)
_DOCUMENTS = re.compile(r"citation|\bdocuments?\b", re.IGNORECASE)
_MALFORMED = ValueError, TypeError, LookupError, AttributeError
"""What the SDK, which checks nothing, and our reading of it stumble with over a body that is no message."""
_FORM = 'Set form = "prompt" for this model in ragkit.toml: it does not know how to answer in a form.'


class Broken(Exception):
    """The server was heard, and what it said is no reply."""


class Refused(Exception):
    """An error as the whole body, with the status of a success: gateways do that. It has what `APIStatusError` has."""

    status_code = 200
    error_code = None

    def __init__(self, said: Any) -> None:
        super().__init__()
        self.body = {"error": said}
        self.type = said.get("type") if isinstance(said, dict) else None


def failure(error: Exception, server: ModelServer, usage: Usage | None = None) -> Exception:
    """What went wrong, in our words; an error that is neither the SDK's nor the server's stays what it is."""
    import anthropic

    match error:
        case anthropic.APIStatusError() | Refused():
            return _refused(error, server, usage)
        case anthropic.APITimeoutError():
            return server.failure("timeout", usage=usage)
        case anthropic.CredentialsError():
            return server.failure("key", str(error), usage=usage)
        case anthropic.APIConnectionError():
            cause = error.__cause__
            return server.failure(below(cause), str(cause or ""), usage=usage)
        case UnicodeEncodeError():
            return server.unsent(error, usage)
        case Broken() | anthropic.AnthropicError():
            return server.failure("broken", str(error), usage=usage)
        case OSError():
            return server.failure(below(error), str(error), usage=usage)
    if isinstance(error, _MALFORMED):
        return server.failure("broken", "it is not of the form of a message", usage=usage)
    if type(error).__module__.startswith("httpx"):
        return server.failure(below(error), str(error), usage=usage)
    return error


def uncited(error: Exception) -> str:
    """What a server says that takes no documents, or does not cite them; empty when that is not what went wrong."""
    import anthropic

    if not isinstance(error, anthropic.APIStatusError | Refused):
        return ""
    status, said = _told(error)
    known = status in (400, 422) and _fault(status, error, said) == "request"
    return said if known and _DOCUMENTS.search(said) else ""


def _refused(error: Any, server: ModelServer, usage: Usage | None) -> ModelError:
    if 300 <= error.status_code < 400:
        return server.moved(error.response.headers.get("location", ""))
    status, said = _told(error)
    fault = _fault(status, error, said)
    hint = _FORM if fault == "request" and "output_config" in said else ""
    wait = retry_after(error.response.headers) if hasattr(error, "response") else None
    return server.failure(fault, said, hint=hint, retry_after=wait, usage=usage)


def _told(error: Any) -> tuple[int, str]:
    known = error.status_code >= 400
    said = said_in(error.body) or (f"HTTP {error.status_code}" if known else "")
    return error.status_code if known else _STATUS.get(error.type, 500), said


def _fault(status: int, error: Any, said: str) -> Fault:
    if error.type == "overloaded_error" or status == 529:
        return "overloaded"
    if status == 402 or (status == 429 and error.error_code in _SPENT) or (status == 400 and "credit balance" in said):
        return "unpaid"
    if status == 413 or (status == 400 and _TOO_LONG.search(said)):
        return "context"
    match status:
        case 401 | 403:
            return "key"
        case 404:
            return "absent"
        case 408 | 504:
            return "timeout"
        case 429:
            return "rate"
    return "server" if status >= 500 else "request"
