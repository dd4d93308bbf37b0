"""The Catalog: one SQLite file that is the only truth of a domain. Everything else can be made from it.

A change of it is one transaction, and names the index files that belong to it, which were written before. So whoever
opens a domain sees one state of it, whole, whatever happened to the process that was writing.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ragkit.errors import RagkitError

FILE = "catalog.sqlite"
_WAIT = 30.0
_NO_DATABASE = (11, 26)
"""SQLITE_CORRUPT and SQLITE_NOTADB: what other errors there are, such as a lock, says nothing against the file."""

MIGRATIONS: list[tuple[str, ...]] = [
    (  # 1: the first
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
        # Of what an index was made. One recipe is in use; a second one is there while a domain is indexed anew.
        """CREATE TABLE recipes (
            id INTEGER PRIMARY KEY, settings TEXT NOT NULL, embedder TEXT NOT NULL, dimension INTEGER NOT NULL,
            form INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0)""",
        "CREATE TABLE sources (id INTEGER PRIMARY KEY, place TEXT NOT NULL UNIQUE)",
        """CREATE TABLE items (
            id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE, uri TEXT NOT NULL,
            fingerprint TEXT NOT NULL, UNIQUE (source, uri))""",
        # own_uri: as its connector calls it; uri differs from it only where another source has the same.
        """CREATE TABLE documents (
            id INTEGER PRIMARY KEY, item INTEGER NOT NULL REFERENCES items, own_uri TEXT NOT NULL,
            uri TEXT NOT NULL UNIQUE, title TEXT NOT NULL, media_type TEXT NOT NULL, content_hash TEXT NOT NULL,
            metadata TEXT NOT NULL, marks TEXT NOT NULL, text TEXT NOT NULL)""",
        "CREATE INDEX documents_of_item ON documents (item)",
        # A document's metadata, a row a value, for filters. Values have no type: with one, "07" would become 7.
        """CREATE TABLE facts (
            key TEXT NOT NULL, value NOT NULL, document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
            PRIMARY KEY (key, value, document)) WITHOUT ROWID""",
        "CREATE INDEX facts_of_document ON facts (document)",
        """CREATE TABLE chunks (
            id INTEGER PRIMARY KEY, recipe INTEGER NOT NULL REFERENCES recipes, document INTEGER NOT NULL
            REFERENCES documents, start INTEGER NOT NULL, "end" INTEGER NOT NULL, read_start INTEGER NOT NULL,
            read_end INTEGER NOT NULL, header TEXT NOT NULL, headings TEXT NOT NULL, pages TEXT NOT NULL,
            vector BLOB NOT NULL)""",
        "CREATE INDEX chunks_of_document ON chunks (document)",
        "CREATE INDEX chunks_of_vector ON chunks (vector)",
        # By a hash of the embedder and what it was given, so that nothing is embedded twice.
        "CREATE TABLE vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)",
        # The index files. Their rows are the chunks from first to last, without those deleted before it was written.
        """CREATE TABLE segments (
            name TEXT PRIMARY KEY, recipe INTEGER NOT NULL REFERENCES recipes, first INTEGER NOT NULL,
            last INTEGER NOT NULL, rows INTEGER NOT NULL, size INTEGER NOT NULL, checksum TEXT NOT NULL)
            WITHOUT ROWID""",
        # Chunks that were deleted and still have a row in a segment.
        "CREATE TABLE dead (chunk INTEGER PRIMARY KEY)",
        """CREATE TABLE failures (
            source INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE, uri TEXT NOT NULL, reason TEXT NOT NULL,
            hint TEXT NOT NULL)""",
        "CREATE INDEX failures_of_source ON failures (source)",
        "INSERT INTO meta VALUES ('generation', 0), ('recipe', NULL), ('next_document', 1), ('next_chunk', 1)",
    ),
]
"""Each takes a catalog from the version of its place in the list to the next one."""


class Unusable(RagkitError):
    """The file is no catalog, or not any more."""


class Catalog:
    """An open catalog. A reader's refuses to write; a writer's brings the file to the newest version first."""

    def __init__(self, folder: Path, *, write: bool = False) -> None:
        self.folder = folder
        self.path = folder / FILE
        with told(self.path):
            self.connection = _connect(self.path, write)
        try:
            with told(self.path):
                self._check_version(write)
        except BaseException:
            self.connection.close()
            raise

    def _check_version(self, write: bool) -> None:
        version = self.one("PRAGMA user_version")
        if version > len(MIGRATIONS):
            raise RagkitError(
                f"{self.path} was written by a newer ragkit (format {version}; this one knows {len(MIGRATIONS)}).",
                "Update ragkit.",
            )
        if write:
            for number, statements in enumerate(MIGRATIONS[version:], version + 1):
                with self.transaction():
                    for statement in statements:
                        self.execute(statement)
                    self.execute(f"PRAGMA user_version = {number}")
        elif 0 < version < len(MIGRATIONS):
            raise RagkitError(f"{self.path} was written by an older ragkit.", "Run: ragkit sync")

    @property
    def empty(self) -> bool:
        """Nothing was ever written: its first writer has not come that far."""
        return bool(self.one("PRAGMA user_version") == 0)

    def execute(self, statement: str, values: Any = ()) -> sqlite3.Cursor:
        return self.connection.execute(statement, values)

    def many(self, statement: str, rows: Any) -> None:
        self.connection.executemany(statement, rows)

    def one(self, statement: str, values: Any = ()) -> Any:
        """The first column of the first row, None if there is none."""
        row = self.execute(statement, values).fetchone()
        return None if row is None else row[0]

    def meta(self, key: str) -> Any:
        return self.one("SELECT value FROM meta WHERE key = ?", (key,))

    def set_meta(self, key: str, value: Any) -> None:
        self.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))

    @property
    def generation(self) -> int:
        """The number of states that this domain has had; another one, another state."""
        return int(self.meta("generation"))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.execute("ROLLBACK")
            raise

    @contextmanager
    def view(self) -> Iterator[None]:
        """What is read in here belongs to one state."""
        self.execute("BEGIN")
        try:
            yield
        finally:
            self.execute("ROLLBACK")

    def close(self) -> None:
        self.connection.close()


def _connect(path: Path, write: bool) -> sqlite3.Connection:
    writable = os.access(path.parent, os.W_OK)
    if writable or write:
        mode = "mode=rwc" if write else "mode=rw"
    else:  # without -shm and -wal beside it, a file on a read-only disk can only be opened as one that never changes
        mode = "mode=ro" if Path(f"{path}-wal").exists() else "mode=ro&immutable=1"
    uri = f"{path.absolute().as_uri()}?{mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=_WAIT, isolation_level=None, check_same_thread=False)
    try:
        if write:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        else:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA schema_version")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What SQLite or the system complains of, as a sentence that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        said = str(error)
        if "full" in said:
            raise _full(path) from error
        if "readonly" in said or "unable to open" in said:
            raise _refused(path, said) from error
        if "disk I/O" in said:
            raise RagkitError(
                f"The disk could not read or write {path} ({said}).",
                "What was committed before is kept. Check the disk, then run it again.",
            ) from error
        kind = Unusable if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NO_DATABASE else RagkitError
        raise kind(f"{path} cannot be used: {said}.", "Run: ragkit doctor") from error
    except OSError as error:
        if error.errno == 28:  # ENOSPC
            raise _full(path) from error
        if error.errno in (13, 30):  # EACCES, EROFS
            raise _refused(Path(error.filename or path), error.strerror or "") from error
        raise RagkitError(
            f"{error.filename or path}: {error.strerror or error}.",
            "What was committed before is kept. Mend that, then run it again.",
        ) from error


def _full(path: Path) -> RagkitError:
    return RagkitError(
        f"The disk is full: {path.parent} could not be written.",
        "Make room and run it again. What was committed before is kept.",
    )


def _refused(path: Path, said: str) -> RagkitError:
    return RagkitError(f"{path} cannot be written ({said}).", "Check that its folder exists and may be written by you.")
