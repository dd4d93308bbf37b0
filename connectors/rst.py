"""reStructuredText: the text stays as written; headings, code and tables are marked by docutils' own parser.

Nothing is included or fetched: `include` and `raw` directives are off.
"""

import re
from typing import Any

from ragkit.connectors.builder import Builder
from ragkit.connectors.plain import clean
from ragkit.connectors.source import Source

_UNDERLINE = re.compile(r"^([!-/:-@\[-`{-~])\1{2,}\s*$")


def parse(source: Source, out: Builder) -> None:
    text = clean(source.text()).strip("\n").expandtabs(8)
    levels = _levels(text)
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        block = _block(lines, at)
        content = "\n".join(lines[at:block])
        if at in levels:
            label, level = levels[at]
            with out.mark("heading", label=label, level=level):
                out.write(content)
        elif content.lstrip().startswith((".. code", ".. sourcecode", "::")) or _is_table(lines[at]):
            with out.mark("table" if _is_table(lines[at]) else "code", label=_language(lines[at])):
                out.write(content.rstrip())
            out.write("\n" * (len(content) - len(content.rstrip("\n"))))
        else:
            out.write(content)
        if block < len(lines):
            out.write("\n")
        at = block
    if not out.title and levels:
        out.title = levels[min(levels)][0]


def _levels(text: str) -> dict[int, tuple[str, int]]:
    """Line number of each section title (and its overline), with its words and depth, as docutils reads them."""
    from docutils import nodes
    from docutils.core import publish_doctree

    settings: dict[str, Any] = {
        "report_level": 5, "halt_level": 5, "file_insertion_enabled": False, "raw_enabled": False,
        "_disable_config": True, "doctitle_xform": False, "line_length_limit": 1_000_000,
    }  # fmt: skip
    tree = publish_doctree(text, settings_overrides=settings)
    lines = text.split("\n")
    found: dict[int, tuple[str, int]] = {}
    for section in tree.findall(nodes.section):
        title = section.next_node(nodes.title)
        if title is None:
            continue
        depth, above = 1, section.parent
        while above is not None:
            depth, above = depth + isinstance(above, nodes.section), above.parent
        line = _title_line(lines, title, section)
        if line is not None:
            found[line] = (" ".join(title.astext().split()), depth)
    return found


def _title_line(lines: list[str], title: Any, section: Any) -> int | None:
    """docutils names a line near the title: take the closest above it that is underlined."""
    near = title.line or section.line or 0
    for at in range(min(near, len(lines) - 2), max(near - 5, -1), -1):
        if (
            lines[at].strip()
            and at + 1 < len(lines)
            and _UNDERLINE.match(lines[at + 1])
            and not _UNDERLINE.match(lines[at])
        ):
            return at
    return None


def _block(lines: list[str], at: int) -> int:
    """The end of the block that begins here: a directive with what is indented below it, a table, or one line."""
    end = at + 1
    if lines[at].lstrip().startswith((".. code", ".. sourcecode")):
        indent = len(lines[at]) - len(lines[at].lstrip())
        while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > indent):
            end += 1
    elif _is_table(lines[at]):
        while end < len(lines) and lines[end].strip():
            end += 1
    return end


def _is_table(line: str) -> bool:
    return bool(re.match(r"^\s*(\+[-=]+)+\+\s*$|^\s*=+( +=+)+\s*$", line))


def _language(line: str) -> str:
    return line.rpartition("::")[2].strip() if "::" in line else ""
