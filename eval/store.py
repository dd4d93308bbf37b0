"""Where runs are kept: a folder each, with `results.jsonl`, `run.json` and `run.trec`.

A run's folder is named by a hash of all that could change its results, so that a run of other settings is another run.
While it is under way, it is a `.partial` file that grows line by line; it gets its name when it is whole.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ragkit.eval.result import Found, Result, Run
from ragkit.eval.trec import write_run


class Store:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, name: str, settings: Mapping[str, Any]) -> Path:
        """Where the run of this strategy with these settings belongs."""
        said = json.dumps(settings, sort_keys=True, default=str)
        safe = "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in name)
        return self.folder / f"{safe}-{hashlib.sha256(said.encode()).hexdigest()[:12]}"

    def find(self, name: str, question_set: str, settings: Mapping[str, Any]) -> Run | None:
        """The whole run, if there is one."""
        place = self.place(name, settings)
        if not (place / "run.json").exists():
            return None
        return read(place)

    @contextmanager
    def writing(
        self, name: str, settings: Mapping[str, Any]
    ) -> Iterator[tuple[dict[str, Result], Callable[[Result], None]]]:
        """What an earlier attempt found already, and what takes the rest. When it breaks off, it can be resumed."""
        place = self.place(name, settings)
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = place.with_name(f"{place.name}.partial")
        _cut_to_whole_lines(partial)
        done = dict(_lines(partial))
        with partial.open("a", encoding="utf-8") as file:

            def add(result: Result) -> None:
                file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")
                file.flush()

            yield done, add

    def finish(self, run: Run) -> Path:
        """Put a run in its place, whole."""
        place = self.place(run.name, run.settings)
        made = Path(tempfile.mkdtemp(dir=self.folder, prefix=".run-"))
        lines = [json.dumps(asdict(result), ensure_ascii=False) for result in run.results.values()]
        (made / "results.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
        write_run(made / "run.trec", run)
        about = {"name": run.name, "question_set": run.question_set, "settings": run.settings}
        (made / "run.json").write_text(json.dumps(about, indent=2, ensure_ascii=False, default=str), "utf-8")
        for path in made.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        made.rename(place)
        place.with_name(f"{place.name}.partial").unlink(missing_ok=True)
        return place


def read(place: Path) -> Run:
    about = json.loads((place / "run.json").read_text("utf-8"))
    results = dict(_lines(place / "results.jsonl"))
    return Run(about["name"], about["question_set"], about["settings"], results)


def _cut_to_whole_lines(path: Path) -> None:
    """What stopped an earlier attempt may have cut off its last line."""
    if path.exists():
        with path.open("r+b") as file:
            file.truncate(file.read().rfind(b"\n") + 1)


def _lines(path: Path) -> Iterator[tuple[str, Result]]:
    if not path.exists():
        return
    for row in map(json.loads, path.read_text("utf-8").splitlines()):
        hits = tuple(Found(**hit) for hit in row["hits"])
        yield row["question"], Result(row["question"], hits, row["seconds"], row["error"])
