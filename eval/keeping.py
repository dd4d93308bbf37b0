"""What a workspace keeps of evaluations: how its runs can be told apart, and what no run needs any longer."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ragkit.errors import RagkitError
from ragkit.eval.report import plural
from ragkit.eval.result import Run
from ragkit.eval.store import ELSEWHERE, Store, read
from ragkit.workspace import STATE

_INDEX = re.compile(r"e[0-9a-f]{16}")
_ALIKE = (*ELSEWHERE, "k")
"""Not told as a difference: k is told of every run."""
_HASHES = {"corpus": "documents", "questions": "questions"}


@dataclass(frozen=True, slots=True)
class Removed:
    runs: tuple[str, ...]
    """Those that were named, and damaged ones."""
    unfinished: tuple[str, ...]
    indexes: tuple[str, ...]


def lines(kept: Sequence[tuple[str, Run]]) -> list[str]:
    """A line for each run and the name that it is kept under, with what tells it from the others."""
    rows = [
        (name, _when(one.made), one.name, f"k {one.settings['strategy']['k']}", one.question_set,
         plural(len(one.results), "question"), other)
        for (name, one), other in zip(kept, differing([one for _, one in kept]), strict=True)
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def differing(runs: Sequence[Run]) -> list[str]:
    """For each run, the settings that it does not share with all others of its strategy's name and question set."""
    told = [dict(_flat(run.settings)) for run in runs]
    said = []
    for run, own in zip(runs, told, strict=True):
        alike = [
            settings
            for one, settings in zip(runs, told, strict=True)
            if (one.name, one.question_set) == (run.name, run.question_set)
        ]
        keys = [key for key in own if any(settings.get(key) != own[key] for settings in alike)]
        said.append(", ".join(f"{key} {own[key]}" for key in keys))
    return said


def prune(folder: Path, names: Sequence[str] = ()) -> Removed:
    """Remove these runs and damaged ones, attempts that broke off, and the indexes that no run searched.

    An index's few lines in the settings stay: they are what it is made from when it is asked for again.
    """
    store = Store(folder / "runs")
    for name in names:
        if name not in store.names():
            store.kept(name)  # which says so
    with store.alone() as alone:
        if not alone:
            raise RagkitError("A run is under way in this workspace.", "Wait until it is done.")
        runs = {name: None if name in names else _whole(store.folder / name) for name in store.names()}
        needed = {str(run.settings.get("domain")) for run in runs.values() if run}
        gone = [store.folder / name for name, run in runs.items() if run is None]
        unfinished = store.unfinished()
        indexes = [path for path in sorted((folder / STATE / "domains").glob("e*")) if _INDEX.fullmatch(path.name)]
        unused = [path for path in indexes if path.name not in needed]
        try:
            for path in (*gone, *unused):
                shutil.rmtree(path)
            for path in unfinished:
                path.unlink()
        except OSError as error:
            raise RagkitError(
                f"{path} cannot be removed: {error.strerror}.", "Check that you may write there."
            ) from error
    return Removed(
        tuple(path.name for path in gone), tuple(path.stem for path in unfinished), tuple(path.name for path in unused)
    )


def _when(made: str) -> str:
    return datetime.fromisoformat(made).astimezone().strftime("%Y-%m-%d %H:%M") if made else "–"


def _whole(place: Path) -> Run | None:
    try:
        return read(place)
    except RagkitError:
        return None


def _flat(settings: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, "" if key in ("strategy", "versions") else f"{path}{key}.")
        elif key not in _ALIKE:
            yield _HASHES.get(key, f"{path}{key}"), str(value)[:8] if key in _HASHES else str(value)
