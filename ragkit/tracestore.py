"""The TraceStore: a file that keeps the last traces. Nothing here may break an ask."""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from ragkit.errors import InvalidInput, NotFound, RagkitError, nearest_of
from ragkit.indexes.catalog import Unusable, told
from ragkit.modelsettings import TraceSettings
from ragkit.trace import Event, Step, Trace

FILE = "traces.sqlite"
LAST = "last"
"""What users write for the newest trace."""

MIGRATIONS: list[tuple[str, ...]] = [
    (  # 1: the first
        """CREATE TABLE traces (
            id TEXT PRIMARY KEY, started REAL NOT NULL, seconds REAL NOT NULL, status TEXT NOT NULL, question TEXT,
            model TEXT, input_tokens INTEGER, output_tokens INTEGER, cost TEXT, open INTEGER NOT NULL,
            spans TEXT NOT NULL)""",
        "CREATE INDEX traces_by_start ON traces (started)",
    ),
]
"""Each takes a file from the version of its place in the list to the next one."""

_PARENTS: list[sqlite3.Connection] = []
_WAIT = 5.0
_ROOM = 0.9
"""What is too large is brought to this much of what it may be, so that not every trace makes the file shrink."""
_HEAD = "id, started, seconds, status, question, model, input_tokens, output_tokens, cost"
_EMPTY = "Traces are written by: ragkit ask"


class TraceStore:
    """Several threads and processes may read and write it, and any of them may set a damaged file aside."""

    def __init__(self, path: Path, settings: TraceSettings | None = None) -> None:
        self.path = path
        self.settings = settings or TraceSettings()
        self._lock = threading.Lock()
        self._kept: tuple[int, int, sqlite3.Connection] | None = None
        """The process, the file and the connection of the last save: closing it would wait for the disk each time."""

    def close(self) -> None:
        with self._lock:
            self._drop()

    def __del__(self) -> None:
        self._drop()

    def save(self, trace: Trace) -> str:
        """Keep it, whole or not at all; one of the same id takes its place. What went wrong, as a sentence, or ""."""
        try:
            return self._save(trace)
        except RagkitError as error:
            return f"The trace was not kept: {error.reason} {error.hint}".strip()
        except Exception as error:  # whatever it is, it is not worth an answer
            return f"The trace was not kept in {self.path}: {error}."

    def list(self, limit: int = 20) -> tuple[Trace, ...]:
        """The newest first, without their spans."""
        with self._reading() as connection:
            if connection is None:
                return ()
            rows = connection.execute(f"SELECT {_HEAD} FROM traces ORDER BY started DESC, id LIMIT ?", (limit,))  # noqa: S608
            return tuple(_trace(row) for row in rows)

    def get(self, name: str) -> Trace:
        """By its id, by the beginning of it, or `last`."""
        wanted = name.strip().lower()
        with self._reading() as connection:
            if connection is None:
                raise NotFound(f"There is no trace {name!r}.", _EMPTY)
            rows = _matching(connection, wanted) or (_matching(connection, wanted[:16]) if len(wanted) == 32 else [])
            if not rows:
                known = [row[0] for row in connection.execute("SELECT id FROM traces ORDER BY started DESC LIMIT 1000")]
        if not rows:
            near = nearest_of(wanted, [one[: max(8, len(wanted))] for one in known])
            raise NotFound(f"There is no trace {name!r}.{near}", "See them with: ragkit trace" if known else _EMPTY)
        if len(rows) > 1:
            raise InvalidInput(
                f"{len(rows)} traces begin with {name!r}.", f"Say more of it: {', '.join(row[0][:12] for row in rows)}"
            )
        return _trace(rows[0][:-1], rows[0][-1])

    def _save(self, trace: Trace) -> str:
        row = (
            trace.id, trace.started, trace.seconds, trace.status, trace.question, trace.model, trace.input_tokens,
            trace.output_tokens, None if trace.cost is None else str(trace.cost),
            sum(step.status == "open" for step in trace.spans),
            json.dumps([asdict(step) for step in trace.spans], ensure_ascii=False, separators=(",", ":"), default=str),
        )  # fmt: skip
        said = ""
        with told(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                seen = _inode(self.path)
                self._put(row)
            except (Unusable, sqlite3.DatabaseError) as error:
                if not _damaged(error):
                    raise
                said = self._set_aside(seen)
                self._put(row)
        return said

    def _put(self, row: tuple[Any, ...]) -> None:
        limit = self.settings.megabytes * 1_000_000
        with self._writing() as connection, _transaction(connection):
            # A step that ended late may have been kept before what its ask saw of it.
            connection.execute(
                f"INSERT INTO traces ({_HEAD}, open, spans) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608
                "ON CONFLICT (id) DO UPDATE SET seconds = excluded.seconds, status = excluded.status, "
                "question = excluded.question, model = excluded.model, input_tokens = excluded.input_tokens, "
                "output_tokens = excluded.output_tokens, cost = excluded.cost, open = excluded.open, "
                "spans = excluded.spans WHERE excluded.open <= traces.open",
                row,
            )
            trimmed = _size(connection) > limit
            while trimmed and _size(connection) > limit * _ROOM:
                oldest = "SELECT id FROM traces WHERE id <> ? ORDER BY started, id LIMIT 1"
                if not connection.execute(f"DELETE FROM traces WHERE id = ({oldest})", row[:1]).rowcount:  # noqa: S608
                    break
        if trimmed:
            with self._writing() as connection:
                connection.executescript("PRAGMA incremental_vacuum")  # execute would free one page: it makes one step
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._kept is None or self._kept[:2] != (os.getpid(), _inode(self.path)):
                self._drop()
                connection = _open(self.path)
                self._kept = (os.getpid(), _inode(self.path), connection)
            try:
                yield self._kept[2]
            except BaseException:
                self._drop()
                raise

    def _drop(self) -> None:
        if self._kept is None:
            return
        process, _, connection = self._kept
        self._kept = None
        if process == os.getpid():
            connection.close()
        else:  # it is the parent's: closing it here would take away the parent's locks
            _PARENTS.append(connection)

    def _set_aside(self, seen: int) -> str:
        """Unless another process has done so already."""
        if _inode(self.path) != seen:
            return ""
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.strftime('%Y%m%dT%H%M%S')}-{seen}")
        for ending in ("-wal", "-shm", ""):
            part = Path(f"{self.path}{ending}")
            if part.exists():
                part.replace(f"{aside}{ending}")
        return f"The file of traces was damaged. It was set aside as {aside.name}, and a new one begun."

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        if not self.path.exists():
            yield None
            return
        try:
            with told(self.path), _opened(self.path) as connection:
                yield connection
        except Unusable as error:
            raise RagkitError(
                f"The file of traces is damaged: {self.path}.", "The next ask sets it aside and begins a new one."
            ) from error


def _trace(row: tuple[Any, ...], spans: str = "[]") -> Trace:
    identity, started, seconds, status, question, model, given, made, cost = row
    steps = (Step(**{**one, "events": tuple(Event(**event) for event in one["events"])}) for one in json.loads(spans))
    return Trace(
        identity, started, seconds, status, question, model, given, made,
        None if cost is None else Decimal(cost), tuple(steps),
    )  # fmt: skip


def _matching(connection: sqlite3.Connection, wanted: str) -> list[tuple[Any, ...]]:
    if wanted == LAST:
        where, values = "ORDER BY started DESC, id LIMIT 1", []
    else:
        where, values = "WHERE id >= ? AND id < ? LIMIT 5", [wanted, wanted + "g"]  # behind every hexadecimal digit
    return connection.execute(f"SELECT {_HEAD}, spans FROM traces {where}", values).fetchall()  # noqa: S608


def _size(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = _open(path)
    try:
        yield connection
    finally:
        connection.close()


def _open(path: Path) -> sqlite3.Connection:
    """At the newest version; a file that nobody may write is only read."""
    read_only = path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
    uri = f"{path.absolute().as_uri()}?mode={'ro&immutable=1' if read_only else 'rwc'}"
    connection = sqlite3.connect(uri, uri=True, timeout=_WAIT, isolation_level=None, check_same_thread=False)
    try:
        if not read_only:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before anything is written, or never
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        _migrate(connection, path, read_only)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path, read_only: bool) -> None:
    version = _version(connection)
    if version > len(MIGRATIONS):
        raise RagkitError(
            f"{path} was written by a newer ragkit (format {version}; this one knows {len(MIGRATIONS)}).",
            "Update ragkit.",
        )
    if version == len(MIGRATIONS) or read_only:
        return
    with _transaction(connection):  # all of them at once; another process may have been quicker
        for number, statements in enumerate(MIGRATIONS[_version(connection) :], _version(connection) + 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def _damaged(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, Unusable) or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
