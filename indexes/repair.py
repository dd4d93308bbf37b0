"""Makes index files anew from the catalog when they are missing or damaged."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ragkit.indexes import segment
from ragkit.indexes.analyzer import Analyzer
from ragkit.indexes.catalog import Catalog, told
from ragkit.indexes.lock import Locked, writing
from ragkit.indexes.made import Made, made_by
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


def mend(catalog: Catalog, names: Iterable[str]) -> None:
    """Write the segments of these names anew. Whoever calls this holds the lock."""
    for name in names:
        row = catalog.execute("SELECT recipe, first, last FROM segments WHERE name = ?", (name,)).fetchone()
        made = made_by(catalog, row[0]) if row else None
        if made is None:
            continue
        arrays = _arrays(catalog, made, row[1], row[2])
        new = f"{catalog.generation + 1:08d}-{row[1]}-mended.safetensors"
        file = write_segment(catalog, new, arrays) if len(arrays["ids"]) else None
        with catalog.transaction():
            catalog.execute("DELETE FROM segments WHERE name = ?", (name,))
            catalog.execute("DELETE FROM dead WHERE chunk BETWEEN ? AND ?", row[1:])
            if file:
                first, *rest = file
                catalog.execute("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?)", (first, made.id, *rest))
            catalog.set_meta("generation", catalog.generation + 1)
        (catalog.folder / name).unlink(missing_ok=True)


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
        texts.append(f"{header}\n{text[start:end]}" if header else text[start:end])
    known = known_vectors(catalog, keys)
    lost = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if lost:
        known.update(zip(lost, made.load_embedder().passages(list(lost.values())), strict=True))
        catalog.many(
            "INSERT INTO vectors VALUES (?, ?)", [(key, np.asarray(known[key], np.float32).tobytes()) for key in lost]
        )
    vectors = np.array([known[key] for key in keys], np.float32).reshape(len(keys), made.dimension)
    terms = list(map(Analyzer(made.recipe.analyzer).terms, texts))
    return segment.build(ids, owners, terms, vectors)
