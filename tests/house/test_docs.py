"""Every block of Python and every shell session in the README and the docs is run."""

import re
import shlex
from pathlib import Path

import pytest

from ragkit import settings
from ragkit.eval import strategies
from tests.command import python, ragkit

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
"""Its blocks are one session: `test_tutorial` runs them."""
PAGES = [ROOT / "README.md", *sorted(set((ROOT / "docs").rglob("*.md")) - {TUTORIAL})]
_BLOCK = re.compile(r"^```(python|console|toml)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[tuple[str, str]]:
    return [
        (f"{page.relative_to(ROOT)}:{page.read_text().count(chr(10), 0, found.start()) + 1}", found[2])
        for page in PAGES
        for found in _BLOCK.finditer(page.read_text())
        if found[1] == language
    ]


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A folder in which `data/demo` is, as in a clone."""
    (tmp_path / "data").symlink_to(ROOT / "data")
    return tmp_path


@pytest.mark.parametrize(("place", "code"), blocks("python"), ids=lambda value: value.split("\n")[0])
def test_python_runs_and_prints_what_it_says(demo: Path, place: str, code: str) -> None:
    """A line `print(…)  # words` says what is printed, in whichever order."""
    done = python(code, demo)
    assert done.returncode == 0, f"{place}\n{done.stderr}"
    said = re.findall(r"^\s*print\(.*\) +# (.*)$", code, re.MULTILINE)
    if said:
        assert sorted(done.stdout.splitlines()) == sorted(line.strip() for line in said), place


@pytest.mark.parametrize(("place", "text"), blocks("toml"), ids=lambda value: value.split("\n")[0])
def test_settings_are_settings(tmp_path: Path, place: str, text: str) -> None:
    path = tmp_path / "ragkit.toml"
    path.write_text(text)
    if "[base]" in text or "[variants" in text:
        assert strategies.load(path), place
    elif "[project" not in text:
        assert settings.load(path).version == settings.VERSION, place


@pytest.mark.parametrize(("place", "session"), blocks("console"), ids=lambda value: value.split("\n")[0])
def test_console_sessions_run_as_shown(demo: Path, place: str, session: str) -> None:
    """`$ ragkit …` is run; what is shown below it must be printed, `…` standing for anything."""
    for command, shown in re.findall(r"^\$ (ragkit .*)\n((?:(?!\$ ).*\n)*)", session, re.MULTILINE):
        surroundings = {"COLUMNS": "100", "PATH": "/usr/bin:/bin", "HOME": str(demo)}
        done = ragkit(*shlex.split(command)[1:], cwd=demo, environment=surroundings)
        printed = done.stdout + done.stderr
        lines = [line.rstrip() for line in printed.splitlines()]
        for line in shown.splitlines():
            pattern = re.escape(line.rstrip()).replace("…", ".*")
            assert any(re.fullmatch(pattern, real) for real in lines), f"{place}: {line!r} is not in\n{printed}"
