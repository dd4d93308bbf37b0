"""Embeddings of OpenAI, and of every server that speaks as OpenAI does (Ollama, vLLM, llama.cpp, LM Studio …)."""

import os
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ragkit.errors import InvalidInput, NotFound, RagkitError
from ragkit.indexes.embedder import encodable

if TYPE_CHECKING:
    from openai import OpenAI, OpenAIError

    from ragkit.indexes.embedder import Vectors

_WINDOW = 8191  # of every embedding model of OpenAI
_TEXTS = 128  # in one request; OpenAI takes 2,048, a small server of one's own would take its time over them
_TOKENS = 250_000  # in one request; OpenAI takes 300,000
_ENDS = 2  # other people's models add a token at either end

# Each alternative is a group; `_cost` knows what a piece of each group costs at most. No piece is long, so that a text
# can be cut between pieces.
_PIECE = re.compile(
    r"([A-Z]?[a-z]{1,30})"
    r"|([A-Z]{1,30})"
    r"|( ?[0-9]{1,30})"
    r"|([\x80-\u07ff]{1,30})"
    r"|([\u0800-\u2e7f\U00010000-\U0010ffff])"
    r"|([\u2e80-\uffff])"
    r"|([ \t]{2,}|[\r\n\f\v]+|[^ \t])"
)


class OpenAIEmbedder:
    """The key is read from OPENAI_API_KEY. A server at another `base_url` may need none."""

    def __init__(self, name: str, base_url: str = "", dimension: int | None = None, window: int | None = None) -> None:
        if not name:
            raise InvalidInput("openai: names no model.", "Use a name such as openai:text-embedding-3-small.")
        self._name = name
        self._base_url = base_url or os.environ.get("OPENAI_BASE_URL", "")
        self._asked = dimension
        self._dimension = dimension
        self._window = window or _WINDOW
        self._loading = Lock()

    @property
    def identity(self) -> str:
        """The name of a model is all that a server says of it: it has no revision."""
        asked = f"/{self._asked}" if self._asked else ""
        beyond = f"/{self._window} tokens" if self._window != _WINDOW else ""
        return f"openai:{self._name}{asked}{beyond}@{self._place}"

    @property
    def dimension(self) -> int:
        """Known from the first vectors. Asked before, a short text is embedded to learn it."""
        return self._dimension or len(self.query("dimension"))

    @property
    def window(self) -> int:
        return self._window

    def count(self, texts: Sequence[str]) -> list[int]:
        """An estimate that is seldom too low, for no server says how it cuts texts.

        Pieces are cut about as OpenAI's tokenizers do, and each is given more tokens than it mostly has: one for each
        three letters of a lower-case word (a whole word is mostly one), for each two capitals or digits, for each
        punctuation mark, two for a Chinese, Japanese or Korean sign, and the number of its bytes for what is rare.
        Against cl100k and o200k, that makes 1.5 to 1.9 times the tokens of English prose, 1.7 of Python, 1.1 of tables
        of numbers. Too low, by a tenth or so, it is for random letters (base64), and for texts of rare signs only.
        """
        return [_ENDS + sum(cost for _, cost in _pieces(text)) for text in texts]

    def passages(self, texts: Sequence[str]) -> "Vectors":
        import numpy

        if not texts:
            return numpy.empty((0, self.dimension), numpy.float32)
        return numpy.concatenate([self._ask(batch) for batch in self._batches(texts)])

    def query(self, text: str) -> "Vectors":
        vector: Vectors = self.passages([text])[0]
        return vector

    def _batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """As many texts as one request may have, each cut to the window."""
        batch: list[str] = []
        size = 0
        for text in texts:
            cut, cost = _cut(encodable(text), self._window)
            if batch and (len(batch) == _TEXTS or size + cost > _TOKENS):
                yield batch
                batch, size = [], 0
            batch.append(cut or " ")  # OpenAI refuses an empty text
            size += cost
        yield batch

    def _ask(self, batch: list[str]) -> "Vectors":
        import numpy
        from openai import OpenAIError, omit

        try:
            answer = self._client.embeddings.create(
                model=self._name, input=batch, dimensions=self._asked or omit, encoding_format="float"
            )
        except (OpenAIError, ValueError) as error:
            raise self._said(error) from None  # its own text may hold what the server echoes: a part of the key
        rows = {row.index: row.embedding for row in answer.data}
        if sorted(rows) != list(range(len(batch))) or len({len(row) for row in rows.values()}) != 1:
            raise RagkitError(f"{self._place} gave {len(answer.data)} vectors for {len(batch)} texts.", _ODD)
        vectors = numpy.array([rows[index] for index in range(len(batch))], numpy.float32)
        return self._unit(vectors)

    def _unit(self, vectors: "Vectors") -> "Vectors":
        import numpy

        given = vectors.shape[1]
        if self._dimension not in (None, given):
            raise RagkitError(
                f"{self._place} gave vectors of {given} dimensions where {self._dimension} were expected.",
                f"Set dimension to {given}, or leave it out, if the model {self._name} cannot shorten its vectors.",
            )
        lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True)
        if not (numpy.isfinite(lengths).all() and lengths.all()):
            raise RagkitError(f"{self._place} gave a vector without a direction.", _ODD)
        self._dimension = given
        unit: Vectors = vectors / lengths
        return unit

    @property
    def _place(self) -> str:
        """Host and path, without a password that a URL may hold."""
        address = urlsplit(self._base_url or "https://api.openai.com/v1")
        port = f":{address.port}" if address.port else ""
        return f"{address.hostname}{port}{address.path.rstrip('/')}"

    @cached_property
    def _client(self) -> "OpenAI":
        from openai import OpenAI

        if not _key() and not self._base_url:
            raise InvalidInput(
                f"There is no key for the model {self._name} of OpenAI.",
                "Set OPENAI_API_KEY, or base_url to a server of your own.",
            )
        return OpenAI(api_key=_key() or "none", base_url=self._base_url or None)

    def _said(self, error: "OpenAIError | ValueError") -> RagkitError:
        """What went wrong, in a sentence that never holds the key."""
        import openai

        said = str(error).replace(_key(), "…") if _key() else str(error)
        match error:
            case openai.AuthenticationError() | openai.PermissionDeniedError():
                return InvalidInput(f"{self._place} refuses the key.", "Check OPENAI_API_KEY.")
            case openai.NotFoundError():
                return NotFound(
                    f"{self._place} has no embedding model {self._name!r}.",
                    "Check the name; a server of one's own may have to load it first, and its URL mostly ends in /v1.",
                )
            case openai.RateLimitError():
                return RagkitError(
                    f"{self._place} takes no more requests for now: {said}", "Wait, or check plan and billing."
                )
            case openai.APITimeoutError():
                return RagkitError(f"{self._place} did not answer in time.", "Try again.")
            case openai.APIConnectionError():
                return RagkitError(f"{self._place} cannot be reached.", "Check the network, and that the server runs.")
        return RagkitError(f"{self._place} could not embed: {said}", "Check model, dimension and window.")


_ODD = "Check that base_url is a server for embeddings, and that the model is one."


def _key() -> str:
    return os.environ.get("OPENAI_API_KEY", "").strip()


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Where each piece ends, and the tokens that it costs."""
    for piece in _PIECE.finditer(text):
        start, end = piece.span()
        yield end, _cost(piece.lastindex or 0, end - start)


def _cost(group: int, length: int) -> int:
    match group:
        case 1:  # a word
            return (length + 2) // 3
        case 2:  # capitals
            return (length + 1) // 2
        case 3:  # digits, and a blank that would belong to a word
            return (length + 2) // 2
        case 4:  # letters of two bytes, and what they cut apart
            return length + 1
        case 5:  # scripts of three bytes, emoji
            return 3
        case 6:  # Chinese, Japanese, Korean
            return 2
    return 1


def _cut(text: str, window: int) -> tuple[str, int]:
    """As much of a text as fits, and its tokens."""
    total, kept = _ENDS, 0
    for end, cost in _pieces(text):
        if total + cost > window:
            return text[:kept], total
        total, kept = total + cost, end
    return text, total
