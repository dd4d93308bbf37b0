"""Markdown: the text stays as written, for that is what a reader finds again; headings, fences, tables are marked."""

import re
from itertools import accumulate
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ragkit.connectors.builder import Builder
from ragkit.connectors.document import MarkKind
from ragkit.connectors.plain import clean
from ragkit.connectors.source import Source

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_KINDS: dict[str, MarkKind] = {
    "heading_open": "heading",
    "fence": "code",
    "code_block": "code",
    "table_open": "table",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
}
_READ = MarkdownIt("commonmark").enable("table")


class _NoAliases(yaml.SafeLoader):
    """Without references from one place to another, by which a few lines can stand for gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("front matter has no use for aliases")
        return super().compose_node(parent, index)


def parse(source: Source, out: Builder) -> None:
    text = clean(source.text())
    front = _FRONT_MATTER.match(text)
    if front and take_front_matter(front[1], out):
        text = text[front.end() :]
    write(text.strip("\n"), out)


def take_front_matter(block: str, out: Builder) -> bool:
    """The block's fields as metadata; False when it is no YAML mapping, and so part of the text."""
    try:
        fields = yaml.load(block, _NoAliases)  # noqa: S506  it is a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
    if not isinstance(fields, dict):
        return False
    out.title = str(fields.get("title") or "")
    out.metadata.update(fields)
    return True


def write(text: str, out: Builder) -> None:
    """Markdown into a builder, also in the middle of another document (a notebook's cell)."""
    lines = text.splitlines(keepends=True)
    starts = [0, *accumulate(len(line) for line in lines)]
    marks = []
    for token in _READ.parse(text):
        kind = _KINDS.get(token.type)
        if kind and token.map and token.level < 40:
            marks.append(_range(text, starts, kind, token))
    _write_marked(text, 0, len(text), marks, out)


def _range(text: str, starts: list[int], kind: MarkKind, token: Token) -> tuple[int, int, MarkKind, str, int | None]:
    """From the token's lines to characters, less the blank lines around."""
    assert token.map
    start, end = starts[token.map[0]], starts[token.map[1]]
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    label = ""
    if kind == "heading":
        words = text[start:end].strip("#= -\t\n>") or text[start:end]
        label = " ".join(words.split())
    elif token.type == "fence":
        label = token.info.split(" ")[0]
    return start, end, kind, label, int(token.tag[1]) if kind == "heading" else None


def _write_marked(
    text: str, start: int, end: int, marks: list[tuple[int, int, MarkKind, str, int | None]], out: Builder
) -> None:
    """Write a stretch of text with the marks in it, which come in order and nest."""
    at = start
    while marks and marks[0][0] < end:
        mark_start, mark_end, kind, label, level = marks.pop(0)
        out.write(text[at:mark_start])
        with out.mark(kind, label=label, level=level):
            _write_marked(text, mark_start, min(mark_end, end), marks, out)
        at = min(mark_end, end)
    out.write(text[at:end])
