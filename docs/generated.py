"""Pages that are made of the code: settings and commands. MkDocs calls `on_page_markdown` for every page."""

import html
import json
import re
import typing
from typing import Any, Literal

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined


def on_page_markdown(markdown: str, **_: Any) -> str:
    for mark, make in (("<!-- settings -->", settings), ("<!-- commands -->", commands)):
        if mark in markdown:
            markdown = markdown.replace(mark, make())
    return markdown


def settings() -> str:
    """Every table of `ragkit.toml`, from the models that read it."""
    from ragkit.settings import Settings

    return "\n\n".join(_table(Settings, "", set()))


def commands() -> str:
    """Every command, from what `--help` is made of."""
    from ragkit.cli import app

    group: Any = typer.main.get_command(app)
    context = group.context_class(group, info_name="ragkit")
    return "\n\n".join(part for name in group.list_commands(context) for part in _command(name, group, context))


def _table(model: type[BaseModel], path: str, seen: set[type[BaseModel]]) -> list[str]:
    rows = ["| word | default | what it is |", "|---|---|---|"]
    below: list[str] = []
    for name, field in model.model_fields.items():
        inner, many = _inner(field)
        place = f"{path}.{name}" if path else name
        if inner is not None:
            below += _table(inner, f"{place}.NAME" if many else place, seen | {inner}) if inner not in seen else []
        said = field.description or (_first(inner.__doc__) if inner is not None else "")
        choices = ", ".join(f"`{one}`" for one in _choices(field.annotation))
        rows.append(f"| `{name}` | {_default(field)} | {' '.join(filter(None, (_cell(said), choices)))} |")
    head = f"## `[{path}]`" if path else "## At the top"
    return [f"{head}\n\n{_first(model.__doc__)}\n\n" + "\n".join(rows), *below]


def _inner(field: FieldInfo) -> tuple[type[BaseModel] | None, bool]:
    """The model that this field holds, and whether it holds several by name."""
    many = typing.get_origin(field.annotation) is dict
    found = [field.annotation, *typing.get_args(field.annotation)]
    models = [one for one in found if isinstance(one, type) and issubclass(one, BaseModel)]
    return (models[0], many) if models else (None, False)


def _default(field: FieldInfo) -> str:
    """As it would be written; nothing where a table of its own follows, and where there is none."""
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or value is None or isinstance(value, BaseModel | dict):
        return "–"
    return f"`{json.dumps(value)}`"  # which TOML writes alike


def _choices(annotation: Any) -> list[str]:
    """What a word may be, where that is a list."""
    if typing.get_origin(annotation) is Literal:
        return [json.dumps(one) for one in typing.get_args(annotation) if one != ""]
    return [one for inner in typing.get_args(annotation) for one in _choices(inner)]


def _command(name: str, group: Any, above: Any) -> list[str]:
    command = group.get_command(above, name)
    if command.hidden:
        return []
    context = command.context_class(command, info_name=name, parent=above)
    path = context.command_path
    parts = [f"{'#' * len(path.split())} `{path}`\n\n{_cell(command.help or '')}"]
    rows = [
        f"| `{'` `'.join([*one.opts, *one.secondary_opts]) if one.param_type_name == 'option' else one.name.upper()}` "
        f"| {_cell(getattr(one, 'help', '') or '')} |"
        for one in command.get_params(context)
        if one.name != "help" and not getattr(one, "hidden", False)
    ]
    if rows:
        parts.append("| say | which is |\n|---|---|\n" + "\n".join(rows))
    if hasattr(command, "list_commands"):
        parts += [part for inner in command.list_commands(context) for part in _command(inner, command, context)]
    return parts


def _first(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())


def _cell(text: str) -> str:
    """In one line, and as it is read: outside of code, what stands in `<…>` would be a tag that nobody sees."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()).replace("|", "\\|"))
    return "".join(part if part.startswith("`") else html.escape(part, quote=False) for part in parts)
