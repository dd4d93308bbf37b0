"""A Snapshot: one state of a domain, opened for searching. It stays what it is while others write."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ragkit.indexes import segment
from ragkit.indexes.catalog import Catalog
from ragkit.indexes.chunk import Chunk
from ragkit.indexes.made import Made, active
from ragkit.indexes.pool import Part, Pool
from ragkit.indexes.segment import Damaged, Segment


@dataclass(frozen=True, eq=False)
class Snapshot:
    generation: int
    made: Made | None
    """None while nothing is indexed."""
    segments: dict[str, Segment]
    dead: frozenset[int]

    @cached_property
    def parts(self) -> list[Part]:
        dead = np.array(sorted(self.dead), np.int64)
        parts = []
        for one in self.segments.values():
            gone = np.isin(one.ids, dead) if len(dead) else np.zeros(0, bool)
            parts.append(Part(one, ~gone if gone.any() else None))
        return parts

    @cached_property
    def pool(self) -> Pool:
        return Pool(self.parts)


EMPTY = Snapshot(0, None, {}, frozenset())


class Broken(Exception):
    """Index files that are missing or damaged, each with what is wrong with it."""

    def __init__(self, files: Mapping[str, str]) -> None:
        super().__init__("; ".join(files.values()))
        self.files = files


def load(catalog: Catalog, before: Snapshot = EMPTY) -> Snapshot:
    """The state that the catalog is in now; what `before` has open of it is used again. Raises `Broken`."""
    with catalog.view():
        generation = catalog.generation
        made = active(catalog)
        segments = open_segments(catalog, made.id, before.segments) if made else {}
        dead = frozenset(row[0] for row in catalog.execute("SELECT chunk FROM dead"))
    return Snapshot(generation, made, segments, dead)


def open_segments(catalog: Catalog, recipe: int, before: Mapping[str, Segment]) -> dict[str, Segment]:
    """The segments of a recipe in the order of their chunks; those in `before` are open already."""
    named = catalog.execute("SELECT name, size FROM segments WHERE recipe = ? ORDER BY first", (recipe,)).fetchall()
    opened: dict[str, Segment] = {}
    damaged: dict[str, str] = {}
    for name, size in named:
        try:
            opened[name] = before.get(name) or segment.load(catalog.folder / name, size)
        except Damaged as error:
            damaged[name] = str(error)
    if damaged:
        raise Broken(damaged)
    return opened


CHUNK = 'start, "end", read_start, read_end, header, headings, pages'
"""The columns that `as_chunk` reads, in its order."""


def as_chunk(row: Sequence[Any], text: str) -> Chunk:
    start, end, read_start, read_end, header, headings, pages = row
    return Chunk(
        start=start,
        end=end,
        text=text,
        headings=tuple(json.loads(headings)),
        header=header,
        pages=tuple(json.loads(pages)),
        read_start=read_start,
        read_end=read_end,
    )
