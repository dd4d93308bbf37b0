"""An embedder without a model, for tests: texts that share words, or parts of words, get similar vectors.

Signed feature hashing: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from zlib import crc32

from ragkit.errors import InvalidInput
from ragkit.indexes.embedder import encodable

if TYPE_CHECKING:
    from ragkit.indexes.embedder import Vectors

_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+|[^\w\s]")  # where words have no blanks between them, each sign is one
_AT_ONCE = 1024
_OF_A_PART = 0.5  # what three letters weigh against a whole word


class HashEmbedder:
    """The same vectors on every machine and in every version of this class that has the same `identity`."""

    def __init__(self, dimension: int = 256, window: int = 256) -> None:
        if dimension < 1 or window < 1:
            raise InvalidInput(f"hash has no {dimension} dimensions or window of {window}.", "Use 1 or more for both.")
        self._dimension = dimension
        self._window = window

    @property
    def identity(self) -> str:
        beyond = "" if self._window == 256 else f"/{self._window}"
        return f"hash-{self._dimension}@1{beyond}"

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def window(self) -> int:
        return self._window

    def count(self, texts: Sequence[str]) -> list[int]:
        """Words, signs and punctuation marks. Nothing is added at the ends."""
        return [len(_TOKEN.findall(text)) for text in texts]

    def passages(self, texts: Sequence[str]) -> "Vectors":
        import numpy

        vectors = numpy.empty((len(texts), self._dimension), numpy.float32)
        for start in range(0, len(texts), _AT_ONCE):
            vectors[start : start + _AT_ONCE] = self._embed(texts[start : start + _AT_ONCE])
        return vectors

    def query(self, text: str) -> "Vectors":
        vector: Vectors = self._embed([text])[0]
        return vector

    def _embed(self, texts: Sequence[str]) -> "Vectors":
        """The sum of the vectors of the words of each text. The vector of each word is made once a call."""
        import numpy

        rows: dict[str, int] = {"": 0}
        found: list[int] = []
        starts: list[int] = []
        for text in texts:
            starts.append(len(found))
            found.extend([rows.setdefault(word, len(rows)) for word in self._words(text)])
        table = self._table(list(rows))
        sums = numpy.add.reduceat(table[found], starts, axis=0)
        sums[~sums.any(axis=1)] = table[0]  # all of its features met with opposite signs
        vectors: Vectors = sums / numpy.linalg.norm(sums, axis=1, keepdims=True)
        return vectors

    def _words(self, text: str) -> list[str]:
        """Never none: a text without words is the empty word."""
        tokens = _TOKEN.findall(text.lower())[: self._window]
        return [token for token in tokens if token[0].isalnum()] or [""]

    def _table(self, words: list[str]) -> "Vectors":
        """A row a word: whole words weigh 1, each three letters of them a part of it."""
        import numpy

        places: list[int] = []
        weights: list[float] = []
        for row, word in enumerate(words):
            for feature, weight in _features(word):
                hashed = crc32(feature)
                places.append(row * self._dimension + (hashed >> 1) % self._dimension)
                weights.append(weight if hashed & 1 else -weight)
        table = numpy.bincount(places, weights, minlength=len(words) * self._dimension)
        return table.reshape(len(words), self._dimension).astype(numpy.float32)


def _features(word: str) -> list[tuple[bytes, float]]:
    name = encodable(word).encode()
    framed = encodable(f"<{word}>")
    parts = [(framed[at : at + 3].encode(), _OF_A_PART) for at in range(len(framed) - 2)] if len(word) > 1 else []
    return [(b"=" + name, 1.0), *parts]
