import asyncio
import multiprocessing
import queue
import signal
import threading
import warnings
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from ragkit.engine import Engine
from ragkit.errors import InvalidInput, RagkitError
from ragkit.models import Models
from ragkit.scripted import ScriptedModel
from ragkit.settings import Settings

CLOSED = "The workspace was closed during this ask"


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.close()


class Work:
    """It runs until it is cancelled, and says so."""

    def __init__(self) -> None:
        self.began, self.cancelled = threading.Event(), threading.Event()

    async def __call__(self, tell: Callable[[str], None] | None = None) -> str:
        try:
            if tell is not None:
                tell("piece")
            self.began.set()
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return "late"


async def soon() -> str:
    await asyncio.sleep(0)
    return "done"


def test_who_is_interrupted_while_it_waits_cancels_the_work(engine: Engine) -> None:
    work = Work()

    class Interrupt(BaseException):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(Interrupt):
            engine.run(work)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert work.began.is_set()
    assert work.cancelled.wait(30)


def test_who_stops_listening_cancels_the_work(engine: Engine) -> None:
    work = Work()
    events = engine.stream(work)
    assert next(events) == "piece"
    events.close()  # type: ignore[attr-defined]
    assert work.cancelled.wait(30)


def test_who_stops_listening_in_a_loop_cancels_the_work(engine: Engine) -> None:
    work = Work()

    async def listen() -> None:
        events = engine.astream(work)
        assert await anext(events) == "piece"
        await events.aclose()

    asyncio.run(listen())
    assert work.cancelled.wait(30)


def test_who_cancels_what_awaits_the_work_cancels_it(engine: Engine) -> None:
    work = Work()

    async def cancelled() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(engine.arun(work), 0.1)

    asyncio.run(cancelled())
    assert work.cancelled.wait(30)


async def _awaited(engine: Engine, work: Work) -> object:
    return await engine.arun(work)


async def _heard(engine: Engine, work: Work) -> object:
    return [one async for one in engine.astream(work)]


WAYS: dict[str, Callable[[Engine, Work], object]] = {
    "run": lambda engine, work: engine.run(work),
    "arun": lambda engine, work: asyncio.run(_awaited(engine, work)),
    "stream": lambda engine, work: list(engine.stream(work)),
    "astream": lambda engine, work: asyncio.run(_heard(engine, work)),
}


@pytest.mark.parametrize("way", WAYS)
def test_who_asks_while_it_is_closed_is_told_so_and_the_last_is_done_after_all_else(way: str) -> None:
    engine, work = Engine(), Work()
    order: list[str] = []

    async def last() -> None:
        order.append("cancelled" if work.cancelled.is_set() else "running")

    def close() -> None:
        assert work.began.wait(5)
        engine.close(last)

    closer = threading.Thread(target=close)
    closer.start()
    with pytest.raises(RagkitError, match=CLOSED):
        WAYS[way](engine, work)
    closer.join()
    assert order == ["cancelled"]
    assert not engine.started
    with pytest.raises(RagkitError, match=CLOSED):
        WAYS[way](engine, work)


def test_closing_waits_for_what_is_cancelled_to_clean_up() -> None:
    engine, began = Engine(), threading.Event()
    done: list[str] = []

    async def work() -> None:
        began.set()
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.shield(asyncio.sleep(0.1))
            done.append("cleaned")

    async def last() -> None:
        done.append("last")

    def run() -> None:
        with pytest.raises(RagkitError, match=CLOSED):
            engine.run(lambda: work())

    thread = threading.Thread(target=run)
    thread.start()
    assert began.wait(5)
    engine.close(last)
    thread.join()
    assert done[-1] == "last"
    assert not [one for one in threading.enumerate() if one.name == "ragkit" and one is engine._thread]


def test_an_engine_that_never_ran_has_nothing_to_end() -> None:
    called = []

    async def last() -> None:
        called.append("last")

    engine = Engine()
    engine.close(last)
    assert not called
    assert not engine.started


def test_what_runs_may_await_more_of_the_same(engine: Engine) -> None:
    async def nested() -> list[object]:
        async def told(tell: Callable[[str], None]) -> str:
            tell("piece")
            return await soon()

        return [await engine.arun(soon), *[one async for one in engine.astream(told)]]

    assert engine.run(nested) == ["done", "piece", "done"]


def test_what_runs_cannot_wait_for_itself(engine: Engine) -> None:
    async def nested() -> None:
        with pytest.raises(InvalidInput, match=r"which would wait for itself\. Await its asynchronous twin"):
            engine.run(soon)
        with pytest.raises(InvalidInput, match="which would wait for itself"):
            next(engine.stream(lambda _: soon()))

    engine.run(nested)


def test_what_runs_may_close_the_engine_it_runs_on() -> None:
    engine, done = Engine(), threading.Event()

    async def last() -> None:
        done.set()

    async def nested() -> None:
        engine.close(last)
        await asyncio.sleep(30)

    with pytest.raises(RagkitError, match=CLOSED):
        engine.run(nested)
    assert done.wait(30)
    thread = engine._thread
    assert thread is not None
    thread.join(2)
    assert not thread.is_alive()


def _in_child(work: Callable[[], object]) -> object:
    """What it returns in the child of a fork; None if it hangs."""
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = context.Process(target=lambda: results.put(work()), daemon=True)
        child.start()
    child.join(8)
    if child.is_alive():
        child.kill()
        return None
    return results.get() if not results.empty() else f"exit {child.exitcode}"


def test_the_child_of_a_fork_starts_anew(engine: Engine) -> None:
    assert engine.run(soon) == "done"
    thread = engine._thread

    def work() -> object:
        before = engine.started
        said = engine.run(soon), asyncio.run(_again(engine))
        after = engine._thread is not thread
        engine.close()
        return before, *said, after

    assert _in_child(work) == (False, "done", "done", True)
    assert engine.run(soon) == "done", "the parent's goes on"


async def _again(engine: Engine) -> str:
    return await engine.arun(soon)


def test_the_child_of_a_fork_may_close_what_only_its_parent_started(engine: Engine) -> None:
    engine.run(soon)

    def work() -> object:
        engine.close()
        return "closed"

    assert _in_child(work) == "closed"
    assert engine.run(soon) == "done"


def test_a_fork_while_the_lock_is_held_does_not_hang_the_child(engine: Engine) -> None:
    with engine._starting:
        assert _in_child(lambda: engine.run(soon)) == "done"


def test_the_child_of_a_fork_does_not_use_the_clients_of_its_parent(tmp_path: Path) -> None:
    models = Models(tmp_path, Settings())
    mine, given = ScriptedModel([]), models.chain("openai:test").members[0]
    health = models.chain(mine).members[0].breaker

    def work() -> object:
        other = models.chain("openai:test").members[0]
        asyncio.run(models.aclose())
        return other is given, models.chain(mine).members[0].breaker is health

    assert _in_child(work) == (False, False)
    assert models.chain("openai:test").members[0] is given


def test_threads_that_come_at_once_share_one_loop(engine: Engine) -> None:
    loops: queue.SimpleQueue[object] = queue.SimpleQueue()

    async def loop() -> Awaitable[None] | None:
        loops.put(asyncio.get_running_loop())
        return None

    threads = [threading.Thread(target=lambda: engine.run(loop)) for _ in range(32)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len({loops.get() for _ in range(32)}) == 1
