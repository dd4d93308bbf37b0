"""What a sync tells apart, and what it must never lose."""

import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

import ragkit
from ragkit.connectors.place import connectors
from ragkit.errors import InvalidInput, NotFound

Tree = Callable[[dict[str, str | bytes]], Path]


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> ragkit.Workspace:
    made = ragkit.open(tmp_path_factory.mktemp("workspace") / "with a näme")
    made.add_domain("d", embedder="hash")
    return made


def counts(report: ragkit.IngestReport) -> dict[str, int]:
    names = ("added", "updated", "renamed", "deleted", "unchanged")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


def uris(workspace: ragkit.Workspace, query: str, domain: str = "d") -> list[str]:
    return sorted(hit.uri for hit in workspace.search(query, [domain], "bm25", k=100))


def test_added_changed_renamed_deleted_and_unchanged_are_told_apart(workspace: ragkit.Workspace, tree: Tree) -> None:
    root = tree({f"{name}.txt": f"The {name} stands in the garden." for name in ("apple", "birch", "cedar", "elm")})
    assert counts(workspace.ingest(root, "d")) == {"added": 4}
    assert counts(workspace.ingest(root, "d")) == {"unchanged": 4}
    (root / "apple.txt").write_text("The quince stands in the garden.")
    (root / "birch.txt").rename(root / "beech.txt")
    (root / "cedar.txt").unlink()
    (root / "fir.txt").write_text("The fir stands in the forest.")
    report = workspace.sync()[0]
    assert counts(report) == {"added": 1, "updated": 1, "renamed": 1, "deleted": 1, "unchanged": 1}
    assert (report.documents, report.failed) == (4, ())
    assert uris(workspace, "apple") == uris(workspace, "cedar") == []
    assert uris(workspace, "quince") == ["apple.txt"]
    assert uris(workspace, "birch") == ["beech.txt"]
    assert counts(workspace.sync()[0]) == {"unchanged": 4}


def test_a_touched_file_is_unchanged_and_an_unchanged_one_is_not_even_opened(
    workspace: ragkit.Workspace, tree: Tree
) -> None:
    root = tree({"a.txt": "Words.", "b.txt": "More words."})
    workspace.ingest(root, "d")
    os.utime(root / "a.txt", (1, 1))
    assert counts(workspace.sync()[0]) == {"unchanged": 2}
    old = (root / "b.txt").stat().st_atime_ns
    os.utime(root / "b.txt", ns=(old - 10**18, (root / "b.txt").stat().st_mtime_ns))
    workspace.sync()  # reads it once more, as its time of change is another
    os.utime(root / "b.txt", ns=(5, (root / "b.txt").stat().st_mtime_ns))
    workspace.sync()
    before = (root / "b.txt").stat().st_atime_ns
    for _ in range(3):
        workspace.sync()
    assert (root / "b.txt").stat().st_atime_ns == before


def test_equal_documents_are_both_kept_and_both_deletable(workspace: ragkit.Workspace, tree: Tree) -> None:
    root = tree({"one.txt": "Equal words.", "two.txt": "Equal words.", "three.txt": "Others."})
    workspace.ingest(root, "d")
    assert uris(workspace, "equal") == ["one.txt", "two.txt"]
    (root / "one.txt").unlink()
    assert counts(workspace.sync()[0]) == {"deleted": 1, "unchanged": 2}
    assert uris(workspace, "equal") == ["two.txt"]
    (root / "two.txt").unlink()
    workspace.sync()
    assert uris(workspace, "equal") == []
    assert workspace.doctor() == []


def test_a_file_that_fails_keeps_its_old_version_and_is_told_of_until_it_is_mended(
    workspace: ragkit.Workspace, tree: Tree
) -> None:
    root = tree({"a.json": '{"text": "The falcon flies."}', "b.txt": "Words."})
    workspace.ingest(root, "d")
    (root / "a.json").write_bytes(b"%PDF-1.7 cut off")
    for _ in range(2):
        report = workspace.sync()[0]
        assert [failure.uri for failure in report.failed] == ["a.json"]
        assert uris(workspace, "falcon") == ["a.json"]
        assert workspace.status("d")["failed"] == 1
    (root / "a.json").write_text('{"text": "The heron flies."}')
    assert counts(workspace.sync()[0]) == {"updated": 1, "unchanged": 1}
    assert workspace.status("d")["failed"] == 0
    assert (uris(workspace, "falcon"), uris(workspace, "heron")) == ([], ["a.json"])


def test_records_and_members_are_documents_that_change_by_themselves(workspace: ragkit.Workspace, tree: Tree) -> None:
    lines = [json.dumps({"id": name, "text": f"The {name} sings."}) for name in ("lark", "wren", "robin")]
    root = tree({"birds.jsonl": "\n".join(lines)})
    with zipfile.ZipFile(root / "more.zip", "w") as archive:
        archive.writestr("thrush.txt", "The thrush sings.")
    assert counts(workspace.ingest(root, "d")) == {"added": 4}
    (root / "birds.jsonl").write_text("\n".join([lines[0], lines[2].replace("sings", "hums"), "no json"]))
    report = workspace.sync()[0]
    assert counts(report) == {"updated": 1, "unchanged": 2}
    assert [failure.uri for failure in report.failed] == ["birds.jsonl#L3"]
    kept = ["birds.jsonl#lark", "birds.jsonl#wren", "more.zip#thrush.txt"]
    assert uris(workspace, "sings") == kept, "the broken line may be the wren's"
    (root / "more.zip").rename(root / "other.zip")
    (root / "birds.jsonl").write_text("\n".join(lines))
    assert counts(workspace.sync()[0]) == {"updated": 1, "renamed": 1, "unchanged": 2}
    assert "other.zip#thrush.txt" in uris(workspace, "sings")
    (root / "birds.jsonl").write_text("\n".join(lines[:2]))
    assert counts(workspace.sync()[0]) == {"deleted": 1, "unchanged": 3}


def test_sources_with_the_same_names_are_all_kept(workspace: ragkit.Workspace, tree: Tree) -> None:
    root = tree({"north/README.md": "Pines.", "south/README.md": "Palms.", "east/README.md": "Reeds."})
    for name in ("north", "south", "east"):
        workspace.ingest(root / name, "d")
    assert [*uris(workspace, "pines"), *uris(workspace, "palms"), *uris(workspace, "reeds")] == [
        "README.md", "south/README.md", "east/README.md",
    ]  # fmt: skip
    (root / "south" / "README.md").write_text("Olives.")
    assert counts(workspace.sync()[0]) == {"updated": 1, "unchanged": 2}
    assert uris(workspace, "olives") == ["south/README.md"]
    assert workspace.document("south/README.md", "d").text == "Olives."


def test_a_source_that_is_gone_is_a_failure_and_its_documents_stay(workspace: ragkit.Workspace, tree: Tree) -> None:
    root = tree({"docs/a.txt": "The pond."})
    workspace.ingest(root / "docs", "d")
    (root / "docs").rename(root / "elsewhere")
    report = workspace.sync()[0]
    assert report.documents == 1
    assert "There is no file or folder" in report.failed[0].reason
    assert uris(workspace, "pond") == ["a.txt"]


def test_what_ragkit_toml_no_longer_names_is_deleted_and_what_moved_is_renamed(
    workspace: ragkit.Workspace, tree: Tree
) -> None:
    root = tree({"docs/a.txt": "The pond.", "more/b.txt": "The brook."})
    workspace.ingest([root / "docs", root / "more"], "d")
    file = workspace.path / "ragkit.toml"
    (root / "docs").rename(root / "moved")
    file.write_text(file.read_text().replace(str(root / "docs"), str(root / "moved")))
    assert counts(workspace.sync()[0]) == {"renamed": 1, "unchanged": 1}
    file.write_text(file.read_text().replace(f'"{root / "more"}"', ""))
    assert counts(workspace.sync()[0]) == {"deleted": 1, "unchanged": 1}
    assert uris(workspace, "brook") == []


def test_sources_inside_a_workspace_move_with_it(tmp_path: Path) -> None:
    (tmp_path / "one" / "docs").mkdir(parents=True)
    (tmp_path / "one" / "docs" / "a.txt").write_text("The pond.")
    workspace = ragkit.open(tmp_path / "one")
    workspace.add_domain("d", embedder="hash")
    workspace.ingest(tmp_path / "one" / "docs", "d")
    workspace.ingest(tmp_path / "one", "whole")
    assert workspace.settings.domains["d"].sources == ["docs"]
    assert workspace.status("whole")["documents"] == 1, "its own settings and indexes are no documents"
    workspace.close()
    (tmp_path / "one").rename(tmp_path / "two")
    moved = ragkit.open(tmp_path / "two")
    (tmp_path / "two" / "docs" / "b.txt").write_text("The brook.")
    assert [counts(report) for report in moved.sync()] == [{"added": 1, "unchanged": 1}] * 2


def test_a_place_of_ones_own_is_synced_like_a_folder(
    workspace: ragkit.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wiki:
        pages: ClassVar = {"start": "Welcome, reader."}

        def __init__(self, rest: str) -> None:
            self.names = sorted(Wiki.pages)
            self.texts = dict(Wiki.pages)

        def scan(self) -> object:
            for name in self.names:
                yield ragkit.Item(name, self.texts[name], "text/plain", 1)
            if "broken" in self.names:
                raise ConnectionError("the line is dead")

        def read(self, item: ragkit.Item) -> ragkit.Document:
            return ragkit.Document(item.uri, self.texts[item.uri])

    monkeypatch.setitem(connectors, "wiki", Wiki)
    assert counts(workspace.ingest("wiki:team", "d")) == {"added": 1}
    Wiki.pages = {"broken": "New."}
    report = workspace.sync()[0]
    assert counts(report) == {"added": 1}
    assert report.documents == 2, "what a listing did not come to is not gone"
    assert "the line is dead" in report.failed[0].reason


def test_a_changed_recipe_indexes_anew_while_the_old_index_serves(workspace: ragkit.Workspace, tree: Tree) -> None:
    text = " ".join(f"Sentence {at} of the tale is short." for at in range(60))
    root = tree({"tale.txt": text})
    before = workspace.ingest(root, "d").chunks
    workspace.add_domain("d", chunker={"kind": "fixed", "size": 20})
    assert workspace.status("d")["chunks"] == before
    assert workspace.search("sentence 7", ["d"], "vector")
    report = workspace.sync()[0]
    assert (report.reindexed, counts(report)) == (1, {"unchanged": 1})
    assert report.chunks > before
    assert workspace.doctor() == []
    assert all(hit.text == text[hit.start : hit.end] for hit in workspace.search("sentence 7", ["d"]))
    assert workspace.sync()[0].reindexed == 0


def test_only_changed_chunks_are_embedded_and_equal_ones_once(
    workspace: ragkit.Workspace, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ragkit.indexes.hashing import HashEmbedder

    embedded: list[str] = []
    real = HashEmbedder.passages

    def counting(self: HashEmbedder, texts: Sequence[str]) -> Any:
        embedded.extend(texts)
        return real(self, texts)

    monkeypatch.setattr(HashEmbedder, "passages", counting)
    paragraphs = [f"# Part {at}\n\n" + f"Word{at} and more words of it. " * 20 for at in range(8)]
    root = tree({"a.md": "\n\n".join(paragraphs), "copy.md": "\n\n".join(paragraphs)})
    workspace.ingest(root, "d")
    assert len(embedded) == len(set(embedded)) > 4
    known = len(embedded)
    (root / "a.md").write_text(
        "\n\n".join([*paragraphs[:3], paragraphs[3].replace("Word3", "Changed"), *paragraphs[4:]])
    )
    workspace.sync()
    assert 1 <= len(embedded) - known <= 2


def test_a_file_that_was_named_by_itself_and_is_deleted_is_gone(workspace: ragkit.Workspace, tree: Tree) -> None:
    root = tree({"a.txt": "The pond.", "b.txt": "The brook."})
    workspace.ingest([root / "a.txt", root / "b.txt"], "d")
    (root / "a.txt").unlink()
    report = workspace.sync()[0]
    assert (counts(report), report.failed) == ({"deleted": 1, "unchanged": 1}, ())


def test_a_link_that_is_a_source_is_followed_anew(workspace: ragkit.Workspace, tree: Tree) -> None:
    root = tree({"one/a.txt": "The pond.", "two/a.txt": "The brook."})
    (root / "current").symlink_to(root / "one")
    workspace.ingest(root / "current", "d")
    (root / "current").unlink()
    (root / "current").symlink_to(root / "two")
    workspace.sync()
    assert (uris(workspace, "pond"), uris(workspace, "brook")) == ([], ["a.txt"])


def test_one_document_that_cannot_be_kept_does_not_stop_the_rest(
    workspace: ragkit.Workspace, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree({"a.jsonl": '{"text": "The pond.", "n": 1' + "0" * 400 + "}", "b.txt": "The brook."})
    assert counts(workspace.ingest(root, "d")) == {"added": 2}
    assert len(workspace.search("pond", where={"n": {">": 10**30}})) == 1

    class Odd:
        def __init__(self, rest: str) -> None:
            self.rest = rest

        def scan(self) -> Iterator[ragkit.Item]:
            yield from (ragkit.Item(name, "1", "text/plain", 1) for name in ("good", "bad"))

        def read(self, item: ragkit.Item) -> ragkit.Document:
            return ragkit.Document(item.uri, "Reeds \ud800." if item.uri == "bad" else "Rushes \0 sway.")

    monkeypatch.setitem(connectors, "odd", Odd)
    report = workspace.ingest("odd:x", "d")
    assert (counts(report), [failure.uri for failure in report.failed]) == ({"added": 1}, ["bad"])
    (hit,) = workspace.search("rushes", strategy="bm25")
    assert hit.text == "Rushes \0 sway."
    assert workspace.doctor() == []


def test_indexes_that_were_removed_under_an_open_workspace_are_not_served_on(
    workspace: ragkit.Workspace, tree: Tree
) -> None:
    root = tree({"a.txt": "The pond."})
    workspace.ingest(root, "d")
    assert uris(workspace, "pond") == ["a.txt"]
    shutil.rmtree(workspace.path / ".ragkit")
    (root / "a.txt").write_text("The brook.")
    with pytest.raises(NotFound, match="holds nothing yet"):
        workspace.search("pond")
    ragkit.open(workspace.path).sync()
    assert (uris(workspace, "pond"), uris(workspace, "brook")) == ([], ["a.txt"])


def test_vectors_that_nothing_needs_any_more_are_forgotten(workspace: ragkit.Workspace, tree: Tree) -> None:
    root = tree({"a.txt": "The pond.", "b.txt": "The pond.", "c.txt": "The brook."})
    workspace.ingest(root, "d")

    def vectors() -> int:
        catalog = sqlite3.connect(workspace.path / ".ragkit" / "domains" / "d" / "catalog.sqlite")
        (count,) = catalog.execute("SELECT count(*) FROM vectors").fetchone()
        catalog.close()
        return int(count)

    assert vectors() == 2
    (root / "a.txt").unlink()
    (root / "c.txt").write_text("The marsh.")
    workspace.sync()
    assert vectors() == 2
    (root / "b.txt").unlink()
    workspace.sync()
    assert vectors() == 1


def test_wrong_places_are_told_and_leave_no_trace(workspace: ragkit.Workspace, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound, match="There is no file or folder"):
        workspace.ingest(tmp_path / "none", "d")
    with pytest.raises(NotFound, match="holds nothing that ragkit can read"):
        workspace.ingest(tmp_path / "empty", "new")
    with pytest.raises(InvalidInput, match="no name for a domain"):
        workspace.ingest(tmp_path, "No Name")
    assert list(workspace.domains) == ["d"]
    assert workspace.domains["d"].sources == []
