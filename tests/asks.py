"""`make asks`: a thousand asks over the wire in bad weather, and a dead provider. Prints what became of them.

The real SDKs speak to a real server on the loopback, of which one turn in five is a fault. Every ask must end in an
answer, a partial one or a clear error, in its time and once, and costs must be what was served, to the token.
"""

import asyncio
import atexit
import random
import re
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

import ragkit
from ragkit.answer import Answer
from ragkit.budget import Ledger
from ragkit.model import ModelError
from tests.wire import Seen, Turn, WireServer, dead_port

TOWNS = ("Aarau", "Basel", "Chur", "Delft", "Evora", "Faro", "Ghent", "Halle", "Imola", "Jena")
PRICE = "price = { input = 3, output = 15, cache_read = 0.3, cache_write = 3.75 }"
FAULTS = (
    Turn(fault="rate", retry_after="0.2"), Turn(fault="rate"), Turn(fault="error"), Turn(fault="overloaded"),
    Turn(fault="truncated"), Turn(fault="half"), Turn(fault="reset"), Turn(fault="reset_midway"),
    Turn(fault="invalid_json"), Turn(fault="html"), Turn(fault="error_in_stream"), Turn(fault="empty"),
    Turn(fault="context"), Turn(fault="bad_request"), Turn(delay=60), Turn("I cannot.", stop="refusal"),
)  # fmt: skip
DEADLINE = 8.0
SLACK = 0.2
"""Of `make asks`, on a machine that does nothing else. Tests allow for more: a busy one is late by itself."""
_SAID = re.compile(r"Tower (\d+)")


@contextmanager
def environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTHROPIC_API_KEY", "test-key-anthropic")
        patch.setenv("OPENAI_API_KEY", "test-key-openai")
        yield


def workspace(folder: Path, settings: str) -> ragkit.Workspace:
    """A small one, whose embedder costs nothing. What its models say is not checked against its documents: that has
    tests of its own, and would ask the models once more."""
    unchecked = "[ask]\nclaims = 'off'\nevidence = 0\n"
    settings = settings.replace("[ask]\n", unchecked) if "[ask]\n" in settings else f"{settings}\n{unchecked}"
    shutil.copytree(_indexed(), folder, dirs_exist_ok=True)
    domain = "[domains.towns]\nembedder = 'hash'\nsources = ['docs']\n"
    (folder / "ragkit.toml").write_text(f"version = 1\n{settings}\n{domain}")
    return ragkit.open(folder)


@cache
def _indexed() -> Path:
    """Once for all: what was indexed in one place is found in another."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    (folder / "docs").mkdir()
    for number, town in enumerate(TOWNS):
        (folder / "docs" / f"{town}.md").write_text(f"# {town}\n\nThe tower of {town} is {number + 40} metres high.\n")
    with ragkit.open(folder) as place:
        place.add_domain("towns", embedder="hash")
        place.ingest(folder / "docs", "towns")
    return folder


def models(url: str, *, timeout: float = 2.0, more: str = "") -> str:
    return f"""
model = ["anthropic:test", "openai:test"]
[models."anthropic:test"]
base_url = "{url}"
timeout = {timeout}
concurrency = 32
{PRICE}
{more}
[models."openai:test"]
base_url = "{url}/v1"
timeout = {timeout}
concurrency = 32
{PRICE}
{more}
"""


@dataclass
class Outcome:
    ends: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    """How often each text that the server sent was an answer."""
    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Weather:
    """One turn in five is a fault; every good one says something that no other says."""

    def __init__(self, seed: int, share: float = 0.2) -> None:
        self._random = random.Random(seed)
        self._share = share

    def __call__(self, seen: Seen) -> Turn:
        if self._random.random() < self._share:
            return self._random.choice(FAULTS)
        return Turn(
            f"Tower {seen.number} is high. [1]",
            input_tokens=self._random.randrange(50, 500),
            output_tokens=self._random.randrange(5, 50),
            cached_tokens=self._random.choice((0, 0, 7)),
        )


async def _one(place: ragkit.Workspace, number: int, outcome: Outcome) -> None:
    question = f"How high is the tower of {TOWNS[number % len(TOWNS)]}, asked for the {number}. time?"
    model = (None, "anthropic:test", "openai:test")[number % 3]
    began = time.monotonic()
    answer: Answer | None = None
    try:
        if number % 2:
            answer = await place.aask(question, model=model, seconds=DEADLINE)
        else:
            async for event in place.astream(question, model=model, seconds=DEADLINE):
                answer = event if isinstance(event, Answer) else None
    except ModelError as error:
        outcome.ends[f"error: {error.kind}"] += 1
        if not (error.reason and error.hint):
            outcome.wrong.append(f"{number}: an error that says too little: {error!r}")
    outcome.seconds.append(time.monotonic() - began)
    if answer is None:
        return
    said = _SAID.findall(answer.text)
    outcome.said.update(said)
    if len(said) > 1:
        outcome.wrong.append(f"{number}: answered twice: {answer.text}")
    kind = "partial" if answer.partial else "abstained" if answer.abstained else "answer"
    outcome.ends[kind] += 1
    if kind == "answer" and not (said and answer.citations):
        outcome.wrong.append(f"{number}: an answer without text or citation: {answer.text!r}")


def storm(
    folder: Path, asks: int, at_a_time: int, seed: int, slack: float = SLACK
) -> tuple[Outcome, WireServer, Ledger]:
    outcome = Outcome()
    with WireServer(Weather(seed), lenient=True) as server:
        place = workspace(folder, models(server.url))

        async def all_of_them() -> None:
            gate = asyncio.Semaphore(at_a_time)

            async def one(number: int) -> None:
                async with gate:
                    await _one(place, number, outcome)

            await asyncio.gather(*(one(number) for number in range(asks)))

        asyncio.run(all_of_them())
        if not server.wait(lambda now: now.open == 0):
            outcome.wrong.append(f"{server.open} requests are still open after the last ask.")
        place.close()
    ledger = Ledger(folder / ".ragkit" / "spending.sqlite")
    _compare(outcome, server, ledger, asks)
    outcome.wrong += [f"An ask took {seconds:.2f} s." for seconds in outcome.seconds if seconds > DEADLINE + slack]
    return outcome, server, ledger


def _compare(outcome: Outcome, server: WireServer, ledger: Ledger, asks: int) -> None:
    served, spent = server.served, ledger.today()
    if sum(outcome.ends.values()) != asks:
        outcome.wrong.append(f"{sum(outcome.ends.values())} of {asks} asks ended.")
    if twice := [one for one, times in outcome.said.items() if times > 1]:
        outcome.wrong.append(f"Said in two answers: {twice}")
    if spent.tokens != served.total():
        outcome.wrong.append(f"{spent.tokens} tokens were counted, {served.total()} were served.")
    price = {"input": Decimal(3), "output": Decimal(15), "cached": Decimal("0.3"), "written": Decimal("3.75")}
    money = sum((served[what] * each for what, each in price.items()), Decimal(0)) / 1_000_000
    if spent.money != money:
        outcome.wrong.append(f"{spent.money} was counted, {money} was served.")
    if spent.calls != len(server.seen):
        outcome.wrong.append(f"{spent.calls} calls were counted, {len(server.seen)} came.")


@contextmanager
def black_hole() -> Iterator[int]:
    """A port where connections are taken, and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as held:
        yield held.getsockname()[1]


DEAD = {"refused": dead_port, "black hole": black_hole}
RISE = 100.0
"""Milliseconds by which an ask may take longer at p95 when the provider before the one that answers is left alone."""


def dead(folder: Path, asks: int, how: str = "refused") -> dict[str, list[float]]:
    """Milliseconds of asks with a well model alone, and with a dead one before it: its first asks, and the rest."""
    import anthropic  # noqa: F401 - here, so that no ask waits for it
    import openai  # noqa: F401

    times: dict[str, list[float]] = {"well": [], "until it opens": [], "open": []}
    with WireServer(lambda _: Turn("Tower 1 is high. [1]"), lenient=True) as server, DEAD[how]() as port:
        settings = models(server.url, timeout=60, more="failures = 3\ncooldown = 600")
        place = workspace(folder, settings.replace(f'"{server.url}"', f'"http://127.0.0.1:{port}"'))
        place.ask("How high is it?", model="openai:test")
        for number in range(asks):
            for what, model in (("well", "openai:test"), ("dead", ["anthropic:test", "openai:test"])):
                began = time.monotonic()
                question = f"How high is the {number}. tower of {TOWNS[number % 10]}, {what}?"
                answer = place.ask(question, model=model, seconds=1 if how == "black hole" else None)
                assert answer.model == "openai:test", answer
                name = what if what == "well" else "open" if number >= 3 else "until it opens"
                if number == 0 or name != "until it opens":
                    assert (answer.usage.calls > 1) == (name == "until it opens"), "a dead one is asked, or is not"
                times[name].append((time.monotonic() - began) * 1000)
        place.close()
    return times


def p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20, method="inclusive")[18]


def main() -> None:
    failed = 0
    with environment(), tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        outcome, server, ledger = storm(Path(folder) / "storm", 1000, 32, seed=int([*sys.argv, "7"][1]))
        spent = ledger.today()
        print(
            f"1,000 asks, 32 at a time, a fault in 20 % of {len(server.seen):,} calls: {time.monotonic() - began:.0f} s"
        )
        for what, count in outcome.ends.most_common():
            print(f"  {count:4} {what}")
        slowest = max(outcome.seconds)
        print(f"  median {statistics.median(outcome.seconds):.2f} s, slowest {slowest:.2f} s of {DEADLINE:.0f} s")
        print(f"  {spent.tokens:,} tokens counted, {server.served.total():,} served; money {spent.money}")
        for wrong in outcome.wrong:
            print(f"  WRONG {wrong}")
        failed += len(outcome.wrong)
        for how in DEAD:
            times = dead(Path(folder) / how, 60, how)
            print(f"a dead provider ({how}) before a well one, p50 / p95 ms of an ask:")
            for what, each in times.items():
                print(f"  {what:14} {statistics.median(each):7.1f} / {p95(each):7.1f}   ({len(each)} asks)")
            if (rise := p95(times["open"]) - p95(times["well"])) >= RISE:
                print(f"  WRONG: it costs {rise:.0f} ms")
                failed += 1
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
