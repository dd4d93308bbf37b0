"""The process that reads: started and, if need be, killed by `reading`.

It is a plain child with two pipes, not one of multiprocessing's, so that a script without `if __name__ == "__main__"`
and a notebook can read, and no thread of the parent is ever forked. Each frame is a length and a pickle.
"""

import gc
import os
import pickle
import struct
import sys
import threading
from queue import SimpleQueue
from typing import IO, Any

from ragkit.connectors.document import Document
from ragkit.connectors.failure import explain

_LENGTH = struct.Struct("!Q")


def send(pipe: IO[bytes], value: Any) -> None:
    """The whole frame is made before its first byte goes out, so a value that cannot be pickled sends nothing."""
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """The next value. Raises EOFError when the other side is gone."""
    return pickle.loads(_exactly(pipe, _LENGTH.unpack(_exactly(pipe, _LENGTH.size))[0]))


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data


def limit_memory(size: int) -> None:
    """Let this process hold `size` bytes of its own. Only Linux counts that: Windows and macOS have no such limit."""
    if sys.platform != "linux":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard))


def _serve(requests: "SimpleQueue[Any]", answers: IO[bytes]) -> None:
    """Take the connector and the limits, say that we are ready, then answer one item after the other."""
    import cloudpickle

    from ragkit.connectors import parser

    setup = requests.get()
    try:
        connector, added = cloudpickle.loads(setup["code"])
    except Exception as error:  # the parent raises it where the user called
        send(answers, f"{type(error).__name__}: {error}")
        return
    parser.parsers[:] = added
    limit_memory(setup["memory"])
    send(answers, None)
    while True:
        _answer(connector, requests.get(), answers)


def _answer(connector: Any, item: Any, answers: IO[bytes]) -> None:
    try:
        document = connector.read(item)
        if not isinstance(document, Document):
            raise TypeError(f"{type(connector).__name__}.read gave {type(document).__name__}, not a Document")
        send(answers, document)
    except MemoryError as error:
        gc.collect()
        send(answers, explain(item.uri, error))
    except Exception as error:  # whatever a parser raises becomes a row, and the rest goes on
        send(answers, explain(item.uri, error))


def main() -> None:
    import logging
    import signal
    import warnings

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who then ends us
    if hasattr(signal, "pthread_sigmask"):  # from here on; until here the parent has seen to it
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    warnings.simplefilter("ignore")  # libraries' remarks on odd files; what matters becomes a Failure
    logging.lastResort = None
    requests: SimpleQueue[Any] = SimpleQueue()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a parser prints must not get between the frames
    pipe = os.fdopen(os.dup(0), "rb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # nor may a program that it starts read them
    _die_with_parent()
    threading.Thread(target=_serve_or_die, args=(requests, answers), daemon=True).start()
    try:
        while True:
            requests.put(receive(pipe))
    except EOFError:
        os._exit(0)  # the parent is gone or has no more use for us, however busy a parser may be


def _die_with_parent() -> None:
    """Even while a parser holds the interpreter's lock, so that no thread of ours could see the pipe close."""
    if sys.platform == "linux":
        import ctypes
        import signal

        set_signal_at_parents_death = 1
        ctypes.CDLL(None).prctl(set_signal_at_parents_death, signal.SIGKILL)


def _serve_or_die(requests: "SimpleQueue[Any]", answers: IO[bytes]) -> None:
    try:
        _serve(requests, answers)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        os._exit(1)
