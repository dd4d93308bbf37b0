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

import ragkit

Tree = Callable[[dict[str, str | bytes]], Path]


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ragkit", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_version() -> None:
    done = run("version")
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
        time.sleep(1.5)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the readers, too
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "ragkit: stopped"
    assert "Traceback" not in errors
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_init_and_domains(tmp_path: Path) -> None:
    assert run("init", "w", cwd=tmp_path).returncode == 0
    ragkit.open(tmp_path / "w").add_domain("finance", description="Reports", keywords=["revenue"])
    assert run("init", "w", cwd=tmp_path).returncode == 0, "what is there stays"
    assert json.loads(run("domains", "-w", "w", "--json", cwd=tmp_path).stdout) == {
        "domains": [{"name": "finance", "description": "Reports", "keywords": ["revenue"]}]
    }
    assert "finance" in run("domains", "--workspace", "w", cwd=tmp_path).stdout
