"""An Answer, and the Citations by which a reader checks it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ragkit.budget import Spent

Status = Literal["answered", "insufficient", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Citation:
    """A range of a document: `document.text[start:end] == quote`, always."""

    marker: int
    """`[1]` in the text."""
    uri: str
    domain: str
    title: str
    pages: tuple[int, ...]
    headings: tuple[str, ...]
    start: int
    end: int
    quote: str
    support: float | None = None
    """How well it supports what it is cited for; None when nobody looked."""


@dataclass(frozen=True, slots=True)
class Answer:
    question: str
    text: str
    citations: tuple[Citation, ...] = ()
    abstained: bool = False
    """The documents do not say; `reason` says what was looked for."""
    reason: str = ""
    missing: tuple[str, ...] = ()
    """What this answer lacks, and why: it is a partial one then."""
    status: Status = "answered"
    """Of a part of a question: answered, insufficient (the documents do not say), failed, or skipped for want of time
    or budget. What is not answered says why in `reason`."""
    domains: tuple[str, ...] = ()
    """Where it was looked for."""
    model: str = ""
    """Which one wrote it."""
    cached: bool = False
    """It was written for an earlier ask."""
    groundedness: float | None = None
    sub_answers: tuple["Answer", ...] = ()
    route: Mapping[str, Any] = field(default_factory=dict)
    usage: Spent = field(default_factory=Spent)
    seconds: float = 0.0
    trace: str = ""
    """The id under which `ragkit trace` knows how it was made; empty when traces are not kept."""

    @property
    def partial(self) -> bool:
        return bool(self.missing)
