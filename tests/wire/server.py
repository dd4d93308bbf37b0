"""A WireServer: HTTP/1.1 on the loopback, in a thread of its own, that answers what its script says.

By hand over asyncio: an HTTP server would not let us break off in the middle or reset a connection.
"""

import asyncio
import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

from tests.wire.answer import Answer, answer, dialect, refusal
from tests.wire.complaint import complaint
from tests.wire.turn import Provider, Seen, Turn

Script = Sequence[Turn] | Callable[[Seen], Turn]

_PROVIDERS: dict[str, Provider] = {"/v1/messages": "anthropic", "/v1/chat/completions": "openai"}
_ROOM = 2**26
_MODEL = {
    **{"id": "wire", "object": "model", "created": 1_700_000_000, "owned_by": "wire"},
    **{"type": "model", "display_name": "Wire", "created_at": "2025-01-01T00:00:00Z"},
}
_MODELS = {"object": "list", "data": [_MODEL], "has_more": False, "first_id": "wire", "last_id": "wire"}


class WireServer:
    """Turns are answered in order, then `then`, if given. A request that nobody planned gets a 500, one that a real
    provider would refuse gets a 400, unless the server is `lenient`; an AssertionError follows when the server stops.

    What it records may be read from any thread, and is complete for what a client has read: it is counted before
    the last byte is sent.
    """

    def __init__(self, script: Script, then: Turn | None = None, *, lenient: bool = False) -> None:
        self._script = script
        self._lenient = lenient
        self._then = then
        self._changed = threading.Condition()
        self._seen: list[Seen] = []
        self._served: Counter[str] = Counter()
        self._open = self._abandoned = self._answered = self._connections = 0
        self._wrong: list[str] = []
        self.url = ""
        """For the client of Anthropic; that of OpenAI wants `/v1` after it."""

    def __enter__(self) -> "WireServer":
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"wire:{self.port}", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        if self._wrong and error is None:
            raise AssertionError("\n".join(self._wrong))

    @property
    def seen(self) -> list[Seen]:
        """All requests for an answer, in the order they came."""
        with self._changed:
            return list(self._seen)

    @property
    def served(self) -> Counter[str]:
        """`input`, `output`, `cached` and `written` tokens, as far as a client was told of them."""
        with self._changed:
            return Counter(self._served)

    @property
    def answered(self) -> int:
        """Good answers that were sent to the end."""
        with self._changed:
            return self._answered

    @property
    def open(self) -> int:
        """Requests that are being answered now."""
        with self._changed:
            return self._open

    @property
    def abandoned(self) -> int:
        """Requests whose client went away before the end."""
        with self._changed:
            return self._abandoned

    @property
    def connections(self) -> int:
        """Those that were ever opened."""
        with self._changed:
            return self._connections

    def wait(self, until: Callable[["WireServer"], bool], seconds: float = 5) -> bool:
        """Whether it becomes true in time: `server.wait(lambda s: s.open == 0)`."""
        with self._changed:
            return self._changed.wait_for(lambda: until(self), seconds)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        talks: set[asyncio.Task[None]] = set()

        def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._talk(reader, writer))
            talks.add(task)
            task.add_done_callback(talks.discard)

        server = await asyncio.start_server(talk, sock=self._socket, backlog=512, limit=_ROOM)
        await self._over.wait()
        server.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, with as many requests as it brings."""
        # asyncio does so by itself, but not for a socket that was made elsewhere: answers would wait 40 ms for an ACK.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._changed:
            self._connections += 1
        try:
            while request := await _request(reader):
                if not await self._reply(*request, reader, writer):
                    break
        except ConnectionError:
            pass  # between two requests: that is how clients leave
        except asyncio.CancelledError:
            writer.transport.abort()  # the server stops; it does not wait for a client that does not read
            raise
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _reply(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Whether the connection can be used again."""
        turn, planned = self._plan(method, path, headers, body)
        done = False

        def finish(good: bool) -> None:
            nonlocal done
            with self._changed:
                if not done:
                    self._open -= 1
                    self._answered += good
                    done = True
                    self._changed.notify_all()

        with self._changed:
            self._open += 1
            self._changed.notify_all()
        try:
            await self._send(turn, planned, reader, writer, finish)
        except ConnectionError:
            with self._changed:
                self._abandoned += not done
            return False
        finally:
            finish(False)
        return planned.ending == "whole" and headers.get("connection", "").lower() != "close"

    def _plan(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[Turn, Answer]:
        path = path.partition("?")[0]
        provider: Provider = "anthropic" if "anthropic-version" in headers else "openai"
        if (method, path) == ("GET", "/v1/models"):
            turn = Turn(fault="raw", body=json.dumps(_MODELS))
            return turn, answer(turn, Seen(0, provider, path, headers, {}))
        if method != "POST" or path not in _PROVIDERS:
            return Turn(), self._astray(provider, "unknown", f"{method} {path} is nothing that this server knows.")
        provider = _PROVIDERS[path]
        try:
            asked: Any = json.loads(body)
        except ValueError:
            return Turn(), self._astray(provider, "bad_request", f"The body of {path} is no JSON: {body[:80]!r}")
        with self._changed:
            seen = Seen(len(self._seen) + 1, provider, path, headers, asked)
            self._seen.append(seen)
            self._changed.notify_all()
        try:
            if provider == "anthropic" and not seen.key:  # servers of OpenAI's kind may need none
                return Turn(), refusal(dialect(provider), "auth", "x-api-key header is required")
            if not self._lenient and (said := complaint(seen)):
                return Turn(), self._astray(provider, "bad_request", said)
            turn = self._next(seen)
            return turn, answer(turn, seen)
        except Exception as error:
            return Turn(), self._astray(provider, "error", f"Request {seen.number}: {error!r}")

    def _next(self, seen: Seen) -> Turn:
        if callable(self._script):
            return self._script(seen)
        if seen.number <= len(self._script):
            return self._script[seen.number - 1]
        if self._then is None:
            raise LookupError("the script is over")
        return self._then

    def _astray(self, provider: Provider, fault: str, reason: str) -> Answer:
        with self._changed:
            self._wrong.append(reason)
        return refusal(dialect(provider), fault, reason)

    async def _send(
        self,
        turn: Turn,
        planned: Answer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        finish: Callable[[bool], None],
    ) -> None:
        """Raises ConnectionError when the client is gone."""
        if turn.delay:
            await _stay(reader, turn.delay)
        chunked = planned.length is None
        last = len(planned.pieces) - 1
        head = planned.head
        for at, piece in enumerate(planned.pieces):
            if at and turn.pause:
                await _stay(reader, turn.pause)
            if reader.at_eof() or writer.is_closing():
                raise ConnectionResetError("the client is gone")
            with self._changed:
                self._served += piece.tokens
            data = b"%x\r\n%b\r\n" % (len(piece.data), piece.data) if chunked else piece.data
            if at == last and planned.ending == "whole":
                finish(planned.good)
                data += b"0\r\n\r\n" if chunked else b""
            writer.write(head + data)
            head = b""
            await writer.drain()
        finish(False)
        if planned.ending == "reset":
            wire = writer.get_extra_info("socket")
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


async def _request(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str], bytes] | None:
    """None when the client has no more to say."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        return method, path, headers, await reader.readexactly(int(headers.get("content-length", 0)))
    except asyncio.IncompleteReadError:
        return None


async def _stay(reader: asyncio.StreamReader, seconds: float) -> None:
    """Wait, unless the client goes away meanwhile: it has nothing to say until it is answered."""
    try:
        await asyncio.wait_for(reader.read(1), seconds)
    except TimeoutError:
        return
    raise ConnectionResetError("the client is gone")


@contextmanager
def dead_port() -> Iterator[int]:
    """A port that nothing listens on, and that nothing else gets meanwhile: it is bound."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
