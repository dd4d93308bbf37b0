"""What a strategy answered to one question, as it is kept: the text, the ranges that it cites, and what it took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ragkit.answer import Answer
from ragkit.model import LOCAL, ModelError


@dataclass(frozen=True, slots=True)
class Cited:
    """A range of a document, and the number by which the text names it."""

    marker: int
    domain: str
    uri: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Answered:
    text: str = ""
    citations: tuple[Cited, ...] = ()
    abstained: bool = False
    reason: str = ""
    """Why it abstained."""
    missing: tuple[str, ...] = ()
    """What a partial answer lacks."""
    model: str = ""
    calls: int = 0
    tokens: int = 0
    money: Decimal | None = Decimal(0)
    """None where nobody knows what it cost: that is unknown, not nothing."""
    seconds: float = 0.0
    """Of the whole ask: it searches once more, for its own passages."""
    error: str = ""
    """Why no model answered. Such a question scores 0, and is asked again when the run is made again."""

    @property
    def given(self) -> bool:
        """Whether there is an answer that can be right or wrong."""
        return not self.error and not self.abstained


def answered(answer: Answer, seconds: float, asked: Sequence[str] = ()) -> Answered:
    """An answer of the workspace, without what the documents say anyway.

    Where a budget or the time was used up, a workspace answers with sentences of the passages. Here that is a failure:
    they would be scored as if the model had written them. `asked` are the models that were to answer.
    """
    unasked = answer.partial and answer.model in LOCAL and not set(asked) <= LOCAL
    return Answered(
        text="" if unasked else answer.text,
        citations=() if unasked else tuple(Cited(c.marker, c.domain, c.uri, c.start, c.end) for c in answer.citations),
        abstained=answer.abstained,
        reason=answer.reason,
        missing=() if unasked else answer.missing,
        model="" if unasked else answer.model,
        calls=answer.usage.calls,
        tokens=answer.usage.tokens,
        money=None if answer.usage.unknown else answer.usage.money,
        seconds=seconds,
        error=" ".join(answer.missing) if unasked else "",
    )


def failed(error: ModelError, seconds: float) -> Answered:
    """Of a model that gave none. What the failed calls cost is known as far as the server said it."""
    tokens = error.usage.total if error.usage else 0
    return Answered(error=str(error), model=error.model, tokens=tokens, money=None, seconds=seconds)


def read(row: Mapping[str, Any] | None) -> Answered | None:
    """From a line of a kept run; None where the strategy only retrieved."""
    if row is None:
        return None
    citations: Sequence[Mapping[str, Any]] = row["citations"]
    return Answered(
        **{
            **row,
            "citations": tuple(Cited(**one) for one in citations),
            "missing": tuple(row["missing"]),
            "money": None if row["money"] is None else Decimal(row["money"]),
        }
    )
