"""Where runs are kept: a folder each, with `results.jsonl`, `run.json` and `run.trec`.

A run's folder is named by a hash of all that could change its results, so that a run of other settings is another run.
While it is under way, it is a `.partial` file that grows line by line; it gets its name when it is whole.

Who makes runs holds the folder's lock together with others, who tidies up holds it alone: what lies about then is
nobody's. The folder itself is locked, so that no file is left.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from ragkit.errors import NotFound, RagkitError, nearest_of
from ragkit.eval.answered import read as read_answer
from ragkit.eval.result import Found, Result, Run
from ragkit.eval.trec import write_run

ELSEWHERE = ("domain",)
"""Settings that say where something lies, and change no result."""


class Store:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, name: str, settings: Mapping[str, Any]) -> Path:
        """Where the run of this strategy with these settings belongs."""
        told = {key: value for key, value in settings.items() if key not in ELSEWHERE}
        said = json.dumps([name, told], sort_keys=True, default=str)
        safe = "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in name)[:60]
        return self.folder / f"{safe}-{hashlib.sha256(said.encode()).hexdigest()[:12]}"

    def names(self) -> list[str]:
        """What is kept, damaged or not."""
        return sorted(path.parent.name for path in self.folder.glob("[!.]*/run.json"))

    def kept(self, name: str) -> Run:
        """The run that `names` calls so."""
        if name not in self.names():
            raise NotFound(
                f"There is no run {name!r}.{nearest_of(name, self.names())}", "See what is kept with: ragkit eval runs"
            )
        return read(self.folder / name)

    def find(self, name: str, question_set: str, settings: Mapping[str, Any]) -> Run | None:
        """The whole run, if there is one. One that was damaged is removed, and made again."""
        place = self.place(name, settings)
        if not place.exists():
            return None
        try:
            return replace(read(place), question_set=question_set, settings=dict(settings))
        except RagkitError:
            shutil.rmtree(place)
            return None

    @contextmanager
    def writing(
        self, name: str, settings: Mapping[str, Any]
    ) -> Iterator[tuple[dict[str, Result], Callable[[Result], None]]]:
        """What an earlier attempt found already, and what takes the rest. When it breaks off, it can be resumed."""
        place = self.place(name, settings)
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = place.with_name(f"{place.name}.partial")
        with partial.open("a", encoding="utf-8") as file:
            _lock(file)
            _cut_to_whole_lines(partial)
            done = dict(_lines(partial))

            def add(result: Result) -> None:
                file.write(_line(result))
                file.flush()

            yield done, add

    def finish(self, run: Run) -> Path:
        """Put a run in its place, whole."""
        place = self.place(run.name, run.settings)
        made = Path(tempfile.mkdtemp(dir=self.folder, prefix=".run-"))
        (made / "results.jsonl").write_text("".join(map(_line, run.results.values())), "utf-8")
        write_run(made / "run.trec", run)
        about = {
            "name": run.name, "question_set": run.question_set, "made": run.made, "results": len(run.results),
            "settings": run.settings,
        }  # fmt: skip
        (made / "run.json").write_text(json.dumps(about, indent=2, default=str), "utf-8")
        for path in made.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        try:
            made.rename(place)
        except OSError:  # another process finished the same run first
            shutil.rmtree(made)
        self.drop(run.name, run.settings)
        return place

    def reopen(self, name: str, settings: Mapping[str, Any]) -> None:
        """Take a whole run out of its place, to be made anew from what was added to its attempt."""
        shutil.rmtree(self.place(name, settings))

    def drop(self, name: str, settings: Mapping[str, Any]) -> None:
        """Forget an attempt that was not finished."""
        place = self.place(name, settings)
        place.with_name(f"{place.name}.partial").unlink(missing_ok=True)

    @contextmanager
    def working(self) -> Iterator[None]:
        """While this lasts, nobody tidies up."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if sys.platform == "win32":  # which cannot lock a folder
            yield
            return
        import fcntl

        with _opened(self.folder) as handle:
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether nobody makes a run, and nobody begins one while this lasts."""
        if sys.platform == "win32" or not self.folder.is_dir():
            yield not self.folder.is_dir()  # where a folder cannot be locked, nobody can tell
            return
        import fcntl

        with _opened(self.folder) as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def tidy(self) -> None:
        """Remove what is left of processes that were killed. An attempt stays, for it can be resumed, unless its run
        is there. When others make runs, it is left to the next one."""
        with self.alone() as alone:
            if alone:
                for path in self.folder.glob(".run-*"):
                    shutil.rmtree(path, ignore_errors=True)
                for path in self.unfinished():
                    if path.with_suffix("").is_dir():
                        path.unlink()

    def unfinished(self) -> list[Path]:
        """The attempts that were not finished."""
        return sorted(self.folder.glob("*.partial"))


def read(place: Path) -> Run:
    try:
        about = json.loads((place / "run.json").read_text("utf-8"))
        results = dict(_lines(place / "results.jsonl"))
        if len(results) != about["results"]:
            raise ValueError(f"{len(results)} results of {about['results']}")
        return Run(about["name"], about["question_set"], about["settings"], results, about.get("made", ""))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RagkitError(f"The run {place.name} is damaged: {error}.", f"Remove {place} and run it again.") from error


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


def _lock(file: IO[str]) -> None:
    """One process at a time makes a run; another one of the same waits."""
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)


def _cut_to_whole_lines(path: Path) -> None:
    """What stopped an earlier attempt may have cut off its last line."""
    if path.exists():
        with path.open("r+b") as file:
            file.truncate(file.read().rfind(b"\n") + 1)


def _lines(path: Path) -> Iterator[tuple[str, Result]]:
    if not path.exists():
        return
    for row in map(json.loads, filter(None, path.read_text("utf-8").split("\n"))):
        hits = tuple(Found(**hit) for hit in row["hits"])
        answer = read_answer(row.get("answer"))
        yield row["question"], Result(row["question"], hits, row["seconds"], row["error"], answer)


def _line(result: Result) -> str:
    return json.dumps(asdict(result), default=str) + "\n"  # money is a decimal, which JSON has as text
