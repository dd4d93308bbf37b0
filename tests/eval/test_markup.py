"""What documents say stands on a page as text: no tag, no link, no end of the element that holds it."""

from html.parser import HTMLParser

import pytest

from ragkit.eval.answered import Answered, Cited
from ragkit.eval.answerview import answer_block
from ragkit.eval.markup import escaped
from ragkit.eval.table import _inert

HOSTILE = [
    "<script>alert(1)</script>", "</script><script>x</script>", "</details></section></main>",
    '<a href="javascript:alert(1)">x</a>', "[x](javascript:alert(1))", '" onmouseover="alert(1)', "' onload='x",
    "<img src=x onerror=alert(1)>", "<!-- x", "]]><svg/onload=x>", "&lt;b&gt;", "<\u200bscript>", "\u202e\x1b[31m",
    "a | b `c` **d** <br> ![e](http://evil.example)", "```\n# f", "<style>*{display:none}</style>",
]  # fmt: skip


class Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.text += data


def block(text: str) -> str:
    return answer_block(_answered(text), {}, lambda uri: f"before {text} after")


def _answered(text: str) -> Answered:
    cited = Cited(1, "d", text, 0, 1000)
    return Answered(text=text, citations=(cited,), missing=(text,), model=text, seconds=1.0)


@pytest.mark.parametrize("text", HOSTILE, ids=map(ascii, HOSTILE))
def test_an_answer_and_its_quotes_add_no_element_and_no_attribute(text: str) -> None:
    plain, hostile = Seen(block("plain")), Seen(block(text))
    assert hostile.tags == plain.tags
    assert hostile.names == plain.names
    assert "\x1b" not in hostile.text
    assert "\u202e" not in hostile.text


@pytest.mark.parametrize("text", HOSTILE, ids=map(ascii, HOSTILE))
def test_an_attribute_holds_it_and_nothing_more(text: str) -> None:
    seen = Seen(f'<p title="{escaped(text)}">x</p>')
    assert (seen.tags, seen.names, seen.text) == (["p", "/p"], {"title"}, "x")


@pytest.mark.parametrize("text", HOSTILE, ids=map(ascii, HOSTILE))
def test_markdown_reads_nothing_in_a_cell(text: str) -> None:
    from markdown_it import MarkdownIt

    row = f"| head |\n| --- |\n| {_inert(text)} |\n"
    tokens = list(MarkdownIt("commonmark").enable("table").parse(row))
    inline = [child.type for token in tokens if token.type == "inline" for child in token.children or ()]
    assert set(inline) <= {"text"}
    assert [token.type for token in tokens].count("td_open") == 1
