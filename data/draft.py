"""A Draft: the source of one document, in Markdown with figures to be filled in, cut into blocks.

`{{figure results "Revenue" 2025-Q3}}` becomes words, `{{table over_time regions}}` on a line of its own a table. One
plain form for all formats keeps what a document says apart from how its format is made. `\\newpage` starts a page,
`Notes:` are those of a slide or a comment on a cell, `<!-- … -->` is for who reads the source: `<!-- conflict: … -->`
says what two documents disagree in on purpose.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import facts
import yaml

_FIGURE = re.compile(r"\{\{(.+?)\}\}")
_REMARK = re.compile(r"(?m)^<!--.*?-->\n| ?<!--.*?-->")
_ITEM = re.compile(r"^(- |\d+\. )")


@dataclass(frozen=True)
class Block:
    kind: str
    """heading, text, bullets, numbers, table, notes, or page: where a new one starts."""
    text: str = ""
    level: int = 0
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Draft:
    meta: dict[str, Any]
    body: str

    @property
    def blocks(self) -> list[Block]:
        return list(_blocks(self.body))


def load(path: Path) -> Draft:
    _, meta, body = path.read_text("utf-8").split("---\n", 2)
    values = yaml.load(meta, yaml.BaseLoader)  # noqa: S506 it makes strings and nothing else: a date stays as written
    return Draft(values, _FIGURE.sub(_filled, _REMARK.sub("", body)).strip() + "\n")


def _filled(found: re.Match[str]) -> str:
    name, *arguments = shlex.split(found[1])
    if name == "table":
        return facts.markdown(facts.TABLES[arguments[0]](*arguments[1:]))
    return facts.WORDS[name](*arguments)


def _blocks(body: str) -> Iterator[Block]:
    for part in re.split(r"\n\s*\n", body.strip()):
        lines = part.split("\n")
        first = lines[0]
        if heading := re.match(r"(#+) (.*)", first):
            yield Block("heading", heading[2], len(heading[1]))
            if len(lines) > 1:
                yield from _blocks("\n".join(lines[1:]))
        elif first.startswith("|"):
            rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
            yield Block("table", rows=(rows[0], *rows[2:]))
        elif _ITEM.match(first):
            items = re.split(r"\n(?=- |\d+\. )", "\n".join(lines))
            kind = "bullets" if first.startswith("- ") else "numbers"
            yield Block(kind, rows=tuple((_joined(_ITEM.sub("", item)),) for item in items))
        elif first == r"\newpage":
            yield Block("page")
        elif first.startswith("Notes: "):
            yield Block("notes", _joined(part).removeprefix("Notes: "))
        else:
            yield Block("text", _joined(part))


def _joined(text: str) -> str:
    return " ".join(text.split())
