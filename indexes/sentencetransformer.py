"""Any model of sentence-transformers, by its name on the Hugging Face hub or the path of its folder."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from ragkit.errors import InvalidInput, MissingExtra, NotFound
from ragkit.indexes.embedder import encodable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from ragkit.indexes.embedder import Vectors

_SAMPLES = 64
_BLOCK = 4096


class SentenceTransformerEmbedder:
    """Cheap to make; torch and the model come when first needed, and run on a GPU where there is one.

    Prompts that the model defines for queries and passages are put before them.
    """

    def __init__(self, name: str, window: int | None = None) -> None:
        if not name:
            raise InvalidInput("sentence-transformers: names no model.", "Add a name or a path after the colon.")
        self._name = name
        self._asked = window
        self._using = Lock()  # its tokenizer is changed by each call, and may not be used by two at once

    @property
    def identity(self) -> str:
        beyond = f"/{self._asked}" if self._asked else ""
        return f"sentence-transformers:{self._name}@{self._revision}{beyond}"

    @property
    def dimension(self) -> int:
        with self._using:
            found = self._model.get_embedding_dimension()
        if found is None:
            raise InvalidInput(f"The model {self._name} does not say how long its vectors are.", "Use another one.")
        return found

    @property
    def window(self) -> int:
        """What the model reads, less what its prompts take of it."""
        with self._using:
            return self._read - self._prompted

    def count(self, texts: Sequence[str]) -> list[int]:
        with self._using:
            return _count(self._model, [encodable(text) for text in texts])

    def passages(self, texts: Sequence[str]) -> "Vectors":
        import numpy

        if not texts:
            return numpy.empty((0, self.dimension), numpy.float32)
        with self._using:
            self._read  # noqa: B018 - sets where the model cuts
            vectors = self._model.encode_document(
                [encodable(text) for text in texts], normalize_embeddings=True, show_progress_bar=False
            )
        return numpy.asarray(vectors, numpy.float32)

    def query(self, text: str) -> "Vectors":
        import numpy

        with self._using:
            self._read  # noqa: B018 - sets where the model cuts
            vector = self._model.encode_query(encodable(text), normalize_embeddings=True, show_progress_bar=False)
        return numpy.asarray(vector, numpy.float32)

    @cached_property
    def _prompted(self) -> int:
        """The tokens of the longest prompt, without those that every text has at its ends."""
        lengths = _count(self._model, ["", *filter(None, self._model.prompts.values())])
        return max(lengths) - lengths[0]

    @cached_property
    def _read(self) -> int:
        """The most tokens of a text with its prompt; the model cuts there."""
        own = self._model.max_seq_length
        if own is None or (self._asked and not 2 < self._asked <= own - self._prompted):
            raise InvalidInput(
                f"The model {self._name} reads {own} tokens, {self._prompted} of them a prompt, not {self._asked}.",
                "Leave window out, or make it smaller.",
            )
        if self._asked:
            self._model.max_seq_length = self._asked + self._prompted
        return int(self._model.max_seq_length or own)

    @cached_property
    def _model(self) -> "SentenceTransformer":
        try:
            from sentence_transformers import SentenceTransformer
        except ModuleNotFoundError as error:
            raise MissingExtra(
                f"The model {self._name} needs the package {error.name}, which is not installed.",
                "Install it with: pip install sentence-transformers",
            ) from error
        try:
            with quiet():
                return SentenceTransformer(self._name, revision=commit(self._name))
        except (OSError, ValueError) as error:
            raise NotFound(
                f"The model {self._name} cannot be loaded from a folder, nor from the Hugging Face hub.",
                "Check the name. Where there is no network, get it beforehand, and name its folder.",
            ) from error

    @cached_property
    def _revision(self) -> str:
        """Of a folder, what is in it; of a model of the hub, its commit, which only a model that was got has."""
        if Path(self._name).is_dir():
            return _fingerprint(Path(self._name))
        if commit(self._name) is None:
            self._model  # noqa: B018 - gets it
        return commit(self._name) or "unknown"


def _count(model: "SentenceTransformer", texts: list[str]) -> list[int]:
    if not texts:
        return []
    found = model.tokenizer(texts, truncation=False, padding=False, verbose=False)["input_ids"]
    return [len(ids) for ids in found]


def commit(name: str) -> str | None:
    """The commit of a model of the hub that lies on this machine. It is used as it lies, so it changes for nobody."""
    from huggingface_hub import try_to_load_from_cache

    if Path(name).is_dir() or name.count("/") > 1:
        return None
    for repository in (name, f"sentence-transformers/{name}") if "/" not in name else (name,):
        found = try_to_load_from_cache(repository, "config.json", os.environ.get("SENTENCE_TRANSFORMERS_HOME"))
        if isinstance(found, str):
            return Path(found).parent.name
    return None


def _fingerprint(folder: Path) -> str:
    """A hash of small files, and of blocks all over the large ones: cheap, and other weights give another one."""
    hashed = hashlib.blake2b(digest_size=8)
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".json", ".safetensors", ".bin", ".txt", ".model") and path.is_file():
            hashed.update(f"{path.relative_to(folder).as_posix()} {path.stat().st_size}".encode())
            for block in _blocks(path):
                hashed.update(block)
    return hashed.hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    size = path.stat().st_size
    step = max(_BLOCK, size // _SAMPLES)
    with path.open("rb") as file:
        for start in range(0, size, step):
            file.seek(start)
            yield file.read(_BLOCK)


@contextmanager
def quiet() -> Iterator[None]:
    """Without the bars and reports that transformers shows while it loads; as it was, afterwards."""
    from transformers.utils import logging

    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
