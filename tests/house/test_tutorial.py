"""The tutorial is one session: its blocks are run in their order, in one folder, and print what it shows."""

import re
import shlex
import subprocess
from pathlib import Path

from tests.command import Done, python, ragkit

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```', re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


class Session:
    """A shell, as far as the tutorial needs one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ran: list[str] = []

    def run(self, command: str) -> str:
        self.ran.append(command)
        if command.startswith("cd "):
            self.folder = self.folder / command[3:]
            return ""
        surroundings = {"COLUMNS": "100", "PATH": "/usr/bin:/bin", "HOME": str(self.folder)}
        if command.startswith("ragkit "):
            return _printed(ragkit(*shlex.split(command)[1:], cwd=self.folder, environment=surroundings))
        return _printed(
            subprocess.run(
                ["bash", "-c", command], cwd=self.folder, env=surroundings, text=True, check=False, capture_output=True
            )
        )

    def python(self, code: str) -> str:
        return _printed(python(code, self.folder))


def _printed(done: Done) -> str:
    printed = done.stdout + done.stderr
    assert done.returncode == 0, f"{done.args}\n{printed}"
    return printed


def test_the_tutorial_runs_as_shown(tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(ROOT / "data")
    session = Session(tmp_path)
    for language, title, text in _BLOCK.findall((ROOT / "docs" / "tutorial.md").read_text("utf-8")):
        if title:
            (session.folder / title).write_text(text, "utf-8")
        elif language == "console":
            for command, shown in _COMMAND.findall(text):
                _is_printed(session.run(command), shown, command)
        elif language == "python":
            said = re.findall(r"^print\(.*\) +# (.*)$", text, re.MULTILINE)
            assert session.python(text).splitlines() == said, text
        else:
            assert language == "sh", f"{language} is not run"
    commands = [command.split()[1] for command in session.ran if command.startswith("ragkit ")]
    assert {"read", "ingest", "ask", "show", "trace", "eval", "sync", "doctor"} <= set(commands)
    report = (tmp_path / "tutorial" / "report.html").read_text("utf-8")
    assert "bm25" in report
    assert "hybrid" in report


def _is_printed(printed: str, shown: str, command: str) -> None:
    lines = [line.rstrip() for line in printed.splitlines()]
    for line in shown.splitlines():
        pattern = re.escape(line.rstrip()).replace("…", ".*")
        assert any(re.fullmatch(pattern, real) for real in lines), f"{command}: {line!r} is not in\n{printed}"
