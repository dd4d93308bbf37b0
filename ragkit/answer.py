"""An Answer, and the Citations by which a reader checks it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ragkit.budget import Spent

Status = Literal["answered", "insufficient", "failed", "skipped", "blocked"]


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
class Claim:
    """A sentence of an answer, and what it rests on."""

    text: str
    """Without markers."""
    start: int
    end: int
    """Where it stands in the text, with its markers; both 0 when it was left out, or a guard changed the text."""
    citations: tuple[Citation, ...] = ()
    support: float | None = None
    """How well these support it, from 0 to 1; None when nobody looked."""
    status: Literal["supported", "unsupported", "uncited", "refused", "unreadable", "unchecked"] = "unchecked"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    question: str
    text: str
    citations: tuple[Citation, ...] = ()
    abstained: bool = False
    """The documents do not say; `reason` says what was looked for."""
    reason: str = ""
    because: Literal["", "not routed", "filtered out", "found nothing", "not enough evidence"] = ""
    """The same for programs, where it is one of these."""
    missing: tuple[str, ...] = ()
    """What this answer lacks, and why: it is a partial one then."""
    notes: tuple[str, ...] = ()
    """What was done otherwise than meant, and cost nothing of the answer: a plan that was mended, what a tool said."""
    status: Status = "answered"
    """Answered, insufficient (the documents do not say), failed, blocked (by a guard), or skipped for want of time
    or budget. What is not answered says why in `reason`."""
    domains: tuple[str, ...] = ()
    """Where it was looked for."""
    model: str = ""
    """Which one wrote it."""
    cached: bool = False
    """It was written for an earlier ask."""
    claims: tuple[Claim, ...] = ()
    """What the text says, sentence by sentence, each with what it rests on."""
    groundedness: float | None = None
    """The share of the claims that what they cite supports; None when nobody looked."""
    confidence: float | None = None
    """How likely the passages that were found hold the answer at all, from 0 to 1; None when that is not known."""
    sub_answers: tuple["Answer", ...] = ()
    route: Mapping[str, Any] = field(default_factory=dict)
    usage: Spent = field(default_factory=Spent)
    seconds: float = 0.0
    trace: str = ""
    """The id under which `ragkit trace` knows how it was made; empty when traces are not kept."""

    @property
    def partial(self) -> bool:
        return bool(self.missing)
