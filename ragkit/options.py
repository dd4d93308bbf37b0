"""What commands have in common: the options that all of them take, and the workspace that they open."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragkit.errors import InvalidInput

if TYPE_CHECKING:
    from ragkit.workspace import Workspace

WorkspaceOption = Annotated[Path, typer.Option("--workspace", "-w", help="The folder with ragkit.toml.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
DomainsOption = Annotated[list[str] | None, typer.Option("--domain", "-d", help="Only this one; may be repeated.")]
StrategyOption = Annotated[str, typer.Option("--strategy", "-s", help="hybrid, bm25, vector, rrf …")]
WhereOption = Annotated[
    list[str] | None, typer.Option(help="Only documents whose metadata say so: year>=2024; may be repeated.")
]
RerankerOption = Annotated[
    str | None, typer.Option(help="Score the first passages again: cross-encoder:<name or path>.")
]


def opened(path: Path) -> "Workspace":
    """The workspace that is there; only `init` and `ingest` make one."""
    from ragkit.workspace import FILE, Workspace

    if not (path / FILE).exists():
        hint = f"Make it one with: ragkit init {path}, and fill it with: ragkit ingest. Or name another with -w."
        raise InvalidInput(f"{path} is no workspace: it has no {FILE}.", hint)
    return Workspace(path)
