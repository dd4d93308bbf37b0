import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from pathlib import Path

import pytest

from ragkit.budget import Allowance, Bill, Budget, Ledger, Spent
from ragkit.deadline import Deadline
from ragkit.limiter import estimate
from ragkit.model import Kind, Message, ModelError, Reply, Request, Usage
from ragkit.modelsettings import BudgetSettings, ModelSettings, Price
from ragkit.scripted import Line, ScriptedModel
from ragkit.weather import Weather

ASKED = Request((Message("user", "How high is it?"),), max_tokens=100)
PRICE = Price(input=Decimal(2), output=Decimal(10))
DAY = BudgetSettings(calls=1000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "spending.sqlite"


@contextmanager
def locked(file: Path) -> Iterator[None]:
    Ledger(file).today()  # made
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("ROLLBACK")
    connection.close()


def ask(lines: list[Line], budget: Budget, seconds: float | None = None, **settings: object) -> Reply:
    model = ScriptedModel(lines, "scripted:a")
    given = {"price": PRICE.model_dump(), **settings}
    member = Weather(model, ModelSettings.model_validate(given))
    return asyncio.run(member.areply(ASKED, Allowance(Deadline(seconds), budget)))


def unknown(text: str = "512 m") -> Reply:
    return Reply(text, "scripted:a")


def failed(kind: Kind) -> ModelError:
    return ModelError(f"It is {kind}.", "Wait.", kind, model="scripted:a")


def test_what_was_spent_is_in_the_file_for_others(file: Path) -> None:
    ledger = Ledger(file)
    ask([Reply("x", "scripted:a", usage=Usage(10, 3))], Budget(ledger=ledger))
    assert Ledger(file).today() == ledger.today() == Spent(1, 13, Decimal("0.00005"))


def test_what_a_locked_file_cannot_take_counts_and_is_written_with_the_next(file: Path) -> None:
    ledger = Ledger(file, wait=0.05)
    with locked(file):
        for _ in range(3):
            ledger.add("scripted:a", Bill(Spent(1, 10)))
            assert not ledger.flush()
        assert ledger.today() == Spent(3, 30)
    ledger.add("scripted:a", Bill(Spent(1, 10)))
    assert ledger.flush(), "at once: it does not rest"
    assert Ledger(file).today() == ledger.today() == Spent(4, 40)


def test_what_a_full_disk_cannot_take_is_held(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    ledger = Ledger(file)
    ledger.add("scripted:a", Bill(Spent(1, 10)))
    with monkeypatch.context() as patch:
        patch.setattr("ragkit.budget._add", full)
        assert not ledger.flush()
    assert ledger.flush()
    assert Ledger(file).today() == Spent(1, 10)


def test_what_a_locked_file_cannot_take_is_written_at_the_end(file: Path) -> None:
    ledger = Ledger(file, wait=0.05)
    with locked(file):
        ledger.add("scripted:a", Bill(Spent(1, 10)))
        assert not ledger.flush()
    ledger.close()
    assert Ledger(file).today() == Spent(1, 10)


def test_what_is_lost_at_the_end_is_told(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    ledger = Ledger(file, wait=0.05)
    with locked(file):
        ledger.add("scripted:a", Bill(Spent(1, 10)))
        ledger.close()
    assert "cannot be written: Spent(calls=1, tokens=10" in caplog.text


def test_what_is_held_counts_for_the_limits_of_a_day(file: Path) -> None:
    ledger = Ledger(file, wait=0.05)
    with locked(file):
        ledger.add("scripted:a", Bill(Spent(2)))
        ledger.flush()
    with pytest.raises(ModelError, match="The budget of 2 calls for today"):
        ask(["x"], Budget(day=BudgetSettings(calls=2), ledger=ledger))


def test_many_threads_that_write_lose_nothing_and_count_nothing_twice(file: Path) -> None:
    ledger, seen = Ledger(file), list[int]()

    def spend() -> None:
        for _ in range(20):
            ledger.add("scripted:a", Bill(Spent(1)))
            ledger.flush()
            seen.append(ledger.today().calls)

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    ledger.close()
    assert Ledger(file).today().calls == max(seen) == 160


@pytest.mark.parametrize("day", [BudgetSettings(), DAY])
def test_a_locked_file_blocks_neither_the_loop_nor_an_ask_beyond_its_deadline(file: Path, day: BudgetSettings) -> None:
    gaps: list[float] = []

    async def tick() -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            gaps.append(time.monotonic() - before)

    async def run() -> float:
        ticking = asyncio.create_task(tick())
        member = Weather(ScriptedModel(["x"]), ModelSettings())
        began = time.monotonic()
        with locked(file), pytest.raises(ModelError, match="The time of") if day is DAY else nullcontext():
            await member.areply(ASKED, Allowance(Deadline(0.5), Budget(day=day, ledger=Ledger(file, wait=30))))
        took = time.monotonic() - began
        ticking.cancel()
        return took

    took = asyncio.run(run())
    assert took < 15, "not the 30 that the ledger waits"
    assert max(gaps, default=0) < 15, "nor does the loop"


def test_a_call_that_was_given_up_while_it_was_counted_is_not(file: Path) -> None:
    ledger = Ledger(file, wait=5)

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await Budget(day=DAY, ledger=ledger).take("scripted:a", None)

    with locked(file):
        asyncio.run(give_up())
    ledger.close()
    time.sleep(0.2)
    assert Ledger(file).today() == Spent()


def test_a_budget_of_an_ask_is_not_taken_by_a_call_that_the_day_refused(file: Path) -> None:
    budget = Budget(day=BudgetSettings(calls=0), ledger=Ledger(file))
    with pytest.raises(ModelError, match="for today"):
        ask(["x"], budget)
    assert budget.spent == Spent()


@pytest.mark.parametrize(
    "limits", [BudgetSettings(tokens=estimate(ASKED).total + 1), BudgetSettings(money=Decimal("0.0011"))]
)
@pytest.mark.parametrize("of", ["ask", "day"])
def test_what_nobody_told_is_charged_by_an_estimate_and_said_to_be_unknown(
    file: Path, limits: BudgetSettings, of: str
) -> None:
    budget = Budget(limits) if of == "ask" else Budget(day=limits, ledger=Ledger(file))
    ask([unknown()], budget)
    ask([unknown()], budget)
    assert budget.spent == Spent(2, unknown=2)
    with pytest.raises(ModelError, match="is used up"):
        ask([unknown()], budget)
    if of == "day":
        assert Ledger(file).today() == Spent(2, unknown=2)
        with pytest.raises(ModelError, match="is used up"):
            ask([unknown()], Budget(day=limits, ledger=Ledger(file)))


def test_what_a_prompt_cache_took_is_charged_though_its_price_is_unknown() -> None:
    budget = Budget(BudgetSettings(money=Decimal("0.001")))
    ask([Reply("x", "scripted:a", usage=Usage(0, 0, cache_read=600))], budget)
    assert budget.spent == Spent(1, 600, unknown=1)
    with pytest.raises(ModelError, match="is used up"):
        ask(["x"], budget)


@pytest.mark.parametrize("kind", ["rate", "overloaded", "key", "request", "context"])
def test_what_was_refused_cost_nothing(kind: Kind) -> None:
    budget = Budget(BudgetSettings(tokens=1))
    for _ in range(2):
        with pytest.raises(ModelError, match=f"It is {kind}"):
            ask([failed(kind)], budget, tries=1)
    assert budget.spent == Spent(2)


@pytest.mark.parametrize("kind", ["server", "timeout", "broken", "connection"])
def test_what_may_have_been_served_is_unknown(kind: Kind) -> None:
    budget = Budget(BudgetSettings(tokens=1))
    with pytest.raises(ModelError, match=f"It is {kind}"):
        ask([failed(kind)], budget, tries=1)
    with pytest.raises(ModelError, match="is used up"):
        ask(["x"], budget)
    assert budget.spent == Spent(1, unknown=1)


def test_who_was_not_reached_has_served_nothing() -> None:
    class Refused(ScriptedModel):
        async def areply(self, request: Request) -> Reply:
            try:
                raise ConnectionRefusedError
            except ConnectionRefusedError:
                raise failed("connection") from None

    budget, member = Budget(), Weather(Refused([]), ModelSettings(tries=1))
    with pytest.raises(ModelError, match="It is connection"):
        asyncio.run(member.areply(ASKED, Allowance(budget=budget)))
    assert budget.spent == Spent(1)


def test_a_ledger_of_an_older_ragkit_is_read_on(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute(
        "CREATE TABLE spent (day TEXT, model TEXT, calls INTEGER, tokens INTEGER, money TEXT, unknown INTEGER, "
        "PRIMARY KEY (day, model))"
    )
    day = time.strftime("%Y-%m-%d", time.gmtime())
    connection.execute("INSERT INTO spent VALUES (?, 'scripted:a', 3, 10, '0.5', 1)", (day,))
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    ledger = Ledger(file)
    ledger.add("scripted:a", Bill(Spent(1, 1), Spent(tokens=7)))
    assert ledger.flush()
    assert ledger.today() == Spent(4, 11, Decimal("0.5"), 1)
    with pytest.raises(ModelError, match="18 tokens"):
        ask(["x"], Budget(day=BudgetSettings(tokens=18), ledger=ledger))
