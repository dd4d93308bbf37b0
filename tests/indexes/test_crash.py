"""A writer that is killed, or whose disk fails, leaves each document in its old or its new version (`make kill`)."""

import random
import shutil
from pathlib import Path

import pytest

from tests import kill


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    return kill.library(tmp_path_factory.mktemp("faults"))


def test_every_stop_leaves_the_old_or_the_new_version(tmp_path: Path, faults: Path | None) -> None:
    if faults is None:
        pytest.skip("SKIPPED FOR WANT OF gcc: kills at chosen calls, full disks and failed fsyncs")
    bench = kill.Bench(tmp_path.resolve(), faults)
    tally = kill.play(bench, files=40, tasks=6, kills=2, faults=1, seed=5)
    assert tally.violations == []
    assert tally.kills["kill"] >= 6
    assert tally.kills["full disk"] >= 3
    assert tally.kills["fsync error"] >= 1


def test_a_kill_at_any_time_leaves_the_old_or_the_new_version(tmp_path: Path) -> None:
    tally = kill.play(kill.Bench(tmp_path.resolve(), None), files=30, tasks=3, kills=1, faults=0, seed=6)
    assert tally.violations == []


def test_index_files_are_on_the_disk_before_the_catalog_names_them(tmp_path: Path, faults: Path | None) -> None:
    """What no kill can show: the system keeps what was written, and loses it only when the power fails."""
    if faults is None:
        pytest.skip("SKIPPED FOR WANT OF gcc: the order of writes")
    task = kill.Tasks(kill.Bench(tmp_path.resolve(), faults), 60, random.Random(4)).next()
    due: set[str] = set()
    for call in task.log:
        if call == "write segment":
            due = {"fsync segment", "fsync folder"}
        due.discard(call)
        assert call != "write wal" or not due, f"the catalog is written before {due}"
    assert task.log.count("write segment") > 2


OLD = {"a": ("one", "t"), "b": ("two", "t"), "c": ("three", "t")}
NEW = {"a": ("one more", "t"), "b": ("two", "t"), "d": ("three", "t")}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (OLD, []),
        (NEW, []),
        ({**OLD, "a": ("one mo", "t")}, ["a is neither its old nor its new version"]),
        ({**OLD, "a": ("one more", "t")}, []),
        ({"a": ("one", "t"), "c": ("three", "t")}, ["b is lost"]),
        ({**OLD, **NEW}, ["c became d, and both of them is there"]),
        ({"a": ("one", "t"), "b": ("two", "t")}, ["c became d, and none of them is there"]),
    ],
)
def test_what_is_illegal_is_noticed(found: kill.State, said: list[str]) -> None:
    assert list(kill.illegal(found, OLD, NEW)) == said


def test_a_damaged_workspace_is_not_a_fresh_one(tmp_path: Path) -> None:
    """The comparison that all of the above relies on can fail."""
    bench = kill.Bench(tmp_path.resolve(), None)
    task = kill.Tasks(bench, 20, random.Random(3)).next()
    assert kill.apart(kill.differences, bench.workspace, task.expected) == []
    some = next(path for path in (bench.folder / "files").rglob("*.md"))
    some.write_text("# Other\n\nwords")
    assert bench.run(["sync"]).code == 0
    assert kill.apart(kill.differences, bench.workspace, task.expected)
    shutil.rmtree(bench.workspace / ".ragkit")
    assert kill.apart(kill.in_catalog, bench.workspace) == {}


def test_a_catalog_that_is_damaged_in_the_middle_is_put_aside_and_made_anew(tmp_path: Path) -> None:
    bench = kill.Bench(tmp_path.resolve(), None)
    task = kill.Tasks(bench, 20, random.Random(3)).next()
    path = bench.workspace / ".ragkit" / "domains" / "d" / "catalog.sqlite"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 3)
        file.write(random.Random(1).randbytes(path.stat().st_size // 3))
    assert bench.run(["doctor", "--repair"]).code == 1
    assert path.with_name("catalog.sqlite.damaged").exists()
    assert bench.run(["sync"]).code == 0
    assert kill.apart(kill.differences, bench.workspace, task.expected) == []
