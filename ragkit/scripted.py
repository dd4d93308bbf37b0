"""A model for tests, yours and ours: it says what it was told to say, one reply a call, and keeps what it was asked."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

from ragkit.model import ModelError, Reply, Request, ToolCall, Usage

Line = str | Reply | ModelError | Sequence[ToolCall]
"""What it says: a text, calls of tools, a whole reply, or the error with which it fails."""


class ScriptedModel:
    """`ws.ask(question, model=ScriptedModel(["It rose by 12 %. [1]"]))`

    Given a function instead of a list, it says what that makes of each request. `requests` are those that came.
    """

    def __init__(self, script: Iterable[Line] | Callable[[Request], Line], name: str = "scripted:test") -> None:
        self.name = name
        self.server = ""
        self.requests: list[Request] = []
        self._lines = script if callable(script) else _next_of(script)

    async def aopen(self) -> None:
        pass

    async def areply(self, request: Request) -> Reply:
        await asyncio.sleep(0)  # others run between, as they would while a server thinks
        self.requests.append(request)
        line = self._lines(request)
        if isinstance(line, ModelError):
            raise line
        if isinstance(line, Reply):
            return line
        read = sum(len(one.text.split()) for one in request.messages)
        if isinstance(line, str):
            return Reply(line, self.name, usage=Usage(read, len(line.split())))
        return Reply("", self.name, "tools", Usage(read, len(line)), tuple(line))

    async def astream(self, request: Request) -> AsyncGenerator[str | Usage | Reply, None]:
        reply = await self.areply(request)
        head, *rest = reply.text.split(" ")
        for piece in [head, *(f" {word}" for word in rest)]:
            yield piece
        yield reply

    async def aclose(self) -> None:
        pass


def _next_of(script: Iterable[Line]) -> Callable[[Request], Line]:
    lines = iter(script)

    def following(request: Request) -> Line:
        for line in lines:
            return line
        raise ModelError("The script is over.", "Give the ScriptedModel a line for each call.", "request")

    return following
