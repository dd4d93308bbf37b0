"""Replies of a given form: what a model says is checked, and asked for once more, with the error, when it is wrong."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from pydantic import BaseModel, ValidationError

from ragkit.model import Message, ModelError, Reply, Request

_AGAIN = """That is not of the form that was asked for:
{error}
Answer again, with nothing but JSON of that form."""
"""The error as pydantic says it names the place and what was expected there: models mend what they are told of."""


async def conform(call: Callable[[Request], Awaitable[Reply]], request: Request) -> Reply:
    """A reply whose `data` is of the request's schema. The usage is that of all calls that it took."""
    reply = await call(request)
    if request.schema is None or reply.stop in ("refusal", "tools"):
        return reply
    data = _read(reply.text, request.schema)
    if isinstance(data, BaseModel):
        return replace(reply, data=data)
    said = Message("assistant", reply.text or "(nothing)"), Message("user", _AGAIN.format(error=data))
    again = await call(replace(request, messages=(*request.messages, *said)))
    usage = None if reply.usage is None or again.usage is None else reply.usage + again.usage
    mended = _read(again.text, request.schema)
    if isinstance(mended, BaseModel):
        return replace(again, data=mended, usage=usage)
    if again.stop == "refusal":
        return replace(again, usage=usage)
    raise ModelError(
        f"{reply.model} answered twice in another form than {request.schema.__name__}: {_short(mended)}.",
        "Try a more able model, or a simpler form.",
        "schema",
        model=reply.model,
        usage=usage,
    )


def _read(text: str, schema: type[BaseModel]) -> BaseModel | str:
    try:
        return schema.model_validate_json(text)
    except ValidationError as error:
        return "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'the whole'}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False, include_context=False)[:10]
        )


def _short(said: str) -> str:
    return said if len(said) <= 200 else f"{said[:199]}…"
