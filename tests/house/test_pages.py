"""The reference holds all that there is: public names, settings, commands."""

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

import ragkit
from ragkit.cli import app
from ragkit.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"^```(?:sh|bash|yaml)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def generated() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generated", DOCS / "generated.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made(generated: ModuleType, name: str) -> str:
    """A page as the site has it."""
    text: str = generated.on_page_markdown((DOCS / "reference" / name).read_text("utf-8"))
    return text


def test_every_public_name_is_in_the_reference() -> None:
    page = (DOCS / "reference" / "python.md").read_text("utf-8")
    shown = re.findall(r"^::: (\S+)$", page, re.MULTILINE)
    wanted = {f"{home}.{name}" for name, home in ragkit._HOME.items()}
    missing = sorted(wanted - set(shown))
    assert not missing, f"add to docs/reference/python.md: {', '.join(missing)}"
    assert len(shown) == len(set(shown))


def test_every_method_of_the_workspace_says_what_it_does() -> None:
    methods = [name for name in dir(ragkit.Workspace) if not name.startswith("_")]
    assert {"ingest", "ask", "aask", "route"} <= set(methods)
    assert not [name for name in methods if not getattr(ragkit.Workspace, name).__doc__]


def test_every_setting_is_in_the_reference(generated: ModuleType) -> None:
    page = made(generated, "settings.md")
    for name in Settings.model_fields:
        assert f"| `{name}` |" in page, name
    for table in (
        "[domains.NAME]",
        "[domains.NAME.chunker]",
        "[models.NAME.price]",
        "[ask]",
        "[day]",
        "[cache]",
        "[guard]",
    ):
        assert f"## `{table}`" in page, table
    assert "| `overlap` |" in page
    assert "| `seconds` | `120` |" in page
    assert "| `keep` | `true` |" in page
    assert '| `model` | `"extractive"` |' in page
    assert '`"parent-child"`' in page


def test_every_table_of_settings_says_what_it_is(generated: ModuleType) -> None:
    page = made(generated, "settings.md")
    for head, said in re.findall(r"^## (.+)\n\n(.*)\n", page, re.MULTILINE):
        assert said, f"{head} has no docstring"
        assert not said.startswith("|"), f"{head} has no docstring"


def test_every_word_of_the_settings_is_explained(generated: ModuleType) -> None:
    """Either where it stands, or by its table."""
    silent = re.findall(r"^\| `(\w+)` \| [^|]* \|  \|$", made(generated, "settings.md"), re.MULTILINE)
    assert set(silent) <= SELF_EVIDENT


SELF_EVIDENT = {
    "version", "keywords", "kind", "name", "price", "input", "output", "cache_read", "cache_write",
    "requests_per_minute", "tokens_per_minute", "money", "tokens", "calls", "megabytes", "keep",
}  # fmt: skip


def test_every_command_is_in_the_reference(generated: ModuleType) -> None:
    page = made(generated, "commands.md")
    group = typer.main.get_command(app)
    context = group.context_class(group, info_name="ragkit")
    names = group.list_commands(context)  # type: ignore[attr-defined]
    assert {"ingest", "ask", "eval", "trace"} <= set(names)
    for name in names:
        assert f"\n## `ragkit {name}`\n" in page, name
    for inner in ("ragkit eval run", "ragkit eval beir", "ragkit route fit"):
        assert f"\n### `{inner}`\n" in page, inner
    assert "`--workspace` `-w`" in page
    assert "`ragkit route ask`" not in page, "hidden: one writes ragkit route"
    assert "cross-encoder:&lt;name or path&gt;" in page  # else the page would show a tag, which nobody sees


def said() -> list[tuple[str, str]]:
    """Commands of blocks that are not run, for they need a key, a server, or files of the reader's own."""
    return [
        (page.name, line.removeprefix("- run: "))
        for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
        for block in _BLOCK.findall(page.read_text("utf-8"))
        for line in block.splitlines()
        if line.removeprefix("- run: ").startswith("ragkit ")
    ]


@pytest.mark.parametrize(("page", "line"), said())
def test_commands_that_are_not_run_could_be(page: str, line: str) -> None:
    """Their words are understood: no option of another version."""
    command: Any = typer.main.get_command(app)
    words = shlex.split(line, comments=True)
    context = command.context_class(command, info_name=words.pop(0))
    while hasattr(command, "get_command") and words:
        inner = command.get_command(context, words[0])
        if inner is None:
            break
        command, name = inner, words.pop(0)
        context = command.context_class(command, info_name=name, parent=context)
    assert context.parent is not None, f"{page}: ragkit has no such command"
    assert command.make_context(context.info_name, words, parent=context.parent) is not None
