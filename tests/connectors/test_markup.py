"""Markdown, HTML, notebooks, source code, XML, reStructuredText, EPUB: structure, titles, what is left out."""

import json

import pytest

from . import made
from .parsed import marked, read


def test_markdown_front_matter_is_metadata_and_the_text_stays_as_written() -> None:
    document = read("a.md", "---\ntitle: The plan\ntags: [a, b]\ndate: 2026-03-01\n---\n# Head\n\nSome *text*.\n")
    assert document.title == "The plan"
    assert document.metadata == {"title": "The plan", "tags": ["a", "b"], "date": "2026-03-01"}
    assert document.text == "# Head\n\nSome *text*."


def test_a_rule_at_the_top_of_markdown_is_no_front_matter() -> None:
    assert read("a.md", "---\nJust words: here: and there\n---\nText").text.startswith("---\nJust words")


def test_markdown_headings_fences_tables_and_nested_lists_are_marked() -> None:
    text = "Title\n=====\n\n```python\n# no heading\n```\n\n- a\n  - b\n\n|x|y|\n|-|-|\n|1|2|\n\n> # quoted\n"
    document = read("a.md", text)
    headings = [(mark.label, mark.level) for mark in document.marks if mark.kind == "heading"]
    assert headings == [("Title", 1), ("quoted", 1)]
    assert marked(document, "code") == ["```python\n# no heading\n```"]
    assert [mark.label for mark in document.marks if mark.kind == "code"] == ["python"]
    assert marked(document, "list") == ["- a\n  - b", "- b"]
    assert marked(document, "table") == ["|x|y|\n|-|-|\n|1|2|"]


@pytest.mark.parametrize("block", ["date: 2024-13-45", "a: &a [*a]", "a: &a [x, x]\nb: [*a, *a]"])
def test_front_matter_that_is_none_stays_text(block: str) -> None:
    assert read("a.md", f"---\n{block}\n---\nText.").text.startswith("---\n")


def test_html_leaves_out_what_is_no_content() -> None:
    page = (
        "<html lang=en><head><title>The page</title><meta name=author content=Ann></head><body>"
        "<header><a>Logo</a></header><nav>Menu</nav><div style='display:none'>Hidden</div><p hidden>Hidden</p>"
        "<i aria-hidden=true>x</i><p>Text &amp; more.</p>"
        "<script>bad()</script><aside>Related</aside><button>Buy</button><footer>Imprint</footer></body></html>"
    )
    document = read("a.html", page)
    assert document.text == "Text & more."
    assert document.title == "The page"
    assert document.metadata == {"author": "Ann", "language": "en", "title": "The page"}


def test_html_keeps_what_the_declared_content_holds() -> None:
    page = "<p>Around.</p><main><header><h1>Head</h1></header><aside>A note.</aside><p>Long text here.</p></main>"
    assert read("a.html", page).text == "Head\n\nA note.\n\nLong text here."


def test_html_keeps_every_article_and_headings_of_all_kinds() -> None:
    articles = "".join(f"<article><p>Answer {at}. {'word ' * 20**at}</p></article>" for at in range(3))
    text = read("a.html", f"<body>{articles}</body>").text
    assert all(f"Answer {at}." in text for at in range(3))
    page = (
        "<header><h3>Section</h3><p>Lead.</p></header><h1>Annual<br>Report</h1>"
        "<h2><button>How do I pay?</button></h2><p>By card.</p><button>Buy</button>"
    )
    document = read("a.html", page)
    assert marked(document, "heading") == ["Section", "Annual Report", "How do I pay?"]
    assert "Lead." in document.text
    assert "Buy" not in document.text


def test_html_lists_code_tables_and_line_breaks() -> None:
    page = (
        "<p>One<br>two<br><br>three</p><ol><li>first<ul><li>inner</li></ul></li><li><p>second</p></li></ol>"
        "<pre>a  b\n  c</pre><table><caption>Cap</caption><tr><th>k</th><th>v</th></tr>"
        "<tr><td>x</td><td>1</td></tr></table>"
    )
    document = read("a.html", page)
    assert document.text.startswith("One\ntwo\n\nthree\n\n1. first\n  - inner\n2. second\n\na  b\n  c\n\nCap\nk | v")
    assert marked(document, "code") == ["a  b\n  c"]
    assert marked(document, "table") == ["Cap\nk | v\nx | 1"]
    assert marked(document, "list") == ["1. first\n  - inner\n2. second", "  - inner"]


def test_a_merged_cell_says_its_words_in_every_row_and_column() -> None:
    page = (
        "<table><tr><th rowspan=2>Year</th><th colspan=2>Sales</th></tr><tr><th>North</th><th>South</th></tr>"
        "<tr><td>2026</td><td>1</td><td rowspan=99999999999>2</td></tr></table>"
    )
    assert read("a.html", page).text == "Year | Sales | Sales\nYear | North | South\n2026 | 1 | 2"
    for claim in ("9999", "9" * 5000):
        wide = f"<table><tr><td colspan={claim}>a</td><td rowspan={claim}>b</td></tr><tr><td>c</td></tr></table>"
        assert len(read("a.html", wide).text) < 2000


def test_html_in_its_declared_encoding() -> None:
    assert read("a.html", b"<meta charset=koi8-r><p>\xf0\xd2\xc9\xd7\xc5\xd4</p>").text == "Привет"
    assert read("a.html", "<meta charset=windows-1251><p>Привет, мир</p>".encode("cp1251")).text == "Привет, мир"


def test_a_page_nested_a_thousand_deep_is_read() -> None:
    assert read("a.html", "<div>" * 5000 + "deep" + "</div>" * 5000).text == "deep"


def test_a_notebook_keeps_cells_in_order_with_what_they_printed() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Head\n", "\n", "Text."]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"output_type": "stream", "text": ["1\n"]}]},
    ]
    kernel = {"kernelspec": {"language": "python"}}
    document = read("a.ipynb", json.dumps({"nbformat": 4, "metadata": kernel, "cells": cells}))
    assert document.text == "# Head\n\nText.\n\nprint(1)\n\n1"
    assert [(mark.kind, mark.label) for mark in document.marks] == [("heading", "Head"), ("code", "python")]


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("a.py", "import os\n\n@cache\ndef one():\n    pass\n\nclass Two:\n    def inner(self): ...\n", ["one", "Two"]),
        ("b.py", "print 'of another age'\ndef one():\n    pass\n\nclass Two:\n    one = 1.\n", ["one", "Two"]),
        ("a.go", "package a\n\nfunc One() int {\n\treturn 1\n}\n\ntype Two struct {\n\tA int\n}\n", ["One", "Two"]),
        ("a.rs", "fn one() {\n    inner();\n}\n\npub struct Two {\n    a: u8,\n}\n", ["one", "Two"]),
        ("a.js", "function one() {\n  return 1\n}\nclass Two {\n  inner() {}\n}\n", ["one", "Two"]),
        ("a.ts", "export const one = (a) => {\n  return a\n}\nconst k = 1\nexport class Two {}\n", ["one", "Two"]),
        ("a.sh", "echo hello\n", []),
        ("a.java", "package a;\nclass One {\n    void inner() {}\n}\n", ["One"]),
    ],
)  # fmt: skip
def test_source_code_marks_what_is_defined_at_the_top(name: str, text: str, names: list[str]) -> None:
    document = read(name, text)
    assert document.text == text
    assert [mark.label for mark in document.marks] == names
    for mark in document.marks:
        assert mark.label in document.text[mark.start : mark.end]
        assert document.text[mark.end - 1] in "}s.", "to its end and no further"


def test_xml_feeds_read_as_their_entries_and_entities_are_not_expanded() -> None:
    feed = (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY lol "lol"><!ENTITY file SYSTEM "file:///etc/passwd">]>'
        "<rss><channel><title>News</title><item><title>Big &lol; day</title>"
        "<description>&lt;p&gt;It &lt;b&gt;happened&lt;/b&gt;.&lt;/p&gt;</description><author>&file;Ann</author></item>"
        "</channel></rss>"
    )
    document = read("a.xml", feed)
    assert document.title == "News"
    assert "It happened." in document.text
    assert "Big &lol; day" in document.text
    assert "&file;Ann" in document.text
    assert "root:" not in document.text


def test_broken_xml_is_read_as_far_as_it_goes_and_says_so() -> None:
    document = read("a.xml", "<a><p>One.</p><p>Two.</a>")
    assert "One." in document.text
    assert "broken" in document.failures[0].reason


def test_xml_prose_keeps_its_words_together_and_long_texts_whole() -> None:
    assert (
        read("a.xml", "<a><p>Hello <b>bold</b> and <i>italic</i> words.</p></a>").text == "Hello bold and italic words."
    )
    assert read("a.xml", f"<a><p>{'word ' * 2_500_000}</p><p>after</p></a>").text.endswith("after")


def test_xml_that_keeps_its_data_in_attributes_is_read() -> None:
    document = read("a.xml", '<countries version="1"><country id="7" code="NO" name="Norway"/></countries>')
    assert document.text == "country | code: NO | name: Norway"


def test_xml_with_a_prefix_that_stands_for_nothing_is_read() -> None:
    assert read("a.xml", "<n:a><n:p>Words.</n:p></n:a>").text == "Words."


def test_rst_marks_sections_and_includes_nothing() -> None:
    text = "Title\n=====\n\n.. include:: /etc/passwd\n\nSub\n---\n\n.. code-block:: python\n\n   x = 1\n\nEnd.\n"
    document = read("a.rst", text)
    assert document.text == text.strip("\n")
    headings = [(mark.label, mark.level) for mark in document.marks if mark.kind == "heading"]
    assert headings == [("Title", 1), ("Sub", 2)]
    assert marked(document, "code") == [".. code-block:: python\n\n   x = 1"]


def test_epub_chapters_come_in_reading_order_with_the_books_data() -> None:
    document = read("a.epub", made.epub([made.Section("One", ("First.",)), made.Section("Two", ("Second.",))]))
    assert document.text == "One\n\nFirst.\n\nTwo\n\nSecond."
