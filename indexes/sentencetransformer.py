"""Any model of sentence-transformers, by its name on the Hugging Face hub or the path of its folder."""

import hashlib
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
            return self._count([encodable(text) for text in texts])

    def passages(self, texts: Sequence[str]) -> "Vectors":
        import numpy

        if not texts:
            return numpy.empty((0, self.dimension), numpy.float32)
        with self._using:
            vectors = self._model.encode_document(
                [encodable(text) for text in texts], normalize_embeddings=True, show_progress_bar=False
            )
        return numpy.asarray(vectors, numpy.float32)

    def query(self, text: str) -> "Vectors":
        import numpy

        with self._using:
            vector = self._model.encode_query(encodable(text), normalize_embeddings=True, show_progress_bar=False)
        return numpy.asarray(vector, numpy.float32)

    def _count(self, texts: list[str]) -> list[int]:
        if not texts:
            return []
        found = self._model.tokenizer(texts, truncation=False, padding=False, verbose=False)["input_ids"]
        return [len(ids) for ids in found]

    @cached_property
    def _prompted(self) -> int:
        """The tokens of the longest prompt, without those that every text has at its ends."""
        prompts = [prompt for prompt in self._model.prompts.values() if prompt]
        ends = self._count([""])[0]
        return max(self._count(prompts), default=ends) - ends

    @cached_property
    def _read(self) -> int:
        """The most tokens that the model reads, prompts included."""
        read = self._model.max_seq_length
        return int(read)

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
            with _quiet():
                return SentenceTransformer(self._name, revision=self._commit)
        except (OSError, ValueError) as error:
            raise NotFound(
                f"The model {self._name} is neither a folder nor to be had from the Hugging Face hub.",
                "Check the name. Offline, get it beforehand where there is a network, and name its folder.",
            ) from error

    @property
    def _revision(self) -> str:
        return ""

    @property
    def _commit(self) -> str | None:
        return None
