"""`ragkit chat` as its users meet it: lines in a pipe, or a terminal."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import ragkit
from tests import asks

FIRST = "How high is the tower of Delft?"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    made = asks.workspace(tmp_path, "")
    yield made.path
    made.close()


def chat(place: Path, said: str | bytes, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ragkit", "chat", "-w", str(place), *options]
    given = said.encode() if isinstance(said, str) else said
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    return subprocess.CompletedProcess(
        command, done.returncode, done.stdout.decode(), done.stderr.decode().replace("\n", " ")
    )


def test_lines_are_questions_and_answers_go_to_stdout(place: Path) -> None:
    done = chat(place, f"{FIRST}\n\nAnd Ghent?\n")
    assert done.returncode == 0
    assert "43 metres" in done.stdout
    assert "46 metres" in done.stdout
    assert "→ How high is the tower of Ghent?" in done.stderr
    assert "The conversation is kept. Go on with it: ragkit chat --resume" in done.stderr


def test_json_is_one_object_a_turn(place: Path) -> None:
    done = chat(place, f"{FIRST}\nAnd Ghent?\n", "--json")
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["turn"], second["turn"]) == (1, 2)
    assert first["chat"] == second["chat"]
    assert (second["question"], second["standalone"]) == ("And Ghent?", "How high is the tower of Ghent?")
    assert second["citations"][0]["uri"] == "Ghent.md"
    listed = json.loads(chat(place, "", "--list", "--json").stdout)
    assert [(one["id"], one["turns"], one["first"]) for one in listed["chats"]] == [(first["chat"], 2, FIRST)]


def test_a_conversation_is_resumed_and_what_no_longer_stands_is_said(place: Path) -> None:
    assert "No conversation is kept yet" in chat(place, "", "--list").stderr
    chat(place, f"{FIRST}\n")
    (place / "docs" / "Delft.md").write_text("# Delft\n\nIts tower fell.\n")
    with_it = ragkit.open(place)
    with_it.sync()
    with_it.close()
    done = chat(place, "And Ghent?\n", "--resume", "last")
    assert "46 metres" in done.stdout
    assert f"1 turn so far; the last: {FIRST}" in done.stderr
    assert "Turn 1 cites Delft.md " in done.stderr
    assert "2 turns" in chat(place, "", "--list").stdout


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--resume", "nothing"], 1, "There is no conversation 'nothing'."),
        (["--resume", "../../x"], 1, "There is no conversation"),
        (["--resume", "a", "--list"], 2, "do not go together"),
        (["-k", "0"], 2, "Invalid value"),
        (["--where", "="], 2, "="),
    ],
)
def test_wrong_usage(place: Path, options: list[str], code: int, said: str) -> None:
    done = chat(place, "", *options)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_question_that_fails_does_not_end_the_others_and_is_told_at_the_end(place: Path) -> None:
    done = chat(place, f"{'x ' * 60_000}\n{FIRST}\n", "--json")
    failed, answered = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 1
    assert "error" in failed
    assert "43 metres" in answered["answer"]


def test_what_a_document_or_a_question_says_does_not_paint_the_terminal(place: Path) -> None:
    text = "# Zug\n\nThe tower of Zug is \x1b[31m7\u202e metres [bold]high.\n"
    (place / "docs" / "Zug.md").write_text(text)
    with_it = ragkit.open(place)
    with_it.sync()
    with_it.close()
    done = chat(place, f"{FIRST}\nAnd \x1b[32m Zug\u202e?\n/sources\n/turns\n".encode() + b"\xff\xfe Zug?\n")
    assert "7" in done.stdout
    for sign in ("\x1b", "\u202e"):
        assert sign not in done.stdout + done.stderr
    assert done.returncode == 0


def test_commands(place: Path) -> None:
    done = chat(place, f"/sources\n/help\n/nonsense\n{FIRST}\n/sources\n/turns\n/quit\nAnd Ghent?\n")
    assert "Nothing was asked yet." in done.stderr
    assert "/sources  what the last answer rests on" in done.stderr
    assert "There is no command /nonsense" in done.stderr
    assert done.stdout.count("The tower of Delft is 43 metres high.") >= 2
    assert f"1 {FIRST}" in done.stdout
    assert "46 metres" not in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of Unix")
@pytest.mark.parametrize("end", [b"\x04", b"\x03"], ids=["Ctrl-D", "Ctrl-C"])
def test_in_a_terminal_it_ends_with_a_word(place: Path, end: bytes) -> None:
    import pty

    process, terminal = pty.fork()
    if process == 0:
        os.environ["TERM"] = "dumb"
        os.execv(sys.executable, [sys.executable, "-m", "ragkit", "chat", "-w", str(place)])
    screen = _Screen(terminal)
    try:
        screen.until("›")
        os.write(terminal, f"{FIRST}\n".encode())
        assert "43 metres" in screen.until("ragkit trace")
        screen.until("›")
        os.write(terminal, end)
        assert "The conversation is kept" in screen.until("--resume")
        screen.rest()
    finally:
        _, status = os.waitpid(process, 0)
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0


class _Screen:
    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._unread = ""

    def until(self, wanted: str) -> str:
        """What was written up to this, since it was last looked at."""
        while wanted not in self._unread:
            got = self._read()
            assert got, f"It ended without {wanted!r}: {self._unread}"
            self._unread += got
        seen, _, self._unread = self._unread.partition(wanted)
        return seen

    def rest(self) -> None:
        while self._read():
            pass

    def _read(self) -> str:
        try:
            return os.read(self._terminal, 4096).decode("utf-8", "replace")
        except OSError:  # Linux says so that the other side is gone
            return ""


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C of Unix")
def test_ctrl_c_in_a_pipe_keeps_what_was_answered(place: Path) -> None:
    command = [sys.executable, "-m", "ragkit", "chat", "-w", str(place)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stderr
        process.stdin.write(f"{FIRST}\n")
        process.stdin.flush()
        assert any("ragkit trace" in line for line in iter(process.stderr.readline, ""))
        time.sleep(0.2)
        os.killpg(process.pid, signal.SIGINT)
        said = process.stderr.read()
        assert process.wait(60) == 130
    assert "The conversation is kept" in said
    assert "Traceback" not in said
    with_it = ragkit.open(place)
    (one,) = with_it.chats()
    assert one.turns == 1
    with_it.close()
