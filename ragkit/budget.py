"""A Budget: the money, tokens and calls that an ask, and all asks of a workspace in a day, may take.

What a call will cost is known after it: a call that is under way may go beyond what was left, the next is not made.
What it cost and nobody said is charged by an estimate, or a server that never says it would have no budget; it is told
as unknown all the same. A day is one of UTC, so that processes in two places agree on it.
"""

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from threading import Event, Lock

from anyio import to_thread

from ragkit.deadline import Deadline
from ragkit.errors import InvalidInput
from ragkit.model import ModelError, Usage
from ragkit.modelsettings import BudgetSettings, Price
from ragkit.sqlitefile import SqliteFile

_MIGRATIONS = (
    (
        "CREATE TABLE spent (day TEXT, model TEXT, calls INTEGER, tokens INTEGER, money TEXT, unknown INTEGER, "
        "PRIMARY KEY (day, model))",
    ),
    (  # 2: what is charged of calls that are unknown
        "ALTER TABLE spent ADD COLUMN guessed_tokens INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE spent ADD COLUMN guessed_money TEXT NOT NULL DEFAULT '0'",
    ),
)
_COLUMNS = "calls, tokens, money, unknown, guessed_tokens, guessed_money"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Spent:
    calls: int = 0
    tokens: int = 0
    money: Decimal = Decimal(0)
    unknown: int = 0
    """Calls of which nobody knows what they cost: the money is at least what it says."""

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.calls + other.calls,
            self.tokens + other.tokens,
            self.money + other.money,
            self.unknown + other.unknown,
        )


@dataclass(frozen=True, slots=True)
class Bill:
    """What is known to be spent, and what is guessed of the rest: limits hold for both together."""

    known: Spent = Spent()
    guessed: Spent = Spent()

    def __add__(self, other: "Bill") -> "Bill":
        return Bill(self.known + other.known, self.guessed + other.guessed)

    @property
    def total(self) -> Spent:
        return self.known + self.guessed


_CALL = Bill(Spent(calls=1))
_Bills = dict[tuple[str, str], Bill]
"""By day and model."""


class Ledger:
    """What a workspace has spent, by day and model. Several processes write it.

    It is the truth, so what the file cannot take now is held, counts at once, and is written with what comes next.
    """

    def __init__(self, path: Path, *, wait: float = 2.0) -> None:
        self._file = SqliteFile(path, _MIGRATIONS, wait=wait, rest=0)
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._held: _Bills = {}
        self._holding, self._writing = Lock(), Lock()

    def today(self) -> Spent:
        found = self._file.read(lambda connection: _today(connection) + self._held_today(), None)
        return (self._held_today() if found is None else found).known

    def add(self, model: str, bill: Bill) -> None:
        """Takes no time; `flush` writes it."""
        with self._mine():
            _merge(self._held, {(_day(), model): bill})

    async def take(self, model: str, limits: BudgetSettings) -> None:
        """Count a call, if the limits of a day allow it."""
        if all(one is None for one in (limits.money, limits.tokens, limits.calls)):
            self.add(model, _CALL)
            return
        left = Event()
        try:  # the file may be locked by another: the event loop does not wait for it, nor who has no more time
            over = await to_thread.run_sync(self._take, model, limits, left.is_set, abandon_on_cancel=True)
        finally:
            left.set()
        if over is not None:
            raise over

    def flush(self) -> bool:
        """Write what is held; whether nothing is left. One thread at a time does, the others need not wait for it."""
        with self._mine():
            writing = self._writing
        while self._held and writing.acquire(blocking=False):
            try:
                if not self._write():
                    return False
            finally:
                writing.release()
        return not self._held

    def close(self) -> None:
        with self._mine():
            writing = self._writing
        with writing:
            if self._held and not self._write():
                lost = sum(self._held.values(), Bill()).known
                _log.warning("%s cannot be written: %s is missing there.", self._file.path, lost)
        self._file.close()

    def _take(self, model: str, limits: BudgetSettings, left: Callable[[], bool]) -> ModelError | None:
        """One transaction: two processes cannot both take the last."""

        def work(connection: sqlite3.Connection) -> ModelError | None:
            over = _over(limits, (_today(connection) + self._held_today()).total, "today", model)
            if over is None and not left():
                _add(connection, (_day(), model), _CALL)
            return over

        unreadable: ModelError | None = _unreadable(self._file.path, model)
        return self._file.write(work, unreadable)

    def _write(self) -> bool:
        moved: _Bills = {}

        def work(connection: sqlite3.Connection) -> bool:  # what is held goes within: nobody reads it twice, or never
            with self._mine():
                _merge(moved, self._held)
                self._held = {}
            for key, bill in moved.items():
                _add(connection, key, bill)
            return True

        written = self._file.write(work, False)
        if not written:
            with self._mine():
                _merge(self._held, moved)
        return written

    def _held_today(self) -> Bill:
        with self._mine():
            return sum((bill for (day, _), bill in self._held.items() if day == _day()), Bill())

    def _mine(self) -> Lock:
        """The lock of what is held. What the parent of a fork holds, it will write itself."""
        if self._process != os.getpid():
            self._begin()
        return self._holding


class Budget:
    def __init__(
        self, limits: BudgetSettings | None = None, day: BudgetSettings | None = None, ledger: Ledger | None = None
    ) -> None:
        self._limits = limits or BudgetSettings()
        self._day = day or BudgetSettings()
        self._ledger = ledger
        self._bill = Bill()

    @property
    def spent(self) -> Spent:
        return self._bill.known

    async def take(self, model: str, price: Price | None) -> None:
        """Before a call: count it, or say that it may not be made."""
        for limits, what in ((self._limits, "this ask"), (self._day, "today")):
            if limits.money is not None and price is None:
                raise InvalidInput(
                    f"There is a limit of money for {what}, and the price of {model} is unknown.",
                    f'Say it in ragkit.toml under [models."{model}".price], or remove the limit.',
                )
        over = _over(self._limits, self._bill.total, "this ask", model)
        if over is not None:
            raise over
        self._bill += _CALL  # at once: others of this ask may come while the ledger is read
        try:
            if self._ledger is not None:
                await self._ledger.take(model, self._day)
        except BaseException:
            self._bill += Bill(Spent(calls=-1))
            raise

    def add(self, model: str, usage: Usage | None, price: Price | None, guess: Usage | None = None) -> Decimal | None:
        """After a call: what it took, as far as the server said it; else `guess` is charged, None when it was refused.

        The money, None when it is unknown.
        """
        if usage is None and guess is None:
            return Decimal(0)
        money = cost(price, usage)
        took = Spent(tokens=usage.total if usage else 0, money=money or Decimal(0), unknown=1 if money is None else 0)
        charged = Spent()
        if money is None:
            tokens = guess.total if usage is None and guess is not None else 0
            charged = Spent(tokens=tokens, money=cost(_full(price), usage or guess) or Decimal(0))
        self._bill += (bill := Bill(took, charged))
        if self._ledger is not None:
            self._ledger.add(model, bill)
            asyncio.get_running_loop().run_in_executor(None, self._ledger.flush)
        return money


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one ask may take."""

    deadline: Deadline = field(default_factory=Deadline)
    budget: Budget = field(default_factory=Budget)


def _over(limits: BudgetSettings, spent: Spent, what: str, model: str) -> ModelError | None:
    for word, most, now in (
        ("calls", limits.calls, spent.calls),
        ("tokens", limits.tokens, spent.tokens),
        ("money", limits.money, spent.money),
    ):
        if most is not None and now >= most:
            return ModelError(
                f"The budget of {most} {word} for {what} is used up, so {model} was not asked.",
                f"Raise {word} in ragkit.toml under [{'day' if what == 'today' else 'ask'}].",
                "budget",
                model=model,
            )
    return None


def _unreadable(path: Path, model: str) -> ModelError:
    return ModelError(
        f"{path} cannot be used, so nobody knows what is left of today's budget, and {model} was not asked.",
        "Mend or remove that file.",
        "budget",
        model=model,
    )


def _merge(into: _Bills, bills: _Bills) -> None:
    for key, bill in bills.items():
        into[key] = into.get(key, Bill()) + bill


def _read(row: tuple[int, int, str, int, int, str]) -> Bill:
    calls, tokens, money, unknown, guessed_tokens, guessed_money = row
    return Bill(
        Spent(calls, tokens, Decimal(money), unknown), Spent(tokens=guessed_tokens, money=Decimal(guessed_money))
    )


def _today(connection: sqlite3.Connection) -> Bill:
    rows = connection.execute(f"SELECT {_COLUMNS} FROM spent WHERE day = ?", (_day(),))  # noqa: S608 - our words
    return sum(map(_read, rows), Bill())


def _add(connection: sqlite3.Connection, key: tuple[str, str], bill: Bill) -> None:
    """Read and written, for money is a decimal, which SQLite cannot add."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM spent WHERE day = ? AND model = ?", key)  # noqa: S608 - our words
    now = sum(map(_read, rows), bill)
    known, guessed = now.known, now.guessed
    connection.execute(
        f"INSERT OR REPLACE INTO spent (day, model, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (*key, known.calls, known.tokens, str(known.money), known.unknown, guessed.tokens, str(guessed.money)),
    )


def _day() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())


def cost(price: Price | None, usage: Usage | None) -> Decimal | None:
    """What these tokens cost; None when a price that it takes is unknown."""
    if price is None or usage is None:
        return None
    parts = [
        (usage.input, price.input), (usage.output, price.output),
        (usage.cache_read, price.cache_read), (usage.cache_write, price.cache_write),
    ]  # fmt: skip
    if any(tokens and one is None for tokens, one in parts):
        return None
    return sum((tokens * one for tokens, one in parts if one is not None), Decimal(0)) / 1_000_000


def _full(price: Price | None) -> Price | None:
    """For a guess: what is read from a prompt cache, or written to it, costs about as much as other input."""
    if price is None:
        return None
    cache = {name: price.input for name in ("cache_read", "cache_write") if getattr(price, name) is None}
    return price.model_copy(update=cache)
