"""An Answer: a turn in a provider's form, in pieces, with the fault in its place. The server only has to send it."""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from tests.wire import chat, messages
from tests.wire.piece import Piece
from tests.wire.turn import Seen, Turn

_STATUSES = ("rate", "quota", "error", "overloaded", "auth", "context", "bad_request", "no_schema")
_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
_EVENTS = "text/event-stream; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    status: int
    pieces: tuple[Piece, ...]
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    """As the header says it; None: in chunks."""
    ending: Literal["whole", "closed", "reset"] = "whole"
    good: bool = False
    """Nothing is missing, and nothing is wrong."""

    @property
    def head(self) -> bytes:
        sized = "transfer-encoding: chunked" if self.length is None else f"content-length: {self.length}"
        lines = [f"HTTP/1.1 {self.status} Wire", f"content-type: {self.kind}", sized]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()


class Dialect(Protocol):
    """What `messages` and `chat` both say."""

    def whole(self, turn: Turn, seen: Seen) -> tuple[dict[str, Any], Counter[str]]: ...
    def stream(self, turn: Turn, seen: Seen) -> list[Piece]: ...
    def error(self, fault: str, said: str = "") -> tuple[int, dict[str, Any]]: ...
    def failed(self, fault: str) -> list[Piece]: ...
    def broken(self) -> list[Piece]: ...


def dialect(provider: str) -> Dialect:
    return messages if provider == "anthropic" else chat


def answer(turn: Turn, seen: Seen) -> Answer:
    form = dialect(seen.provider)
    if turn.fault == "reset":
        return Answer(200, (), ending="reset")
    if turn.fault in _STATUSES:
        headers = {"retry-after": turn.retry_after} if turn.retry_after else {}
        return replace(refusal(form, turn.fault), headers=headers)
    if turn.fault == "raw":
        return _body(turn.status or 200, turn.body)
    if turn.fault == "html":
        return _body(turn.status or 502, _PAGE, kind="text/html")
    if turn.fault in ("empty", "no_choices"):
        turn = replace(turn, text="", cited=(), calls=())
    return _stream(form, turn, seen) if seen.stream else _whole(form, turn, seen)


def refusal(form: Dialect, fault: str, said: str = "") -> Answer:
    """An error of the provider, as the whole answer."""
    status, body = form.error(fault, said)
    return _body(status, json.dumps(body))


def _whole(form: Dialect, turn: Turn, seen: Seen) -> Answer:
    if turn.fault == "error_in_stream":
        return refusal(form, turn.fault)
    body, tokens = form.whole(turn, seen)
    sent = _body(200, json.dumps(body, ensure_ascii=False), tokens)
    first = sent.pieces[:1]
    match turn.fault:
        case "invalid_json" | "half":
            return replace(sent, pieces=first, length=len(first[0].data))
        case "truncated":
            return replace(sent, pieces=first, ending="closed")
        case "reset_midway":
            return replace(sent, pieces=first, ending="reset")
    return replace(sent, good=True)


def _stream(form: Dialect, turn: Turn, seen: Seen) -> Answer:
    pieces = form.stream(turn, seen)
    first = _half(pieces)
    match turn.fault:
        case "invalid_json":
            return _events([*first, *form.broken()])
        case "error_in_stream":
            return _events([*first, *form.failed(turn.fault)])
        case "half":
            return _events(first)
        case "truncated":
            return replace(_events(first), ending="closed")
        case "reset_midway":
            return replace(_events(first), ending="reset")
    return replace(_events(pieces), good=True)


def _events(pieces: list[Piece]) -> Answer:
    return Answer(200, tuple(pieces), kind=_EVENTS, headers={"cache-control": "no-cache"})


def _body(status: int, text: str, tokens: Counter[str] | None = None, kind: str = "application/json") -> Answer:
    """In two pieces: a client knows nothing before it has read both."""
    data = text.encode()
    middle = len(data) // 2
    pieces = (Piece(data[:middle], content=True), Piece(data[middle:], tokens or Counter()))
    return Answer(status, pieces, kind=kind, length=len(data))


def _half(pieces: list[Piece]) -> list[Piece]:
    """Up to the middle of the content: after the first piece of it at least."""
    content = [at for at, piece in enumerate(pieces) if piece.content]
    return pieces[: content[(len(content) - 1) // 2] + 1] if content else pieces[:1]
