"""The terminal: results on stdout, everything else on stderr, and nothing that a document says can paint it."""

import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console

from ragkit.errors import RagkitError
from ragkit.glyphs import shown

if TYPE_CHECKING:
    from ragkit.indexes.sync import Progress

stdout, stderr = Console(emoji=False), Console(stderr=True, emoji=False)
"""`:smile:` in a document is no picture."""
_NOTHING = "[none][/none]"
"""Markup that paints nothing. Behind a bracket, that one can open no tag, whatever stands next to this text."""
_SPECIAL = re.compile(r"(?<!\\)(\\*)(\[|\Z)")


class Output(io.TextIOBase):
    """Standard output whose reader may go away (it has seen enough: no error), or whose disk may be full."""

    def __init__(self, inner: TextIO) -> None:
        self.inner = inner

    def write(self, text: str) -> int:
        with self._watched():
            return self.inner.write(text)

    def flush(self) -> None:
        with self._watched():
            self.inner.flush()

    def isatty(self) -> bool:
        return self.inner.isatty()

    def fileno(self) -> int:
        return self.inner.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.inner.encoding

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.inner.fileno())  # for what is flushed when we end
            if isinstance(error, BrokenPipeError):
                sys.exit(0)
            raise RagkitError(
                f"The output cannot be written: {error.strerror}.", "Make room, or write elsewhere."
            ) from error


def complain(error: RagkitError) -> None:
    stderr.print(f"[bold red]ragkit:[/] {plain(error.reason)}", highlight=False)
    if error.hint:
        stderr.print(f"        {plain(error.hint)}", highlight=False)


def plain(text: str) -> str:
    """Text from a document or a path, in which nothing is read as colours or control."""
    return _SPECIAL.sub(lambda match: f"{match[1] * 2}{_NOTHING}{match[2]}{_NOTHING}", shown(text))


def print_text(text: str) -> None:
    """A document as it is, but for what a terminal could obey: each such sign is a space, so that ranges hold."""
    sys.stdout.write(shown(text, keep="\n\t") + "\n")


def print_json(value: dict[str, Any], *, indent: int | None = 2) -> None:
    """What a terminal could obey is escaped, also in a pipe, which may end in one: to who reads JSON it is the same."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    if not text.replace("\n", "").isprintable():
        text = "".join(one if one == "\n" or one.isprintable() else json.dumps(one)[1:-1] for one in text)
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def progress() -> Iterator["Callable[[Progress], None]"]:
    """Bars with rates and remaining time on a terminal; now and then a line elsewhere."""
    if stderr.is_terminal:
        yield from _bars()
    else:
        yield _lines()


_STEPS = {"scan": "looking at", "read": "reading", "embed": "embedding", "reindex": "indexing anew"}


def _bars() -> Iterator["Callable[[Progress], None]"]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=stderr, transient=True) as bars:
        tasks: dict[tuple[str, str], Any] = {}

        def tell(now: "Progress") -> None:
            if now.step != "scan" and (now.domain, "scan") in tasks:
                bars.remove_task(tasks.pop((now.domain, "scan")))
            if (now.domain, now.step) not in tasks:
                said = f"{plain(now.domain)}: {_STEPS[now.step]}"
                tasks[now.domain, now.step] = bars.add_task(said, total=None, rate="")
            task = tasks[now.domain, now.step]
            speed = next(one.speed for one in bars.tasks if one.id == task)
            rate = f"{speed:,.0f}/s" if speed else ""
            bars.update(task, completed=now.done, total=now.total or None, rate=rate)

        yield tell


_SILENCE = 5.0
"""Seconds between two lines where nobody watches."""


def _lines() -> "Callable[[Progress], None]":
    began = last = time.monotonic()

    def tell(now: "Progress") -> None:
        nonlocal last
        if time.monotonic() - last < _SILENCE:
            return
        last = time.monotonic()
        of = f" of {now.total:,}" if now.total else ""
        failed = f", {now.failed:,} failed" if now.failed else ""
        stderr.print(
            f"{plain(now.domain)}: {_STEPS[now.step]} {now.done:,}{of}{failed} ({last - began:.0f} s)", highlight=False
        )

    return tell
