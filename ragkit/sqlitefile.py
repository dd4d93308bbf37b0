"""A SqliteFile: one file of rows that nobody's answer hangs on, such as a cache or traces.

Several threads and processes use it at once. Whatever is wrong with it - damage, a full disk, a lock that is never
released - is told once, in the log, and costs its rows at most: warnings that tests turn into errors, or exceptions,
would make an ask fail for want of a memory. A damaged file is set aside and made anew; one of a newer ragkit is left
alone, and another file beside it is used. What is truth, and not memory, is in the catalog of `ragkit.indexes`.
"""

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

from ragkit.errors import RagkitError
from ragkit.indexes.lock import Locked, writing

Migrations = Sequence[tuple[str, ...]]
"""Each takes a file from the version of its place in the list to the next one."""
T = TypeVar("T")
_Identity = tuple[int, int] | None

_DAMAGED = (1, 11, 26)
"""SQLITE_CORRUPT, SQLITE_NOTADB, and SQLITE_ERROR: a table that must be there is not."""
_REST = 5.0
"""Seconds for which a file that cannot be used is left alone: waiting for its lock each time would make asks slow."""
_log = logging.getLogger(__name__)
_inherited: list[sqlite3.Connection] = []
"""Of the parent of a fork: SQLite allows neither to use them here nor to close them."""


class SqliteFile:
    """Opened when it is first used."""

    def __init__(
        self, path: Path, migrations: Migrations, *, wait: float = 2.0, rest: float = _REST, private: bool = False
    ) -> None:
        """`private`: nobody else on this machine may read it."""
        self.path = path
        self._private = private
        self._migrations = migrations
        self._wait = wait
        self._rest = rest
        self._lock = Lock()
        self._process = os.getpid()
        self._connection: sqlite3.Connection | None = None
        self._of: _Identity = None
        self._closed = False
        self._resting = 0.0
        self._told: set[str] = set()

    def read(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """What `work` returns; `otherwise` when the file cannot be used."""
        return self._attempt(work, otherwise)

    def write(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """The same in a transaction, which is kept whole or not at all."""
        return self._attempt(lambda connection: _whole(connection, work), otherwise)

    def close(self) -> None:
        """For good. Who asks afterwards gets `otherwise`."""
        with self._mine():
            self._closed = True
            self._leave()

    def _attempt(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        with self._mine():
            if self._closed or time.monotonic() < self._resting:
                return otherwise
            for chance in (1, 2):
                try:
                    return work(self._open())
                except (sqlite3.Error, OSError, RagkitError) as error:
                    self._leave()
                    if chance == 1 and _is_damage(error) and self._set_aside(error):
                        continue
                    self._tell(f"{self.path} cannot be used ({error}).", "ragkit goes on without it.")
                    self._resting = time.monotonic() + self._rest
                    return otherwise
        return otherwise

    def _mine(self) -> Lock:
        """The lock. The child of a fork gets its own: its parent's may have been held just then."""
        if self._process != os.getpid():
            if self._connection is not None:
                _inherited.append(self._connection)
            self._connection, self._lock, self._process = None, Lock(), os.getpid()
        return self._lock

    def _open(self) -> sqlite3.Connection:
        """The connection; a new one when another file has taken this one's place, or it was removed."""
        if self._connection is not None and self._of is not None and self._of == _identity(self.path):
            return self._connection
        self._leave()
        try:
            self._connection = self._connect()
        except _Newer as error:
            version = len(self._migrations)
            self.path = self.path.with_name(f"{self.path.stem}.{version}{self.path.suffix}")
            self._tell(error.reason, f"It is left alone, and {self.path.name} used in its place. Better update ragkit.")
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        self._of = _identity(self.path)
        connection = open_file(self.path, self._migrations, wait=self._wait, private=self._private)
        self._of = self._of or _identity(self.path)
        return connection

    def _leave(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _set_aside(self, error: Exception) -> bool:
        try:
            set_aside(self.path, self._of, wait=self._wait)
        except (OSError, RagkitError):
            return False
        self._tell(f"{self.path} is damaged ({error}).", f"It was moved to {self.path.name}.damaged, and made anew.")
        return True

    def _tell(self, reason: str, hint: str) -> None:
        if reason not in self._told:
            self._told.add(reason)
            _log.warning("%s %s", reason, hint)


def open_file(path: Path, migrations: Migrations, *, wait: float = 2.0, private: bool = False) -> sqlite3.Connection:
    """A connection to the file at its newest version; the file is made when it is not there.

    It commits by itself (`isolation_level=None`), and may be handed from thread to thread, not shared by them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path, wait):  # SQLite does not wait its turn when two switch a new file to WAL
        if private:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # what SQLite puts beside it gets the same mode
            path.chmod(0o600)
        connection = sqlite3.connect(path, timeout=wait, isolation_level=None, check_same_thread=False)
        connection.text_factory = _text
        try:
            _refuse_newer(path, connection, migrations)
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before anything is written: later it says nothing
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last rows, never the file
            connection.execute("PRAGMA journal_size_limit = 1000000")
            connection.execute("PRAGMA foreign_keys = ON")
            for version in range(_version(connection), len(migrations)):
                _migrate(path, connection, version + 1, migrations[version])
        except BaseException:
            connection.close()
            raise
    return connection


def _refuse_newer(path: Path, connection: sqlite3.Connection, migrations: Migrations) -> None:
    version = _version(connection)
    if version > len(migrations):
        known = len(migrations)
        raise _Newer(f"{path} was written by a newer ragkit (format {version}; this one knows {known}).", "Update it.")


def _migrate(path: Path, connection: sqlite3.Connection, version: int, statements: tuple[str, ...]) -> None:
    try:
        _whole(connection, partial(_step, version=version, statements=statements))
    except sqlite3.OperationalError as error:
        if version == 1 or error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        raise RagkitError(f"{path} could not be brought to format {version} ({error}).") from error  # it is not damaged


def _step(connection: sqlite3.Connection, version: int, statements: tuple[str, ...]) -> None:
    for statement in statements:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {version}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def set_aside(path: Path, found: _Identity, *, wait: float = 2.0) -> None:
    """Move a file out of the way, unless another process has done so since this one was `found` damaged."""
    with _alone(path, wait):
        if _identity(path) != found:
            return
        for end in ("-wal", "-shm", ""):  # the log first: a new file beside an old log would take its rows from it
            with suppress(FileNotFoundError):
                Path(f"{path}{end}").replace(f"{path}.damaged{end}")


def shed(connection: sqlite3.Connection, table: str, most: int, *, by: str = "used", but: object = None) -> bool:
    """Forget rows of a table with columns `id` and `size`, the lowest first in the order of column `by`, once the file
    takes more than `most` bytes: a sixteenth of them, so that it is seldom done. If it was, `shrink` gives the room
    back. `but` is the id of a row that stays in any case.
    """
    if _bytes(connection) <= most:
        return False
    aim = most - most // 16
    oldest = f"SELECT id, size FROM {table} WHERE id IS NOT ? ORDER BY {by}, id"  # noqa: S608 - our words
    while (over := _bytes(connection) - aim) > 0:
        ids = []
        for row, size in connection.execute(oldest, (but,)):
            ids.append((row,))
            over -= size
            if over <= 0:
                break
        if not ids:
            break
        connection.executemany(f"DELETE FROM {table} WHERE id = ?", ids)  # noqa: S608 - our word
    return True


def shrink(connection: sqlite3.Connection) -> None:
    """Give back to the disk what rows that are gone have left. Not within a transaction."""
    connection.executescript("PRAGMA incremental_vacuum")  # `execute` would stop at the first page
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _bytes(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _whole(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise
    return result


def _text(read: bytes) -> str:
    """What a bad disk has changed is a row that means nothing, and no error."""
    return read.decode(errors="replace")


def _identity(path: Path) -> _Identity:
    """Which file it is, whatever its name; None when there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _is_damage(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


class _Newer(RagkitError):
    """The file is of a version that this ragkit does not know."""


@contextmanager
def _alone(path: Path, wait: float) -> Iterator[None]:
    """No other process opens files of this folder meanwhile, or sets them aside. It takes milliseconds."""
    until = time.monotonic() + wait
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(writing(path.parent, path.name))
                break
            except Locked:
                if time.monotonic() > until:
                    raise RagkitError(f"Another process has been opening {path} for {wait:g} seconds.") from None
                time.sleep(0.005)
        yield
