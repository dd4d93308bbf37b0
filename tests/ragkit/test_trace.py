"""An ask becomes a trace; the file keeps it, whatever happens; and a terminal shows it."""

import asyncio
import io
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path

import pytest
import typer
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import TracerProvider
from rich.console import Console
from typer.testing import CliRunner

from ragkit import attributes, sqlitefile, telemetry
from ragkit.errors import InvalidInput, NotFound, RagkitError
from ragkit.model import ModelError
from ragkit.modelsettings import TraceSettings
from ragkit.telemetry import record, recording, span
from ragkit.terminal import print_json
from ragkit.trace import Step, Trace, as_json
from ragkit.tracecli import trace as trace_command
from ragkit.tracecollector import Collector
from ragkit.tracestore import FILE, MIGRATIONS, TraceStore
from ragkit.traceview import show, show_list
from tests.ragkit import semconv

KEY = "key-of-nobody-123456"
ROOT = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "ask"}


def chat(model: str = "claude-opus-4-5") -> dict[str, object]:
    return {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": 800, "gen_ai.usage.output_tokens": 50, "ragkit.cost": Decimal("0.01"),
    }  # fmt: skip


def ask(texts: bool = True, late: Callable[[Trace], object] | None = None) -> Trace:
    """One that a listener of ours hears, with a step that fails."""
    collector = Collector(texts, late)
    with recording(collector, texts), span("invoke_workflow ask", ROOT) as root:
        record(root, {"ragkit.question": "QUESTION [red]why[/]\x1b[31m?", "ragkit.answer": "ANSWER"})
        with span("chat claude-opus-4-5", {**chat(), "ragkit.attempts": 3}, kind="client") as call:
            record(call, {"gen_ai.input.messages": [{"role": "user", "content": f"PROMPT {KEY}"}]})
            call.add_event("ragkit.event", {"error.type": "rate"})
        with pytest.raises(ValueError, match="MESSAGE"), span("write"):
            raise ValueError(f"MESSAGE {KEY}")
        root.set_attribute(telemetry.STATUS, "partial")
    made = collector.trace
    assert made is not None
    return made


def made(at: int, size: int = 10) -> Trace:
    step = Step("1" * 16, None, "root", "internal", 0, 1, texts={"ragkit.question": "x" * size})
    return Trace(f"{at:032x}", float(at), 1.0, question=f"Question {at}?", spans=(step,))


@pytest.fixture(autouse=True)
def _hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(telemetry.SEND_TEXTS, raising=False)
    attributes.hide(KEY)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TraceStore]:
    one = TraceStore(tmp_path / ".ragkit" / FILE)
    yield one
    one.close()


def again(store: TraceStore) -> TraceStore:
    """As another process has it."""
    store.close()
    return TraceStore(store.path, store.settings)


def test_what_a_collector_hears_is_a_trace() -> None:
    it = ask()
    assert len(it.id) == 32
    assert (it.status, it.model, it.input_tokens, it.output_tokens) == ("partial", "anthropic:claude-opus-4-5", 800, 50)
    assert it.cost == Decimal("0.01")
    assert it.question is not None
    assert it.question.startswith("QUESTION")
    root, call, write = it.spans
    assert root.parent is None
    assert call.parent == write.parent == root.id
    assert call.kind == "client"
    assert call.events[0].attributes == {"error.type": "rate"}
    assert (write.status, write.error) == ("error", "ValueError: MESSAGE [hidden]")
    assert 0 <= call.start <= write.start <= root.seconds
    assert abs(it.started - time.time()) < 60
    assert semconv.of_trace(it) == []


def test_unknown_is_not_nothing() -> None:
    collector = Collector(True)
    with recording(collector, True), span("root"):
        with span("chat a", {**chat("a"), "ragkit.cost": None}):
            pass
        with span("chat b", chat("b")):
            pass
    it = collector.trace
    assert it is not None
    assert (it.cost, it.input_tokens, it.model) == (None, 1600, "anthropic:b")
    collector = Collector(True)
    with recording(collector, True), span("root"):
        pass
    assert collector.trace is not None
    assert (collector.trace.cost, collector.trace.input_tokens, collector.trace.model) == (None, None, None)


def test_what_was_kept_comes_back(store: TraceStore) -> None:
    it = ask()
    store.save(it)
    assert json.dumps(as_json(store.get(it.id))) == json.dumps(as_json(it))
    assert store.get(it.id[:8]).id == store.get("last").id == it.id
    assert store.get(it.id).cost == it.cost
    (listed,) = store.list()
    assert listed == replace(it, spans=())


@pytest.mark.parametrize("texts", [True, False])
def test_without_texts_the_file_has_none_and_never_a_key(store: TraceStore, texts: bool) -> None:
    store.save(ask(texts))
    kept = b"".join(one.read_bytes() for one in store.path.parent.iterdir())
    assert b"invoke_workflow" in kept
    for word in (b"QUESTION", b"ANSWER", b"PROMPT", b"MESSAGE"):
        assert (word in kept) is texts
    assert KEY.encode() not in kept


def test_words_of_other_instrumentations_are_texts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(otel, "get_tracer_provider", lambda: provider)
    for texts in (True, False):
        collector = Collector(texts)
        get = provider.get_tracer("httpx").start_as_current_span
        with recording(collector, texts), span("root"), get("GET") as theirs:
            theirs.set_attributes({"url.full": "http://x/?q=QUESTION", "http.response.status_code": 200})
            theirs.add_event("exception", {"exception.message": "QUESTION"})
        it = collector.trace
        assert it is not None
        assert it.spans[1].attributes["http.response.status_code"] == 200
        assert ("QUESTION" in json.dumps(as_json(it))) is texts


def test_two_asks_below_one_span_of_the_application_are_two_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(otel, "get_tracer_provider", lambda: provider)
    with provider.get_tracer("app").start_as_current_span("request") as request:
        one, two = ask(), ask()
    outer = f"{request.get_span_context().trace_id:032x}"
    assert one.id != two.id
    assert one.id[:16] == two.id[:16] == outer[:16]
    assert one.spans[0].parent is None


def test_a_step_that_ends_after_its_ask_is_not_lost(store: TraceStore) -> None:
    async def slow() -> None:
        with span("slow"):
            await asyncio.sleep(0.02)

    async def main() -> tuple[Trace | None, asyncio.Task[None]]:
        collector = Collector(True, late=store.save)
        with recording(collector, True), span("root"):
            task = asyncio.create_task(slow())
            await asyncio.sleep(0)
        before = collector.trace
        await task
        return before, task

    before, _ = asyncio.run(main())
    assert before is not None
    assert [step.status for step in before.spans] == ["ok", "open"]
    after = store.get("last")
    assert [step.status for step in after.spans] == ["ok", "ok"]
    store.save(before)  # the ask's own thread was slower than its straggler
    assert store.get("last") == after


def test_the_oldest_are_forgotten_and_the_file_shrinks(store: TraceStore) -> None:
    store.settings = TraceSettings(megabytes=3)
    for at in range(1, 26):
        store.save(made(at, 90_000))
    large = sum(one.stat().st_size for one in store.path.parent.iterdir())
    assert len(store.list(100)) == 25
    store.settings = TraceSettings(megabytes=1)
    store.save(made(26, 90_000))
    kept = [int(one.id, 16) for one in store.list(100)]
    assert kept == list(range(26, 26 - len(kept), -1))
    assert 5 <= len(kept) <= 10
    assert sum(one.stat().st_size for one in store.path.parent.iterdir()) < 1_000_000 < 2_000_000 < large
    store.save(made(27, 3_000_000))
    assert [one.id for one in store.list(100)] == [made(27).id]
    store.save(made(28))
    assert [one.id for one in store.list(100)] == [made(28).id]
    assert sum(one.stat().st_size for one in store.path.parent.iterdir()) < 200_000


WRITE = """
import sys
from pathlib import Path
from ragkit.trace import Trace
from ragkit.tracestore import TraceStore
store = TraceStore(Path(sys.argv[1]))
for at in range(40):
    store.save(Trace(f"{int(sys.argv[2]) * 1000 + at:032x}", float(at), 1.0))
store.close()
"""


def test_several_processes_and_threads_write(store: TraceStore, caplog: pytest.LogCaptureFixture) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITE, str(store.path), str(at)], stderr=subprocess.PIPE)
        for at in range(1, 5)
    ]
    threads = [threading.Thread(target=store.save, args=(made(at),)) for at in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.communicate()[1] for one in processes] == [b""] * 4
    assert caplog.messages == []
    assert len(store.list(1000)) == 180


@pytest.mark.parametrize("first", ["save", "list", "get"])
def test_a_damaged_file_is_told_set_aside_and_breaks_nothing(
    store: TraceStore, first: str, caplog: pytest.LogCaptureFixture
) -> None:
    store.save(made(1))
    store = again(store)
    store.path.write_bytes(b"This is no database, and never was." * 100)
    if first == "save":
        store.save(made(2))
    elif first == "list":
        assert store.list() == ()
    else:
        with pytest.raises(NotFound):
            store.get("last")
    (said,) = caplog.messages
    assert "traces.sqlite is damaged (file is not a database)" in said
    assert "moved to traces.sqlite.damaged, and made anew" in said
    store.save(made(2))
    store.save(made(3))
    assert [int(one.id, 16) for one in store.list()] == [3, 2]
    assert store.path.with_name("traces.sqlite.damaged").read_bytes().startswith(b"This is no database")
    assert len(caplog.messages) == 1
    store.close()


def test_a_page_in_the_middle_may_be_damaged(store: TraceStore) -> None:
    for at in range(50):
        store.save(made(at, 5000))
    store = again(store)
    whole = store.path.stat().st_size
    with store.path.open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(whole - 16384))
    for at in range(50, 60):
        store.save(made(at))
    assert {int(one.id, 16) for one in store.list(10)} >= {59, 58}
    store.close()


def test_a_lock_that_is_not_released_costs_its_traces_at_most(
    store: TraceStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.save(made(1))
    store = again(store)
    store._file._wait = 0.1
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for at in range(2, 5):
        store.save(made(at))
    (said,) = caplog.messages
    assert f"{store.path} cannot be used (database is locked)" in said
    other.close()
    store._file._resting = 0
    store.save(made(5))
    assert [int(one.id, 16) for one in store.list()] == [5, 1]
    store.close()


def test_a_newer_file_is_left_alone(store: TraceStore, caplog: pytest.LogCaptureFixture) -> None:
    store.save(made(1))
    store.close()
    with closing(sqlite3.connect(store.path)) as other:
        other.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = store.path.read_bytes()
    store = again(store)
    store.save(made(2))
    assert [int(one.id, 16) for one in store.list()] == [2]
    store.close()
    assert store.path.read_bytes() == before
    (said,) = caplog.messages
    assert "written by a newer ragkit" in said


def test_a_place_that_cannot_be_written_is_told_and_breaks_nothing(
    store: TraceStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.save(made(1))
    below = TraceStore(store.path / "below a file" / FILE)
    below.save(made(2))
    (said,) = caplog.messages
    assert "below a file" in said
    assert below.list() == ()


def test_a_trace_that_is_none_is_told_and_breaks_nothing(store: TraceStore, caplog: pytest.LogCaptureFixture) -> None:
    store.save(replace(made(1), question="half a pair \ud800"))
    (said,) = caplog.messages
    assert "was not kept (UnicodeEncodeError" in said
    store.save(made(2))
    assert [int(one.id, 16) for one in store.list()] == [2]


def test_what_cannot_be_read_is_an_error(store: TraceStore, caplog: pytest.LogCaptureFixture) -> None:
    store.path.mkdir(parents=True)
    with pytest.raises(RagkitError, match="cannot be read"):
        store.list()
    assert "unable to open database file" in caplog.text


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    store: TraceStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store.save(made(1))
    more = "ALTER TABLE traces ADD more TEXT"
    monkeypatch.setattr("ragkit.tracestore.MIGRATIONS", [*MIGRATIONS, (more, "NONSENSE")])
    store = again(store)
    store.save(made(2))
    (said,) = caplog.messages
    assert f"could not be brought to format {len(MIGRATIONS) + 1}" in said
    monkeypatch.setattr("ragkit.tracestore.MIGRATIONS", [*MIGRATIONS, (more,)])
    store = again(store)
    store.save(made(2))
    assert [int(one.id, 16) for one in store.list()] == [2, 1]
    store.close()


def test_a_file_of_the_first_format_is_read_and_shed(store: TraceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlitefile.open_file(store.path, MIGRATIONS[:1]).close()
    with closing(sqlite3.connect(store.path)) as old, old:
        for at in range(1, 30):
            spans = json.dumps([asdict(step) for step in made(at, 90_000).spans])
            row = (f"{at:032x}", float(at), 1.0, "ok", None, None, None, None, None, 0, spans)
            old.execute("INSERT INTO traces VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    assert store.get("last").spans == made(29, 90_000).spans
    store.settings = TraceSettings(megabytes=1)
    store.save(made(30, 90_000))
    kept = [int(one.id, 16) for one in store.list(100)]
    assert kept == list(range(30, 30 - len(kept), -1))
    assert 5 <= len(kept) <= 10


FORK = """
import os, sys
from pathlib import Path
from ragkit.trace import Trace
from ragkit.tracestore import TraceStore
store = TraceStore(Path(sys.argv[1]))
save = lambda at: store.save(Trace(f"{at:032x}", float(at), 1.0))
save(1)
child = os.fork()
if not child:
    save(2)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
save(3)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_process_leaves_the_connection_of_its_parent_alone(store: TraceStore) -> None:
    done = subprocess.run([sys.executable, "-c", FORK, str(store.path)], check=True, capture_output=True)
    assert done.stderr == b""
    assert len(store.list()) == 3


def test_names_that_name_nothing(store: TraceStore) -> None:
    with pytest.raises(NotFound, match="ragkit ask"):
        store.get("last")
    assert store.list() == ()
    assert not store.path.parent.exists(), "reading makes nothing"
    store.save(replace(made(1), id="abc1" + "0" * 28))
    store.save(replace(made(2), id="abc2" + "0" * 28))
    with pytest.raises(InvalidInput, match="2 traces begin with 'abc'"):
        store.get("abc")
    with pytest.raises(NotFound, match="Did you mean 'abc10000'"):
        store.get("abd10000")
    with pytest.raises(NotFound):
        store.get("%")
    assert store.get("ABC1").started == 1.0


# In a terminal


def shown(draw: Callable[[Console], object], width: int = 80) -> list[str]:
    out = io.StringIO()
    draw(Console(file=out, width=width, force_terminal=False, color_system=None))
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_waterfall_fits_its_terminal(width: int) -> None:
    steps = [Step("0" * 15 + "1", None, "invoke_workflow ask", "internal", 0, 3.2)]
    steps += [
        Step(f"{at:016x}", f"{at - 1:016x}", f"深い {at} with a long name", "client", at / 10, 2.0 / at, "error",
             "rate", {"gen_ai.usage.input_tokens": 123456, "ragkit.attempts": at, "ragkit.cost": 0.5})
        for at in range(2, 20)
    ]  # fmt: skip
    lines = shown(lambda console: show(replace(made(1), spans=tuple(steps)), console), width)
    assert all(len(line) <= width for line in lines if set(line) & set("▏▎▍▌▋▊▉█"))
    assert sum(bool(set(line) & set("▏▎▍▌▋▊▉█")) for line in lines) == 19


def test_a_waterfall_shows_what_happened() -> None:
    lines = shown(lambda console: show(ask(), console))
    text = "\n".join(lines)
    assert "├ chat claude-opus-4-5" in text
    assert "attempt 3 800→50 0.0100" in text
    assert "└ write" in text
    assert "✗ write: ValueError: MESSAGE [hidden]" in text
    assert "QUESTION [red]why[/] [31m?" in text
    assert "PROMPT" not in text
    assert "PROMPT [hidden]" in "\n".join(shown(lambda console: show(ask(), console, texts=True)))
    assert "No texts were kept; see [trace] texts" in "\n".join(shown(lambda c: show(ask(False), c, texts=True)))


def test_attempts_are_told_apart_and_errors_are_red() -> None:
    collector = Collector(True)
    with recording(collector, True), span("invoke_workflow ask", ROOT), span("write"):
        for number in (1, 2):
            with suppress(ModelError), span("chat claude-opus-4-5", {**chat(), "ragkit.attempts": number}):
                if number == 1:
                    raise ModelError("Slow down.", kind="rate")
        with span("remembered", {"ragkit.model": "openai:gpt-5", "ragkit.cached": True}):
            pass
    it = collector.trace
    assert it is not None
    out = io.StringIO()
    show(it, Console(file=out, width=120, force_terminal=True, color_system="standard"))
    first, second, remembered = (
        next(line for line in out.getvalue().splitlines() if word in line)
        for word in ("├ chat claude", "attempt 2", "└ remembered")
    )
    red = "\x1b[31m"
    assert "attempt" not in first
    assert f"{red}error 800→50 0.0100" in first
    assert red not in second
    assert remembered.endswith("cached openai:gpt-5")
    assert f"{red}✗" in out.getvalue()
    assert it.model == "openai:gpt-5", "the last that answered, also from memory"
    assert shown(lambda console: show(it, console))[-1] == "✗ chat claude-opus-4-5: rate: Slow down."


def test_an_error_is_told_where_it_arose() -> None:
    collector = Collector(True)
    with recording(collector, True), pytest.raises(KeyError), span("root"), span("inner"):
        raise KeyError("x")
    it = collector.trace
    assert it is not None
    assert [line for line in shown(lambda console: show(it, console)) if "✗" in line] == ["✗ inner: KeyError: 'x'"]
    assert it.status == "error"


def test_a_list_fits_its_terminal() -> None:
    traces = [replace(ask(), model="anthropic:" + "m" * 100, question="Why? " * 50), made(1)]
    lines = shown(lambda console: show_list(traces, console))
    assert len(lines) == 4
    assert all(len(line) <= 80 for line in lines)
    assert "partial" in lines[0]
    assert "800→50" in lines[0]


@pytest.mark.parametrize("status", ["cancelled", "abstained"])
def test_the_longest_status_stands_apart_from_the_model(status: str) -> None:
    trace = replace(made(1), status=status, model="openai:t")
    assert f"{status}  openai:t" in shown(lambda console: show_list([trace], console))[0]


def test_json_holds_nothing_that_a_terminal_obeys_and_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    said = {"text": "Zürich 深い 🙂\n\t\x1b[31m \x9b31m \u202e \u2066 \ud800 \U000e0041", "plain": ["ü"]}
    print_json(said)
    out = capsys.readouterr().out
    assert json.loads(out) == said
    assert out.replace("\n", "").isprintable()
    assert "Zürich 深い 🙂" in out
    print_json({"plain": "ü"})
    assert capsys.readouterr().out == '{\n  "plain": "ü"\n}\n'


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(trace_command)
    done = CliRunner().invoke(app, list(arguments))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


def test_the_command(tmp_path: Path, store: TraceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    place = ("-w", str(tmp_path))
    with pytest.raises(InvalidInput, match="is no workspace"):
        run(*place)
    (tmp_path / "ragkit.toml").write_text("")
    monkeypatch.setattr("ragkit.tracecli.stderr", Console(file=io.StringIO()))
    assert json.loads(run("--json", *place)[1]) == {"traces": []}
    it = ask()
    store.save(it)
    store.save(made(1))
    listed = json.loads(run("--json", *place)[1])["traces"]
    assert [row["id"] for row in listed] == [it.id, made(1).id]
    assert "spans" not in listed[0]
    assert len(json.loads(run("-n", "1", "--json", *place)[1])["traces"]) == 1
    assert json.loads(run("last", "--json", *place)[1]) == json.loads(json.dumps(as_json(it)))
    with pytest.raises(NotFound):
        run("ffff", *place)
