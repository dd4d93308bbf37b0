"""The doctor: whether a domain is what it says it is, and what can be done where it is not."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ragkit.indexes import repair as repairing
from ragkit.indexes import segment
from ragkit.indexes.catalog import FILE, Catalog, Unusable, told
from ragkit.indexes.domain import as_document
from ragkit.indexes.filters import facts
from ragkit.indexes.lock import Locked, writing
from ragkit.indexes.made import Made, active
from ragkit.indexes.snapshot import CHUNK, as_chunk
from ragkit.indexes.sync import orphans, remove_orphans
from ragkit.indexes.writer import vector_key


@dataclass(frozen=True, slots=True)
class Problem:
    what: str
    """What is wrong, in a sentence."""
    where: str
    repair: str
    """What mends it."""


_PATIENCE = 10.0
"""Seconds that a writer may go on while one wants to know whether something is wrong."""
_SYNC = "Run: ragkit sync"
_MEND = "Run: ragkit doctor --repair"


def examine(folder: Path, name: str, repair: bool = False) -> list[Problem]:
    """All problems of a domain; with `repair`, those that are left after everything derived was made anew."""
    if not (folder / FILE).exists():
        return []
    if repair:
        with told(folder), writing(folder, name):
            _repair(folder)
        if not (folder / FILE).exists():
            return [Problem("The catalog was damaged, and was put aside.", f"{name}: {FILE}.damaged", _SYNC)]
    until = time.monotonic() + _PATIENCE
    while problems := _looked(folder, name):
        # A writer names and removes files while one looks: what is still wrong when nobody writes, is wrong.
        try:
            with suppress(OSError), writing(folder, name):  # on a disk that cannot be written, nobody does
                problems = _looked(folder, name)
            break
        except Locked:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
    return problems


def _looked(folder: Path, name: str) -> list[Problem]:
    try:
        catalog = Catalog(folder)
        try:
            with told(catalog.path), catalog.view():
                return [
                    Problem(problem.what, f"{name}: {problem.where}", problem.repair) for problem in _problems(catalog)
                ]
        finally:
            catalog.close()
    except Unusable as error:
        return [Problem(error.reason, f"{name}: {FILE}", f"{_MEND}, then: ragkit sync")]


def _repair(folder: Path) -> None:
    try:
        catalog = Catalog(folder, write=True)
        try:
            with told(catalog.path):
                _mend(catalog)
        finally:
            catalog.close()
    except Unusable:  # no catalog any more: out of the way with it, and a sync makes a new one
        (folder / FILE).replace(folder / f"{FILE}.damaged")
        for path in folder.glob(f"{FILE}-*"):
            path.unlink()


def _mend(catalog: Catalog) -> None:
    if catalog.one("PRAGMA integrity_check") != "ok":
        raise Unusable(f"{catalog.path} is damaged.", "Run: ragkit sync")
    _forget_bad_vectors(catalog)
    broken = dict(_segments(catalog))
    if "" in broken:
        repairing.rebuild_all(catalog)
    else:
        repairing.mend(catalog, broken)
    repairing.embed_missing(catalog)
    remove_orphans(catalog)
    with catalog.transaction():
        for id, _, _ in list(_documents(catalog)):  # read and indexed anew by the next sync
            catalog.execute("UPDATE documents SET content_hash = '' WHERE id = ?", (id,))
            catalog.execute(
                "UPDATE items SET fingerprint = '' WHERE id = (SELECT item FROM documents WHERE id = ?)", (id,)
            )


def _problems(catalog: Catalog) -> Iterator[Problem]:
    if catalog.empty:
        if any(catalog.folder.glob("*.safetensors")):
            yield Problem("The catalog is empty, and there are index files.", FILE, f"{_MEND}, then: ragkit sync")
        return
    for (said,) in catalog.execute("PRAGMA integrity_check"):
        if said != "ok":
            yield Problem(f"SQLite says: {said}.", FILE, f"{_MEND}, then: ragkit sync")
    for table, row, parent, _ in catalog.execute("PRAGMA foreign_key_check"):
        yield Problem(f"Row {row} of {table} belongs to a row of {parent} that is not there.", FILE, _SYNC)
    for _, uri, what in _documents(catalog):
        yield Problem(what, uri, f"{_MEND}, then: ragkit sync")
    for name, what in _segments(catalog):
        yield Problem(what, name, _MEND)
    for path in orphans(catalog):
        yield Problem("This index file belongs to nothing: a writer was stopped.", path.name, _MEND)


def _documents(catalog: Catalog) -> Iterator[tuple[int, str, str]]:
    """Documents whose text, chunks or vectors are not what they were, with their uris."""
    made = active(catalog)
    for (id,) in catalog.execute("SELECT id FROM documents ORDER BY id").fetchall():
        content, uri, *rest = catalog.execute(
            "SELECT content_hash, uri, text, title, marks, metadata, media_type FROM documents WHERE id = ?", (id,)
        ).fetchone()
        try:
            document = as_document(uri, *rest)
        except (ValueError, TypeError) as error:
            yield id, uri, f"Its text or its marks were damaged: {error}."
            continue
        if document.content_hash != content:
            yield id, uri, "Its text is not the one that was read."
        elif made is not None:
            wrong = _wrong_chunks(catalog, made, id, document.text)
            if wrong:
                yield id, uri, wrong
            elif _wrong_facts(catalog, id, document.metadata):
                yield id, uri, "What filters know of it is not what its metadata say."


def _wrong_chunks(catalog: Catalog, made: Made, document: int, text: str) -> str:
    """A chunk's key is a hash of what was embedded: it tells whether header and range are still those."""
    rows = catalog.execute(
        f"""SELECT {CHUNK}, chunks.vector, vectors.vector FROM chunks
        LEFT JOIN vectors ON vectors.key = chunks.vector WHERE document = ? AND recipe = ? ORDER BY chunks.id""",
        (document, made.id),
    ).fetchall()
    for *row, key, vector in rows:
        start, end, read_start, read_end, *_ = row
        if not (0 <= start < end <= len(text) and 0 <= read_start < read_end <= len(text)):
            return f"Its chunk from {start} to {end} lies outside of the text."
        if vector_key(made.embedder, as_chunk(row, text[start:end])) != key:
            return f"Its chunk from {start} to {end} is not the one that was cut."
        if not _is_unit(vector, made.dimension):
            return f"The vector of its chunk from {start} to {end} is missing or damaged."
    return "" if rows or not text.strip() else "It has text and no chunk."


def _is_unit(vector: bytes | None, dimension: int) -> bool:
    if vector is None or len(vector) != 4 * dimension:
        return False
    return bool(0.99 < np.linalg.norm(np.frombuffer(vector, np.float32)) < 1.01)


def _forget_bad_vectors(catalog: Catalog) -> None:
    """They are made anew then, like those that are missing."""
    made = active(catalog)
    if made is not None:
        rows = catalog.execute("SELECT key, vector FROM vectors")
        bad = [(key,) for key, vector in rows if not _is_unit(vector, made.dimension)]
        with catalog.transaction():
            catalog.many("DELETE FROM vectors WHERE key = ?", bad)


def _wrong_facts(catalog: Catalog, document: int, metadata: Mapping[str, Any]) -> bool:
    known = set(catalog.execute("SELECT key, value FROM facts WHERE document = ?", (document,)))
    return known != {(key, value) for key, value in facts(metadata) if value == value}


def _segments(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Index files that are not what was written, or do not hold the chunks that the catalog has."""
    dead = np.array([row[0] for row in catalog.execute("SELECT chunk FROM dead ORDER BY chunk")], np.int64)
    rows = catalog.execute("SELECT name, recipe, first, last, size, checksum FROM segments ORDER BY first").fetchall()
    for name, recipe, first, last, size, checksum in rows:
        try:
            one = segment.load(catalog.folder / name, size)
            found = segment.checksum(catalog.folder / name)
        except (segment.Damaged, OSError) as error:
            yield name, f"The index file is damaged: {error}."
            continue
        if found != checksum:
            yield name, "The index file is damaged: its checksum is not the one that was written."
            continue
        expected = catalog.execute(
            "SELECT id, document FROM chunks WHERE recipe = ? AND id BETWEEN ? AND ? ORDER BY id", (recipe, first, last)
        ).fetchall()
        alive = ~np.isin(one.ids, dead)
        if list(zip(one.ids[alive].tolist(), one.documents[alive].tolist(), strict=True)) != expected:
            yield name, "The index file does not hold the chunks that the catalog names."
    covered = " OR ".join("(recipe = ? AND id BETWEEN ? AND ?)" for _ in rows) or "0"
    bounds = [value for row in rows for value in row[1:4]]
    missing = catalog.one(f"SELECT count(*) FROM chunks WHERE NOT ({covered})", bounds)
    if missing:
        yield "", f"{missing} chunks are in no index file."
