"""What turns texts into vectors, and the names that users know it by."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Vectors = NDArray[numpy.float32]


class Embedder(Protocol):
    """The seam: texts in, vectors of length one out, so that an inner product is a cosine."""

    @property
    def identity(self) -> str:
        """Model and revision: vectors of two identities are never compared."""
        ...

    @property
    def dimension(self) -> int: ...

    @property
    def window(self) -> int:
        """The most tokens that one text may have."""
        ...

    def count(self, texts: Sequence[str]) -> list[int]:
        """The tokens of each text, with those that the model adds at its ends."""
        ...

    def passages(self, texts: Sequence[str]) -> "Vectors":
        """One row a text, float32."""
        ...

    def query(self, text: str) -> "Vectors":
        """One vector. A text beyond the window is cut."""
        ...


def encodable(text: str) -> str:
    """Without lone surrogates, which a command line may hold, and which no tokenizer and no wire takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
