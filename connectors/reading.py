"""Reads many items at once, in processes that are stopped when a file takes too long or too much."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from typing import IO, Any

from ragkit.connectors.connector import Connector, Item
from ragkit.connectors.document import Document
from ragkit.connectors.failure import Failure
from ragkit.connectors.parser import installed, parsers
from ragkit.connectors.place import connect
from ragkit.connectors.worker import receive, send
from ragkit.errors import InvalidInput, RagkitError

DEFAULT_TIMEOUT = 60.0
DEFAULT_MEMORY = 2_000_000_000
_AHEAD = 4
"""Items under way, a worker: enough to keep it busy, too few to fill the memory."""
_START = 30.0
"""Seconds that a process may take to start, however little a file may take."""


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
    answers = read_items(
        connector, connector.scan() if items is None else items, workers=workers, timeout=timeout, memory=memory
    )
    return _flattened(answers)


def read_items(
    connector: Connector,
    items: Iterable[Item | Failure],
    *,
    workers: int | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    memory: int = DEFAULT_MEMORY,
) -> Generator[tuple[Item | None, Document | Failure], None, None]:
    """Like `read`, but each answer whole (a document holds its children) and beside the item that it answers."""
    installed()
    count = cores() if workers is None else workers
    if count < 1 or timeout <= 0 or memory < 1:
        raise InvalidInput("Reading needs at least one worker, some time and some memory.", "Leave out what is 0.")
    return _Reading(connector, iter(items), count, timeout, memory).run()


def _flattened(answers: Generator[tuple[Item | None, Document | Failure], None, None]) -> Iterator[Document | Failure]:
    with closing(answers):
        for _, answer in answers:
            yield from flat(answer)


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
    """One call of `read`: the caller's own thread scans, and a thread for each worker process hands it items."""

    def __init__(
        self, connector: Connector, items: Iterator[Item | Failure], workers: int, timeout: float, memory: int
    ) -> None:
        self.items, self.timeout, self.memory = items, timeout, memory
        self.setup = {"code": _pickled(connector), "memory": memory}
        self.tasks: Queue[Item | None] = Queue()
        self.answers: Queue[tuple[Item, Document | Failure | BaseException]] = Queue()
        self.most = _AHEAD * workers
        self.workers: set[_Worker] = set()
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]

    def run(self) -> Generator[tuple[Item | None, Document | Failure], None, None]:
        """Take items while few are under way, then wait for an answer, and so on."""
        under_way = 0
        scanning = True
        try:
            for thread in self.threads:
                thread.start()
            while scanning or under_way:
                if scanning and under_way < self.most:
                    item = next(self.items, None)
                    if item is None:
                        scanning = False
                    elif isinstance(item, Failure):
                        yield None, item
                    else:
                        self.tasks.put(item)
                        under_way += 1
                    if self.answers.empty():
                        continue
                if under_way:
                    done, answer = self.answers.get()
                    under_way -= 1
                    if isinstance(answer, BaseException):
                        raise answer
                    yield done, answer
        finally:
            self._stop()

    def _stop(self) -> None:
        if isinstance(self.items, Generator):
            self.items.close()  # now, with the folders it holds open, and not when garbage is collected
        with suppress(Empty):
            while True:  # what nobody waits for any more
                self.tasks.get_nowait()
        for _ in self.threads:
            self.tasks.put(None)
        while any(thread.is_alive() for thread in self.threads):
            for worker in list(self.workers):
                worker.kill()
            for thread in self.threads:
                thread.join(0.01)

    def _work(self) -> None:
        worker: _Worker | None = None
        while (item := self.tasks.get()) is not None:
            try:
                if worker is None or worker.dead:
                    worker = _Worker()
                    self.workers.add(worker)
                    worker.start(self.setup, self.timeout)
                self.answers.put((item, worker.read(item, self.timeout, self.memory)))
            except BaseException as error:  # of starting a worker: raised where the user waits
                self.answers.put((item, error))
        if worker is not None:
            worker.end()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """What is started within hears no Ctrl-C, not even before it can say so itself: that is for us, who then end it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Worker:
    """One process. It is dead after it crashed or was killed, and must then be replaced."""

    def __init__(self) -> None:
        path = [str(place) for place in sys.path]
        code = f"import sys; sys.path[:] = {path!r}; from ragkit.connectors.worker import main; main()"
        with _uninterrupted():
            self.process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.dead = False
        self._late = threading.Event()

    def start(self, setup: dict[str, Any], timeout: float) -> None:
        """Hand over the connector and the limits, and wait until the process is ready."""
        try:
            with self._watched(max(timeout, _START)):
                send(self._requests, setup)
                problem = receive(self._answers)
        except (OSError, EOFError) as error:
            self.end()
            raise RagkitError(
                "A process for reading could not be started"
                f"{f' within {max(timeout, _START):g} seconds' if self._late.is_set() else ''}.",
                "See what it printed above. Is memory left? Does importing your connector wait for something?",
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
        try:
            with self._watched(timeout):
                send(self._requests, item)
                answer: Document | Failure = receive(self._answers)
        except (OSError, EOFError):
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
        self.dead = self._late.is_set()  # killed just after it answered: good for this file, but for no other
        return answer

    @contextmanager
    def _watched(self, seconds: float) -> Iterator[None]:
        self._late.clear()
        watch = threading.Timer(seconds, self._too_late)
        watch.start()
        try:
            yield
        finally:
            watch.cancel()
            watch.join()

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
