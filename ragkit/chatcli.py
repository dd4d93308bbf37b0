"""`ragkit chat`: questions one after the other, from a person or a pipe, and the conversations that are kept."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragkit.answerview import hang
from ragkit.askcli import as_json, show
from ragkit.errors import InvalidInput, RagkitError
from ragkit.options import (
    DomainsOption,
    RerankerOption,
    StrategyOption,
    WhereOption,
    WorkspaceOption,
    opened,
)  # fmt: skip
from ragkit.terminal import complain, plain, print_json, stderr, stdout

if TYPE_CHECKING:
    from ragkit.answer import Answer
    from ragkit.chat import Chat
    from ragkit.chatstore import Turn
    from ragkit.workspace import Workspace

Shown = Callable[["Answer"], "Answer"]
"""What may be seen of an answer: see `guard.presentable`."""
_PROMPT = "› "
_HELP = """/sources  what the last answer rests on, in full
/turns    what was asked so far
/help     this
/quit     end; so do Ctrl-D and Ctrl-C. The conversation is kept."""


def chat(
    domain: DomainsOption = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", help="anthropic:NAME, openai:NAME, extractive; repeated: the next if one fails."),
    ] = None,
    strategy: StrategyOption = "default",
    k: Annotated[int, typer.Option("-k", min=1, help="How many passages an answer is written from.")] = 8,
    where: WhereOption = None,
    reranker: RerankerOption = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="What one answer may take.")] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", "-r", help="Go on with this one: the beginning of its id, or: last.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the conversations that are kept.")] = False,
    workspace: WorkspaceOption = Path(),
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a turn, on one line.")] = False,
) -> None:
    """Ask one question after the other: each is understood by those before it."""
    from ragkit import otlp
    from ragkit.chatstore import FILE, ChatStore
    from ragkit.guard import presentable
    from ragkit.indexes import filters
    from ragkit.workspace import STATE

    if list_ and resume is not None:
        raise InvalidInput("--list and --resume do not go together.", "List them first, then resume one.")
    with closing(opened(workspace)) as place:
        if list_:
            show_list(place, json)
            return
        store = ChatStore(place.path / STATE / FILE)
        talk = place.chat(
            None if resume is None else store.find(resume),
            domain or None,
            model=model or None,
            strategy=strategy,
            k=k,
            where=filters.parse(where or []),
            reranker=reranker,
            seconds=seconds,
        )
        if resume is not None:
            _resumed(talk)
        failed = _converse(talk, json, resume is not None, partial(presentable, settings=place.settings.guard))
        otlp.flush()
    if failed:
        raise typer.Exit(1)


def _converse(talk: "Chat", json: bool, resumed: bool, show_as: Shown) -> bool:
    """Until the questions end. Whether nobody was there to see that one of them failed."""
    person = sys.stdin.isatty()
    failed = False
    if person:
        stderr.print("[dim]Ask. /help shows what else there is; Ctrl-D ends.[/]", highlight=False)
    try:
        for line in _lines(person):
            question = line.strip()
            if question.startswith("/"):
                if question == "/quit":
                    break
                _command(talk, question, show_as)
                continue
            if not question:
                continue
            try:
                _answer(talk, question, json, show_as)
            except RagkitError as error:
                failed = failed or not person
                complain(error)
                if json:
                    print_json({"chat": talk.id, "question": question, "error": str(error)}, indent=None)
    finally:  # also after Ctrl-C in the middle of an answer
        if talk.last is not None or resumed:
            kept = f"ragkit chat --resume {talk.id}"
            stderr.print(f"\n[dim]The conversation is kept. Go on with it: {kept}[/]", highlight=False)
    return failed


def _lines(person: bool) -> Iterator[str]:
    if not person:
        if hasattr(sys.stdin, "reconfigure"):
            sys.stdin.reconfigure(errors="replace")
        yield from sys.stdin
        return
    if sys.platform != "win32":  # which has its own
        import readline  # noqa: F401 - lines can be edited, and earlier ones be had again
    try:
        while True:
            if sys.stdout.isatty():
                yield input(_PROMPT)
            else:
                stderr.print(_PROMPT, end="")
                yield input()
    except (EOFError, KeyboardInterrupt):  # at the prompt: it is over, and nothing went wrong
        return


def _answer(talk: "Chat", question: str, json: bool, show_as: Shown) -> None:
    from ragkit.answer import Answer
    from ragkit.events import Planned

    shown = ""
    with nullcontext() if json or not stderr.is_terminal else stderr.status("Looking and writing …"):
        for event in talk.stream(question):
            if isinstance(event, Planned) and event.plan.question != question and not json:
                shown = event.plan.question
                _show_standalone(shown)
            if isinstance(event, Answer):
                answer = event
    kept = talk.last if talk.last is not None and talk.last.answer is answer else None  # none, if a guard blocked it
    standalone = answer.question if kept is None else kept.standalone
    if json:
        row = {
            "chat": talk.id,
            "turn": kept.number if kept else None,
            "standalone": standalone,
            **as_json(show_as(answer)),
        }
        print_json(row, indent=None)
        return
    if standalone not in (question, answer.question, shown):
        _show_standalone(standalone)
    show(show_as(answer))


def _show_standalone(text: str) -> None:
    stderr.print(f"[dim]→ {plain(text)}[/]", highlight=False)


def _command(talk: "Chat", command: str, show_as: Shown) -> None:
    if command == "/sources":
        turns = talk.turns
        for cited in show_as(turns[-1].answer).citations if turns else ():
            place = f"[dim]{plain(cited.domain)} {cited.start}–{cited.end}[/]"
            stdout.print(f"[bold]\\[{cited.marker}] {plain(cited.uri)}[/] {place}", highlight=False, soft_wrap=True)
            for line in cited.quote.splitlines():
                hang("    ", plain(line), stdout)
        if not turns or not turns[-1].answer.citations:
            said = "The last answer cites nothing." if turns else "Nothing was asked yet."
            stderr.print(f"[dim]{said}[/]", highlight=False)
    elif command == "/turns":
        for turn in talk.turns:
            _show_turn(turn)
    else:
        if command != "/help":
            stderr.print(f"There is no command {plain(command.split()[0])}.", highlight=False)
        stderr.print(_HELP, highlight=False, markup=False)


def _show_turn(turn: "Turn") -> None:
    stdout.print(f"[bold]{turn.number}[/] {plain(turn.question)}", highlight=False)
    if turn.standalone != turn.question:
        stdout.print(f"  [dim]→ {plain(turn.standalone)}[/]", highlight=False)
    _warn(turn)


def _warn(turn: "Turn") -> None:
    for cited in turn.stale:
        said = (
            f"Turn {turn.number} cites {cited.uri} {cited.start}–{cited.end}, which says something else now or is gone."
        )
        stderr.print(f"[yellow]![/] {plain(said)}", highlight=False, soft_wrap=True)


def _resumed(talk: "Chat") -> None:
    turns = talk.turns
    if turns:
        said = f"{len(turns)} turn{'s' * (len(turns) > 1)} so far; the last: {turns[-1].question}"
        stderr.print(f"[dim]{plain(said)}[/]", highlight=False)
    for turn in turns:
        _warn(turn)


def show_list(place: "Workspace", json: bool) -> None:
    chats = place.chats()
    if json:
        rows = [
            {"id": one.id, "began": one.began, "used": one.used, "turns": one.turns, "first": one.first}
            for one in chats
        ]
        print_json({"chats": rows})
        return
    for one in chats:
        used = datetime.fromtimestamp(one.used).strftime("%Y-%m-%d %H:%M")
        turns = f"{one.turns} turn{'s' * (one.turns != 1)}"
        stdout.print(
            f"[bold]{plain(one.id)}[/] {used} [dim]{turns:>9}[/] {plain(one.first)}", highlight=False, soft_wrap=True
        )
    if not chats:
        stderr.print("No conversation is kept yet. Begin one with: ragkit chat", highlight=False)
