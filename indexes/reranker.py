"""What reads the first passages of a search again, each with the question, and the names that users know it by."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.metadata import entry_points
from threading import Lock
from typing import TYPE_CHECKING, Protocol, TypeVar

from ragkit.errors import InvalidInput, RagkitError, nearest_of

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Scores = NDArray[numpy.float32]

DEPTH = 50
"""The passages that are read again, where no more are asked for. Each takes its time: 50 of 220 tokens, read by a model
of MiniLM's size on two cores, 1.6 s. Put in the best order there is, the first 10 / 50 / 100 of `hybrid` have an
nDCG@10 of .62 / .89 / .93 on cacm, .56 / .79 / .86 on cranfield, .84 / .98 / 1.00 on time: the second 50 would take
as long and could add little.
"""
NONE = "none"
"""Says in a grid of strategies that nothing is read again; so nothing else may be called that."""


class Reranker(Protocol):
    """The seam: a question and passages in, a number a passage out, the higher the better."""

    def scores(self, question: str, passages: Sequence[str]) -> "Scores":
        """In the order of the passages; comparable with each other, not with those of another question or reranker."""
        ...


MakeReranker = Callable[[str], Reranker]
MakeT = TypeVar("MakeT", bound=MakeReranker)

rerankers: dict[str, MakeReranker] = {}
"""Added by `reranker`, by scheme: they get what follows the colon."""
_making = Lock()


def make_reranker(name: str) -> Reranker:
    """The reranker of that name. Its model is loaded when it is first used."""
    make, model = _named(name)
    return make(model)


def reranker_for(name: str) -> Reranker:
    """Models are large: one for all who use it, and of several threads that come first, one makes it."""
    with _making:
        return _kept(name)


def check(name: str) -> None:
    """Refuse a name that means nothing, without making what it means."""
    _named(name)


def reranker(scheme: str) -> Callable[[MakeT], MakeT]:
    """Use a reranker of your own: `@reranker("mine")` makes the name `mine:small` call `it("small")`."""
    if not scheme.isidentifier() or scheme == NONE:
        raise InvalidInput(f"{scheme!r} is no name for a reranker.", f"Use a word, and not {NONE}.")

    def add(make: MakeT) -> MakeT:
        with _making:
            rerankers[scheme] = make
            _kept.cache_clear()  # what was made under this name is not what it means now
        return make

    return add


def rerank(reranker: Reranker, question: str, passages: Sequence[str]) -> list[tuple[int, float]]:
    """The places of the passages, best first, with their scores; of equals, the one that came first."""
    import numpy

    if not passages:
        return []
    given = reranker.scores(question, passages)
    try:
        scores = numpy.asarray(given, numpy.float64)
    except (TypeError, ValueError):
        scores = numpy.empty(0)
    if scores.shape != (len(passages),):
        raise RagkitError(
            f"The reranker {type(reranker).__name__} did not give one number for each of {len(passages)} passages.",
            "Its `scores` must give as many numbers as it got passages, in their order.",
        )
    odd = numpy.flatnonzero(~numpy.isfinite(scores))
    if len(odd):
        raise RagkitError(
            f"The reranker {type(reranker).__name__} scored {len(odd)} of {len(passages)} passages {scores[odd[0]]}, "
            "which cannot be ranked.",
            "Its model may be damaged, or overflow in half precision. Get it anew, or use another one.",
        )
    return [(int(at), float(scores[at])) for at in numpy.argsort(-scores, kind="stable")]


@lru_cache(maxsize=8)
def _kept(name: str) -> Reranker:
    return make_reranker(name)


def _named(name: str) -> tuple[MakeReranker, str]:
    """Who makes it, and of what."""
    scheme, _, model = name.partition(":")
    if scheme in rerankers:
        return rerankers[scheme], model
    for entry in entry_points(group="ragkit.rerankers", name=scheme):
        make: MakeReranker = entry.load()
        return make, model
    if scheme == _OURS and model:
        return _cross_encoder, model
    known = {_OURS: f"{_OURS}:<name or path>", **{one: one for one in rerankers}}
    raise InvalidInput(
        f"There is no reranker {name!r}.{nearest_of(scheme.lower(), known)}", f"There are: {', '.join(known.values())}."
    )


_OURS = "cross-encoder"


def _cross_encoder(model: str) -> Reranker:
    from ragkit.indexes.crossencoder import CrossEncoderReranker

    return CrossEncoderReranker(model)
