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
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import typer
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import TracerProvider
from rich.console import Console
from typer.testing import CliRunner

from ragkit import telemetry
from ragkit.errors import InvalidInput, NotFound, RagkitError
from ragkit.modelsettings import TraceSettings
from ragkit.telemetry import record, recording, span
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
            call.add_event("ragkit.attempt", {"error.type": "rate"})
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
    telemetry.hide(KEY)


@pytest.fixture
def store(tmp_path: Path) -> TraceStore:
    return TraceStore(tmp_path / ".ragkit" / FILE)


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
    assert store.save(it) == ""
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
    assert store.save(before) == ""  # the ask's own thread was slower than its straggler
    assert store.get("last") == after


def test_the_oldest_are_forgotten_and_the_file_shrinks(store: TraceStore) -> None:
    store.settings = TraceSettings(megabytes=3)
    for at in range(1, 26):
        assert store.save(made(at, 90_000)) == ""
    large = sum(one.stat().st_size for one in store.path.parent.iterdir())
    assert len(store.list(100)) == 25
    store.settings = TraceSettings(megabytes=1)
    assert store.save(made(26, 90_000)) == ""
    kept = [int(one.id, 16) for one in store.list(100)]
    assert kept == list(range(26, 26 - len(kept), -1))
    assert 5 <= len(kept) <= 10
    assert sum(one.stat().st_size for one in store.path.parent.iterdir()) < 1_000_000 < 2_000_000 < large
    assert store.save(made(27, 3_000_000)) == ""
    assert [one.id for one in store.list(100)] == [made(27).id]


WRITE = """
import sys
from pathlib import Path
from ragkit.trace import Trace
from ragkit.tracestore import TraceStore
store = TraceStore(Path(sys.argv[1]))
for at in range(40):
    said = store.save(Trace(f"{int(sys.argv[2]) * 1000 + at:032x}", float(at), 1.0))
    assert not said, said
"""


def test_several_processes_and_threads_write(store: TraceStore) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", WRITE, str(store.path), str(at)]) for at in range(1, 5)]
    said: list[str] = []
    threads = [threading.Thread(target=lambda at=at: said.append(store.save(made(at)))) for at in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.wait() for one in processes] == [0] * 4
    assert said == [""] * 20
    assert len(store.list(1000)) == 180


def test_a_damaged_file_is_told_set_aside_and_breaks_nothing(store: TraceStore) -> None:
    store.save(made(1))
    store.close()
    store.path.write_bytes(b"This is no database, and never was." * 100)
    with pytest.raises(RagkitError, match="damaged"):
        store.list()
    said = store.save(made(2))
    assert said.startswith("The file of traces was damaged. It was set aside as traces.sqlite.damaged-")
    assert store.save(made(3)) == ""
    assert [int(one.id, 16) for one in store.list()] == [3, 2]
    assert any("damaged" in one.name for one in store.path.parent.iterdir())


def test_a_page_in_the_middle_may_be_damaged(store: TraceStore) -> None:
    for at in range(50):
        store.save(made(at, 5000))
    store.close()
    whole = store.path.stat().st_size
    with store.path.open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(whole - 16384))
    for at in range(50, 60):
        store.save(made(at))
    assert {int(one.id, 16) for one in store.list(10)} >= {59, 58}


@pytest.mark.parametrize("what", ["newer", "folder", "locked"])
def test_what_cannot_be_kept_is_a_sentence(store: TraceStore, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(made(1))
    monkeypatch.setattr("ragkit.tracestore._WAIT", 0.1)
    other = sqlite3.connect(store.path, isolation_level=None)
    if what == "newer":
        other.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    elif what == "locked":
        other.execute("BEGIN IMMEDIATE")
    else:
        store.path = store.path / "below a file"
    store.close()
    said = store.save(made(2))
    other.close()
    assert said.startswith("The trace was not kept")
    assert {"newer": "newer ragkit", "locked": "locked", "folder": "traces.sqlite"}[what] in said


def test_a_migration_that_fails_leaves_the_file_as_it_was(store: TraceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(made(1))
    store.close()
    monkeypatch.setattr("ragkit.tracestore.MIGRATIONS", [*MIGRATIONS, ("ALTER TABLE traces ADD more TEXT", "NONSENSE")])
    assert "not kept" in store.save(made(2))
    monkeypatch.setattr("ragkit.tracestore.MIGRATIONS", [*MIGRATIONS, ("ALTER TABLE traces ADD more TEXT",)])
    assert store.save(made(2)) == ""
    assert len(store.list()) == 2


FORK = """
import os, sys
from pathlib import Path
from ragkit.trace import Trace
from ragkit.tracestore import TraceStore
store = TraceStore(Path(sys.argv[1]))
save = lambda at: store.save(Trace(f"{at:032x}", float(at), 1.0))
assert save(1) == ""
child = os.fork()
if not child:
    os._exit(1 if save(2) else 0)
assert os.waitpid(child, 0)[1] == 0
assert save(3) == ""
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_process_leaves_the_connection_of_its_parent_alone(store: TraceStore) -> None:
    subprocess.run([sys.executable, "-c", FORK, str(store.path)], check=True)
    assert len(store.list()) == 3


def test_names_that_name_nothing(store: TraceStore) -> None:
    with pytest.raises(NotFound, match="ragkit ask"):
        store.get("last")
    assert store.list() == ()
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
    assert "×3 800→50 0.0100" in text
    assert "└ write" in text
    assert "✗ write: ValueError: MESSAGE [hidden]" in text
    assert "QUESTION [red]why[/] [31m?" in text
    assert "PROMPT" not in text
    assert "PROMPT [hidden]" in "\n".join(shown(lambda console: show(ask(), console, texts=True)))
    assert "No texts were kept; see [trace] texts" in "\n".join(shown(lambda c: show(ask(False), c, texts=True)))


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
