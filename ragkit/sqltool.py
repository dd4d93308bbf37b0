"""The SQL tool: one SELECT over a database, and nothing else, for so long and so many rows.

SQLite is held to it by SQLite itself: the file is opened for reading, `query_only` is on, and an authorizer refuses
whatever is not reading. Another database is held to it by the statement that makes its session read-only, which has to
be named, or by an account that may do no more: no reading of SQL from outside can promise that (a SELECT may call a
function that writes). The check of the words is there to fail early and clearly.
"""

import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Protocol

from ragkit.errors import InvalidInput, RagkitError
from ragkit.tools import Tool, tool

ROWS = 100
SECONDS = 5.0
_MOST_BYTES = 1_000_000
"""Of one value: a SELECT can make a string of a gigabyte."""
_STEPS = 1000
_SKIPPED = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \[[^\]]*\] | \$(\w*)\$.*?\$\1\$ | --[^\n]* | /\*.*?\*/""",
    re.VERBOSE | re.DOTALL,
)
"""Strings, quoted names and comments."""
_WRITING = re.compile(
    r"\b(insert|update|delete|merge|replace\s+into|into|create|drop|alter|truncate|grant|revoke|attach|detach|pragma|"
    r"vacuum|reindex|call|exec|execute|copy|lock|do|set|begin|commit|rollback|savepoint)\b",
    re.IGNORECASE,
)
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_REFUSED_FUNCTIONS = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "fsdir"}


class Connection(Protocol):
    """What DB-API 2 calls one."""

    def cursor(self) -> Any: ...
    def rollback(self) -> Any: ...
    def close(self) -> Any: ...


def sql_tool(
    database: str | Path | Callable[[], Connection],
    *,
    name: str = "sql",
    description: str = "",
    keywords: Sequence[str] = (),
    examples: Sequence[str] = (),
    read_only: str = "",
    rows: int = ROWS,
    seconds: float = SECONDS,
) -> Tool:
    """A tool that answers one SELECT: of a SQLite file, or of what a function connects to.

    For a database that is not SQLite, `read_only` is the statement that makes a session read-only there, such as
    `SET TRANSACTION READ ONLY`; `"-"` says that the account may only read.
    """
    connect = _file(Path(database)) if isinstance(database, str | Path) else database
    with _told(name), closing(connect()) as connection:
        lite = isinstance(connection, sqlite3.Connection)
        if not lite and not read_only:
            raise InvalidInput(
                f"Nothing says how the database of the tool {name} is kept from being changed.",
                'Name the statement: read_only="SET TRANSACTION READ ONLY"; or "-" if the account may only read.',
            )
        tables = _tables(connection) if isinstance(connection, sqlite3.Connection) else ""

    def query(sql: str) -> dict[str, Any]:
        _check(sql)
        with _told(name), closing(connect()) as connection:
            if isinstance(connection, sqlite3.Connection):
                _guard(connection, seconds)
            return _rows(connection, sql, rows, "" if lite or read_only == "-" else read_only)

    said = " ".join(part for part in (description or "Answers from a database, by one SELECT.", tables) if part)
    return tool(
        name=name, description=said, keywords=keywords, examples=examples, seconds=seconds + 1
    )(query)  # fmt: skip


def _file(path: Path) -> Callable[[], Connection]:
    absolute = path.expanduser().resolve()
    if not absolute.is_file():
        raise InvalidInput(f"There is no database {path}.", "Name a file of SQLite.")
    return lambda: sqlite3.connect(f"{absolute.as_uri()}?mode=ro", uri=True)


def _guard(connection: sqlite3.Connection, seconds: float) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    connection.set_authorizer(_authorize)


def _authorize(action: int, _one: str | None, two: str | None, _database: str | None, _trigger: str | None) -> int:
    if action in _ALLOWED or (action == sqlite3.SQLITE_FUNCTION and (two or "").lower() not in _REFUSED_FUNCTIONS):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _check(sql: str) -> None:
    bare = _SKIPPED.sub(" '' ", sql).strip().rstrip(";").strip()
    if ";" in bare:
        raise InvalidInput("That is more than one statement.", "Send one SELECT.")
    if not re.match(r"(select|with|values)\b", bare, re.IGNORECASE):
        raise InvalidInput("That is no SELECT.", "This tool only reads: begin with SELECT or WITH.")
    if found := _WRITING.search(bare):
        raise InvalidInput(
            f"{found[0].upper()} has no place in a SELECT that only reads.", "Put a name in double quotes."
        )


def _rows(connection: Connection, sql: str, rows: int, read_only: str) -> dict[str, Any]:
    cursor = connection.cursor()
    try:
        if read_only:
            cursor.execute(read_only)
        cursor.execute(sql)
        found = cursor.fetchmany(rows + 1)
        columns = [column[0] for column in cursor.description or ()]
    finally:
        with suppress(Exception):
            connection.rollback()  # whatever it was, it does not stay
    plain = [[_plain(value) for value in row] for row in found[:rows]]
    return {"columns": columns, "rows": plain, "more": len(found) > rows}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _tables(connection: sqlite3.Connection) -> str:
    """What there is to ask for, so that a model need not guess."""
    named = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name"
    ).fetchall()
    said = []
    for (table,) in named[:50]:
        columns = connection.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall()
        said.append(f"{table}({', '.join(column for (column,) in columns[:50])})")
    return f"Tables: {'; '.join(said)}." if said else ""


class _told:
    """Foreign errors of any driver, as ours."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or isinstance(error, RagkitError) or not isinstance(error, Exception):
            return
        said = str(error)
        if "interrupted" in said:
            raise RagkitError(
                "The query took too long and was stopped.", "Ask for less: add conditions, or fewer joins."
            ) from error
        raise RagkitError(f"The database of the tool {self.name} said: {said}.", "Mend the query.") from error
