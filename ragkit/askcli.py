"""`ragkit ask`: a question, its answer, and what the answer rests on."""

import dataclasses
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragkit.answerview import hang, show_text
from ragkit.options import (
    DomainsOption,
    JsonOption,
    RerankerOption,
    StrategyOption,
    WhereOption,
    WorkspaceOption,
    opened,
)  # fmt: skip
from ragkit.terminal import plain, print_json, stderr, stdout

if TYPE_CHECKING:
    from ragkit.answer import Answer, Citation, Claim
    from ragkit.budget import Spent
    from ragkit.plan import Plan

_SHOWN = 200


def ask(
    question: Annotated[str, typer.Argument(help="In your own words.")],
    domain: DomainsOption = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", help="anthropic:NAME, openai:NAME, extractive; repeated: the next if one fails."),
    ] = None,
    strategy: StrategyOption = "default",
    k: Annotated[int, typer.Option("-k", min=1, help="How many passages the answer is written from.")] = 8,
    where: WhereOption = None,
    reranker: RerankerOption = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="What the whole may take.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Show what would be asked, and ask nothing.")] = False,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Answer a question from the documents, and cite them."""
    from ragkit import otlp
    from ragkit.guard import presentable
    from ragkit.indexes import filters

    place = opened(workspace)
    if plan:
        made = place.plan(question, domain or None, model=model or None)
        place.close()
        if json:
            print_json(dataclasses.asdict(made))
        else:
            show_plan(made)
        return
    with nullcontext() if json or not stderr.is_terminal else stderr.status("Looking and writing …"):
        answer = place.ask(
            question,
            domain or None,
            model=model or None,
            strategy=strategy,
            k=k,
            where=filters.parse(where or []),
            reranker=reranker,
            seconds=seconds,
        )
    place.close()
    otlp.flush()
    answer = presentable(answer, place.settings.guard)
    if json:
        print_json(as_json(answer))
    else:
        show(answer)


def as_json(answer: "Answer") -> dict[str, Any]:
    return {
        "question": answer.question,
        "answer": answer.text,
        "abstained": answer.abstained,
        "reason": answer.reason,
        "because": answer.because,
        "status": answer.status,
        "domains": list(answer.domains),
        "partial": answer.partial,
        "missing": list(answer.missing),
        "notes": list(answer.notes),
        "groundedness": answer.groundedness,
        "confidence": answer.confidence,
        "claims": [_claim(one) for one in answer.claims],
        "citations": [_citation(one) for one in answer.citations],
        "sub_answers": [as_json(one) for one in answer.sub_answers],
        "route": dict(answer.route),
        "model": answer.model,
        "cached": answer.cached,
        "usage": _usage(answer.usage),
        "seconds": round(answer.seconds, 4),
        "trace_id": answer.trace,
    }


def show_plan(plan: "Plan") -> None:
    for one in plan.sub_questions:
        after = f" [dim]after {', '.join(one.depends_on)}[/]" if one.depends_on else ""
        where = f" [dim]→ {plain(', '.join(one.tools))}[/]" if one.tools else ""
        hang(f"[bold]{one.id}[/] ", f"{plain(one.text)}{where}{after}", stdout)
    if plan.conclusion:
        hang("[bold]∴[/] ", plain(plan.conclusion), stdout)
    for said in plan.lost:
        hang("[yellow]![/] ", plain(said), stderr)
    for note in plan.notes:
        stderr.print(f"[dim]{plain(note)}[/]", highlight=False)


def show(answer: "Answer") -> None:
    for one in answer.sub_answers:
        found = one.status == "answered"
        where = f" → {plain(', '.join(one.domains))}" if one.domains else ""
        status = "" if found else f" {one.status}"
        hang("[green]✓[/] " if found else "[yellow]✗[/] ", f"{plain(one.question)}[dim]{where}{status}[/]", stderr)
    if answer.sub_answers and stdout.is_terminal:
        stderr.print()
    if answer.abstained:
        stdout.print(f"[yellow]{plain(answer.reason)}[/]", highlight=False)
    show_text(answer.text, stdout)
    for cited in answer.citations:
        pages = f", page{'s' * (len(cited.pages) > 1)} {', '.join(map(str, cited.pages))}" if cited.pages else ""
        heading = f" › {plain(' > '.join(cited.headings))}" if cited.headings else ""
        place = f"[dim]{plain(cited.domain)} {cited.start}–{cited.end}[/]"
        stdout.print()
        hang(f"[bold]\\[{cited.marker}][/] ", f"[bold]{plain(cited.uri)}[/]{pages}{heading} {place}", stdout)
        hang("    ", plain(_shortened(cited.quote)), stdout)
    if stdout.is_terminal:
        stderr.print()
    for said in answer.missing:
        hang("[yellow]![/] ", plain(said), stderr)
    for said in answer.notes:
        stderr.print(f"[dim]{plain(said)}[/]", highlight=False)
    stderr.print(f"[dim]{_footer(answer)}[/]", highlight=False)


def _footer(answer: "Answer") -> str:
    spent = answer.usage
    parts = [plain(answer.model) if answer.model else "", f"{answer.seconds:.1f} s"]
    if answer.cached:
        parts.append("from memory")
    if answer.groundedness is not None:
        parts.append(f"grounded {answer.groundedness:.0%}")
    if spent.calls:
        parts.append(f"{spent.calls} call{'s' * (spent.calls > 1)}, {spent.tokens:,} tokens")
        parts.append("cost unknown" if spent.unknown else f"cost {spent.money:f}")
    if answer.trace:
        parts.append(f"ragkit trace {answer.trace[:8]}")
    return " · ".join(part for part in parts if part)


def _citation(one: "Citation") -> dict[str, Any]:
    return {
        "marker": one.marker,
        "uri": one.uri,
        "domain": one.domain,
        "title": one.title,
        "pages": list(one.pages),
        "headings": list(one.headings),
        "start": one.start,
        "end": one.end,
        "quote": one.quote,
        "support": one.support,
    }


def _claim(one: "Claim") -> dict[str, Any]:
    return {
        "text": one.text,
        "start": one.start,
        "end": one.end,
        "markers": [each.marker for each in one.citations],
        "support": one.support,
        "status": one.status,
        "reason": one.reason,
    }


def _usage(spent: "Spent") -> dict[str, Any]:
    return {**dataclasses.asdict(spent), "money": None if spent.unknown else float(spent.money)}


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
