"""Makes index files anew from the catalog when they are missing or damaged."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ragkit.indexes import segment
from ragkit.indexes.analyzer import Analyzer
from ragkit.indexes.catalog import Catalog, told
from ragkit.indexes.chunk import indexed
from ragkit.indexes.lock import Locked, writing
from ragkit.indexes.made import Made, active, made_by
from ragkit.indexes.snapshot import Broken
from ragkit.indexes.writer import known_vectors, write_segment

_WAIT = 10.0


def rebuild(folder: Path, name: str, broken: Broken) -> None:
    """Take the lock and mend what a reader found broken. Another writer, who is there first, does the same."""
    until = time.monotonic() + _WAIT
    while True:
        try:
            with told(folder), writing(folder, name):
                catalog = Catalog(folder, write=True)
                try:
                    mend(catalog, broken.files)
                finally:
                    catalog.close()
            return
        except Locked:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def altered(catalog: Catalog) -> dict[str, str]:
    """Index files whose checksum is not the one that was written, each with what is wrong with it."""
    wrong = {}
    for name, checksum in catalog.execute("SELECT name, checksum FROM segments").fetchall():
        path = catalog.folder / name
        if path.exists() and segment.checksum(path) != checksum:
            wrong[name] = f"{name} was altered"
    return wrong


def mend(catalog: Catalog, names: Iterable[str]) -> None:
    """Write the segments of these names anew. Whoever calls this holds the lock."""
    embed_missing(catalog)
    for name in names:
        row = catalog.execute("SELECT recipe, first, last FROM segments WHERE name = ?", (name,)).fetchone()
        made = made_by(catalog, row[0]) if row else None
        if made is None:
            continue
        _replace(catalog, made, [name], row[1], row[2])


def rebuild_all(catalog: Catalog) -> None:
    """One segment with every chunk of the recipe in use, in the place of all there are."""
    made = active(catalog)
    first, last = catalog.execute("SELECT min(id), max(id) FROM chunks").fetchone()
    if made is not None and first is not None:
        names = [name for (name,) in catalog.execute("SELECT name FROM segments WHERE recipe = ?", (made.id,))]
        embed_missing(catalog)
        _replace(catalog, made, names, first, last)
        with catalog.transaction():
            catalog.execute("DELETE FROM dead")


def embed_missing(catalog: Catalog) -> None:
    """Vectors that the catalog lost."""
    made = active(catalog)
    if made is None:
        return
    rows = catalog.execute(
        """SELECT chunks.vector, header, substr(text, start + 1, "end" - start) FROM chunks
        JOIN documents ON documents.id = document LEFT JOIN vectors ON vectors.key = chunks.vector
        WHERE recipe = ? AND (vectors.key IS NULL OR length(vectors.vector) <> ?)""",
        (made.id, 4 * made.dimension),
    )
    due = {key: indexed(header, text) for key, header, text in rows}
    if due:
        vectors = made.load_embedder().passages(list(due.values()))
        with catalog.transaction():
            catalog.many(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
                [(key, np.asarray(vector, np.float32).tobytes()) for key, vector in zip(due, vectors, strict=True)],
            )


def _replace(catalog: Catalog, made: Made, names: Sequence[str], first: int, last: int) -> None:
    """One new segment with the chunks from first to last, in the place of these."""
    arrays = _arrays(catalog, made, first, last)
    name = f"{catalog.generation + 1:08d}-{first}-mended.safetensors"
    file = write_segment(catalog, name, arrays) if len(arrays["ids"]) else None
    with catalog.transaction():
        catalog.many("DELETE FROM segments WHERE name = ?", [(old,) for old in names])
        catalog.execute("DELETE FROM dead WHERE chunk BETWEEN ? AND ?", (first, last))
        if file:
            catalog.execute("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?)", (name, made.id, *file[1:]))
        catalog.set_meta("generation", catalog.generation + 1)
    for old in names:
        (catalog.folder / old).unlink(missing_ok=True)


def _arrays(catalog: Catalog, made: Made, first: int, last: int) -> dict[str, Any]:
    ids, owners, keys, texts = [], [], [], []
    rows = catalog.execute(
        """SELECT chunks.id, document, vector, header, start, "end", text FROM chunks
        JOIN documents ON documents.id = document WHERE recipe = ? AND chunks.id BETWEEN ? AND ? ORDER BY chunks.id""",
        (made.id, first, last),
    )
    for id, owner, key, header, start, end, text in rows:
        ids.append(id)
        owners.append(owner)
        keys.append(key)
        texts.append(indexed(header, text[start:end]))
    known = known_vectors(catalog, keys)
    vectors = np.array([known[key] for key in keys], np.float32).reshape(len(keys), made.dimension)
    terms = list(map(Analyzer(made.recipe.analyzer).terms, texts))
    return segment.build(ids, owners, terms, vectors)
