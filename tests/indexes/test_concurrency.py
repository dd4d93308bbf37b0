"""Many read while one writes; a second writer is told who the first is; nobody sees half of a change."""

import json
import os
import random
import re
import subprocess
import sys
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

import ragkit
from ragkit.errors import NotFound, RagkitError
from ragkit.indexes import writer
from ragkit.indexes.hit import Hit
from ragkit.indexes.lock import Locked
from ragkit.indexes.sync import Progress
from ragkit.workspace import Workspace
from tests.kill import forks, settings

CHUNKERS = ['{ kind = "structure", size = 48 }', '{ kind = "fixed", size = 32 }']
TAG = re.compile(r"f(\d+)v(\d+)p\d+")
SYNCS, STAY, GO = 16, 12, 40
PATIENCE = 120


def write(path: Path, number: int, version: int) -> None:
    """Every sentence says of which file and version it is."""
    parts = []
    for part in range(5):
        words = " ".join(random.Random(f"{number} {version} {part}").choices(["bano", "teli", "kuma", "ropa"], k=12))
        parts.append(f"# Part {part}\n\nalways f{number}v{version}p{part} {words} f{number}v{version}p{part}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(parts))


def edit(folder: Path, version: int) -> None:
    """Files in `stay` change and never go; the others come, go and move."""
    chance = random.Random(version)
    for number in chance.sample(range(STAY), 4):
        write(folder / "stay" / f"f{number}.md", number, version)
    for number in chance.sample(range(STAY, STAY + GO), 12):
        here, there = folder / "go" / f"f{number}.md", folder / "gone" / f"f{number}.md"
        if here.exists() and chance.random() < 0.5:
            there.parent.mkdir(exist_ok=True)
            here.replace(there)
        elif there.exists():
            there.unlink()
        else:
            write(here, number, version)


def keep_syncing(workspace: Path, folder: Path, done: Event, answer: Connection) -> None:
    writer.MOST_CHUNKS = 10
    opened = ragkit.open(workspace)
    reindexed = 0
    for version in range(1, SYNCS + 1):
        edit(folder, version)
        if version % 6 == 0:
            (workspace / "ragkit.toml").write_text(settings(folder, CHUNKERS[version // 6 % 2]))
        reindexed += synced(opened)
    done.set()
    answer.send(reindexed)


def synced(opened: Workspace) -> int:
    """A doctor may have the lock for a moment."""
    while True:
        try:
            return opened.sync()[0].reindexed
        except Locked:
            continue


def keep_searching(workspace: Path, strategies: list[str], done: Event, answer: Connection) -> None:
    opened = ragkit.open(workspace)
    problems: list[str] = []
    seen: set[int] = set()
    searches = 0
    while not done.is_set() or searches < 20:
        for strategy in strategies:
            try:
                hits = opened.search("always teli", strategy=strategy, k=10)
                stay = opened.search("always", strategy=strategy, k=STAY, where={"uri": {"glob": "stay/*"}})
                problems += [f"{strategy}: {one}" for one in wrong(opened, hits, 10) + wrong(opened, stay, STAY)]
                problems += [f"{hit.uri} is not in stay/" for hit in stay if not hit.uri.startswith("stay/")]
            except Exception as error:
                problems.append(f"{strategy}: {error!r}")
            searches += 1
            seen.add(opened._domain("d").snapshot().generation)
    answer.send((searches, len(seen), problems))


def keep_examining(workspace: Path, done: Event, answer: Connection) -> None:
    """A doctor who sees something strange looks again until it is gone, or nobody writes."""
    said: list[str] = []
    while not done.is_set():
        said += [str(problem) for problem in ragkit.open(workspace).doctor()]
    answer.send(said)


def wrong(opened: Workspace, hits: list[Hit], wanted: int) -> list[str]:
    said = [] if len(hits) == wanted else [f"{len(hits)} hits, not {wanted}"]
    if len({(hit.uri, hit.start, hit.end) for hit in hits}) < len(hits):
        said.append("a hit is there twice")
    for hit in hits:
        tags = set(TAG.findall(hit.text))
        number = Path(hit.uri).stem.removeprefix("f")
        if len(tags) != 1 or {one for one, _ in tags} != {number}:
            said.append(f"{hit.uri} says {hit.text!r}")
            continue
        try:
            text = opened.document(hit.uri, "d").text
        except NotFound:
            continue  # deleted or moved since
        (version,) = tags
        if version in TAG.findall(text) and text[hit.start : hit.end] != hit.text:
            said.append(f"{hit.uri} does not say {hit.text!r} there")
    return said


def made(tmp_path: Path) -> tuple[Path, Path]:
    """A workspace, synced, and the folder that is in it."""
    workspace, folder = tmp_path / "workspace", tmp_path / "folder"
    workspace.mkdir()
    for number in range(STAY + GO):
        write(folder / ("stay" if number < STAY else "go") / f"f{number}.md", number, 0)
    (workspace / "ragkit.toml").write_text(settings(folder, CHUNKERS[0]))
    opened = ragkit.open(workspace)
    opened.sync()
    opened.close()
    return workspace, folder


def started(target: Any, *arguments: Any) -> tuple[Any, Connection]:
    ours, theirs = forks.Pipe()
    process = forks.Process(target=target, args=(*arguments, theirs))
    process.start()
    theirs.close()
    return process, ours


def ended(process: Any, answer: Connection) -> Any:
    assert answer.poll(PATIENCE), "no answer"
    said = answer.recv()
    process.join(PATIENCE)
    assert process.exitcode == 0
    return said


def test_two_processes_search_while_a_third_syncs(tmp_path: Path) -> None:
    workspace, folder = made(tmp_path)
    done = forks.Event()
    readers = [
        started(keep_searching, workspace, strategies, done)
        for strategies in (["bm25", "hybrid"], ["vector", "bm25", "rrf"])
    ]
    doctor = started(keep_examining, workspace, done)
    syncing = started(keep_syncing, workspace, folder, done)
    assert ended(*syncing) > 0
    for reader in readers:
        searches, states, problems = ended(*reader)
        assert problems == []
        assert searches >= 20
        assert states > 3, "it saw no change: nothing was tested"
    assert ended(*doctor) == []
    assert ragkit.open(workspace).doctor() == []


def stay_in_the_middle(workspace: Path, answer: Connection) -> None:
    """Sync, and never come to the end of it."""

    def tell(progress: Progress) -> None:
        if progress.step == "read":
            answer.send(os.getpid())
            answer.recv()

    ragkit.open(workspace).sync(progress=tell)


def ragkit_command(*arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    command = f"import sys\n{before}\nfrom ragkit.cli import main\nmain(sys.argv[1:])"
    return subprocess.run(
        [sys.executable, "-c", command, *arguments], capture_output=True, text=True, check=False, cwd="/"
    )


def test_a_second_writer_is_told_who_the_first_is_and_takes_over_when_that_is_dead(tmp_path: Path) -> None:
    workspace, folder = made(tmp_path)
    edit(folder, 1)
    process, answer = started(stay_in_the_middle, workspace)
    assert answer.poll(PATIENCE)
    pid = answer.recv()
    with pytest.raises(RagkitError, match=rf"process {pid}\b"):
        ragkit.open(workspace).sync()
    told = ragkit_command("sync", "-w", str(workspace))
    assert told.returncode == 1
    assert f"process {pid}" in told.stderr
    assert "Traceback" not in told.stderr
    assert len(ragkit.open(workspace).search("always", k=10)) == 10
    process.kill()
    process.join(PATIENCE)
    assert ragkit.open(workspace).sync()[0].failed == ()
    assert ragkit.open(workspace).doctor() == []


WITHOUT_ROOTS_RIGHTS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if os.geteuid() == 0 and not os.environ.get("DROPPED"):
    for capability in (1, 2, 3):  # to write, read and change what belongs to others or is closed to all
        if libc.prctl(24, capability, 0, 0, 0):
            sys.exit(77)
    os.environ["DROPPED"] = "yes"
    os.execv(sys.executable, sys.orig_argv)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="rights are dropped as Linux does it")
@pytest.mark.parametrize("killed", [False, True])
def test_a_workspace_that_may_not_be_written_is_searched_and_not_ingested_into(tmp_path: Path, killed: bool) -> None:
    workspace, folder = made(tmp_path)
    if killed:  # it leaves the files that SQLite has beside the catalog while it is open
        edit(folder, 1)
        process, answer = started(stay_in_the_middle, workspace)
        assert answer.poll(PATIENCE)
        process.kill()
        process.join(PATIENCE)
    paths = [workspace, *workspace.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        found = ragkit_command("search", "always", "--json", "-w", str(workspace), before=WITHOUT_ROOTS_RIGHTS)
        if found.returncode == 77:
            pytest.skip("SKIPPED: these processes may not drop root's rights")
        assert found.returncode == 0, found.stderr
        assert len(json.loads(found.stdout)["hits"]) == 10
        for arguments in (["sync"], ["ingest", str(folder), "-d", "d"], ["ingest", str(folder), "-d", "other"]):
            told = ragkit_command(*arguments, "-w", str(workspace), before=WITHOUT_ROOTS_RIGHTS)
            assert told.returncode == 1, (arguments, told.stderr)
            assert "Traceback" not in told.stderr, arguments
            assert len(re.findall("^ragkit: ", told.stderr, re.M)) == 1, (arguments, told.stderr)
    finally:
        for path in paths:
            path.chmod(0o755 if path.is_dir() else 0o644)
