"""The TraceStore: a file that keeps the last traces. Nothing here may break an ask."""

import json
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from ragkit.errors import InvalidInput, NotFound, RagkitError, nearest_of
from ragkit.modelsettings import TraceSettings
from ragkit.sqlitefile import SqliteFile, shed, shrink
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
    (  # 2: how much each takes
        "ALTER TABLE traces ADD COLUMN size INTEGER NOT NULL DEFAULT 0",
        "UPDATE traces SET size = length(CAST(spans AS BLOB))",
    ),
]

_HEAD = "id, started, seconds, status, question, model, input_tokens, output_tokens, cost"
_EMPTY = "Traces are written by: ragkit ask"
_log = logging.getLogger(__name__)
Rows = list[tuple[Any, ...]]


class TraceStore:
    """Several threads and processes may read and write it. What goes wrong is told in the log, once."""

    def __init__(self, path: Path, settings: TraceSettings | None = None) -> None:
        self.path = path
        self.settings = settings or TraceSettings()
        self._file = SqliteFile(path, MIGRATIONS)

    def close(self) -> None:
        self._file.close()

    def save(self, trace: Trace) -> None:
        """Keep it, whole or not at all; one of the same id takes its place."""
        try:
            self._save(trace)
        except Exception as error:  # whatever it is, it is not worth an answer
            _log.warning("The trace %s was not kept (%s: %s).", trace.id, type(error).__name__, error)

    def list(self, limit: int = 20) -> tuple[Trace, ...]:
        """The newest first, without their spans."""
        newest = f"SELECT {_HEAD} FROM traces ORDER BY started DESC, id LIMIT ?"  # noqa: S608 - our words
        rows = self._read(lambda connection: connection.execute(newest, (limit,)).fetchall())
        return tuple(_trace(row) for row in rows)

    def get(self, name: str) -> Trace:
        """By its id, by the beginning of it, or `last`."""
        wanted = name.strip().lower()
        rows = self._read(lambda connection: _matching(connection, wanted))
        if not rows and len(wanted) == 32:  # of the application, of which ours have half
            rows = self._read(lambda connection: _matching(connection, wanted[:16]))
        if not rows:
            newest = "SELECT id FROM traces ORDER BY started DESC LIMIT 1000"
            known = self._read(lambda connection: connection.execute(newest).fetchall())
            near = nearest_of(wanted, [one[: max(8, len(wanted))] for (one,) in known])
            raise NotFound(f"There is no trace {name!r}.{near}", "See them with: ragkit trace" if known else _EMPTY)
        if len(rows) > 1:
            raise InvalidInput(
                f"{len(rows)} traces begin with {name!r}.", f"Say more of it: {', '.join(row[0][:12] for row in rows)}"
            )
        return _trace(rows[0][:-1], rows[0][-1])

    def _save(self, trace: Trace) -> None:
        spans = json.dumps(
            [asdict(step) for step in trace.spans], ensure_ascii=False, separators=(",", ":"), default=str
        )
        row = (
            trace.id, trace.started, trace.seconds, trace.status, trace.question, trace.model, trace.input_tokens,
            trace.output_tokens, None if trace.cost is None else str(trace.cost),
            sum(step.status == "open" for step in trace.spans), spans, len(spans.encode()),
        )  # fmt: skip

        def keep(connection: sqlite3.Connection) -> bool:
            # A step that ended late may have been kept before what its ask saw of it.
            connection.execute(
                f"INSERT INTO traces ({_HEAD}, open, spans, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608
                "ON CONFLICT (id) DO UPDATE SET seconds = excluded.seconds, status = excluded.status, "
                "question = excluded.question, model = excluded.model, input_tokens = excluded.input_tokens, "
                "output_tokens = excluded.output_tokens, cost = excluded.cost, open = excluded.open, "
                "spans = excluded.spans, size = excluded.size WHERE excluded.open <= traces.open",
                row,
            )
            return shed(connection, "traces", self.settings.megabytes * 1_000_000, by="started", but=trace.id)

        if self._file.write(keep, False):
            self._file.read(shrink, None)

    def _read(self, work: Callable[[sqlite3.Connection], Rows]) -> Rows:
        """Nothing where no ask was kept yet: reading makes no file."""
        if not self.path.exists():
            return []
        rows = self._file.read(work, None)
        if rows is None:
            raise RagkitError(f"The traces in {self.path} cannot be read.", "A warning in the log says why.")
        return rows


def _trace(row: tuple[Any, ...], spans: str = "[]") -> Trace:
    identity, started, seconds, status, question, model, given, made, cost = row
    steps = (Step(**{**one, "events": tuple(Event(**event) for event in one["events"])}) for one in json.loads(spans))
    return Trace(
        identity, started, seconds, status, question, model, given, made,
        None if cost is None else Decimal(cost), tuple(steps),
    )  # fmt: skip


def _matching(connection: sqlite3.Connection, wanted: str) -> Rows:
    if wanted == LAST:
        where, values = "ORDER BY started DESC, id LIMIT 1", []
    else:
        where, values = "WHERE id >= ? AND id < ? LIMIT 5", [wanted, wanted + "g"]  # behind every hexadecimal digit
    return connection.execute(f"SELECT {_HEAD}, spans FROM traces {where}", values).fetchall()  # noqa: S608
