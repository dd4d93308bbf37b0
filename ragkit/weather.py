"""One model, called through bad weather: so many at a time, tried again when that may help, left alone when ill.

This is the only policy: the SDKs' own hidden retries are turned off. `chain` asks the next model when this one fails.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
import tenacity

from ragkit import telemetry
from ragkit.breaker import Breaker, Entry
from ragkit.budget import Allowance
from ragkit.deadline import Deadline
from ragkit.limiter import Limiter, estimate
from ragkit.model import LOCAL, Model, ModelError, Reply, Request, Usage
from ragkit.modelsettings import ModelSettings
from ragkit.structured import conform
from ragkit.trace import ATTEMPTS, COST, INPUT, OUTPUT

if TYPE_CHECKING:
    from opentelemetry.trace import Span

BASE, CAP = 1.0, 30.0
"""Seconds: the first wait, and the longest. Who is told to wait for longer asks another model instead."""

LESSONS = 4
"""Calls of which a server says how it wants to be asked: no fault, so they are tries of their own."""
_UNSERVED = frozenset({"rate", "overloaded", "key", "request", "context", "learnt"})
"""Who refuses so has made no token, and bills none."""
_UNREACHED = frozenset({"ConnectError", "ConnectTimeout", "ConnectionRefusedError", "gaierror"})
"""By name: SDKs have changed the library that they speak HTTP with before."""
Tell = Callable[[str], None]
"""Takes the pieces of a text as they come."""


@dataclass
class Told:
    """Passes pieces on, and knows whether there were any: what a reader has seen is not said again."""

    tell: Tell
    any: bool = False
    first: Callable[[], None] = lambda: None

    def __call__(self, piece: str) -> None:
        if not self.any:
            self.first()
        self.any = True
        self.tell(piece)


class Health:
    """What is known of how a model is, and how many calls it has."""

    def __init__(self, settings: ModelSettings) -> None:
        self.breaker = Breaker(settings.failures, settings.cooldown)
        self.limiter = Limiter(settings)


class Weather:
    """A model with what is known of its health. All calls of a workspace share it."""

    def __init__(
        self, model: Model, settings: ModelSettings, health: Health | None = None, *, remembers: bool = True
    ) -> None:
        self.model = model
        self.settings = settings
        health = health or Health(settings)
        self.breaker, self.limiter = health.breaker, health.limiter
        self.remembers = remembers
        """Whether its name says who it is, so that what it said may be said again in its name."""

    @property
    def name(self) -> str:
        return self.model.name

    async def areply(self, request: Request, allowance: Allowance, told: Told | None = None, *, of: int = 1) -> Reply:
        """One reply of the form that was asked for, after as many tries as it takes; or the last ModelError.

        `of` is how many models are left, this one included: all its tries get their share of the time.
        """
        if self.name in LOCAL:
            return await (self.model.areply(request) if told is None else self._streamed(request, told, []))
        mine = replace(allowance, deadline=allowance.deadline.share(of))
        if request.schema is not None:
            return await conform(lambda one: self._tried(one, mine, None), request)
        return await self._tried(request, mine, told)

    async def _tried(self, request: Request, allowance: Allowance, told: Told | None) -> Reply:
        wait = tenacity.wait_exponential_jitter(multiplier=BASE, max=CAP, jitter=BASE)

        def pause(state: tenacity.RetryCallState) -> float:
            error = _error(state)
            return wait(state) if error.retry_after is None else error.retry_after

        def over(state: tenacity.RetryCallState) -> bool:
            seconds = state.upcoming_sleep  # the one that was drawn: another would be longer or shorter
            late = state.attempt_number >= self.settings.tries
            return late or seconds > CAP or seconds >= allowance.deadline.left or self.breaker.left > seconds

        def again(state: tenacity.RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            learnt = isinstance(error, ModelError) and error.kind == "learnt"
            return isinstance(error, ModelError) and error.retryable and not learnt and not (told and told.any)

        async def sleep(seconds: float) -> None:
            with anyio.move_on_after(allowance.deadline.left):
                await anyio.sleep(seconds)

        tries = tenacity.AsyncRetrying(sleep=sleep, wait=pause, stop=over, retry=again, reraise=True)
        async for one in tries:
            with one:
                return await self._learning(request, allowance, told, one.retry_state.attempt_number)
        raise AssertionError  # reraise has raised

    async def _learning(self, request: Request, allowance: Allowance, told: Told | None, number: int) -> Reply:
        for _ in range(LESSONS):
            try:
                return await self._attempt(request, allowance, told, number)
            except ModelError as error:
                if error.kind != "learnt" or (told and told.any):
                    raise
        return await self._attempt(request, allowance, told, number)

    async def _attempt(self, request: Request, allowance: Allowance, told: Told | None, number: int) -> Reply:
        entry = self.breaker.enter()
        if entry is None:
            raise ModelError(
                f"{self.name} failed {self.settings.failures} times in a row and is left alone"
                f" for {self.breaker.left:.0f} s more.",
                "Name a second model to fall back to, or wait.",
                "open",
                model=self.name,
            )
        error: BaseException | None = None
        try:
            return await self._timed(request, allowance, told, number, entry)
        except BaseException as caught:
            error = caught
            raise
        finally:
            self.breaker.leave(entry, error)

    async def _timed(
        self, request: Request, allowance: Allowance, told: Told | None, number: int, entry: Entry
    ) -> Reply:
        deadline = allowance.deadline
        try:
            with anyio.fail_after(deadline.left) as scope:

                def first() -> None:  # nobody else can go on with a text that was begun, so it may take all the time
                    scope.deadline = anyio.current_time() + (deadline.whole or deadline).left

                if told is not None:
                    told.first = first
                await self.model.aopen()  # who has no key makes no call, and who imports an SDK keeps the deadline
                async with self.limiter.turn(request):
                    return await self._called(request, allowance, told, number, entry)
        except TimeoutError:
            if told and told.any:
                entry.started = False  # it is slow, not ill
                raise self._late(deadline.whole or deadline) from None
            raise self._late(deadline) from None

    def _late(self, deadline: Deadline) -> ModelError:
        if deadline.whole is not None:
            return ModelError(
                f"{self.name} did not answer within its share of the time, {deadline.seconds:.3g} s.",
                "Raise seconds: for this ask, or in ragkit.toml under [ask]. Or ask a faster model.",
                "timeout",
                model=self.name,
            )
        return ModelError(
            f"The time of {deadline.seconds:g} s was over before {self.name} had answered.",
            "Raise seconds: for this ask, or in ragkit.toml under [ask]. Or ask a faster model.",
            "deadline",
            model=self.name,
        )

    async def _called(
        self, request: Request, allowance: Allowance, told: Told | None, number: int, entry: Entry
    ) -> Reply:
        price, guess = self.settings.price, estimate(request)
        await allowance.budget.take(self.name, price)
        scheme, _, name = self.name.partition(":")
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": scheme,
            "gen_ai.request.model": name or scheme,
            "gen_ai.request.max_tokens": request.max_tokens,
            "gen_ai.request.temperature": request.temperature,
            "gen_ai.request.stream": None if told is None else True,
            "gen_ai.output.type": "json" if request.schema else "text",
            **_place(self.settings.base_url),
            ATTEMPTS: number,
        }
        with telemetry.span(f"chat {name or scheme}", attributes, kind="client") as span:
            telemetry.record(
                span, {"gen_ai.system_instructions": request.system, "gen_ai.input.messages": _said(request)}
            )
            seen: list[Usage] = []
            entry.started = True
            try:
                with anyio.fail_after(self.settings.timeout):
                    reply = await (self.model.areply(request) if told is None else self._streamed(request, told, seen))
            except (TimeoutError, asyncio.CancelledError) as error:
                allowance.budget.add(self.name, seen[-1] if seen else None, price, guess)
                if not isinstance(error, TimeoutError):
                    raise
                raise ModelError(
                    f"{self.name} did not answer within {self.settings.timeout:g} s.",
                    "Raise its timeout in ragkit.toml, or ask a faster model.",
                    "timeout",
                    model=self.name,
                ) from None
            except ModelError as error:
                served = bool(told and told.any) or _served(error)
                money = allowance.budget.add(self.name, error.usage, price, guess if served else None)
                _note(span, error.usage, money)
                raise
            money = allowance.budget.add(self.name, reply.usage, price, guess)
            _note(span, reply.usage, money)
            span.set_attribute("gen_ai.response.finish_reasons", [reply.stop])
            telemetry.record(span, {"gen_ai.output.messages": reply.text})
            return reply

    async def _streamed(self, request: Request, told: Told, seen: list[Usage]) -> Reply:
        pieces = self.model.astream(request)
        try:
            async for piece in pieces:
                if isinstance(piece, Reply):
                    return piece
                if isinstance(piece, Usage):
                    seen.append(piece)
                else:
                    told(piece)
        finally:
            await pieces.aclose()
        raise ModelError(f"{self.name} ended without a reply.", "Try again.", "broken", model=self.name)


def _error(state: tenacity.RetryCallState) -> ModelError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, ModelError)
    return error


def _served(error: BaseException | None) -> bool:
    """Whether a call that failed so may have cost something."""
    if isinstance(error, ModelError) and error.kind in _UNSERVED:
        return False
    while error is not None:
        if type(error).__name__ in _UNREACHED:
            return False
        error = error.__cause__ or error.__context__
    return True


def _note(span: "Span", usage: Usage | None, money: Decimal | None) -> None:
    """By the conventions, what was read from a prompt cache, or written to it, is part of the input."""
    if usage is not None:
        span.set_attribute(INPUT, usage.total - usage.output)
        span.set_attribute(OUTPUT, usage.output)
        if usage.cache_read:
            span.set_attribute("gen_ai.usage.cache_read.input_tokens", usage.cache_read)
        if usage.cache_write:
            span.set_attribute("gen_ai.usage.cache_creation.input_tokens", usage.cache_write)
    if money is not None:
        span.set_attribute(COST, str(money))


def _place(base_url: str) -> dict[str, object]:
    """Where a model is asked, if the settings say it: the default is the business of its provider."""
    try:
        address = urlsplit(base_url)
        port = address.port or (80 if address.scheme == "http" else 443)
    except ValueError:  # no address; who asks there is told
        return {}
    return {"server.address": address.hostname, "server.port": port} if address.hostname else {}


def _said(request: Request) -> list[dict[str, str]]:
    return [{"role": one.role, "content": one.text} for one in request.messages]
