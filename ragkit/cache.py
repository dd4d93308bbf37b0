"""A Cache of replies: the same request to the same model is answered from memory, at no cost.

"The same" is meant strictly: all that decides a reply is in its `key`. What is kept is the text and the calls of a
reply that came to its end; `structured` reads its data anew, so that a form that has changed is noticed. A cache never
makes an ask fail: what it cannot read is a miss, what it cannot write is forgotten.
"""

import json
import sqlite3
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, TypeVarTuple

import anyio
import anyio.to_thread
from pydantic import BaseModel, ConfigDict, ValidationError

from ragkit.model import Quote, Reply, Request, ToolCall, Usage
from ragkit.modelsettings import CacheSettings
from ragkit.sqlitefile import SqliteFile, shed, shrink

FORM = 3
"""Of keys and of kept replies. Raised when either changes, or when a provider sends something else for a request."""
DAY = 86_400.0
SLACK = 0.1
"""Seconds by which an ask may miss its deadline so that what it was is kept."""
TOUCH = 60.0
"""Seconds within which a second use of a row is not noted: a note is a write."""
T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_MIGRATIONS = [
    (  # 1: the first
        # body stands last, so that noting a use does not read it
        """CREATE TABLE replies (
            id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, made REAL NOT NULL, used REAL NOT NULL,
            size INTEGER NOT NULL, body BLOB NOT NULL)""",
        "CREATE INDEX replies_by_use ON replies (used)",
        "CREATE INDEX replies_by_age ON replies (made)",
    ),
]


class Cache(Protocol):
    """The seam. Several threads and processes use one at once, and nothing of it raises."""

    def get(self, key: str) -> Reply | None:
        """The reply kept under this key, with `cached` set, and the usage that it had when it was made."""
        ...

    def put(self, key: str, reply: Reply) -> None: ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def close(self) -> None: ...


async def in_time(seconds: float, work: Callable[[*Ts], T], *arguments: *Ts, shield: bool = False) -> T | None:
    """What a memory gives, or None when it has not after so many seconds: it may be slow, or locked by another.

    It works in a thread, and goes on there when nobody waits any more. With `shield`, it is also begun, and waited
    for, by who was cancelled.
    """
    with anyio.move_on_after(seconds, shield=shield):
        return await anyio.to_thread.run_sync(work, *arguments, abandon_on_cancel=True)
    return None


def key(model: str, server: str, request: Request, form: str = "", citations: bool | None = None) -> str:
    """Of all that decides a reply: every field of the request is in it, those to come as well.

    `server` is the one that is really asked, wherever its address was said; `form` how it is told that of its reply,
    and `citations` whether it is to cite by itself.

    Keys of mappings keep their order, since a model reads them in it.
    """
    if request.temperature is not None:
        request = replace(request, temperature=float(request.temperature))  # 0 and 0.0 are the same to a model
    parts = [FORM, model, server.rstrip("/"), form, citations, request]
    return sha256(json.dumps(parts, default=_plain, separators=(",", ":")).encode("ascii")).hexdigest()


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, type) and issubclass(value, BaseModel):
        return value.model_json_schema()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"A {type(value).__name__} is no JSON.")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Usage(_Strict):
    input: int
    output: int
    cache_read: int
    cache_write: int


class _Call(_Strict):
    id: str
    name: str
    arguments: dict[str, Any]


class _Quote(_Strict):
    number: int
    start: int
    end: int


class _Kept(_Strict):
    """A reply, as it is written."""

    text: str
    model: str
    stop: Literal["end", "tools"]
    usage: _Usage | None
    calls: list[_Call]
    quotes: list[_Quote | None] = []


def pack(reply: Reply) -> bytes | None:
    """A reply as bytes that tell when they are damaged; None for one that is not to be kept."""
    if reply.cached or reply.stop not in ("end", "tools"):
        return None
    parts = {field: getattr(reply, field) for field in _Kept.model_fields}
    try:
        body = json.dumps(parts, default=_plain, separators=(",", ":")).encode("ascii")
    except (TypeError, ValueError, RecursionError):  # a call's arguments, of a model of one's own
        return None
    return b"%08x" % zlib.crc32(body) + body


def unpack(packed: object) -> Reply | None:
    """None for what is no whole reply."""
    if not isinstance(packed, bytes) or packed[:8] != b"%08x" % zlib.crc32(packed[8:]):
        return None
    try:
        kept = _Kept.model_validate(json.loads(packed[8:]))
    except (ValidationError, ValueError, RecursionError):
        return None
    usage = Usage(**kept.usage.model_dump()) if kept.usage else None
    calls = tuple(ToolCall(call.id, call.name, call.arguments) for call in kept.calls)
    quotes = tuple(None if one is None else Quote(**one.model_dump()) for one in kept.quotes)
    return Reply(kept.text, kept.model, kept.stop, usage, calls, cached=True, quotes=quotes)


class SqliteCache:
    """In one file of the workspace: of all that fits into `megabytes`, what was used last."""

    def __init__(self, path: Path, settings: CacheSettings, *, clock: Callable[[], float] = time.time) -> None:
        self._file = SqliteFile(path, _MIGRATIONS)
        self._most = settings.megabytes * 1_000_000
        self._days = settings.days
        self._clock = clock

    def get(self, key: str) -> Reply | None:
        now = self._clock()

        def find(connection: sqlite3.Connection) -> Any:
            return connection.execute("SELECT id, made, used, body FROM replies WHERE key = ?", (key,)).fetchone()

        row = self._file.read(find, None)
        if row is None or row[1] < self._oldest(now):
            return None
        reply = unpack(row[3])
        if reply is None:
            self._file.write(lambda connection: connection.execute("DELETE FROM replies WHERE id = ?", row[:1]), None)
        elif abs(now - row[2]) > TOUCH:
            note = "UPDATE replies SET used = ? WHERE id = ?"
            self._file.write(lambda connection: connection.execute(note, (now, row[0])), None)
        return reply

    def put(self, key: str, reply: Reply) -> None:
        body = pack(reply)
        if body is None or len(body) > self._most:
            return
        now = self._clock()

        def keep(connection: sqlite3.Connection) -> bool:
            connection.execute("DELETE FROM replies WHERE made < ? OR key = ?", (self._oldest(now), key))
            connection.execute(
                "INSERT INTO replies (key, made, used, size, body) VALUES (?, ?, ?, ?, ?)",
                (key, now, now, len(body), body),
            )
            return shed(connection, "replies", self._most)

        if self._file.write(keep, False):
            self._file.read(shrink, None)

    def clear(self) -> None:
        self._file.write(lambda connection: connection.execute("DELETE FROM replies"), None)
        self._file.read(shrink, None)

    def close(self) -> None:
        self._file.close()

    def _oldest(self, now: float) -> float:
        return float("-inf") if self._days is None else now - self._days * DAY
