"""Parsers and connectors of other people: by a plain call, and by an installed package."""

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ragkit.connectors import parser, place
from ragkit.connectors.builder import Builder
from ragkit.connectors.connector import Item
from ragkit.connectors.document import Document
from ragkit.connectors.failure import Failure
from ragkit.connectors.reading import read
from ragkit.connectors.source import Source
from ragkit.errors import InvalidInput

Tree = Callable[[dict[str, str | bytes]], Path]


@pytest.fixture(autouse=True)
def registry_as_it_was() -> Iterator[None]:
    parsers, connectors = list(parser.parsers), dict(place.connectors)
    yield
    parser.parsers[:] = parsers
    place.connectors.clear()
    place.connectors.update(connectors)


def test_an_own_parser_is_asked_before_the_built_in_ones_the_last_first(tree: Tree) -> None:
    for word in ("first", "second"):

        @parser.parser("text/x-shout", [".TXT"])
        def shout(source: Source, out: Builder, word: str = word) -> None:
            out.block(f"{word}: {source.text().upper()}")

    (document,) = read(tree({"a.txt": "words"}))
    assert isinstance(document, Document)
    assert (document.text, document.media_type) == ("second: WORDS", "text/x-shout")


def test_an_own_connector_is_reached_by_its_scheme() -> None:
    @place.connector("memory")
    class Memory:
        def __init__(self, rest: str) -> None:
            self.pages = dict(part.split("=") for part in rest.split(","))

        def scan(self) -> Iterator[Item | Failure]:
            for name, text in self.pages.items():
                yield Item(name, text, "text/plain", len(text))

        def read(self, item: Item) -> Document:
            return Document(item.uri, self.pages[item.uri])

    got = read("memory:a=Alpha,b=Beta")
    assert sorted(one.text for one in got if isinstance(one, Document)) == ["Alpha", "Beta"]


@pytest.mark.parametrize("extensions", [".log", ["log"]])
def test_endings_are_a_list_of_dotted_words(extensions: list[str]) -> None:
    with pytest.raises(InvalidInput, match="no list of endings"):
        parser.parser("text/x-log", extensions)


def test_an_installed_package_adds_a_parser_and_a_connector_by_entry_points(tmp_path: Path) -> None:
    (tmp_path / "site" / "poems-1.0.dist-info").mkdir(parents=True)
    (tmp_path / "site" / "poems-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: poems\nVersion: 1.0\n"
    )
    (tmp_path / "site" / "poems-1.0.dist-info" / "entry_points.txt").write_text(
        "[ragkit.parsers]\npoem = poems:poem\n\n[ragkit.connectors]\nshelf = poems:Shelf\n"
    )
    (tmp_path / "site" / "poems.py").write_text(
        textwrap.dedent(
            """
            import ragkit

            @ragkit.parser("text/x-poem", [".poem"])
            def poem(source, out):
                out.heading(source.text(), level=1)

            class Shelf:
                def __init__(self, rest):
                    self.rest = rest

                def scan(self):
                    yield ragkit.Item("one", "1", "text/plain", 1)

                def read(self, item):
                    return ragkit.Document(item.uri, f"from the shelf {self.rest}")
            """
        )
    )
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.poem").write_text("Ode")
    script = """
        import sys, ragkit
        for place in ("in", "shelf:top"):
            for document in ragkit.read(place):
                print(document.media_type, document.text)
    """
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.append('site'){textwrap.dedent(script)}"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "text/x-poem Ode\ntext/plain from the shelf top\n", done.stderr
