import asyncio
import sqlite3
import threading
import time
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragkit.calculator import calculate, calculator
from ragkit.datetool import date_tool, dates
from ragkit.errors import InvalidInput
from ragkit.sqltool import sql_tool
from ragkit.tools import tool


@tool
def shout(text: str, times: int = 1, copy: bool = False) -> str:
    """Says it louder."""
    return text.upper() * times + str(copy)


def test_the_schema_is_that_of_the_signature() -> None:
    assert shout.name == "shout"
    assert shout.spec.description == "Says it louder."
    assert set(shout.spec.parameters["properties"]) == {"text", "times", "copy"}
    assert shout.spec.parameters["required"] == ["text"]
    assert shout("a") == "AFalse"  # still the function
    assert shout.call({"text": "a", "times": "2"}).value == "AAFalse"


@pytest.mark.parametrize("arguments", [{}, {"text": "a", "tmes": 2}, {"text": "a", "times": "many"}])
def test_wrong_arguments_are_an_error_that_says_which(arguments: dict[str, object]) -> None:
    result = shout.call(arguments)
    assert result.value is None
    assert "shout was called wrongly" in result.error


def test_what_a_tool_raises_is_data() -> None:
    @tool(description="Fails.")
    def fails(how: str) -> None:
        if how == "exit":
            raise SystemExit(3)
        raise TimeoutError("of its own")

    assert "TimeoutError: of its own" in fails.call({"how": "x"}).error
    assert "SystemExit" in fails.call({"how": "exit"}).error


def test_a_tool_that_hangs_is_left_behind() -> None:
    free = threading.Event()

    @tool(description="Hangs.", seconds=0.1)
    def hangs() -> None:
        free.wait(30)

    result = hangs.call({})
    assert "did not end in 0.1 s" in result.error
    assert "did not end in 0.1 s" in asyncio.run(hangs.acall({})).error
    free.set()


def test_functions_that_await_are_tools_too() -> None:
    @tool(description="Waits.")
    async def waits(seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "done"

    assert asyncio.run(waits.acall({"seconds": 0})).value == "done"
    assert "did not end" in waits.call({"seconds": 30}, seconds=0.05).error


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: tool(lambda x: x), "no name"),
        (lambda: tool(name="x")(lambda: 1), "does not say what it is for"),
        (lambda: tool(name="x", description="y")(lambda a: a), "has no type"),
        (lambda: tool(name="x", description="y", seconds=0)(lambda: 1), "may not take 0"),
    ],
)
def test_what_is_no_tool_says_why(make: object, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("expression", "value"),
    [("1 + 2 * 3", 7), ("-(2 ** 10)", -1024), ("sqrt(225)", 15), ("round(10 / 3, 2)", 3.33), ("7 // 2 % 2", 1),
     ("min(3, 1, 2) + max(1, 2)", 3), ("2 ** -1", 0.5), (" 0.17 * 2340 ", 397.8), ("mean(1, 2, 6)", 3)],
)  # fmt: skip
def test_the_calculator_calculates(expression: str, value: float) -> None:
    assert calculate(expression) == pytest.approx(value)
    assert calculator.call({"expression": expression}).value == pytest.approx(value)


@pytest.mark.parametrize(
    "expression",
    ["9**9**9", "2**100000", "(10**3000)*(10**3000)", "__import__('os').system('true')", "().__class__", "'a' * 9",
     "1 if 1 else 2", "[1][0]", "abs(*[1])", "x", "True + 1", "1 / 0", "1e308 * 10", "(-1) ** 0.5", "2 ^ 3", "1 +", "",
     "lambda: 1", "round(1.5, 10**9)", "1j",
     "min()", "exp(1000)", "+".join("1" * 300), "10.0 ** 400", "--" * 100 + "1", "1_0 << 9"],
)  # fmt: skip
def test_the_calculator_refuses_the_rest_at_once(expression: str) -> None:
    began = time.process_time()
    with pytest.raises(InvalidInput):
        calculate(expression)
    assert time.process_time() - began < 5, "the powers among them would take minutes"


@given(st.text("0123456789+-*/()., abemnpxiqrtlog%^_'\"[]{}:=<>", max_size=60))
def test_whatever_is_typed_is_a_number_or_an_error_of_ours(expression: str) -> None:
    with suppress(InvalidInput):
        assert isinstance(calculate(expression), int | float)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What is 17 % of 2,340?", 397.8),
        ("12 * (3 + 4)", 84),
        ("What is the square root of 225?", 15),
        ("How much is 48 divided by 6?", 8),
        ("2 to the power of 10", 1024),
        ("What is 2024?", None),
        ("What is 12 % of our revenue?", None),
        ("How many people work here?", None),
        ("9 ** 9 ** 9", None),
        ("2020-2021 revenue", None),
    ],
)
def test_a_plain_question_says_what_to_calculate(question: str, value: float | None) -> None:
    assert calculator.read is not None
    arguments = calculator.read(question)
    assert (None if arguments is None else calculator.call(arguments).value) == pytest.approx(value)


@pytest.mark.parametrize(
    ("question", "arguments"),
    [
        ("What day is it today?", {}),
        ("What is today's date?", {}),
        ("Which weekday was 1976-07-04?", {"start": "1976-07-04"}),
        ("What day was our revenue highest?", None),
        ("What is due today?", None),
    ],
)
def test_a_plain_question_says_which_day(question: str, arguments: dict[str, str] | None) -> None:
    one = date_tool(lambda: date(2025, 3, 1))
    assert one.read is not None
    assert one.read(question) == arguments
    assert arguments is None or one.call(arguments).error == ""


def test_dates() -> None:
    assert dates(date(2024, 1, 31), months=1)["date"] == "2024-02-29"
    assert dates(date(2025, 3, 1), days=90) == {"date": "2025-05-30", "weekday": "Friday", "week": 22}
    told = dates(date(2025, 9, 18), date(2025, 12, 24))
    assert (told["days_between"], told["weekdays_between"]) == (97, 69)
    assert dates(date(2025, 12, 24), date(2025, 9, 18))["weekdays_between"] == -69
    made = date_tool(lambda: date(2025, 9, 18))
    assert made.call({"weeks": -1}).value["date"] == "2025-09-11"
    assert made.call({"start": "2025-02-30"}).error
    assert made.call({"years": 10**9}).error
    assert made.call({"days": 10**12}).error


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE sales (day TEXT, amount REAL)")
    connection.executemany("INSERT INTO sales VALUES (?, ?)", [(f"2025-01-{day:02}", day) for day in range(1, 31)])
    connection.commit()
    connection.close()
    return path


def rows(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM sales").fetchone()[0])
    finally:
        connection.close()


def test_sql_answers_one_select(database: Path) -> None:
    sales = sql_tool(database, name="sales", rows=10)
    assert "sales(day, amount)" in sales.description
    got = sales.call({"sql": "SELECT sum(amount) AS total FROM sales WHERE day <= '2025-01-03';"})
    assert got.value == {"columns": ["total"], "rows": [[6.0]], "more": False}
    many = sales.call({"sql": "WITH s AS (SELECT * FROM sales) SELECT day FROM s"}).value
    assert (len(many["rows"]), many["more"]) == (10, True)


WRITING = [
    "DELETE FROM sales", "SELECT 1; DELETE FROM sales", "INSERT INTO sales VALUES (1, 2)", "DROP TABLE sales",
    "WITH x AS (SELECT 1) DELETE FROM sales", "ATTACH ':memory:' AS other", "PRAGMA query_only = OFF",
    "VACUUM INTO '/tmp/x'",
    "CREATE TEMP TABLE t AS SELECT 1", "SELECT load_extension('x')", "/* SELECT */ DELETE FROM sales",
    "SELECT '--'; DELETE FROM sales", "", "EXPLAIN SELECT 1", "UPDATE sales SET amount = 0 RETURNING amount",
    "SELECT * FROM pragma_query_only", "REPLACE INTO sales VALUES (1, 2)", "BEGIN", "SELECT writefile('/tmp/x', 'y')",
]  # fmt: skip


@pytest.mark.parametrize("sql", WRITING)
def test_sql_only_reads(database: Path, sql: str) -> None:
    assert sql_tool(database).call({"sql": sql}).error
    assert rows(database) == 30


@pytest.mark.parametrize("sql", WRITING)
def test_sqlite_itself_refuses_to_write(database: Path, sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the words are not looked at, and the connection may write."""
    monkeypatch.setattr("ragkit.sqltool._check", lambda sql: None)
    result = sql_tool(lambda: sqlite3.connect(database)).call({"sql": sql})
    assert rows(database) == 30
    assert result.error or not sql or sql.startswith(("EXPLAIN", "SELECT * FROM pragma"))


def test_a_query_that_takes_too_long_is_stopped(database: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    assert "took too long" in sql_tool(database, seconds=0.2).call({"sql": endless}).error
    assert "too big" in sql_tool(database).call({"sql": "SELECT length(zeroblob(100000000))"}).error


class Foreign:
    """As a driver of another database: it says what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.description = [("one",)]

    def cursor(self) -> "Foreign":
        return self

    def execute(self, sql: str) -> None:
        self.said.append(sql)

    def fetchmany(self, count: int) -> list[tuple[object]]:
        return [(b"1",), (date(2025, 1, 1),)]

    def rollback(self) -> None:
        self.said.append("rollback")

    def close(self) -> None:
        self.said.append("close")


def test_another_database_must_be_kept_from_being_changed() -> None:
    with pytest.raises(InvalidInput, match="Nothing says how"):
        sql_tool(Foreign)
    one = Foreign()
    made = sql_tool(lambda: one, read_only="SET TRANSACTION READ ONLY")
    one.said.clear()
    assert made.call({"sql": "SELECT one FROM t"}).value["rows"] == [["<1 bytes>"], ["2025-01-01"]]
    assert one.said == ["SET TRANSACTION READ ONLY", "SELECT one FROM t", "rollback", "close"]
