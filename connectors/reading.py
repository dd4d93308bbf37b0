"""Reads many items at once, in processes that are stopped when a file takes too long or too much."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import IO, Any

from ragkit.connectors.connector import Connector, Item
from ragkit.connectors.document import Document
from ragkit.connectors.failure import Failure
from ragkit.connectors.parser import parsers
from ragkit.connectors.place import connect
from ragkit.connectors.worker import receive, send
from ragkit.errors import InvalidInput, RagkitError

DEFAULT_TIMEOUT = 60.0
DEFAULT_MEMORY = 2_000_000_000
_AHEAD = 4
"""Answers that may wait, a worker: enough to keep it busy, too few to fill the memory."""


def read(
    source: str | Path | Connector,
    items: Iterable[Item | Failure] | None = None,
    *,
    workers: int | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    memory: int = DEFAULT_MEMORY,
) -> Iterator[Document | Failure]:
    """Read a folder, a file or a connector (or just these `items` of it), yielding each as it is done.

    Documents inside others (attachments, members of archives, records) come after the one that holds them, and one
    that only holds others is not shown itself. Whatever cannot be read is a `Failure`. One file may take `timeout`
    seconds and `memory` bytes; `workers` defaults to the number of cores.
    """
    connector = connect(source) if isinstance(source, str | Path) else source
    count = cores() if workers is None else workers
    if count < 1 or timeout <= 0 or memory < 1:
        raise InvalidInput("Reading needs at least one worker, some time and some memory.", "Leave out what is 0.")
    return _Reading(connector, iter(connector.scan() if items is None else items), count, timeout, memory).run()


def cores() -> int:
    """Those that this process may use, which in a container can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def flat(answer: Document | Failure) -> Iterator[Document | Failure]:
    """A document, then what it holds, then what in it could not be read."""
    if isinstance(answer, Failure):
        yield answer
        return
    if answer.text.strip():
        yield answer
    for child in answer.children:
        yield from flat(child)
    yield from answer.failures


class _Reading:
    """One call of `read`: a thread for each worker process hands it one item at a time."""

    def __init__(
        self, connector: Connector, items: Iterator[Item | Failure], workers: int, timeout: float, memory: int
    ) -> None:
        self.items, self.timeout, self.memory = items, timeout, memory
        self.setup = {"code": _pickled(connector), "memory": memory}
        self.answers: Queue[Document | Failure | BaseException | None] = Queue(maxsize=_AHEAD * workers)
        self.taking = threading.Lock()
        self.stopped = False
        self.workers: set[_Worker] = set()
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]

    def run(self) -> Iterator[Document | Failure]:
        running = len(self.threads)
        try:
            for thread in self.threads:
                thread.start()
            while running:
                answer = self.answers.get()
                if answer is None:
                    running -= 1
                elif isinstance(answer, BaseException):
                    raise answer
                else:
                    yield from flat(answer)
        finally:
            self._stop()

    def _stop(self) -> None:
        self.stopped = True
        while any(thread.is_alive() for thread in self.threads):
            for worker in list(self.workers):
                worker.kill()
            try:  # a thread may be waiting for room
                self.answers.get(timeout=0.01)
            except Empty:
                continue

    def _work(self) -> None:
        worker: _Worker | None = None
        try:
            while (item := self._next()) is not None:
                if isinstance(item, Failure):
                    self.answers.put(item)
                    continue
                if worker is None or worker.dead:
                    worker = _Worker(self.setup)
                    self.workers.add(worker)
                self.answers.put(worker.read(item, self.timeout, self.memory))
        except BaseException as error:  # of the scan, or of starting a worker: raised where the user waits
            self.answers.put(error)
        finally:
            if worker is not None:
                worker.end()
            self.answers.put(None)

    def _next(self) -> Item | Failure | None:
        with self.taking:
            return None if self.stopped else next(self.items, None)


class _Worker:
    """One process. It is dead after it crashed or was killed, and must then be replaced."""

    def __init__(self, setup: dict[str, Any]) -> None:
        start = f"import sys; sys.path[:] = {sys.path!r}; from ragkit.connectors.worker import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", start], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=-1
        )
        self.dead = False
        self._late = threading.Event()
        try:
            send(self._requests, setup)
            problem = receive(self._answers)
        except (OSError, EOFError) as error:
            self.end()
            raise RagkitError(
                "A process for reading could not be started.", "What it printed above says why; is memory left?"
            ) from error
        if problem:
            self.end()
            raise InvalidInput(
                f"The connector or a parser cannot be handed to the process that reads ({problem}).",
                "Define it in a module that can be imported, and keep open files and connections out of it.",
            )

    @property
    def _requests(self) -> IO[bytes]:
        assert self.process.stdin is not None
        return self.process.stdin

    @property
    def _answers(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    def read(self, item: Item, timeout: float, memory: int) -> Document | Failure:
        self._late.clear()
        watch = threading.Timer(timeout, self._too_late)
        watch.start()
        try:
            send(self._requests, item)
            answer: Document | Failure = receive(self._answers)
            return answer
        except (OSError, EOFError):
            watch.cancel()
            self.end()
            if self._late.is_set():
                return Failure(
                    item.uri,
                    f"Reading it took longer than {timeout:g} seconds and was stopped.",
                    "Split it, or raise the time limit.",
                )
            return Failure(
                item.uri,
                f"Its parser crashed ({_how(self.process.returncode)}). It may need more than "
                f"{memory / 1e6:,.0f} MB of memory.",
                "The file may be damaged: open it in its own program and save it again, or split it.",
            )
        finally:
            watch.cancel()

    def _too_late(self) -> None:
        self._late.set()
        self.kill()

    def kill(self) -> None:
        self.process.kill()

    def end(self) -> None:
        self.dead = True
        self.process.kill()
        self.process.wait()
        for pipe in (self._requests, self._answers):
            try:
                pipe.close()
            except OSError:  # what is left in it has no reader any more
                continue


def _how(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return signal.Signals(-returncode).name
    return f"exit code {returncode}"


def _pickled(connector: Connector) -> bytes:
    """By value what was defined in a script or a notebook, which a new process could not import."""
    import cloudpickle

    try:
        code: bytes = cloudpickle.dumps((connector, parsers))
    except Exception as error:
        raise InvalidInput(
            f"{type(connector).__name__} cannot be handed to the processes that read: {error}.",
            "Keep open files, connections and locks out of its attributes; open them in `read`.",
        ) from error
    return code
