"""The Engine: one event loop in a thread of its own, on which all calls of a workspace's models run.

Connections, limits and breakers belong to one loop; users have none (a script), many (a call of `asyncio.run` each), or
one that is running already (a notebook). So every way of asking comes here, and behaves the same.
"""

import asyncio
import queue
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Generic, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

T = TypeVar("T")
ItemT = TypeVar("ItemT")


class Engine:
    def __init__(self) -> None:
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._starting = threading.Lock()

    @property
    def started(self) -> bool:
        return self._portal is not None

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, and wait. Also where an event loop is running already."""
        future = self._start(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def arun(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, and await. Who cancels this cancels the work."""
        return await asyncio.wrap_future(self._start(work))

    def stream(self, work: Callable[[Callable[[ItemT], None]], Awaitable[T]]) -> Iterator[ItemT | T]:
        """What the work tells as it goes, and last what it returns. Who stops listening cancels it."""
        items: queue.SimpleQueue[ItemT | _End[T]] = queue.SimpleQueue()
        future = self._start(lambda: work(items.put))
        future.add_done_callback(lambda done: items.put(_End(done)))
        try:
            while not isinstance(item := items.get(), _End):
                yield item
            yield item.future.result()
        finally:
            future.cancel()

    async def astream(self, work: Callable[[Callable[[ItemT], None]], Awaitable[T]]) -> AsyncGenerator[ItemT | T, None]:
        loop = asyncio.get_running_loop()
        items: asyncio.Queue[ItemT | _End[T]] = asyncio.Queue()

        def put(item: "ItemT | _End[T]") -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(items.put_nowait, item)

        future = self._start(lambda: work(put))
        future.add_done_callback(lambda done: put(_End(done)))
        try:
            while not isinstance(item := await items.get(), _End):
                yield item
            yield item.future.result()
        finally:
            future.cancel()

    def close(self) -> None:
        """Cancel what runs, and end the thread."""
        with self._starting:
            portal, self._portal = self._portal, None
            if portal is not None:
                portal.call(portal.stop, True)
                self._stack.close()

    def _start(self, work: Callable[[], Awaitable[T]]) -> "Future[T]":
        with self._starting:
            if self._portal is None:
                self._portal = self._stack.enter_context(start_blocking_portal(name="ragkit"))
            return self._portal.start_task_soon(work)


class _End(Generic[T]):
    def __init__(self, future: "Future[T]") -> None:
        self.future = future
