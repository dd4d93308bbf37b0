"""An Abstention: why there is no answer, in words from which a reader knows what to do next.

Four reasons that must not read alike: the question belongs nowhere, a filter leaves nothing, nothing matches, or what
matches does not say it. Each says what was searched. That there are no documents at all is an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ragkit.enough import Closest, Evidence
from ragkit.indexes.filters import written

Reason = Literal["not routed", "filtered out", "found nothing", "not enough evidence"]
_QUOTE = 160
"""Characters of what came closest."""


@dataclass(frozen=True, slots=True)
class Abstention:
    reason: Reason
    text: str
    domains: tuple[str, ...] = ()
    """That were searched."""
    passages: int = 0
    """That these domains hold."""
    closest: Closest | None = None
    lacking: tuple[str, ...] = ()
    score: float | None = None

    @property
    def weak(self) -> bool:
        """There are passages, in which a model may find what a scorer does not."""
        return self.reason == "not enough evidence"


def not_routed(domains: Sequence[str], why: str = "") -> Abstention:
    """`why`: the route's own reason."""
    text = f"The question seems to belong to none of the domains ({', '.join(domains)}), so that none was searched."
    return Abstention("not routed", " ".join(filter(None, (text, why, "To ask one of them anyway, name it."))))


def filtered_out(domains: Sequence[str], passages: int, where: Mapping[str, Any]) -> Abstention:
    """`passages`: that there are without the filter."""
    text = (
        f"The filter {written(where)} leaves nothing of {_searched(domains, passages)}, so that nothing could be "
        "looked at. Ask with another filter, or without one."
    )
    return Abstention("filtered out", text, tuple(domains), passages)


def found_nothing(domains: Sequence[str], passages: int) -> Abstention:
    if not passages:
        hold = "holds" if len(domains) == 1 else "hold"
        text = f"{', '.join(domains)} {hold} no text at all. `ragkit sync` says what could not be read, and why."
        return Abstention("found nothing", text, tuple(domains), passages)
    text = f"Nothing in {_searched(domains, passages)} matches any word of the question. Try other words for it."
    return Abstention("found nothing", text, tuple(domains), passages)


def not_enough(domains: Sequence[str], passages: int, evidence: Evidence) -> Abstention:
    were = "was" if passages == 1 else "were"
    parts = [f"The documents do not seem to say: {_searched(domains, passages)} {were} searched."]
    if evidence.closest is not None:
        parts.append(f"Closest came {_place(evidence.closest)}: “{_shortened(evidence.closest.quote)}”")
    parts.append(f"It is not enough: {'; '.join(evidence.lacking)}.")
    return Abstention(
        "not enough evidence", " ".join(parts), tuple(domains), passages, evidence.closest, evidence.lacking,
        evidence.score,
    )  # fmt: skip


def _searched(domains: Sequence[str], passages: int) -> str:
    noun = "passage" if passages == 1 else "passages"
    return f"the {passages:,} {noun} of {', '.join(domains)}" if domains else f"the {passages:,} {noun}"


def _place(closest: Closest) -> str:
    pages = f"page {closest.pages[0]}" if closest.pages else ""
    title = closest.title or closest.uri
    under = " > ".join(one for one in closest.headings if one != title)
    return ", ".join(part for part in (title, under, pages) if part) + (
        f" ({closest.uri})" if closest.title and closest.title != closest.uri else ""
    )


def _shortened(text: str) -> str:
    said = " ".join(text.split())
    return said if len(said) <= _QUOTE else f"{said[: _QUOTE - 1].rsplit(' ', 1)[0]} …"
