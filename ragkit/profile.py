"""A Profile: what is known of a domain or a tool before any question: its words, its examples, where its texts lie.

Made anew when the domain, its description or its examples change, and kept: in memory, and on the disk what a model
had to be asked for, so that no example is embedded twice.
"""

import hashlib
import os
import re
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ragkit.errors import RagkitError
from ragkit.indexes.made import embedder_for
from ragkit.indexes.recipe import EmbedderSettings
from ragkit.indexes.segment import Array

if TYPE_CHECKING:
    from ragkit.indexes.domain import Domain
    from ragkit.indexes.snapshot import Snapshot

CENTROIDS = 16
_ROUNDS = 5
_MOST_ROWS = 4096
"""Of a domain, for its centroids."""
_PHRASE = re.compile(r"[.;:,\n]+")


@dataclass(frozen=True)
class Candidate:
    """What a question may be sent to, as its owner describes it."""

    name: str
    description: str
    keywords: tuple[str, ...]
    examples: tuple[str, ...]
    embedder: EmbedderSettings
    """Of questions; that of the index where there is one."""
    domain: "Domain | None" = None
    """None for a function."""


@dataclass(frozen=True, eq=False)
class Profile:
    name: str
    description: str
    keywords: tuple[str, ...]
    examples: tuple[str, ...]
    embedder: EmbedderSettings
    vectors: Array
    """Of the examples, and below them of the description and its phrases."""
    centroids: Array
    """Of its chunks; none without an index."""
    snapshot: "Snapshot | None"
    domain: "Domain | None" = None
    problem: str = ""
    """Why nothing can be found in it, if so."""

    @property
    def texts(self) -> tuple[str, ...]:
        return (*self.examples, *(one for one in (self.description, *self.keywords) if one))

    @property
    def indexed(self) -> bool:
        return self.snapshot is not None and self.snapshot.pool.alive_count > 0


class Profiles:
    """Those of a workspace."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[Candidate, Snapshot | None, str, Profile]] = {}
        self._lock = threading.Lock()

    def of(self, candidates: Sequence[Candidate]) -> list[Profile]:
        """The very same objects as long as nothing changes."""
        with self._lock:
            return [self._of(candidate) for candidate in candidates]

    def _of(self, candidate: Candidate) -> Profile:
        snapshot, stated = _state(candidate)
        problem = stated
        kind = "tool" if candidate.domain is None else "domain"
        key = f"{kind} {candidate.name}"
        known = self._known.get(key)
        if known and known[0] == candidate and known[1] is snapshot and known[2] == stated:
            return known[3]
        settings = candidate.embedder if snapshot is None or snapshot.made is None else snapshot.made.recipe.embedder
        try:
            vectors = self._vectors(key, candidate, settings)
        except RagkitError as error:  # a server of embeddings that is down, a package that is missing
            vectors = np.zeros((0, 0), np.float32)
            problem = problem or f"the examples of {candidate.name} cannot be read ({error.reason})"
        rows = np.zeros((0, 0), np.float32) if snapshot is None else _rows(snapshot)
        profile = Profile(
            candidate.name,
            candidate.description,
            candidate.keywords,
            candidate.examples,
            settings,
            vectors,
            centroids(rows),
            snapshot,
            candidate.domain,
            problem,
        )
        self._known[key] = (candidate, snapshot, stated, profile)
        return profile

    def _vectors(self, key: str, candidate: Candidate, settings: EmbedderSettings) -> Array:
        texts = [*candidate.examples, *phrases(candidate.description), *candidate.keywords]
        embedder = embedder_for(settings)
        if not texts:
            return np.zeros((0, embedder.dimension), np.float32)
        path = self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"
        hashes = np.array([hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32] for text in texts], "S32")
        kept = _kept(path, embedder.identity)
        missing = [at for at, one in enumerate(hashes.tolist()) if one not in kept]
        if missing:
            made = embedder.passages([texts[at] for at in missing])
            kept |= {hashes[at].item(): vector for at, vector in zip(missing, made, strict=True)}
        vectors = np.stack([kept[one] for one in hashes.tolist()]).astype(np.float32)
        if missing:
            _keep(path, embedder.identity, hashes, vectors)
        return vectors


def phrases(description: str) -> list[str]:
    """A description as a whole, and what it lists: a question is like one of these, not like all of them at once."""
    parts = [part.strip() for part in _PHRASE.split(description)]
    return list(dict.fromkeys(part for part in (description.strip(), *parts) if part))


def _state(candidate: Candidate) -> "tuple[Snapshot | None, str]":
    if candidate.domain is None:
        return None, ""
    try:
        snapshot = candidate.domain.snapshot()
        if snapshot.made is None or not snapshot.pool.alive_count:
            return None, f"{candidate.name} holds nothing yet"
        embedder_for(snapshot.made.recipe.embedder)
    except RagkitError as error:
        return None, f"{candidate.name} cannot be searched ({error.reason})"
    except Exception as error:  # a damaged file says so in many ways; the other domains must not suffer
        return None, f"{candidate.name} cannot be searched ({type(error).__name__}: {error})"
    return snapshot, ""


def _rows(snapshot: "Snapshot") -> Array:
    """Vectors of living chunks, evenly spread where there are many."""
    parts = [
        part.segment.vectors if part.alive is None else part.segment.vectors[part.alive] for part in snapshot.parts
    ]
    total = sum(map(len, parts))
    step = max(1, -(-total // _MOST_ROWS))
    return np.concatenate([part[::step] for part in parts]) if parts else np.zeros((0, 0), np.float32)


def centroids(rows: Array, count: int = CENTROIDS) -> Array:
    """Spherical k-means, begun from rows that are evenly spread: the same rows give the same centroids."""
    if len(rows) <= count:
        return np.array(rows, np.float32)
    centres = np.array(rows[np.linspace(0, len(rows) - 1, count).astype(int)], np.float32)
    for _ in range(_ROUNDS):
        nearest = (rows @ centres.T).argmax(axis=1)
        for at in range(count):
            inside = rows[nearest == at]
            if len(inside):
                centre = inside.mean(axis=0)
                centres[at] = centre / max(float(np.linalg.norm(centre)), 1e-9)
    return centres


def cosines_of(rows: Array, vector: Array) -> Array:
    """One a row, in this thread: numpy's threads would wait for each other on a busy machine."""
    import faiss

    found = np.empty(len(rows), np.float32)
    vector = np.ascontiguousarray(vector, np.float32)
    faiss.fvec_inner_products_ny(  # type: ignore[attr-defined]
        faiss.swig_ptr(found), faiss.swig_ptr(vector), faiss.swig_ptr(rows), rows.shape[1], len(rows)
    )
    return found


def _kept(path: Path, identity: str) -> dict[bytes, Array]:
    """What was kept of this embedder; nothing when the file is missing, damaged or of another one."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file["identity"]) != identity:
                return {}
            return dict(zip(file["hashes"].tolist(), file["vectors"], strict=True))
    except Exception:  # numpy and zipfile say it in a dozen ways; it is only a copy
        return {}


def _keep(path: Path, identity: str, hashes: Array, vectors: Array) -> None:
    """Whole or not at all. A disk that is full costs the next process some time, and nobody an answer."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".profile.")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, identity=np.array(identity), hashes=hashes, vectors=vectors)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError:
        return
