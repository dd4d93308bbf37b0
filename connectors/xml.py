"""XML: feeds as their entries; DocBook-like sections by their titles; anything else as its text, a line an element."""

import re
from typing import Any

from lxml import etree

from ragkit.connectors import html
from ragkit.connectors.builder import Builder
from ragkit.connectors.source import Source
from ragkit.errors import Unreadable

_TITLES = frozenset(("title", "name", "heading", "head"))
_OF_MARKUP = frozenset(("id", "class", "style", "role", "version", "lang", "encoding", "width", "height"))
_MARKUP = frozenset(("description", "encoded", "content", "summary"))


def parse(source: Source, out: Builder) -> None:
    root = etree.fromstring(
        source.data,
        etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            huge_tree=False,
            recover=True,
            remove_comments=True,
            remove_pis=True,
        ),
    )
    if root is None:
        raise Unreadable("No XML element was found in it.", "Check that the file is complete.")
    title = next(root.iter("{*}title"), None)
    if title is not None and title.text:
        out.title = title.text
    _element(root, 1, out)


def _element(element: Any, depth: int, out: Builder) -> None:
    name = re.split("[}:]", element.tag)[-1].lower()  # also of a prefix that stands for nothing
    text = (element.text or "").strip()
    if name in _TITLES and text and not len(element):
        out.heading(text, max(1, depth - 1))
        return
    if text:
        _text(name, text, element, out)
    elif said := [f"{key}: {value}" for key, value in element.attrib.items() if _says(key, value)]:
        out.block(f"{name} | {' | '.join(said)}", gap="\n")
    for child in element:
        if isinstance(child.tag, str):  # else an entity, which is not expanded
            _element(child, depth + 1, out)
        tail = (child.tail or "").strip()
        if tail:
            out.block(tail, gap="\n")
    if len(element):
        out.separate()


def _says(key: str, value: str) -> bool:
    """Whether an attribute is something said, as in files that keep their data so, and no matter of the markup."""
    return bool(value.strip()) and not key.startswith("{") and key.lower() not in _OF_MARKUP


def _text(name: str, text: str, element: Any, out: Builder) -> None:
    """What feeds hold is HTML; a short value is told by its element's name."""
    if name in _MARKUP and "<" in text and ">" in text:
        out.block(html.plain_text(text))
    elif len(element) or len(text) > 80 or name in ("p", "para", "li", "item", "text"):
        out.block(" ".join(text.split()), gap="\n")
    else:
        out.block(f"{name}: {' '.join(text.split())}", gap="\n")
