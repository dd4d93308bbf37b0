"""What turns texts into vectors, and the names that users know it by."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, TypeVar

from ragkit.errors import InvalidInput

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from ragkit.indexes.recipe import EmbedderSettings

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


MakeEmbedder = Callable[[str, "EmbedderSettings"], Embedder]
MakeT = TypeVar("MakeT", bound=MakeEmbedder)

embedders: dict[str, MakeEmbedder] = {}
"""Added by `embedder`, by scheme: they get what follows the colon, and all settings."""


def encodable(text: str) -> str:
    """Without lone surrogates, which a command line may hold, and which no tokenizer and no wire takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def make_embedder(settings: "EmbedderSettings") -> Embedder:
    """The embedder that settings name. Its model is loaded when it is first used."""
    scheme, colon, model = _ALIASES.get(settings.name, settings.name).partition(":")
    if scheme in embedders:
        return embedders[scheme](model, settings)
    for entry in entry_points(group="ragkit.embedders", name=scheme):
        make: MakeEmbedder = entry.load()
        return make(model, settings)
    if scheme in _OURS and bool(colon) == (scheme in _OF_MANY):
        return _OURS[scheme](model, settings)
    raise _unknown(settings.name)


def embedder(scheme: str) -> Callable[[MakeT], MakeT]:
    """Use an embedder of your own: `@embedder("mine")` makes the name `mine:small` call `it("small", settings)`."""
    if not scheme.isidentifier() or scheme in _OURS:
        raise InvalidInput(f"{scheme!r} is no name for an embedder.", f"Use a word, and none of {', '.join(_OURS)}.")

    def add(make: MakeT) -> MakeT:
        embedders[scheme] = make
        return make

    return add


def _minilm(_model: str, settings: "EmbedderSettings") -> Embedder:
    from ragkit.indexes.minilm import MiniLM

    _refuse(settings, "base_url", "dimension")
    return MiniLM(settings.window)


def _hash(_model: str, settings: "EmbedderSettings") -> Embedder:
    from ragkit.indexes.hashing import HashEmbedder

    _refuse(settings, "base_url")
    return HashEmbedder(settings.dimension or 256, settings.window or 256)


def _sentence_transformer(model: str, settings: "EmbedderSettings") -> Embedder:
    from ragkit.indexes.sentencetransformer import SentenceTransformerEmbedder

    _refuse(settings, "base_url", "dimension")
    return SentenceTransformerEmbedder(model, settings.window)


def _openai(model: str, settings: "EmbedderSettings") -> Embedder:
    from ragkit.indexes.openaiembedder import OpenAIEmbedder

    return OpenAIEmbedder(model, settings.base_url, settings.dimension, settings.window)


_OURS: dict[str, MakeEmbedder] = {
    "minilm": _minilm,
    "hash": _hash,
    "sentence-transformers": _sentence_transformer,
    "openai": _openai,
}
_OF_MANY = ("sentence-transformers", "openai")
_ALIASES = {"all-MiniLM-L6-v2": "minilm"}


def _refuse(settings: "EmbedderSettings", *names: str) -> None:
    """A setting without an effect is a mistake that nobody would see."""
    for name in names:
        if getattr(settings, name):
            raise InvalidInput(f"The embedder {settings.name} takes no {name}.", f"Leave {name} out.")


def _unknown(name: str) -> InvalidInput:
    names = ["minilm", "hash", "sentence-transformers:<name or path>", "openai:<name>", *embedders]
    scheme = name.partition(":")[0]
    near = get_close_matches(scheme.lower(), [known.partition(":")[0] for known in names], 1)
    meant = next((f"Did you mean {known}? " for known in names if near and known.startswith(near[0])), "")
    return InvalidInput(f"There is no embedder {name!r}.", f"{meant}There are: {', '.join(names)}.")
