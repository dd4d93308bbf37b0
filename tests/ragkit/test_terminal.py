"""What documents say is shown, and nothing of it is obeyed."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import ragkit
from ragkit.glyphs import shown
from ragkit.terminal import plain
from tests import asks

HOSTILE = "\x1b[31mred\x1b[0m \x1b]8;;http://evil.example\x07link\x1b]8;;\x07 "
HOSTILE += "\x9b2J \u202eabc\u2066 [red]x[/] [link=y]z[/link] [/ :bomb:"
CONTROL = ("\x1b", "\x9b", "\x07", "\u202e", "\u2066")


def printed(markup: str) -> str:
    console = Console(file=io.StringIO(), emoji=False, width=4000)
    console.print(markup, highlight=False, soft_wrap=True)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().removesuffix("\n")


@given(st.text(alphabet="\\[]/abred#@= :\x1b\u202e", max_size=12), st.text(alphabet="\\[]/abred=", max_size=12))
def test_text_is_printed_as_it_is_whatever_stands_beside_it(one: str, other: str) -> None:
    """Also the half of a tag whose other half is the next text."""
    assert printed(f"[bold]{plain(one)}[/]{plain(other)}: {plain(one)}]") == f"{shown(one)}{other}: {shown(one)}]"


@given(st.text(max_size=40))
def test_what_is_shown_is_as_long_and_cannot_move_anything(text: str) -> None:
    said = shown(text)
    assert len(said) == len(text)
    assert said.replace("\u200c", "").replace("\u200d", "").isprintable()
    assert all(one == other or other == " " for one, other in zip(text, said, strict=True))


@pytest.mark.parametrize("text", ["می‌خواهم", "👩‍👩‍👧", "Zürich 深い"])
def test_what_words_are_made_of_stays(text: str) -> None:
    assert shown(text) == text


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "tower of hostile", "-k", "20"],
        ["show", "hostile.txt", "--domain", "towns"],
        ["ask", "How high is the tower of hostile?"],
        ["trace", "last", "--texts"],
        ["trace"],
        ["route", "How high is the tower of hostile?"],
        ["doctor"],
        ["domains"],
        ["read", "docs", "--text"],
        ["read", "docs"],
        ["search", "hostile", "--json"],
        ["ask", "hostile", "--json"],
        ["show", "hostile.txt", "--domain", "towns", "--json"],
        ["trace", "last", "--json"],
    ],
    ids=" ".join,
)
def test_no_command_lets_a_document_paint_the_terminal(
    place: ragkit.Workspace, arguments: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ragkit.cli import main

    monkeypatch.chdir(place.path)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    out, err = capfd.readouterr()
    assert not [sign for sign in CONTROL if sign in out + err]
    if "--json" in arguments:
        json.loads(out)


def test_a_shown_document_keeps_its_ranges(place: ragkit.Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    from ragkit.cli import main

    with pytest.raises(SystemExit):
        main(["show", "hostile.txt", "--domain", "towns", "-w", str(place.path)])
    text = place.document("hostile.txt", "towns").text
    out = capfd.readouterr().out.removesuffix("\n")
    assert len(out) == len(text)
    assert out.index("metres") == text.index("metres")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> ragkit.Workspace:
    made = asks.workspace(tmp_path_factory.mktemp("hostile") / "w", "")
    folder = made.path / "docs"
    (folder / "hostile.txt").write_text(f"{HOSTILE}\n\nThe tower of hostile {HOSTILE} is 99 metres high.\n")
    (folder / "a\x1b[31m[red]\u202e.txt").write_text(f"The tower of hostile names {HOSTILE} is 98 metres high.\n")
    made.sync()
    made.ask(f"How high is the tower of hostile {HOSTILE}?")
    made.close()
    return made
