import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import ragkit
from ragkit.errors import InvalidInput, RagkitError


def test_a_workspace_is_made_on_demand_and_remembers_its_domains(tmp_path: Path) -> None:
    workspace = ragkit.open(tmp_path / "new" / "place")
    workspace.add_domain("finance", description="Reports, revenue, budgets", keywords=["revenue"])
    workspace.add_domain("engineering")
    again = ragkit.open(tmp_path / "new" / "place")
    assert list(again.domains) == ["finance", "engineering"]
    assert again.domains["finance"].description == "Reports, revenue, budgets"
    assert again.domains["finance"].keywords == ["revenue"]
    assert [path.name for path in again.path.iterdir()] == ["ragkit.toml"], "and nothing else is left behind"


def test_adding_a_domain_again_changes_what_is_given_and_keeps_the_rest_of_the_file(tmp_path: Path) -> None:
    workspace = ragkit.open(tmp_path)
    workspace.add_domain("finance", description="old", keywords=["revenue"])
    file = tmp_path / "ragkit.toml"
    file.write_text(file.read_text() + "\n# a note of its owner\n")
    ragkit.open(tmp_path).add_domain("finance", description="new")
    domain = ragkit.open(tmp_path).domains["finance"]
    assert (domain.description, domain.keywords) == ("new", ["revenue"])
    assert "# a note of its owner" in file.read_text()


@pytest.mark.parametrize("name", ["", "Finance", "a b", "../up", "a/b", "x" * 64, "finance\n"])
def test_a_name_that_could_not_be_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="no name for a domain"):
        ragkit.open(tmp_path).add_domain(name)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("version = 0\n", "version"),
        ("vresion = 1\n", "vresion: Extra inputs are not permitted. Did you mean 'version'"),
        ("[domains.finance]\nkeyword = ['x']\n", "domains.finance.keyword.*Did you mean 'keywords'"),
        ("[domains.finance]\nchunker = {sise = 3}\n", "chunker.sise.*Did you mean 'size'"),
        ("[domains.finance]\nchunker = 'structured'\n", "chunker.kind: Input should be 'structure'"),
        ("[domains.finance]\nchunker = {kind = 'fixed', size = 20, overlap = 20}\n", "overlap must be smaller"),
        ("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "no valid TOML"),
        ("[domains\n", "no valid TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "ragkit.toml").write_text(text)
    with pytest.raises(InvalidInput, match=complaint):
        ragkit.open(tmp_path)


def test_a_workspace_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ragkit.toml").write_text("version = 99\nnew_thing = 1\n")
    with pytest.raises(RagkitError, match=r"written for a newer ragkit \(version 99; this one knows 1\)"):
        ragkit.open(tmp_path)


def test_how_a_domain_is_indexed_can_be_said_in_short_and_stays_short_in_the_file(tmp_path: Path) -> None:
    workspace = ragkit.open(tmp_path)
    workspace.add_domain("d", chunker={"kind": "fixed", "size": 99}, embedder="hash", analyzer="german")
    text = (tmp_path / "ragkit.toml").read_text()
    assert 'chunker = {kind = "fixed", size = 99}' in text
    (tmp_path / "ragkit.toml").write_text(text.replace('{name = "hash"}', '"minilm"'))
    again = ragkit.open(tmp_path).domains["d"]
    assert (again.chunker.size, again.embedder.name, again.analyzer.language) == (99, "minilm", "german")
    with pytest.raises(InvalidInput, match=r"chunker\.kind"):
        workspace.add_domain("d", chunker="none of them")


def test_a_file_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(InvalidInput, match="is a file"):
        ragkit.open(tmp_path / "a.txt")


def test_a_file_that_cannot_be_written_whole_is_not_written_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = ragkit.open(tmp_path)
    before = (tmp_path / "ragkit.toml").read_text()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RagkitError, match=r"cannot be written .No space left"):
        workspace.add_domain("finance")
    assert (tmp_path / "ragkit.toml").read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["ragkit.toml"]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says which files are open")
def test_what_was_opened_for_a_while_leaves_no_file_open(tmp_path: Path) -> None:
    def held() -> list[str]:
        links = [one.readlink() for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]
        return [str(link) for link in links if link.is_relative_to(tmp_path)]

    (tmp_path / "a.txt").write_text("Words.")
    with ragkit.open(tmp_path) as place:
        place.add_domain("d", embedder="hash")
        place.ingest(tmp_path / "a.txt", "d")
        assert place.search("words")
        assert held()
    assert not held()


def test_what_others_changed_meanwhile_is_kept(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(f"Words of {name}.")
    one, other = ragkit.open(tmp_path / "w"), ragkit.open(tmp_path / "w")
    other.add_domain("d", embedder="hash")
    other.ingest(tmp_path / "b", "d")
    file = tmp_path / "w" / "ragkit.toml"
    file.write_text(file.read_text().replace('description = ""', 'description = "by hand"'))
    one.ingest(tmp_path / "a", "d")
    kept = ragkit.open(tmp_path / "w").domains["d"]
    assert [Path(source).name for source in kept.sources] == ["b", "a"]
    assert (kept.embedder.name, kept.description) == ("hash", "by hand")
    assert one.sync()[0].documents == 2
    one.add_domain("d", description="")
    assert one.domains["d"].description == ""


def test_settings_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "ragkit.toml").mkdir()
    with pytest.raises(RagkitError, match="cannot be read: Is a directory"):
        ragkit.open(tmp_path)


def test_one_domain_in_trouble_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("Words.")
    workspace = ragkit.open(tmp_path / "w")
    for name in ("sick", "well"):
        workspace.add_domain(name, embedder="hash")
        workspace.ingest(tmp_path / "docs", name)
    with sqlite3.connect(tmp_path / "w" / ".ragkit" / "domains" / "sick" / "catalog.sqlite") as catalog:
        catalog.execute("PRAGMA user_version = 99")
    catalog.close()
    (tmp_path / "docs" / "b.txt").write_text("More.")
    sick, well = workspace.sync()
    assert "newer ragkit" in sick.failed[0].reason
    assert well.added == 1
    assert [problem.where for problem in workspace.doctor()] == ["sick"]
    with pytest.raises(RagkitError, match="newer ragkit"):
        workspace.sync(["sick"])


def test_domains_added_by_many_processes_at_once_are_all_kept(tmp_path: Path) -> None:
    ragkit.open(tmp_path)
    code = "import ragkit, sys; ragkit.open('.').add_domain(sys.argv[1])"
    running = [subprocess.Popen([sys.executable, "-c", code, f"domain-{at}"], cwd=tmp_path) for at in range(12)]
    assert [process.wait() for process in running] == [0] * 12
    assert sorted(ragkit.open(tmp_path).domains) == sorted(f"domain-{at}" for at in range(12))
