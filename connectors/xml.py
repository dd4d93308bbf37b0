"""XML: feeds as their entries; DocBook-like sections by their titles; anything else as its text, a line an element."""

import re
from typing import Any

from lxml import etree

from ragkit.connectors import html
from ragkit.connectors.builder import Builder
from ragkit.connectors.failure import Failure
from ragkit.connectors.source import Source
from ragkit.errors import Unreadable

_TITLES = frozenset(("title", "name", "heading", "head"))
_OF_MARKUP = frozenset(("id", "class", "style", "role", "version", "lang", "encoding", "width", "height"))
_MARKUP = frozenset(("description", "encoded", "content", "summary"))


def parse(source: Source, out: Builder) -> None:
    root = _tree(source, out)
    title = next(root.iter("{*}title"), None)
    if title is not None and title.text:
        out.title = title.text
    _element(root, 1, out)


def _tree(source: Source, out: Builder) -> Any:
    """Well-formed XML as it is; of anything else what a forgiving parser finds, and a row that says so."""
    options: dict[str, Any] = {
        "resolve_entities": False, "no_network": True, "huge_tree": True, "remove_comments": True, "remove_pis": True
    }  # fmt: skip
    try:
        return etree.fromstring(source.data, etree.XMLParser(**options))
    except etree.XMLSyntaxError as error:
        root = etree.fromstring(source.data, etree.XMLParser(**options, recover=True))
        if root is None:
            raise Unreadable("No XML element was found in it.", "Check that the file is complete.") from error
        broken = f"Its XML is broken ({error}); what stands there or after it may be missing from the text."
        out.failures.append(Failure(source.uri, broken, "Mend it with the program that made it."))
        return root


def _element(element: Any, depth: int, out: Builder) -> None:
    name = _name(element)
    text = (element.text or "").strip()
    if name in _TITLES and text:
        out.heading("".join(element.itertext()), max(1, depth - 1))
    elif _is_prose(element):
        out.block(" ".join("".join(element.itertext()).split()), gap="\n")
    else:
        if text:
            _text(name, text, element, out)
        elif said := [f"{key}: {value}" for key, value in element.attrib.items() if _says(key, value)]:
            out.block(f"{name} | {' | '.join(said)}", gap="\n")
        for child in element:
            _element(child, depth + 1, out)
        if len(element):
            out.separate()


def _name(element: Any) -> str:
    return re.split("[}:]", element.tag)[-1].lower()  # also of a prefix that stands for nothing


def _is_prose(element: Any) -> bool:
    """Words with elements among them, as a paragraph with a bold word has, or with entities, which stay unexpanded."""
    if any(not isinstance(child.tag, str) for child in element):
        return True
    inside = [(child.tail or "").strip() for child in element]
    return any(inside) or bool(len(element) and (element.text or "").strip())


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
