"""A Budget: the money, tokens and calls that an ask, and all asks of a workspace in a day, may take.

What a call will cost is known after it: a call that is under way may go beyond what was left, the next is not made.
A day is one of UTC, so that processes in two places agree on it.
"""

import sqlite3
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

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
)


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


class Ledger:
    """What a workspace has spent, by day and model. Several processes write it."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, _MIGRATIONS)

    def today(self) -> Spent:
        return self._file.read(_today, Spent())

    def take(self, model: str, limits: BudgetSettings) -> None:
        """Count a call, if the limits of a day allow it. One transaction: two processes cannot both take the last."""

        def work(connection: sqlite3.Connection) -> ModelError | None:
            over = _over(limits, _today(connection), "today", model)
            if over is None:
                _add(connection, model, Spent(calls=1))
            return over

        limited = any(one is not None for one in (limits.money, limits.tokens, limits.calls))
        over = self._file.write(work, _unreadable(self._file.path, model) if limited else None)
        if over is not None:
            raise over

    def add(self, model: str, spent: Spent) -> None:
        self._file.write(lambda connection: _add(connection, model, spent), None)

    def close(self) -> None:
        self._file.close()


class Budget:
    def __init__(
        self, limits: BudgetSettings | None = None, day: BudgetSettings | None = None, ledger: Ledger | None = None
    ) -> None:
        self._limits = limits or BudgetSettings()
        self._day = day or BudgetSettings()
        self._ledger = ledger
        self.spent = Spent()

    def take(self, model: str, price: Price | None) -> None:
        """Before a call: count it, or say that it may not be made."""
        for limits, what in ((self._limits, "this ask"), (self._day, "today")):
            if limits.money is not None and price is None:
                raise InvalidInput(
                    f"There is a limit of money for {what}, and the price of {model} is unknown.",
                    f'Say it in ragkit.toml under [models."{model}".price], or remove the limit.',
                )
        over = _over(self._limits, self.spent, "this ask", model)
        if over is not None:
            raise over
        if self._ledger is not None:
            self._ledger.take(model, self._day)
        self.spent += Spent(calls=1)

    def add(self, model: str, usage: Usage | None, price: Price | None) -> Decimal | None:
        """After a call: what it took, as far as the server said it."""
        money = cost(price, usage)
        took = Spent(tokens=usage.total if usage else 0, money=money or Decimal(0), unknown=1 if money is None else 0)
        self.spent += took
        if self._ledger is not None:
            self._ledger.add(model, took)
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


def _today(connection: sqlite3.Connection) -> Spent:
    rows = connection.execute("SELECT calls, tokens, money, unknown FROM spent WHERE day = ?", (_day(),))
    return sum((Spent(calls, tokens, Decimal(money), unknown) for calls, tokens, money, unknown in rows), Spent())


def _add(connection: sqlite3.Connection, model: str, spent: Spent) -> None:
    """Read and written, for money is a decimal, which SQLite cannot add."""
    key = (_day(), model)
    row = connection.execute(
        "SELECT calls, tokens, money, unknown FROM spent WHERE day = ? AND model = ?", key
    ).fetchone()
    now = spent if row is None else spent + Spent(row[0], row[1], Decimal(row[2]), row[3])
    connection.execute(
        "INSERT OR REPLACE INTO spent VALUES (?, ?, ?, ?, ?, ?)",
        (*key, now.calls, now.tokens, str(now.money), now.unknown),
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
