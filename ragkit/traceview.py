"""What a trace looks like in a terminal: a line an ask, or a waterfall of the steps of one."""

import time
from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from ragkit.glyphs import shown
from ragkit.terminal import plain
from ragkit.trace import ATTEMPTS, CACHED, COST, INPUT, MODEL, OUTPUT, REQUEST_MODEL, Step, Trace

_COLORS = {
    "ok": "green",
    "answered": "green",
    "error": "red",
    "partial": "yellow",
    "abstained": "yellow",
    "cancelled": "yellow",
    "open": "yellow",
}
_BLOCKS = " ▏▎▍▌▋▊▉█"
_SHORT = 8
"""This much of an id is shown, and is enough to name it."""


def show_list(traces: Iterable[Trace], console: Console) -> None:
    """Two lines each: what it was, and the question below it, as far as there is room."""
    for trace in traces:
        line = Text.assemble(
            (trace.id[:_SHORT], "bold"), f"  {_when(trace.started)}  {_duration(trace.seconds):>7}  ",
            (f"{_bare(trace.status):<9}  ", _COLORS.get(trace.status, "")),
        )  # fmt: skip
        tokens = _tokens(trace.input_tokens, trace.output_tokens)
        line.append("  ".join(part for part in (tokens, _money(trace.cost), _bare(trace.model or "")) if part))
        console.print(_cut(line, console.width), soft_wrap=True, highlight=False)
        if trace.question:
            said = f"{'':{_SHORT + 2}}{_bare(trace.question)}"
            console.print(_cut(Text(said, "dim"), console.width), soft_wrap=True, highlight=False)


def show(trace: Trace, console: Console, texts: bool = False) -> None:
    """The tree of steps, when each ran, how long, and what is to be known of it."""
    head = [_bare(trace.status), _duration(trace.seconds), _bare(trace.model or "")]
    head += [_tokens(trace.input_tokens, trace.output_tokens), _money(trace.cost)]
    console.print(f"[bold]{trace.id}[/]  {_when(trace.started)}", highlight=False, soft_wrap=True)
    console.print(plain("  ".join(part for part in head if part)), highlight=False, soft_wrap=True)
    if trace.question:
        console.print(plain(" ".join(trace.question.split())), style="italic", highlight=False)
    console.print()
    rows = list(_rows(trace.spans))
    whole = max((step.start + step.seconds for step in trace.spans), default=0) or 1e-9
    notes = [_note(step) for _, step in rows]
    name_width = min(
        max((cell_len(_bare(before + step.name)) for before, step in rows), default=0), console.width * 2 // 5
    )
    note_width = min(max(map(len, notes), default=0), console.width // 3)
    bar_width = max(8, console.width - name_width - note_width - 11)
    for (before, step), note in zip(rows, notes, strict=True):
        name = _cut(Text(_bare(before + step.name)), name_width)
        name.pad_right(name_width - name.cell_len)
        color = _COLORS.get(step.status, "yellow")
        bar = (_bar(step.start / whole, step.seconds / whole, bar_width), "cyan" if color == "green" else color)
        line = Text.assemble(
            name, " ", bar, f" {_duration(step.seconds):>7} ", (note, "" if color == "green" else color)
        )
        console.print(_cut(line, console.width), soft_wrap=True, highlight=False)
    passed_on = {(step.parent, step.error) for step in trace.spans}
    for _, step in rows:
        if step.error and (step.id, step.error) not in passed_on:
            console.print(f"[red]✗[/] {plain(step.name)}: {plain(step.error)}", highlight=False)
    if texts:
        _show_texts([step for _, step in rows], console)


def _show_texts(steps: list[Step], console: Console) -> None:
    said = [step for step in steps if step.texts]
    for step in said:
        console.print(f"\n[bold]{plain(step.name)}[/] [dim]{step.id[:_SHORT]}[/]", highlight=False)
        for key, text in step.texts.items():
            console.print(f"[dim]{plain(key)}[/]", highlight=False)
            for line in text.splitlines() or [""]:
                console.print(f"  {plain(line)}", highlight=False, soft_wrap=True)
    if not said:
        console.print("\nNo texts were kept; see \\[trace] texts in ragkit.toml.", highlight=False)


def _rows(steps: tuple[Step, ...]) -> Iterator[tuple[str, Step]]:
    """Depth first, each with the lines of the tree before it. Nothing is left out, even if its parents went astray."""
    children: dict[str | None, list[Step]] = {}
    known = {step.id for step in steps}
    for step in steps:
        children.setdefault(step.parent if step.parent in known else None, []).append(step)
    waiting = [("", "", step) for step in reversed(children.get(None, []))]
    while waiting:
        before, below, step = waiting.pop()
        yield before, step
        its = children.get(step.id, [])
        for child in reversed(its):
            last = child is its[-1]
            waiting.append((below + ("└ " if last else "├ "), below + ("  " if last else "│ "), child))


def _note(step: Step) -> str:
    """Status, attempt, tokens, cost, model: what fits beside a bar."""
    said = step.attributes
    parts = [] if step.status == "ok" else [_bare(step.status)]
    if int(said.get(ATTEMPTS, 1)) > 1:
        parts.append(f"attempt {said[ATTEMPTS]}")
    if said.get(CACHED):
        parts.append("cached")
    parts += [_tokens(said.get(INPUT), said.get(OUTPUT)), _money(said.get(COST))]
    model = str(said.get(REQUEST_MODEL) or said.get(MODEL) or "")
    if model not in step.name:
        parts.append(_bare(model))
    return " ".join(part for part in parts if part)


def _bar(start: float, share: float, width: int) -> str:
    """In eighths of a character, and never nothing."""
    begin = min(max(0, int(start * width)), width - 1)
    eighths = min(max(1, round(share * width * 8)), (width - begin) * 8)
    full, rest = divmod(eighths, 8)
    return (" " * begin + "█" * full + (_BLOCKS[rest] if rest else "")).ljust(width)


def _duration(seconds: float) -> str:
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _when(started: float) -> str:
    then = time.localtime(started)
    today = time.strftime("%Y-%m-%d", then) == time.strftime("%Y-%m-%d")
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M", then)


def _tokens(given: int | None, made: int | None) -> str:
    return "" if given is None and made is None else f"{_count(given)}→{_count(made)}"


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else f"{tokens:,}"


def _money(cost: object) -> str:
    return "" if cost is None else f"{float(str(cost)):.4f}"


def _bare(text: str) -> str:
    """One line without control, for a `Text`, which reads no markup."""
    return shown(text)


def _cut(text: Text, width: int) -> Text:
    text.truncate(max(1, width), overflow="ellipsis")
    return text
