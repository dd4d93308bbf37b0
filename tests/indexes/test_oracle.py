"""After any history of changes and syncs, a domain equals one that was made from the same folder at once."""

import ctypes
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ragkit
from ragkit.indexes import lexical
from ragkit.indexes.domain import Domain

WORDS = [f"{first}{last}" for first in "bdfgklmnprst" for last in ("ano", "eli", "iru", "opa", "uma", "ay")]


class History:
    """Random changes of a folder, of the kinds that people and programs make."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root, self.random = root, random.Random(seed)
        self.number = 0
        self.locked: list[Path] = []
        root.mkdir()

    def change(self) -> str:
        kinds = ["add"] * 4 + ["edit"] * 4 + ["delete", "rename"] * 2
        kind = self.random.choice([*kinds, "duplicate", "touch", "swap", "folder", "lock", "unlock"])
        files = sorted(path for path in self.root.rglob("*") if path.is_file() and os.access(path, os.R_OK))
        if not files or kind == "add":
            self._write(self._new_path())
        elif kind == "edit":
            self._edit(self.random.choice(files))
        elif kind == "delete" and len(files) > 5:
            self.random.choice(files).unlink()
        elif kind == "rename":
            path = self.random.choice(files)
            path.rename(self._new_path(path.suffix))
        elif kind == "duplicate":
            path = self.random.choice(files)
            shutil.copyfile(path, self._new_path(path.suffix))
        elif kind == "touch":
            os.utime(self.random.choice(files))
        elif kind == "swap":
            self._swap(files)
        elif kind == "folder":
            self._rename_folder()
        elif kind == "lock":
            self._lock(self.random.choice([*files, *(path for path in self.root.iterdir() if path.is_dir())]))
        elif kind == "unlock":
            self.unlock()
        return kind

    def _lock(self, path: Path) -> None:
        path.chmod(0)
        self.locked.append(path)

    def unlock(self) -> None:
        """Give back all permissions. What was locked may have moved meanwhile, with its folder."""
        for path in [self.root, *self.root.rglob("*"), *self.locked]:
            if path.exists():
                path.chmod(0o755 if path.is_dir() else 0o644)
        self.locked.clear()

    def _new_path(self, suffix: str = "") -> Path:
        self.number += 1
        folder = self.root / self.random.choice(["", "a", "b", "b/c"])
        if any(folder.is_relative_to(locked) for locked in self.locked):
            folder = self.root
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"f{self.number}{suffix or self.random.choice(['.md', '.txt', '.jsonl'])}"

    def _text(self) -> str:
        return " ".join(self.random.choices(WORDS, k=self.random.randrange(3, 60)))

    def _write(self, path: Path) -> None:
        if path.suffix == ".jsonl":
            count = self.random.randrange(1, 6)
            path.write_text("".join(f'{{"id": {at}, "text": "{self._text()}"}}\n' for at in range(count)))
        elif path.suffix == ".md":
            heading, count = self.random.choice(WORDS), self.random.randrange(1, 4)
            path.write_text(f"# {heading}\n\n" + "\n\n".join(self._text() for _ in range(count)))
        else:
            path.write_text(self._text())

    def _edit(self, path: Path) -> None:
        """One word or line of it, or all."""
        lines = path.read_text().splitlines()
        if self.random.random() < 0.3:
            self._write(path)
        elif path.suffix == ".jsonl" and len(lines) > 1:
            del lines[self.random.randrange(len(lines))]
            path.write_text("\n".join(lines))
        else:
            word = self.random.choice(WORDS)
            path.write_text(path.read_text().replace(word, self.random.choice(WORDS)))

    def _swap(self, files: list[Path]) -> None:
        one, other = self.random.choice(files), self.random.choice(files)
        if one != other and one.suffix == other.suffix:
            between = self.root / "between"
            one.rename(between)
            other.rename(one)
            between.rename(other)

    def _rename_folder(self) -> None:
        folder = self.root / self.random.choice("ab")
        if folder.is_dir() and folder not in self.locked:
            self.number += 1
            moved = self.root / f"moved{self.number}"
            folder.rename(moved)
            if self.random.random() < 0.7:
                moved.rename(folder)


def content(workspace: ragkit.Workspace) -> dict[str, Any]:
    """All that a domain says, by uri and range, whatever its ids and files are."""
    domain = Domain(workspace.path / ".ragkit" / "domains" / "d", "d")
    state = domain.snapshot()
    scores = {word: lexical.scores(state.pool, {word: 1}) for word in WORDS}
    rows = np.flatnonzero(state.pool.alive)
    vectors = np.concatenate([np.zeros((0, 256)), *(part.segment.vectors for part in state.pool.parts)])
    found = domain.found(state.pool.ids[rows].tolist())
    said: dict[str, Any] = {}
    for row in rows.tolist():
        one = found[int(state.pool.ids[row])]
        key = f"{one.uri}:{one.chunk.start}-{one.chunk.end}"
        assert key not in said, f"{key} is there twice"
        said[key] = (
            one.title, one.chunk.indexed, one.chunk.headings, vectors[row].tobytes(),
            [round(float(values[row]), 4) for values in scores.values()],
        )  # fmt: skip
    domain.close()
    return said


def equals_a_fresh_one(workspace: ragkit.Workspace, folder: Path, fresh: Path) -> None:
    new = ragkit.open(fresh)
    new.add_domain("d", embedder="hash")
    report = new.ingest(folder, "d")
    assert content(workspace) == content(new)
    status = workspace.status("d")
    assert (status["documents"], status["chunks"]) == (report.documents, report.chunks)
    assert workspace.doctor() == []
    new.close()
    shutil.rmtree(fresh)


def sync(workspace: ragkit.Workspace, history: History) -> None:
    """What is locked is a failure, and what was known of it stays."""
    before = {key.rpartition(":")[0] for key in content(workspace)}
    (report,) = workspace.sync()
    after = {key.rpartition(":")[0] for key in content(workspace)}
    for locked in history.locked:
        name = str(locked.relative_to(history.root))
        if locked.exists() or locked.is_symlink():
            assert name in {failure.uri for failure in report.failed}, f"{name} is locked, and not told of"
            kept = {uri for uri in before if uri == name or uri.startswith((f"{name}/", f"{name}#"))}
            assert kept <= after, f"{name} is locked, and its old version is gone"


def live(folder: Path, workspace_folder: Path, seed: int, changes: int) -> None:
    """A whole history, compared now and then."""
    history = History(folder, seed)
    history.change()
    workspace = ragkit.open(workspace_folder)
    workspace.add_domain("d", embedder="hash")
    workspace.ingest(folder, "d")
    for at in range(1, changes + 1):
        history.change()
        if history.random.random() < 0.08:
            sync(workspace, history)
        if at % (changes // 5) == 0:
            history.unlock()
            workspace.sync()
            equals_a_fresh_one(workspace, folder, workspace_folder.with_name("fresh"))
            again = workspace.sync()[0]
            assert (again.added, again.updated, again.renamed, again.deleted, again.failed) == (0, 0, 0, 0, ())
    workspace.close()


def bound_by_permissions() -> None:
    """Even root: without these two capabilities, it may not read what its permissions forbid."""
    if sys.platform == "linux":
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


@pytest.mark.parametrize("seed", [1, 2])
def test_a_history_of_changes_ends_as_a_fresh_ingest(tmp_path: Path, seed: int) -> None:
    done = subprocess.run(
        [sys.executable, __file__, "100", str(seed), str(tmp_path)],
        preexec_fn=bound_by_permissions,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "equal to a fresh ingest" in done.stdout


if __name__ == "__main__":
    if "--bound" not in sys.argv:  # what was dropped counts from the next program on
        bound_by_permissions()
        os.execv(sys.executable, [sys.executable, __file__, *sys.argv[1:], "--bound"])
    began, count, seed, place = time.monotonic(), int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    live(place / "folder", place / "workspace", seed, count)
    print(f"{count} changes, seed {seed}: equal to a fresh ingest each time ({time.monotonic() - began:.0f} s)")
