"""Texts read token by token: what each word means where it stands, in two layers of MiniLM.

The vector of a whole text tells what it is about; those of its tokens tell which words of a claim another text has.
A middle layer is nearer to the words themselves, the last one to what they are about.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from ragkit.indexes.minilm import MiniLM

if TYPE_CHECKING:
    from openvino import CompiledModel

    from ragkit.indexes.embedder import Vectors

_LAYERS = (2, 5)
_BATCH = 8
_WINDOW = 128
_SETTINGS: dict[str, str | int] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": 1}
_KEPT = 512
"""Texts whose tokens are remembered: about 50 MB at most, and mostly a tenth of that."""


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """One text; all vectors have length one."""

    ids: tuple[int, ...]
    vector: "Vectors"
    middle: "Vectors"
    """One row a token."""
    deep: "Vectors"


class TokenReader(MiniLM):
    """Cheap to make: the model comes with the first text. Safe in threads."""

    def __init__(self) -> None:
        super().__init__(_WINDOW)
        self._known: OrderedDict[str, Tokens] = OrderedDict()
        self._keeping = Lock()

    def read(self, texts: Sequence[str]) -> list[Tokens]:
        """In the order of the texts. Beyond 128 tokens a text is cut."""
        with self._keeping:
            have = {text: self._known[text] for text in texts if text in self._known}
        due = sorted({text for text in texts if text not in have}, key=len)
        for start in range(0, len(due), _BATCH):
            part = due[start : start + _BATCH]
            have.update(zip(part, self._read(part), strict=True))
        with self._keeping:
            for text in due[-_KEPT:]:
                self._known[text] = have[text]
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return [have[text] for text in texts]

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens alone, of whole texts, without those at the ends."""
        return [found.ids[1:-1] for found in self._tokens(texts)]

    @property
    def vocabulary(self) -> int:
        """How many pieces there are."""
        return int(self._tokenizer.get_vocab_size())

    def _read(self, texts: list[str]) -> list[Tokens]:
        with self._loading:
            model = self._by_token
        rows = self._rows(texts)
        found = model.create_infer_request().infer(self._bert.inputs(rows))
        vectors, middle, deep = (found[place] for place in range(3))
        return [
            Tokens(
                tuple(row[1:-1]), vectors[at], _even(middle[at, 1 : len(row) - 1]), _even(deep[at, 1 : len(row) - 1])
            )
            for at, row in enumerate(rows)
        ]

    @cached_property
    def _by_token(self) -> "CompiledModel":
        return self._bert.compile(_SETTINGS, _LAYERS)


def _even(rows: "Vectors") -> "Vectors":
    import numpy

    even: Vectors = rows / numpy.maximum(numpy.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return even
