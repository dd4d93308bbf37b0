"""The ChatStore: a file that keeps conversations, for whoever goes on with them, in another process too.

It holds what people asked, so that it is theirs alone to read. Each turn is kept whole or not at all, under the next
number that is free: two processes that go on with the same conversation lose nothing of each other's.
"""

import json
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from ragkit.answer import Answer, Citation
from ragkit.errors import InvalidInput, NotFound, RagkitError, nearest_of
from ragkit.followup import Exchange
from ragkit.sqlitefile import SqliteFile

FILE = "chats.sqlite"
LAST = "last"
"""What users write for the conversation that was gone on with last."""
MIGRATIONS: list[tuple[str, ...]] = [
    (  # 1: the first
        """CREATE TABLE chats (
            id TEXT PRIMARY KEY, began REAL NOT NULL, used REAL NOT NULL, summary TEXT NOT NULL DEFAULT '',
            summed INTEGER NOT NULL DEFAULT 0)""",
        """CREATE TABLE turns (
            chat TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE, number INTEGER NOT NULL, asked REAL NOT NULL,
            question TEXT NOT NULL, standalone TEXT NOT NULL, reworded TEXT NOT NULL, said TEXT NOT NULL,
            answer TEXT NOT NULL, PRIMARY KEY (chat, number)) WITHOUT ROWID""",
        "CREATE INDEX chats_by_use ON chats (used)",
    ),
]
By = Literal["", "rules", "model"]
T = TypeVar("T")
Rows = list[tuple[Any, ...]]
_ANSWER = TypeAdapter(Answer)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_WAIT = 5.0


@dataclass(frozen=True, slots=True)
class Turn:
    """A question of a conversation, and its answer."""

    number: int
    question: str
    """As it was typed."""
    standalone: str
    """As it was asked of the documents: in a form that needs nothing before it."""
    answer: Answer
    reworded: By = ""
    """Who made the standalone form; empty when it is the question itself."""
    stale: tuple[Citation, ...] = ()
    """Citations of the answer that no longer stand: the document says something else there now, or is gone."""
    asked: float = 0.0
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a list of conversations says of one."""

    id: str
    began: float
    used: float
    turns: int
    first: str
    """Its first question."""


@dataclass(frozen=True, slots=True)
class Recall:
    """What the next question is understood by: a summary of the first `summed` turns, and the last ones after these."""

    summary: str = ""
    summed: int = 0
    exchanges: tuple[Exchange, ...] = ()
    upto: int = 0
    """The number of the last turn."""


class ChatStore:
    """Opened for each thing that is done: a turn takes far longer, and nothing is left open in forks."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def turns(self, chat: str) -> tuple[Turn, ...]:
        query = "SELECT number, question, standalone, answer, reworded, asked FROM turns WHERE chat = ? ORDER BY number"
        rows = self._rows(query, (chat,))
        return tuple(_turn(*row) for row in rows)

    def recall(self, chat: str, limit: int) -> Recall:
        """The summary, and of the turns after it the last ones."""

        def work(connection: sqlite3.Connection) -> Recall:
            head = connection.execute("SELECT summary, summed FROM chats WHERE id = ?", (chat,)).fetchone()
            if head is None:
                return Recall()
            rows = connection.execute(
                "SELECT question, standalone, said, number FROM turns WHERE chat = ? AND number > ? "
                "ORDER BY number DESC LIMIT ?",
                (chat, head[1], limit),
            ).fetchall()
            exchanges = tuple(Exchange(*row[:3]) for row in reversed(rows))
            summary, summed = head
            return Recall(summary, summed, exchanges, rows[0][3] if rows else summed)

        return self._read(work, Recall())

    def add(self, chat: str, turn: Turn) -> Turn:
        """The turn with its number."""
        answer = json.dumps(_ANSWER.dump_python(turn.answer, mode="json", fallback=str), ensure_ascii=False)
        now = time.time()

        def work(connection: sqlite3.Connection) -> int:
            connection.execute(
                "INSERT INTO chats (id, began, used) VALUES (?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET used = max(used, excluded.used)",
                (chat, now, now),
            )
            (last,) = connection.execute("SELECT max(number) FROM turns WHERE chat = ?", (chat,)).fetchone()
            number = (last or 0) + 1
            row = (chat, number, now, turn.question, turn.standalone, turn.reworded, turn.answer.text, answer)
            connection.execute("INSERT INTO turns VALUES (?, ?, ?, ?, ?, ?, ?, ?)", tuple(map(_storable, row)))
            return number

        return replace(turn, number=self._do(lambda file: file.write(work, None)), asked=now)

    def summarise(self, chat: str, summary: str, upto: int) -> None:
        """Keep a summary of the first turns, unless there is one of more of them."""
        statement = "UPDATE chats SET summary = ?, summed = ? WHERE id = ? AND summed < ?"
        values = (_storable(summary), upto, chat, upto)
        self._do(lambda file: file.write(lambda connection: connection.execute(statement, values).rowcount, None))

    def list(self) -> tuple[Conversation, ...]:
        """All of them, the one that was gone on with last first."""
        query = (
            "SELECT id, began, used, (SELECT count(*) FROM turns WHERE chat = id), "
            "coalesce((SELECT question FROM turns WHERE chat = id ORDER BY number LIMIT 1), '') "
            "FROM chats ORDER BY used DESC, id"
        )
        return tuple(Conversation(*row) for row in self._rows(query, ()))

    def find(self, name: str) -> str:
        """The id of the conversation that is there: by its id, by the beginning of it, or `last`."""
        known = [one.id for one in self.list()]
        wanted = name.strip()
        if wanted in known:
            return wanted
        found = known[:1] if wanted == LAST else [one for one in known if wanted and one.startswith(wanted)]
        if not found:
            reason = f"There is no conversation {name!r}.{nearest_of(wanted, known)}"
            raise NotFound(reason, "See them with: ragkit chat --list" if known else "Begin one with: ragkit chat")
        if len(found) > 1:
            reason = f"{len(found)} conversations begin with {name!r}."
            raise InvalidInput(reason, f"Say more of it: {', '.join(found[:5])}")
        return found[0]

    def _rows(self, query: str, values: tuple[object, ...]) -> Rows:
        empty: Rows = []
        return self._read(lambda connection: connection.execute(query, values).fetchall(), empty)

    def _read(self, work: Callable[[sqlite3.Connection], T], empty: T) -> T:
        """Reading makes no file."""
        return self._do(lambda file: file.read(work, None)) if self.path.exists() else empty

    def _do(self, work: Callable[[SqliteFile], T | None]) -> T:
        with closing(SqliteFile(self.path, MIGRATIONS, wait=_WAIT, private=True)) as file:
            done = work(file)
        if done is None:
            raise RagkitError(f"The conversations in {self.path} cannot be used.", "A warning in the log says why.")
        return done


def checked_id(id: str) -> str:
    """It may come from a web page: it names a row, never a file, and is refused when it looks like more than a name."""
    if not _ID.fullmatch(id):
        raise InvalidInput(
            f"{id[:80]!r} cannot name a conversation.",
            "Use up to 64 letters, digits and . _ @ -, beginning with a letter or a digit.",
        )
    return id


def _storable(value: T) -> T | str:
    """Half a character, such as a terminal may send, cannot be kept."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _turn(number: int, question: str, standalone: str, answer: str, reworded: By, asked: float) -> Turn:
    try:
        read = _ANSWER.validate_json(answer)
    except ValidationError:  # of another ragkit, or a bad disk
        reason = "This answer was kept in a form that can no longer be read. Ask it again."
        read = Answer(question, "", abstained=True, reason=reason, status="failed")
    return Turn(number, question, standalone, read, reworded, asked=asked)
