"""HTML: the main content without navigation, scripts and what is hidden; headings, tables, lists and code marked.

It walks the tree of selectolax, measured against trafilatura and resiliparse (docs/decisions/html.md): both drop
paragraphs and tables of pages that are no articles, and give text in which marks would have to be searched for.
"""

import re
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ragkit.connectors.builder import Builder
from ragkit.connectors.source import Source
from ragkit.connectors.table import Cell, spread

_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_NEVER = (
    "script, style, noscript, template, svg, iframe, object, canvas, audio, video, head, "
    "[hidden], [aria-hidden=true], [style*='display:none'], [style*='display: none'], [style*='visibility:hidden']"
)
_NEVER_CONTENT = "nav, select, dialog, [role=navigation], [role=search], [role=menu], [role=menubar], [role=dialog]"
_AROUND = "footer, aside, [role=banner], [role=contentinfo], [role=complementary]"
"""Not content where the page says nothing of where its content is; inside what it declares as such they may be."""
_MAIN = ("main", "[role=main]", "article", "#mw-content-text", "#content", "#main")
"""What a page declares as its content, if it does so once: of several articles each is some of it."""
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_LINES = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hgroup",
        "legend",
        "main",
        "nav",
        "p",
        "section",
        "summary",
        "td",
        "th",
        "caption",
        "html",
    ]
)
_DEEPEST = 200
_SPACE = re.compile(r"[ \t\r\n\f]+")


def parse(source: Source, out: Builder) -> None:
    declared = _CHARSET.search(source.data[:4096])
    write(source.text(declared[1].decode("ascii") if declared else ""), out)


def write(html: str, out: Builder, *, part: bool = False) -> None:
    """A page into a builder; as a part of another document (a mail's body, a book's chapter) it has no say on that."""
    tree = LexborHTMLParser(html)
    if not part:
        _describe(tree, out)
    body = tree.body or tree.root
    if body is None:
        return
    _drop(body, _NEVER)
    _Page(out).children(_content(body))
    out.separate()


def plain_text(html: str) -> str:
    """The words of a scrap of HTML, as in a feed's entries."""
    out = Builder()
    write(html, out, part=True)
    return out.build("").text


def _describe(tree: LexborHTMLParser, out: Builder) -> None:
    title = tree.css_first("title")
    if title and not out.title:
        out.title = title.text(strip=True)
    for meta in tree.css("meta[name], meta[property]"):
        attributes = meta.attributes
        name = (attributes.get("name") or attributes.get("property") or "").lower()
        if name in ("author", "description", "keywords", "date", "article:published_time") and attributes.get(
            "content"
        ):
            out.metadata.setdefault(name.rpartition(":")[2], attributes["content"])
    root = tree.root
    if root is not None and root.attributes.get("lang"):
        out.metadata.setdefault("language", root.attributes["lang"])


def _drop(node: LexborNode, selector: str) -> None:
    for found in node.css(selector):
        found.decompose()


def _content(body: LexborNode) -> LexborNode:
    """The part that the page declares as its content, if most of the text is there; else all but what is around it."""
    everything = len(body.text())
    _drop(body, _NEVER_CONTENT)
    for button in body.css("button"):  # but a question that unfolds its answer is a heading with a button in it
        if not _within(button, _HEADINGS | {"summary", "dt"}):
            button.decompose()
    left = len(body.text())
    declared = [nodes[0] for selector in _MAIN if len(nodes := body.css(selector)) == 1]
    sizes = {len(node.text()): node for node in declared}
    enough = [size for size in sizes if size > 0.5 * left]
    if enough:
        return sizes[min(enough)]  # the closest to the content of those that hold most of it
    if left > 0.1 * everything:  # else the page is all navigation, and what is left is its content
        _drop(body, _AROUND)
        for header in body.css("header"):  # one without a heading is the page's, and holds its logo
            if header.css_first(", ".join(sorted(_HEADINGS))) is None:
                header.decompose()
    return body


def _within(node: LexborNode, tags: frozenset[str]) -> bool:
    above = node.parent
    while above is not None:
        if above.tag in tags:
            return True
        above = above.parent
    return False


class _Page:
    """One walk over the tree, writing as it goes."""

    def __init__(self, out: Builder) -> None:
        self.out = out
        self.inline: list[str] = []
        self.bullet = ""
        """What the next line of a list begins with."""
        self.lists = 0

    def children(self, node: LexborNode, depth: int = 0) -> None:
        child = node.child
        while child is not None:
            self.node(child, depth + 1)
            child = child.next
        if depth == 0:
            self.end_line()

    def node(self, node: LexborNode, depth: int) -> None:
        tag = node.tag or ""
        if tag == "-text":
            self.inline.append(node.text_content or "")
        elif depth > _DEEPEST:
            self.inline.append(node.text(separator=" "))
        elif tag == "br":  # two of them are how many pages make a paragraph
            self.end_line("\n" if "".join(self.inline).strip() else "\n\n")
        elif tag == "img":
            self.inline.append(f" {node.attributes.get('alt') or ''} ")
        elif tag in _HEADINGS:
            self.end_line()
            self.out.heading(_words(node), int(tag[1]))
        elif tag == "table" and _is_data(node):
            self.end_line()
            self.out.table(_rows(node))
        elif tag == "pre":
            self.end_line()
            self.code(node)
        elif tag in ("ul", "ol", "menu"):
            self.items(node, tag, depth)
        elif tag in _LINES or tag in ("table", "tr", "tbody", "thead", "hr"):
            gap = "\n" if self.lists or tag in ("tr", "dt", "dd", "div") else "\n\n"
            self.end_line(gap)
            self.children(node, depth)
            self.end_line(gap)
        elif not tag.startswith(("-", "!")):
            self.children(node, depth)

    def end_line(self, gap: str = "\n\n") -> None:
        text = _SPACE.sub(" ", "".join(self.inline)).strip()
        self.inline = []
        if text:
            self.out.write(self.bullet + text)
            self.bullet = ""
        self.out.separate(gap)

    def code(self, node: LexborNode) -> None:
        with self.out.mark("code"):
            self.out.write((node.text() or "").strip("\n"))
        self.out.separate()

    def items(self, node: LexborNode, tag: str, depth: int) -> None:
        outermost = not self.lists
        self.end_line("\n\n" if outermost else "\n")
        self.lists += 1
        with self.out.mark("list"):
            number = 0
            child = node.child
            while child is not None:
                if child.tag == "li":
                    number += 1
                    self.end_line("\n")
                    self.bullet = "  " * (self.lists - 1) + (f"{number}. " if tag == "ol" else "- ")
                    self.children(child, depth + 1)
                    self.end_line("\n")
                    self.bullet = ""
                elif child.tag != "-text":
                    self.node(child, depth + 1)
                child = child.next
            self.end_line("\n")
        self.lists -= 1
        self.end_line("\n\n" if outermost else "\n")


def _is_data(table: LexborNode) -> bool:
    """A table of data, not one that lays out a page: no table inside, several rows and columns, or a header."""
    if len(table.css("table")) > 1:  # the first that is found is the table itself
        return False
    rows = table.css("tr")
    return table.css_first("th") is not None or (len(rows) > 1 and max(len(_cells(row)) for row in rows) > 1)


def _cells(row: LexborNode) -> list[LexborNode]:
    return [cell for cell in row.iter() if cell.tag in ("td", "th")]


def _rows(table: LexborNode) -> list[list[str]]:
    caption = table.css_first("caption")
    rows = [[Cell(_words(cell), _span(cell, "rowspan"), _span(cell, "colspan")) for cell in _cells(row)]
            for row in table.css("tr")]  # fmt: skip
    return [*([[_words(caption)]] if caption is not None else []), *spread(rows)]


def _span(cell: LexborNode, name: str) -> int:
    said = (cell.attributes.get(name) or "").strip()
    return int(said) if said.isdecimal() and len(said) < 5 else 1


def _words(node: Any) -> str:
    """A cell's words; its own paragraphs and lines are kept apart."""
    inner = Builder()
    _Page(inner).children(node)
    return inner.build("").text
