"""A SemanticCache: questions that mean nearly the same share an answer.

A high cosine is not enough for that: the questions must also be `alike`, since vectors overlook what decides an answer.
"""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ragkit.alike import alike
from ragkit.cache import DAY, TOUCH
from ragkit.modelsettings import CacheSettings
from ragkit.sqlitefile import SqliteFile, shed, shrink

if TYPE_CHECKING:
    from ragkit.indexes.embedder import Vectors

_MIGRATIONS = [
    (  # 1: the first
        """CREATE TABLE questions (
            id INTEGER PRIMARY KEY, scope TEXT NOT NULL, question TEXT NOT NULL, made REAL NOT NULL,
            used REAL NOT NULL, size INTEGER NOT NULL, vector BLOB NOT NULL, UNIQUE (scope, question))""",
        # apart, so that comparing questions does not read answers, which takes twice as long
        """CREATE TABLE answers (
            id INTEGER PRIMARY KEY REFERENCES questions ON DELETE CASCADE, payload TEXT NOT NULL)""",
        "CREATE INDEX questions_by_use ON questions (used)",
        "CREATE INDEX questions_by_age ON questions (made)",
    ),
]


class Match(NamedTuple):
    payload: str
    """As it was put; whoever put it checks that it can still be read."""
    question: str
    """The one that was asked before."""
    cosine: float


class SemanticCache:
    """What was answered in which scope. A scope is a hash of all that decides answers: domains and their generations,
    settings, the identity of the embedder. When one of them changes nothing matches, and what was there grows old.

    Every question of a scope is compared, which takes 30 to 70 ms for 10,000 of them.
    """

    def __init__(self, path: Path, settings: CacheSettings, *, clock: Callable[[], float] = time.time) -> None:
        self._file = SqliteFile(path, _MIGRATIONS)
        self._most = settings.megabytes * 1_000_000
        self._days = settings.days
        self._clock = clock

    def get(self, scope: str, question: str, vector: "Vectors", threshold: float) -> Match | None:
        """The nearest question of this scope, as long as its cosine is not below the threshold, and it is `alike`."""
        now = self._clock()
        for row, cosine in self._near(scope, question, vector, threshold, self._oldest(now)):
            found = self._row(row)
            if found is not None and alike(question, found[0]):
                if abs(now - found[2]) > TOUCH:
                    self._touch(row, now)
                return Match(found[1], found[0], cosine)
        return None

    def put(self, scope: str, question: str, vector: "Vectors", payload: str) -> None:
        blob = _bytes_of(vector)
        try:
            size = len(blob) + len(question.encode()) + len(payload.encode())
        except UnicodeEncodeError:  # lone surrogates, which a command line may hold
            return
        if size > self._most:
            return
        now = self._clock()

        def keep(connection: sqlite3.Connection) -> bool:
            connection.execute("DELETE FROM questions WHERE made < ?", (self._oldest(now),))
            connection.execute("DELETE FROM questions WHERE scope = ? AND question = ?", (scope, question))
            row = connection.execute(
                "INSERT INTO questions (scope, question, made, used, size, vector) VALUES (?, ?, ?, ?, ?, ?)",
                (scope, question, now, now, size, blob),
            ).lastrowid
            connection.execute("INSERT INTO answers VALUES (?, ?)", (row, payload))
            return shed(connection, "questions", self._most)

        if self._file.write(keep, False):
            self._file.read(shrink, None)

    def clear(self) -> None:
        self._file.write(lambda connection: connection.execute("DELETE FROM questions"), None)
        self._file.read(shrink, None)

    def close(self) -> None:
        self._file.close()

    def _near(
        self, scope: str, question: str, vector: "Vectors", threshold: float, oldest: float
    ) -> list[tuple[int, float]]:
        """Rows and their cosines, the nearest first; of the same words there can be only one."""
        import numpy

        blob = _bytes_of(vector)
        fitting = "SELECT id, vector FROM questions WHERE scope = ? AND made >= ? AND length(vector) = ?"

        def all_of_scope(connection: sqlite3.Connection) -> list[tuple[int, bytes]]:
            return connection.execute(fitting, (scope, oldest, len(blob))).fetchall()

        def of_same_words(connection: sqlite3.Connection) -> Any:
            same = "SELECT id FROM questions WHERE scope = ? AND question = ? AND made >= ?"
            return connection.execute(same, (scope, question, oldest)).fetchone()

        try:
            question.encode()
        except UnicodeEncodeError:
            return []
        same = self._file.read(of_same_words, None)
        if same is not None:
            return [(same[0], 1.0)]
        rows: list[tuple[int, bytes]] = self._file.read(all_of_scope, [])
        if not rows:
            return []
        matrix = numpy.frombuffer(b"".join(one for _, one in rows), dtype="<f4").reshape(len(rows), -1)
        cosines = matrix @ numpy.frombuffer(blob, dtype="<f4")
        enough = numpy.flatnonzero(cosines >= threshold)
        nearest = enough[numpy.argsort(-cosines[enough], kind="stable")]
        return [(rows[at][0], min(1.0, float(cosines[at]))) for at in nearest]

    def _row(self, row: int) -> Any:
        find = "SELECT question, payload, used FROM questions JOIN answers USING (id) WHERE id = ?"
        return self._file.read(lambda connection: connection.execute(find, (row,)).fetchone(), None)

    def _touch(self, row: int, now: float) -> None:
        note = "UPDATE questions SET used = ? WHERE id = ?"
        self._file.write(lambda connection: connection.execute(note, (now, row)), None)

    def _oldest(self, now: float) -> float:
        return float("-inf") if self._days is None else now - self._days * DAY


def _bytes_of(vector: "Vectors") -> bytes:
    return vector.astype("<f4").tobytes()
