"""ARCHITECTURE.md names files that exist, and every module has its room; links of the root lead somewhere."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("connectors", "indexes", "ragkit", "eval")
PAGE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")


def rooms(folder: str) -> list[str]:
    """The names in the section of this folder; a star stands for anything."""
    _, _, section = PAGE.partition(f"\n### {folder}\n")
    return re.findall(r"`([^`]+)`", section.partition("\n#")[0])


def modules(folder: str) -> set[str]:
    return {path.stem for path in (ROOT / folder).glob("*.py")} - {"__init__"}


def test_every_file_that_the_walks_name_is_there() -> None:
    named = set(re.findall(r"`([\w./-]+/[\w.-]*)`", PAGE))
    assert len(named) > 40
    assert not [name for name in sorted(named) if not (ROOT / name).exists()]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_module_has_a_room(folder: str) -> None:
    homeless = [name for name in modules(folder) if not any(fnmatch(name, room) for room in rooms(folder))]
    assert not homeless, f"name them in ARCHITECTURE.md, under {folder}: {', '.join(sorted(homeless))}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_room_is_empty(folder: str) -> None:
    empty = [room for room in rooms(folder) if not any(fnmatch(name, room) for name in modules(folder))]
    assert not empty, f"ARCHITECTURE.md names what {folder} does not have: {', '.join(empty)}"


def test_a_name_stands_in_one_room_only() -> None:
    for folder in FOLDERS:
        names = rooms(folder)
        assert len(names) == len(set(names)), folder


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=lambda page: page.name)
def test_links_of_the_root_lead_somewhere(page: Path) -> None:
    """Those of `docs` are seen to by `make pages`. A page that is named in backquotes is a link for readers, too."""
    text = page.read_text("utf-8")
    linked = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text) + re.findall(r"`(docs/[\w/-]+\.md)`", text)
    assert not [one for one in linked if not (ROOT / one).exists()]
