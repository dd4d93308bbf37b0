"""A Tool: what a question can be sent to beside a domain: a typed Python function, with the time that it may take.

A function that does not end in its time is left behind in its thread, which Python cannot end: the caller goes on, and
the thread dies with the process. What must really stop has a limit of its own, as the SQL tool's queries do.
"""

import asyncio
import inspect
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, get_type_hints, overload

from pydantic import BaseModel, ConfigDict, Field, PydanticUserError, ValidationError, create_model

from ragkit.errors import InvalidInput, RagkitError
from ragkit.model import ToolSpec
from ragkit.settings import explain

SECONDS = 10.0
_MOST_CHARACTERS = 20_000
"""Of what a tool says, as text: the rest would only fill a model's window."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What became of one call. A failure is data: `error` says what went wrong, in a sentence."""

    tool: str
    value: Any = None
    error: str = ""
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """For a model, or to be shown."""
        if self.error:
            return self.error
        said = self.value if isinstance(self.value, str) else json.dumps(self.value, default=str, ensure_ascii=False)
        return said if len(said) <= _MOST_CHARACTERS else f"{said[:_MOST_CHARACTERS]}… ({len(said):,} characters)"


@dataclass(frozen=True, eq=False)
class Tool:
    """Call it as the function that it was made of, or with `call`, which checks, waits no longer than it may, and
    never raises for what the function does."""

    name: str
    description: str
    function: Callable[..., Any] = field(repr=False)
    form: type[BaseModel] = field(repr=False)
    """Its parameters."""
    keywords: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    """Questions for it."""
    seconds: float = SECONDS
    read: Callable[[str], Mapping[str, Any] | None] | None = field(default=None, repr=False)
    """What to call it with, read out of a question where no model can say it; None when it is no question for it."""

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, self.description, self.form.model_json_schema())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def call(self, arguments: Mapping[str, Any], seconds: float | None = None) -> ToolResult:
        """`seconds`: what is left, if that is less than the tool's own time."""
        began = time.monotonic()
        checked = self._checked(arguments)
        if isinstance(checked, str):
            return ToolResult(self.name, error=checked)
        limit = self.seconds if seconds is None else max(0.0, min(self.seconds, seconds))
        future: Future[Any] = Future()
        context = copy_context()
        threading.Thread(
            target=lambda: context.run(_work, future, self.function, checked), name=f"ragkit {self.name}", daemon=True
        ).start()
        try:
            return ToolResult(self.name, future.result(limit), seconds=time.monotonic() - began)
        except TimeoutError as error:
            if future.done():  # its own
                return ToolResult(self.name, error=_said(self.name, error), seconds=time.monotonic() - began)
            said = f"The tool {self.name} did not end in {limit:g} s. It was left behind."
            return ToolResult(self.name, error=said, seconds=time.monotonic() - began)
        except Exception as error:
            return ToolResult(self.name, error=_said(self.name, error), seconds=time.monotonic() - began)

    async def acall(self, arguments: Mapping[str, Any], seconds: float | None = None) -> ToolResult:
        """Who cancels this no longer waits."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[ToolResult] = loop.create_future()

        def put(result: ToolResult) -> None:
            if not done.done():
                done.set_result(result)

        def work() -> None:
            result = self.call(arguments, seconds)
            if not loop.is_closed():
                loop.call_soon_threadsafe(put, result)

        context = copy_context()
        threading.Thread(target=lambda: context.run(work), name=f"ragkit {self.name} call", daemon=True).start()
        return await done

    def _checked(self, arguments: Mapping[str, Any]) -> dict[str, Any] | str:
        """The arguments as the function's types have them, or what is wrong with them."""
        try:
            form = self.form.model_validate(dict(arguments))
        except ValidationError as error:
            return f"The tool {self.name} was called wrongly. {explain(error, self.form)}"
        return {
            (info.alias or name): getattr(form, name)
            for name, info in self.form.model_fields.items()
            if name in form.model_fields_set
        }


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...
@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    keywords: Sequence[str] = (),
    examples: Sequence[str] = (),
    seconds: float = SECONDS,
    read: Callable[[str], Mapping[str, Any] | None] | None = None,
) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    keywords: Sequence[str] = (),
    examples: Sequence[str] = (),
    seconds: float = SECONDS,
    read: Callable[[str], Mapping[str, Any] | None] | None = None,
) -> Any:
    """`@ragkit.tool` makes a typed function a tool; its name and its docstring are how questions find it.

    The types of its parameters are the schema that a model is shown, and that its arguments are checked by. Without a
    model, it is asked only if `read` says what to call it with: a function from a question to arguments, or None.
    """

    def make(function: Callable[..., Any]) -> Tool:
        called = name or getattr(function, "__name__", "").replace("_", "-")
        said = inspect.getdoc(function) if description is None else description
        if not _is_name(called):
            raise InvalidInput(f"{called!r} is no name for a tool.", "Use letters, digits, - and _; at most 64.")
        if not said:
            raise InvalidInput(
                f"The tool {called} does not say what it is for.", "Give it a docstring, or a description."
            )
        if not 0 < seconds < float("inf"):
            raise InvalidInput(f"The tool {called} may not take {seconds} seconds.", "Give it some time, and not all.")
        return Tool(called, said, function, _form(called, function), tuple(keywords), tuple(examples), seconds, read)

    return make if function is None else make(function)


def _is_name(name: str) -> bool:
    return 0 < len(name) <= 64 and name.isascii() and name.replace("-", "a").replace("_", "a").isalnum()


def _form(name: str, function: Callable[..., Any]) -> type[BaseModel]:
    """Fields have names of our own, so that a parameter may be called as something that pydantic has."""
    fields: dict[str, Any] = {}
    try:
        hints = get_type_hints(function, include_extras=True)
        parameters = inspect.signature(function).parameters
    except (NameError, TypeError, ValueError) as error:
        raise InvalidInput(f"The types of the tool {name} cannot be read: {error}.", "Mend its signature.") from error
    for at, (word, one) in enumerate(parameters.items()):
        if one.kind not in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) or word not in hints:
            raise InvalidInput(
                f"The parameter {word!r} of the tool {name} has no type, or no name of its own.",
                "Write it as `word: type`.",
            )
        default = ... if one.default is one.empty else one.default
        fields[f"p{at}"] = (hints[word], Field(default, alias=word))
    try:
        return create_model(name, __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=False), **fields)
    except PydanticUserError as error:
        raise InvalidInput(
            f"The parameters of the tool {name} cannot be read from JSON: {error.message.splitlines()[0]}",
            "Use plain types, dates, lists, or models of pydantic.",
        ) from error


def _work(future: "Future[Any]", function: Callable[..., Any], arguments: dict[str, Any]) -> None:
    try:
        value = function(**arguments)
        future.set_result(asyncio.run(_awaited(value)) if inspect.isawaitable(value) else value)
    except BaseException as error:  # also what is meant to end a thread: nobody but the caller would hear of it
        future.set_exception(error if isinstance(error, Exception) else RuntimeError(f"it ended by {error!r}"))


async def _awaited(value: Any) -> Any:
    return await value


def _said(name: str, error: Exception) -> str:
    if isinstance(error, RagkitError):
        return str(error)
    return f"The tool {name} failed: {type(error).__name__}: {error}"
