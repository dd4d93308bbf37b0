"""Any cross-encoder of sentence-transformers, by its name on the Hugging Face hub or the path of its folder.

Nogueira and Cho, Passage re-ranking with BERT (2019): question and passage go through the model as one text, so that
each word of one is read in the light of the other. Nothing of that can be computed beforehand.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from ragkit.errors import MissingExtra, NotFound, RagkitError
from ragkit.indexes.embedder import encodable
from ragkit.indexes.sentencetransformer import commit, quiet

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

    from ragkit.indexes.reranker import Scores


class CrossEncoderReranker:
    """Cheap to make; torch and the model come when first needed, and run on a GPU where there is one.

    Scores are what the model's own `predict` gives. What of a pair is beyond its window is not read.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._using = Lock()  # its tokenizer is changed by each call, and may not be used by two at once

    def scores(self, question: str, passages: Sequence[str]) -> "Scores":
        import numpy

        if not passages:
            return numpy.empty(0, numpy.float32)
        asked = encodable(question)
        pairs = [(asked, encodable(passage)) for passage in passages]
        with self._using:
            return numpy.asarray(self._model.predict(pairs, show_progress_bar=False), numpy.float32)

    @cached_property
    def _model(self) -> "CrossEncoder":
        try:
            from safetensors import SafetensorError
            from sentence_transformers import CrossEncoder
        except ModuleNotFoundError as error:
            raise MissingExtra(
                f"The reranker {self._name} needs the package {error.name}, which is not installed.",
                "Install it with: pip install sentence-transformers",
            ) from error
        try:
            with quiet():
                model: CrossEncoder = CrossEncoder(self._name, revision=commit(_place(self._name)))
        except (OSError, ValueError, SafetensorError) as error:
            raise NotFound(
                f"The reranker {self._name} cannot be loaded from a folder, nor from the Hugging Face hub.",
                "Check the name. Where there is no network, get it beforehand, and name its folder.",
            ) from error
        self._must_score(model)
        return model

    def _must_score(self, model: "CrossEncoder") -> None:
        """Any other model would be loaded, too, with a last layer of random numbers that rank at random."""
        trained = model.config.architectures if model.config else None
        if model.model is not None and trained and type(model.model).__name__ not in trained:
            raise RagkitError(
                f"The model {self._name} is no reranker: it is a {trained[0]}, and was never taught to score.",
                "Name a cross-encoder, such as cross-encoder:cross-encoder/ms-marco-MiniLM-L6-v2.",
            )
        if model.num_labels != 1:
            raise RagkitError(
                f"The model {self._name} gives {model.num_labels} numbers a passage, and a reranker gives one.",
                "Name a cross-encoder that scores, such as cross-encoder:cross-encoder/ms-marco-MiniLM-L6-v2.",
            )


def _place(name: str) -> str:
    """Where the hub has a name without an owner; sentence-transformers looks there, too."""
    return name if "/" in name or Path(name).is_dir() else f"cross-encoder/{name}"
