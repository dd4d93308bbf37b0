"""The command line as its users meet it: a process with two streams and an exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

import ragkit
from ragkit.cli import app
from tests.command import ragkit as run
from tests.connectors.readers import readers_of

Tree = Callable[[dict[str, str | bytes]], Path]


def test_version() -> None:
    command = [sys.executable, "-m", "ragkit", "version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"ragkit {ragkit.__version__}\n", "")
    assert json.loads(run("version", "--json").stdout) == {"version": ragkit.__version__}


def test_read_shows_documents_on_stdout_and_failures_on_stderr(tree: Tree) -> None:
    root = tree({"a.md": "# Alpha\n\nText.", "b.pdf": "%PDF-1.4 cut", ".hidden": "x"})
    done = run("read", str(root))
    assert done.returncode == 0
    assert "a.md" in done.stdout
    assert "Markdown" in done.stdout
    assert "b.pdf: The PDF is damaged or cut off" in done.stderr.replace("\n", " ")
    assert "1 document read" in done.stderr
    assert "1 failed; skipped 1 hidden" in done.stderr.replace("\n", " ")


def test_read_as_json_is_one_object(tree: Tree) -> None:
    root = tree({"a.md": "# Alpha\n\nText.", "b.docx": b"PK\x03\x04", "c.txt": "Words.", "drafts/d.txt": "No."})
    result = json.loads(run("read", str(root), "--json", "--exclude", "drafts/").stdout)
    assert [row["uri"] for row in result["documents"]] == ["a.md", "c.txt"]
    assert result["documents"][0] == {
        "uri": "a.md", "title": "Alpha", "media_type": "text/markdown", "characters": 14, "marks": {"heading": 1}
    }  # fmt: skip
    assert [row["uri"] for row in result["failed"]] == ["b.docx"]
    assert result["failed"][0].keys() == {"uri", "reason", "hint"}
    assert result["skipped"] == {"ignored": 1}


def test_read_prints_text_for_other_programs(tree: Tree) -> None:
    done = run("read", str(tree({"a.html": "<p>One.</p><p>Two.</p>"})), "--text")
    assert done.stdout == "One.\n\nTwo.\n\n"


def test_many_documents_are_summed_up_by_format(tree: Tree) -> None:
    lines = "\n".join(json.dumps({"id": at, "text": "Words."}) for at in range(300))
    done = run("read", str(tree({"many.jsonl": lines, "a.md": "# Alpha"})))
    assert len(done.stdout.splitlines()) < 10
    assert "300" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["read", "no/such/place"], 1, "There is no file or folder at 'no/such/place'"),
        (["read", ""], 2, "There is no path to read from"),
        (["read", "wiki:team"], 1, "There is no connector 'wiki'"),
        (["read"], 2, "PATH"),
        (["read", ".", "--workers", "0"], 2, "workers"),
        (["nonsense"], 2, "No such command 'nonsense'"),
        (["domains"], 2, "Make it one with: ragkit init"),
    ],
)
def test_a_mistake_is_a_sentence_and_an_exit_code(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_an_empty_workspace_and_one_with_nothing_read_say_so(tree: Tree, tmp_path: Path) -> None:
    folder = tree({"docs/a.pdf": "%PDF-cut"}) / "docs"
    place = str(tmp_path / "w")
    run("init", place)
    done = run("domains", "-w", place)
    assert (done.returncode, done.stdout) == (0, "")
    assert "ragkit ingest FOLDER" in done.stderr
    done = run("ingest", str(folder), "--domain", "d", "-w", place)
    assert done.returncode == 1
    assert done.stdout.startswith("d: 1 failed; now 0 documents")


def test_reading_nothing_is_a_failure(tree: Tree) -> None:
    assert run("read", str(tree({"a.pdf": "%PDF-cut"}))).returncode == 1


def test_names_in_documents_cannot_paint_the_terminal(tree: Tree) -> None:
    done = run("read", str(tree({"a[bold red]\x1b[31m.md": "# [red]x[/]\x1b[2J"})))
    assert "\x1b" not in done.stdout + done.stderr
    assert "[bold red]" in done.stdout


def test_a_reader_who_has_seen_enough_is_no_error(tree: Tree) -> None:
    root = tree({f"{at}.txt": "Words. " * 20_000 for at in range(10)})
    command = [sys.executable, "-m", "ragkit", "read", str(root), "--text"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode == 0
    assert b"Traceback" not in errors
    assert b"BrokenPipe" not in errors


def test_a_full_disk_is_a_sentence(tree: Tree) -> None:
    root = tree({"a.txt": "Words."})
    command = [sys.executable, "-m", "ragkit", "read", str(root), "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "The output cannot be written: No space left on device." in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_it_with_a_word_and_leaves_no_process(tree: Tree) -> None:
    root = tree({f"{at}.txt": "Words. " * 1000 for at in range(3000)})
    command = [sys.executable, "-m", "ragkit", "read", str(root), "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        while not readers_of(process.pid):
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the readers, too
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "ragkit: stopped"
    assert "Traceback" not in errors
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_ctrl_c_during_an_ingest_keeps_what_was_committed(tree: Tree, tmp_path: Path) -> None:
    root = tree({f"docs/{at}.txt": f"Words {at}. " * 50 for at in range(4000)})
    ragkit.open(tmp_path / "w").add_domain("d", embedder="hash")
    command = [sys.executable, "-m", "ragkit", "ingest", str(root / "docs"), "--domain", "d", "-w", str(tmp_path / "w")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        while not list((tmp_path / "w").rglob("*.safetensors")):
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "ragkit: stopped"
    assert run("doctor", "--repair", "-w", str(tmp_path / "w")).stdout == "All is well.\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """One with two domains, in a folder whose name is not easy."""
    place = ragkit.open(tmp_path / "my wörk space")
    for name, text in {
        "tea": "# Tea\n\nGreen tea is steeped at 80 degrees.",
        "coffee": "Coffee is ground first.",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name} [bold].md").write_text(f"---\nyear: 2024\n---\n{text}")
        place.add_domain(name, description=f"About {name}", keywords=[name], embedder="hash")
        place.ingest(tmp_path / name, name)
    place.close()
    return place.path


def test_init_makes_a_commented_file_and_leaves_what_is_there(tmp_path: Path) -> None:
    assert run("init", "w", cwd=tmp_path).returncode == 0
    file = tmp_path / "w" / "ragkit.toml"
    assert "# [domains.finance]" in file.read_text()
    file.write_text("# mine\n")
    assert run("init", "w", cwd=tmp_path).returncode == 0
    assert file.read_text() == "# mine\n"


def test_domains_says_what_each_holds(workspace: Path) -> None:
    rows = json.loads(run("domains", "-w", str(workspace), "--json").stdout)["domains"]
    assert [(row["name"], row["documents"], row["chunks"], row["failed"]) for row in rows] == [
        ("tea", 1, 1, 0), ("coffee", 1, 1, 0),
    ]  # fmt: skip
    assert rows[0]["description"] == "About tea"
    assert "About coffee" in run("domains", "--workspace", str(workspace)).stdout


def test_ingest_as_json_is_one_object(tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "tea" / "broken.pdf").write_text("%PDF-1.4 cut")
    done = run("ingest", str(tmp_path / "tea"), "--domain", "tea", "-w", str(workspace), "--json")
    report = json.loads(done.stdout)
    counts = {name: report[name] for name in ("added", "updated", "renamed", "deleted", "unchanged")}
    assert counts == {"added": 0, "updated": 0, "renamed": 0, "deleted": 0, "unchanged": 1}
    assert (report["domain"], report["documents"], report["chunks"]) == ("tea", 1, 1)
    assert [set(row) for row in report["failed"]] == [{"uri", "reason", "hint"}]
    assert report["seconds"] > 0
    (tmp_path / "coffee" / "more.txt").write_text("Beans are roasted.")
    synced = json.loads(run("sync", "-w", str(workspace), "--json").stdout)["domains"]
    assert [(row["domain"], row["added"], len(row["failed"])) for row in synced] == [("tea", 0, 1), ("coffee", 1, 0)]


def test_search_and_show_agree(workspace: Path) -> None:
    done = run(
        "search", "green tea", "--domain", "tea", "-k", "3", "--where", "year=2024", "-w", str(workspace), "--json"
    )
    found = json.loads(done.stdout)
    assert found["strategy"] == "hybrid"
    (hit,) = found["hits"]
    assert (hit["rank"], hit["domain"], hit["uri"], hit["title"]) == (1, "tea", "tea [bold].md", "Tea")
    assert (hit["pages"], hit["heading"]) == ([], "Tea")
    shown = json.loads(run("show", hit["uri"], "--domain", "tea", "-w", str(workspace), "--json").stdout)
    assert shown["text"][hit["start"] : hit["end"]] == hit["text"]
    assert shown["metadata"] == {"year": 2024}
    assert shown["marks"][0]["kind"] == "heading"
    assert run("show", hit["uri"], "--domain", "tea", "-w", str(workspace)).stdout == shown["text"] + "\n"
    told = run("search", "green tea", "-w", str(workspace))
    assert "1. tea [bold].md › Tea" in told.stdout
    assert "80 degrees" in told.stdout


def test_doctor_finds_and_mends(workspace: Path) -> None:
    assert json.loads(run("doctor", "-w", str(workspace), "--json").stdout) == {"ok": True, "problems": []}
    (file,) = (workspace / ".ragkit" / "domains" / "tea").glob("*.safetensors")
    file.write_bytes(b"nonsense")
    sick = run("doctor", "-w", str(workspace), "--json")
    assert sick.returncode == 1
    (problem,) = json.loads(sick.stdout)["problems"]
    assert set(problem) == {"what", "where", "repair"}
    assert run("doctor", "--repair", "-w", str(workspace)).stdout == "All is well.\n"
    assert "80 degrees" in run("search", "tea", "-w", str(workspace)).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["ingest", "no/such/place"], 1, "There is no file or folder at"),
        (["ingest", "empty"], 1, "holds nothing that ragkit can read"),
        (["ingest", "tea", "--domain", "Not A Name"], 2, "is no name for a domain"),
        (["search", "tea", "--domain", "tee"], 1, "Did you mean 'tea'?"),
        (["search", "the of"], 2, "holds no word to search for"),
        (["search", "???"], 2, "holds no word to search for"),
        (["search", "tea", "-k", "0"], 2, "Ask for at least 1"),
        (["search", "x" * 100_000], 2, "Ask a shorter one"),
        (["search", "tea", "--strategy", "bm52"], 2, "Did you mean 'bm25'?"),
        (["search", "tea", "--where", "year"], 2, "is no condition"),
        (["show", "tea", "--domain", "tea"], 1, "holds no document 'tea'"),
        (["sync", "--domain", "tee"], 1, "There is no domain 'tee'"),
        (["search", "tea", "-w", "elsewhere"], 2, "Make it one with: ragkit init"),
        (["sync", "-w", "elsewhere"], 2, "Make it one with: ragkit init"),
        (["doctor", "-w", "elsewhere"], 2, "Make it one with: ragkit init"),
    ],
)
def test_a_mistake_with_a_workspace_is_a_sentence(
    tmp_path: Path, workspace: Path, arguments: list[str], code: int, words: str
) -> None:
    (tmp_path / "empty").mkdir()
    place = [] if "-w" in arguments else ["-w", str(workspace)]
    done = run(*arguments, *place, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert json.loads(run("doctor", "-w", str(workspace), "--json").stdout)["ok"], "and nothing is lost"


def test_a_new_domain_is_told_of_where_there_are_others(tmp_path: Path, workspace: Path) -> None:
    done = run("ingest", str(tmp_path / "tea"), "--domain", "tee", "-w", str(workspace))
    assert "tee is a new domain, beside tea, coffee" in done.stderr


def test_the_help_lists_every_command() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    shown = group.list_commands(typer.Context(group))
    assert sorted(shown) == sorted({*group.commands, "eval"})
    assert all(group.get_command(typer.Context(group), name) for name in shown)
