"""A Measure: how much goes into one chunk, in the ruler's tokens, and in characters where tokens say too little."""

from collections.abc import Sequence

from ragkit.indexes.chunk import Ruler

_CHARACTERS = 10
"""That many a token at most. WordPiece counts an unknown word of any length as one token."""


class Measure:
    def __init__(self, ruler: Ruler, size: int) -> None:
        self.limit = min(size, ruler.window)
        self.characters = _CHARACTERS * self.limit
        self._ruler = ruler
        self._ends = ruler.count([""])[0]
        self.room = max(1, self.limit - self._ends)
        """What is left for header and text, less the tokens that the model adds at the ends."""

    def costs(self, texts: Sequence[str]) -> list[float]:
        """What each text adds to a chunk. Their sum is an estimate: only `fits` knows."""
        distinct = list(dict.fromkeys(texts))
        if not distinct:
            return []
        counted = dict(zip(distinct, self._ruler.count(distinct), strict=True))
        return [max(counted[text] - self._ends, len(text) / _CHARACTERS) for text in texts]

    def fits(self, texts: Sequence[str]) -> list[bool]:
        if not texts:
            return []
        counted = self._ruler.count(texts)
        return [
            count <= self.limit and len(text) <= self.characters for count, text in zip(counted, texts, strict=True)
        ]
