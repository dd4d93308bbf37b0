"""Source code: the text as it is, with a mark for each definition at the top level."""

import ast
from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import Any

from ragkit.connectors.builder import Builder
from ragkit.connectors.plain import clean
from ragkit.connectors.source import Source

_NAMES = ("Token.Name.Function", "Token.Name.Class")
_BEFORE_A_NAME = frozenset(
    ("function", "func", "fn", "fun", "def", "sub", "proc", "class", "struct", "enum", "trait", "interface", "impl",
     "type", "module", "namespace", "union", "protocol", "extension", "object", "record")
)  # fmt: skip
_BEFORE_AN_ARROW = frozenset(("const", "let", "var"))


def parse(source: Source, out: Builder) -> None:
    from pygments.lexers import get_lexer_for_filename
    from pygments.util import ClassNotFound

    text = clean(source.text())
    try:
        lexer: Any = get_lexer_for_filename(source.name, text, stripnl=False, ensurenl=False)
    except ClassNotFound:
        lexer = None
    out.metadata["language"] = lexer.name if lexer else ""
    lines = text.splitlines(keepends=True)
    starts = [0, *accumulate(len(line) for line in lines)]
    at = 0
    for first, last, name in _definitions(text, lines, lexer):
        start, end = starts[first], starts[last]
        end -= len(text[start:end]) - len(text[start:end].rstrip())
        out.write(text[at:start])
        with out.mark("code", label=name):
            out.write(text[start:end])
        at = end
    out.write(text[at:])


def _definitions(text: str, lines: list[str], lexer: Any) -> Iterator[tuple[int, int, str]]:
    """First line, line after the last, name; in order and apart."""
    tree = _parsed(text) if lexer is not None and lexer.name == "Python" else None
    if tree is not None:
        yield from _in_python(tree)
    elif lexer is not None:
        yield from _by_tokens(lines, lexer)


def _parsed(text: str) -> ast.Module | None:
    """None for a template or another age's Python, which is read as any other language."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None


def _in_python(tree: ast.Module) -> Iterator[tuple[int, int, str]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield first - 1, node.end_lineno or node.lineno, node.name


def _by_tokens(lines: list[str], lexer: Any) -> Iterator[tuple[int, int, str]]:
    """A definition begins on the unindented line that names it and ends before the next unindented code."""
    named = dict(_named_lines(lines, lexer))
    begins = [at for at in sorted(named) if lines[at][:1].strip()]
    for begin, following in pairwise([*begins, len(lines)]):
        end = begin + 1
        while end < following and not _starts_anew(lines[end]):
            end += 1
        yield begin, end, named[begin]


def _starts_anew(line: str) -> bool:
    return bool(line[:1].strip()) and line[0] not in "})]" and not line.startswith(("end", "{"))


def _named_lines(lines: list[str], lexer: Any) -> Iterator[tuple[int, str]]:
    """Lines (from 0) on which something is defined, with its name; the first name of a line counts."""
    at, last, word = 0, -1, ""
    for token, value in lexer.get_tokens("".join(lines)):
        name = str(token)
        if at != last and name.startswith("Token.Name"):
            arrow = word in _BEFORE_AN_ARROW and ("=>" in lines[at] or "function" in lines[at])
            if name.startswith(_NAMES) or word in _BEFORE_A_NAME or arrow:
                yield at, value
                last = at
        if value.strip():
            word = value.strip()
        at += value.count("\n")
