"""The Engine: one event loop in a thread of its own, on which all calls of a workspace's models run.

Connections, limits and breakers belong to one loop; users have none (a script), many (a call of `asyncio.run` each), or
one that is running already (a notebook). So every way of asking comes here, and behaves the same. What runs on it may
ask again, of itself: a tool or a model that awaits another answer.
"""

import asyncio
import os
import queue
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import CancelledError, Future
from typing import Generic, TypeVar
from weakref import WeakSet

import anyio
from anyio.from_thread import BlockingPortal

from ragkit.errors import InvalidInput, RagkitError

T = TypeVar("T")
ItemT = TypeVar("ItemT")
Last = Callable[[], Awaitable[None]]


class Engine:
    def __init__(self) -> None:
        self._begin()
        self._closed = False
        _engines.add(self)

    def _begin(self) -> None:
        """Also in the child of a fork, where the thread of its parent is not, and its lock may be held for ever."""
        self._portal: BlockingPortal | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._running: set[anyio.CancelScope] = set()
        self._idle: anyio.Event | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def started(self) -> bool:
        return self._portal is not None

    @property
    def _within(self) -> bool:
        return threading.current_thread() is self._thread

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, and wait. Also where an event loop is running already."""
        self._refuse_within()
        future = self._start(work)
        try:
            return _result(future)
        except BaseException:
            future.cancel()
            raise

    async def arun(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, and await. Who cancels this cancels the work."""
        if self._within:
            return await work()
        return await asyncio.wrap_future(self._start(work))

    def stream(self, work: Callable[[Callable[[ItemT], None]], Awaitable[T]]) -> Iterator[ItemT | T]:
        """What the work tells as it goes, and last what it returns. Who stops listening cancels it."""
        self._refuse_within()
        items: queue.SimpleQueue[ItemT | _End[T]] = queue.SimpleQueue()
        future = self._start(lambda: work(items.put))
        future.add_done_callback(lambda done: items.put(_End(done)))
        try:
            while not isinstance(item := items.get(), _End):
                yield item
            yield _result(item.future)
        finally:
            future.cancel()

    async def astream(self, work: Callable[[Callable[[ItemT], None]], Awaitable[T]]) -> AsyncGenerator[ItemT | T, None]:
        loop = asyncio.get_running_loop()
        items: asyncio.Queue[ItemT | _End[T]] = asyncio.Queue()

        def put(item: "ItemT | _End[T]") -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(items.put_nowait, item)

        future: Future[T] | asyncio.Future[T]
        if self._within:
            future = asyncio.ensure_future(work(put))
        else:
            future = self._start(lambda: work(put))
        future.add_done_callback(lambda done: put(_End(done)))
        try:
            while not isinstance(item := await items.get(), _End):
                yield item
            yield _result(item.future)
        finally:
            future.cancel()

    def close(self, last: Last | None = None) -> None:
        """For good: cancel what runs, whose askers are told so, then do what is `last`, and end the thread.

        Without waiting, where the thread would wait for itself: what asked there may be the last to hold a workspace.
        """
        with self._starting:
            self._closed = True
            portal, self._portal = self._portal, None
        if portal is None:
            return
        if self._within:
            self._ending = asyncio.get_running_loop().create_task(self._end(portal, last))
            return
        assert self._thread is not None
        try:
            portal.start_task_soon(self._end, portal, last).result()
        finally:
            self._thread.join()

    async def _end(self, portal: BlockingPortal, last: Last | None) -> None:
        try:
            for scope in list(self._running):
                scope.cancel()
            while self._running:
                self._idle = anyio.Event()
                await self._idle.wait()
            if last is not None:
                await last()
        finally:
            await portal.stop()

    async def _do(self, work: Callable[[], Awaitable[T]]) -> T:
        scope = anyio.CancelScope()
        self._running.add(scope)
        try:
            with scope:
                return await work()
        finally:
            self._running.discard(scope)
            if not self._running and self._idle is not None:
                self._idle.set()
        raise _closed()

    def _start(self, work: Callable[[], Awaitable[T]]) -> "Future[T]":
        with self._starting:
            if self._closed:
                raise _closed()
            if self._portal is None:
                self._portal = self._open()
            return self._portal.start_task_soon(self._do, work)

    def _open(self) -> BlockingPortal:
        ready: Future[BlockingPortal] = Future()

        async def serve() -> None:
            async with BlockingPortal() as portal:
                ready.set_result(portal)
                await portal.sleep_until_stopped()

        def live() -> None:
            try:
                anyio.run(serve)
            except BaseException as error:
                if ready.done():
                    raise
                ready.set_exception(error)

        self._thread = threading.Thread(target=live, name="ragkit", daemon=True)
        self._thread.start()
        return ready.result()

    def _refuse_within(self) -> None:
        if self._within:
            raise InvalidInput(
                "This was called within an ask of the same workspace, which would wait for itself.",
                "Await its asynchronous twin there, such as aask.",
            )


class _End(Generic[T]):
    def __init__(self, future: "Future[T] | asyncio.Future[T]") -> None:
        self.future = future


def _result(future: "Future[T] | asyncio.Future[T]") -> T:
    try:
        return future.result()
    except CancelledError:  # nobody else cancels what is waited for
        raise _closed() from None


def _closed() -> RagkitError:
    return RagkitError("The workspace was closed during this ask.", "Close it after the last answer, or ask again.")


_engines: WeakSet[Engine] = WeakSet()


_inherited: list[object] = []
"""Of the parent of a fork: what is destroyed is closed, and the two share it."""


def _forked() -> None:
    for engine in _engines:
        _inherited.append(engine._portal)
        engine._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
