"""Sync: makes a domain what its sources are now.

Items whose fingerprint is known are not opened. The others are read, and each document's content hash says whether it
changed. What is gone is deleted last, so that what was only moved is found again by its content. What could not be
read keeps its old version, and is tried again at every sync until it can be read.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ragkit.connectors.failure import Failure
from ragkit.connectors.reading import cores, read_items
from ragkit.errors import RagkitError
from ragkit.indexes import repair, snapshot
from ragkit.indexes.catalog import Catalog, told
from ragkit.indexes.domain import counts
from ragkit.indexes.embedder import Embedder
from ragkit.indexes.lock import writing
from ragkit.indexes.made import Made, active, embedder_for
from ragkit.indexes.recipe import Recipe
from ragkit.indexes.reconcile import Reconciler
from ragkit.indexes.reindex import discard_others, recipe_for, reindex
from ragkit.indexes.scan import Scan, scan
from ragkit.indexes.snapshot import Broken
from ragkit.indexes.writer import Writer

_FILES_A_WORKER = 8


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sync is."""

    domain: str
    step: str
    """`scan`, `read`, `embed` or `reindex`."""
    done: int
    total: int
    """Items to read, chunks to embed before the next commit, documents to index anew; 0 while it is not known."""
    failed: int = 0


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What a sync did. Counts are of documents; a mail with two attachments is three."""

    domain: str
    added: int
    updated: int
    renamed: int
    deleted: int
    unchanged: int
    failed: tuple[Failure, ...]
    """What could not be read this time. Its old version, if there was one, is still found."""
    documents: int
    """In the domain now."""
    chunks: int
    """In the domain now."""
    seconds: float
    reindexed: int = 0
    """Documents that were indexed anew because a setting changed."""
    skipped: dict[str, int] = field(default_factory=dict)
    """What was passed over without being read, by reason."""


Tell = Callable[[Progress], None]


def failed(domain: str, error: RagkitError) -> IngestReport:
    """Of a domain that could not be synced at all."""
    return IngestReport(domain, 0, 0, 0, 0, 0, (Failure(domain, error.reason, error.hint),), 0, 0, 0.0)


def sync(
    folder: Path,
    name: str,
    recipe: Recipe,
    places: Mapping[str, str],
    *,
    whole: bool,
    tell: Tell | None = None,
) -> IngestReport:
    """Sync these sources of a domain: as they are known, and where they are now.

    `whole`: they are all that it has, and what came from others is deleted.
    """
    began = time.monotonic()
    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with writing(folder, name), _catalog(folder) as catalog:
            return _Sync(catalog, name, tell or (lambda progress: None)).run(recipe, places, whole, began)


@contextmanager
def _catalog(folder: Path) -> Iterator[Catalog]:
    catalog = Catalog(folder, write=True)
    try:
        yield catalog
    finally:
        catalog.close()


class _Sync:
    def __init__(self, catalog: Catalog, name: str, tell: Tell) -> None:
        self.catalog, self.name, self.tell = catalog, name, tell

    def run(self, recipe: Recipe, places: Mapping[str, str], whole: bool, began: float) -> IngestReport:
        remove_orphans(self.catalog)
        self._mend()
        embedder = embedder_for(recipe.embedder)
        made, reindexed = self._made(recipe, embedder)
        reconciler = Reconciler(Writer(self.catalog, made, embedder, self._tell))
        scans = [self._scan(known, place) for known, place in places.items()]
        dropped = self._dropped(places) if whole else []
        for one in scans:
            reconciler.begin(one)
        for source in dropped:
            reconciler.lose(
                [row[0] for row in self.catalog.execute("SELECT id FROM items WHERE source = ?", (source,))]
            )
        self._read(scans, reconciler)
        reconciler.finish()
        for source in dropped:
            reconciler.writer.note("DELETE FROM sources WHERE id = ?", source)
        reconciler.commit()
        documents, chunks = counts(self.catalog)
        skipped = sum((Counter(one.skipped) for one in scans), Counter[str]())
        done = {name: reconciler.count[name] for name in ("added", "updated", "renamed", "deleted", "unchanged")}
        return IngestReport(
            domain=self.name,
            **done,
            failed=tuple(sorted(reconciler.failed, key=lambda failure: failure.uri)),
            documents=documents,
            chunks=chunks,
            seconds=time.monotonic() - began,
            reindexed=reindexed,
            skipped=dict(skipped),
        )

    def _mend(self) -> None:
        """What was damaged or removed since the last time."""
        made = active(self.catalog)
        if made is None:
            return
        try:
            snapshot.open_segments(self.catalog, made.id, {})
        except Broken as broken:
            repair.mend(self.catalog, broken.files)

    def _made(self, recipe: Recipe, embedder: Embedder) -> tuple[Made, int]:
        """The recipe to write by; if another one is in use, every document is indexed anew first."""
        made = recipe_for(self.catalog, recipe, embedder)
        reindexed = 0
        if made.id != self.catalog.meta("recipe"):
            reindexed = reindex(self.catalog, made, embedder, self._tell)
        discard_others(self.catalog, made.id)
        return made, reindexed

    def _scan(self, known: str, place: str) -> Scan:
        id = self.catalog.one("SELECT id FROM sources WHERE place = ?", (known,))
        if id is None:
            with self.catalog.transaction():
                id = self.catalog.execute("INSERT INTO sources (place) VALUES (?)", (known,)).lastrowid
        return scan(self.catalog, id, place, lambda found: self._tell("scan", found, 0))

    def _dropped(self, places: Mapping[str, str]) -> list[int]:
        """Sources that the domain no longer has."""
        known = self.catalog.execute("SELECT id, place FROM sources").fetchall()
        return [id for id, place in known if place not in places]

    def _read(self, scans: Sequence[Scan], reconciler: Reconciler) -> None:
        total, done = sum(len(one.due) for one in scans), 0
        for one in scans:
            if one.connector is None or not one.due:
                continue
            # A process takes a third of a second to start: for a few files, one must do.
            workers = max(1, min(cores(), len(one.due) // _FILES_A_WORKER))
            with closing(read_items(one.connector, one.due, workers=workers)) as answers:
                for item, answer in answers:
                    assert item is not None
                    reconciler.take(one, item, answer)
                    done += 1
                    self._tell("read", done, total, len(reconciler.failed))
                    if reconciler.writer.due:
                        reconciler.commit()

    def _tell(self, step: str, done: int, total: int, failed: int = 0) -> None:
        self.tell(Progress(self.name, step, done, total, failed))


def remove_orphans(catalog: Catalog) -> None:
    """Index files that nothing names: a writer was stopped before it could name or remove them."""
    for path in orphans(catalog):
        path.unlink(missing_ok=True)


def orphans(catalog: Catalog) -> list[Path]:
    named = {name for (name,) in catalog.execute("SELECT name FROM segments")}
    return sorted(path for path in catalog.folder.glob("*.safetensors") if path.name not in named)
