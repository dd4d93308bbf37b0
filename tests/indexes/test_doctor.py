"""Every kind of damage is found, told, and mended as far as it can be."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

import ragkit

Damage = Callable[[Path, sqlite3.Connection], object]


@pytest.fixture
def workspace(tmp_path: Path) -> ragkit.Workspace:
    (tmp_path / "docs").mkdir()
    for at in range(20):
        (tmp_path / "docs" / f"{at}.md").write_text(f"---\nn: {at}\n---\n# Part {at}\n\nThe kettle number {at} boils.")
    made = ragkit.open(tmp_path / "w")
    made.add_domain("d", embedder="hash")
    made.ingest(tmp_path / "docs", "d")
    (tmp_path / "docs" / "7.md").unlink()
    made.sync()
    made.close()
    return made


def folder(workspace: ragkit.Workspace) -> Path:
    return workspace.path / ".ragkit" / "domains" / "d"


def segment(place: Path) -> Path:
    return min(place.glob("*.safetensors"))


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 255
    path.write_bytes(data)


INDEX_FILES: dict[str, Damage] = {
    "a file is missing": lambda place, _: segment(place).unlink(),
    "a file is cut off": lambda place, _: segment(place).write_bytes(segment(place).read_bytes()[:-9]),
    "a file is another one": lambda place, _: segment(place).write_bytes(b"x" * segment(place).stat().st_size),
    "a byte of the vectors is wrong": lambda place, _: flip(segment(place), -3000),
    "an orphan lies about": lambda place, _: (place / "00009999-1-0.safetensors").write_bytes(b"x"),
    "the dead are forgotten": lambda _, catalog: catalog.execute("DELETE FROM dead"),
    "a vector is gone": lambda _, catalog: catalog.execute("DELETE FROM vectors WHERE rowid = 3"),
    "a segment is not named": lambda _, catalog: catalog.execute("DELETE FROM segments"),
}
DOCUMENTS: dict[str, Damage] = {
    "a text was changed": lambda _, catalog: catalog.execute("UPDATE documents SET text = 'No.' WHERE uri = '3.md'"),
    "marks are damaged": lambda _, catalog: catalog.execute("UPDATE documents SET marks = '[1]' WHERE uri = '3.md'"),
    "a range is wrong": lambda _, catalog: catalog.execute('UPDATE chunks SET "end" = 9999 WHERE document = 4'),
    "a header is wrong": lambda _, catalog: catalog.execute("UPDATE chunks SET header = 'x' WHERE document = 4"),
    "a range was shifted": lambda _, catalog: catalog.execute("UPDATE chunks SET start = start + 1 WHERE document = 4"),
    "a vector is zero": lambda _, catalog: catalog.execute(
        "UPDATE vectors SET vector = zeroblob(1024) WHERE rowid = 3"
    ),
    "facts are gone": lambda _, catalog: catalog.execute("DELETE FROM facts"),
    "chunks are gone": lambda _, catalog: catalog.execute("DELETE FROM chunks WHERE document = 4"),
}


def do(workspace: ragkit.Workspace, damage: Damage) -> None:
    place = folder(workspace)
    catalog = sqlite3.connect(place / "catalog.sqlite", isolation_level=None)
    damage(place, catalog)
    catalog.close()


def is_well(workspace: ragkit.Workspace) -> bool:
    for strategy in ("bm25", "vector"):
        hits = workspace.search("kettle boils", strategy=strategy, k=100)
        assert sorted(hit.uri for hit in hits) == sorted(f"{at}.md" for at in range(20) if at != 7)
        assert all(workspace.document(hit.uri, "d").text[hit.start : hit.end] == hit.text for hit in hits)
    return workspace.doctor() == []


def test_a_sound_domain_is_well(workspace: ragkit.Workspace) -> None:
    assert is_well(workspace)


@pytest.mark.parametrize("name", INDEX_FILES)
def test_what_is_derived_is_made_anew(workspace: ragkit.Workspace, name: str) -> None:
    do(workspace, INDEX_FILES[name])
    problems = workspace.doctor()
    assert problems, name
    assert all("ragkit doctor --repair" in problem.repair for problem in problems)
    assert all(problem.where.startswith("d: ") and problem.what.endswith(".") for problem in problems)
    workspace.doctor(repair=True)
    workspace.close()
    assert is_well(workspace)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_was_read_is_read_again(workspace: ragkit.Workspace, name: str) -> None:
    do(workspace, DOCUMENTS[name])
    problems = workspace.doctor()
    assert any("ragkit sync" in problem.repair for problem in problems), name
    workspace.doctor(repair=True)
    workspace.sync()
    workspace.doctor(repair=True)
    workspace.close()
    assert is_well(workspace)


@pytest.mark.parametrize("name", list(INDEX_FILES)[:3])
def test_a_missing_or_broken_file_is_mended_by_the_next_search(workspace: ragkit.Workspace, name: str) -> None:
    do(workspace, INDEX_FILES[name])
    assert is_well(workspace)


def test_what_a_disk_altered_does_not_pass_into_a_new_file(workspace: ragkit.Workspace, tmp_path: Path) -> None:
    path = segment(folder(workspace))
    path.write_bytes(path.read_bytes()[:-4000] + bytes(4000))
    (tmp_path / "docs" / "new.md").write_text("A new kettle boils.")
    workspace.sync()
    assert any("checksum" in problem.what for problem in workspace.doctor())
    (tmp_path / "docs" / "new.md").unlink()
    workspace.sync()
    workspace.doctor(repair=True)
    assert is_well(workspace)


def test_counts_are_right_after_a_rebuild_of_all(workspace: ragkit.Workspace) -> None:
    do(workspace, INDEX_FILES["a segment is not named"])
    workspace.doctor(repair=True)
    assert workspace.status("d") == {"documents": 19, "chunks": 19, "failed": 0}


def test_two_damages_at_once_are_mended(workspace: ragkit.Workspace) -> None:
    do(workspace, INDEX_FILES["a file is missing"])
    do(workspace, lambda _, catalog: catalog.execute("UPDATE vectors SET vector = x'00' WHERE rowid = 3"))
    workspace.doctor(repair=True)
    assert is_well(workspace)


def test_an_empty_catalog_beside_index_files_is_no_sound_one(workspace: ragkit.Workspace) -> None:
    for path in folder(workspace).glob("catalog.sqlite*"):
        path.write_bytes(b"")
    assert "catalog is empty" in workspace.doctor()[0].what
    workspace.doctor(repair=True)
    workspace.sync()
    assert is_well(workspace)


@pytest.mark.parametrize("array", ["ids", "rows"])
def test_rows_that_cannot_be_are_mended_by_the_search_that_meets_them(workspace: ragkit.Workspace, array: str) -> None:
    path = segment(folder(workspace))
    data = bytearray(path.read_bytes())
    begin = 8 + int.from_bytes(data[:8], "little")
    start, end = (begin + at for at in json.loads(data[8:begin])[array]["data_offsets"])
    for at in range(start, end):
        data[at] ^= 0x55
    path.write_bytes(data)
    assert is_well(workspace)


def test_a_catalog_that_is_none_is_put_aside_and_made_anew(workspace: ragkit.Workspace) -> None:
    catalog = folder(workspace) / "catalog.sqlite"
    catalog.write_bytes(b"This is no database. " * 1000)
    with pytest.raises(ragkit.RagkitError, match="ragkit doctor"):
        workspace.search("kettle")
    (problem,) = workspace.doctor()
    assert "not a database" in problem.what
    workspace.doctor(repair=True)
    workspace.sync()
    assert is_well(workspace)
    assert catalog.with_name("catalog.sqlite.damaged").exists()


def test_a_newer_catalog_is_left_alone(workspace: ragkit.Workspace) -> None:
    do(workspace, lambda _, catalog: catalog.execute("PRAGMA user_version = 99"))
    for call in (workspace.sync, lambda: workspace.search("kettle")):
        with pytest.raises(ragkit.RagkitError, match="newer ragkit"):
            call()
    (problem,) = workspace.doctor(repair=True)
    assert "newer ragkit" in problem.what
    assert (folder(workspace) / "catalog.sqlite").exists()
