"""`ragkit route`: where a question would go, and why; `ragkit route fit` learns that from examples."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from typer.core import TyperGroup

from ragkit.options import DomainsOption, JsonOption, WorkspaceOption, opened
from ragkit.terminal import plain, print_json, stderr, stdout

if TYPE_CHECKING:
    from ragkit.route import Route

_SHOWN = 5


class _OrQuestion(TyperGroup):
    """What is no command is a question: `ragkit route "Who owns it?"` needs no word between."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Options may stand before the question, too: they are the question's, as the group has none of its own."""
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["ask", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_OrQuestion,
    help="Show where a question would go: to which domains, how sure that is, and why.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command("ask", hidden=True)
def route(
    question: Annotated[str, typer.Argument(help="In your own words.")],
    domain: DomainsOption = None,
    by: Annotated[str, typer.Option(help="cascade, or one alone: keyword, semantic, evidence, model.")] = "cascade",
    model: Annotated[
        list[str] | None, typer.Option("--model", "-m", help="Asked when the others are not sure; extractive: none.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="What the model may take.")] = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Show where a question would go: to which domains, how sure that is, and why."""
    from ragkit.route import as_json

    place = opened(workspace)
    asked = model[0] if model and len(model) == 1 else model
    found = place.route(question, domain or None, by=by, model=asked or None, seconds=seconds)
    place.close()
    if json:
        print_json(as_json(found))
    else:
        show(found)


@app.command()
def fit(
    file: Annotated[Path, typer.Argument(help='A JSON object a line: {"question": "…", "domain": "NAME or none"}.')],
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Learn from examples where questions belong, and from which confidence on a route is sure."""
    place = opened(workspace)
    ready = place.fit_routes(file)
    scale = ready.cascade.scales.cheap
    place.close()
    counts = {one.name: len(one.examples) for one in ready.profiles}
    told = None if scale is None else scale.model_dump()
    if json:
        print_json({"examples": counts, "outside": len(ready.outside), "thresholds": told})
        return
    for name, count in counts.items():
        stdout.print(f"[bold]{plain(name)}[/] {count:,} examples", highlight=False)
    if scale is None:
        stderr.print("They are too few to learn thresholds from: a hundred or more are needed.", highlight=False)
    else:
        stdout.print(
            f"A route is sure from {scale.sure:.2f} on ({scale.questions:,} questions held out).", highlight=False
        )


def show(found: "Route") -> None:
    if found.none:
        stdout.print("[yellow]none[/]", highlight=False)
    elif found.confident:
        stdout.print(f"[bold]{', '.join(map(plain, found.chosen))}[/]", highlight=False)
    else:
        stdout.print(f"[bold]{', '.join(map(plain, found.chosen))}[/] [yellow](not sure)[/]", highlight=False)
    stdout.print(plain(found.reason), highlight=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, score in found.tools[:_SHOWN]:
        table.add_row(plain(name), f"{score:.3f}", "[dim]✓[/]" if name in found.chosen else "")
    if len(found.tools) > 1:
        stdout.print(table)
