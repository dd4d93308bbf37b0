"""Groundedness: how many claims of an answer are supported by what they cite, and how good the citations are.

A scorer says of one claim whether the cited texts support it; the figures here only count what it said. Whatever it
could not say is a row too, counted apart: it is neither supported nor unsupported, and never a number.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ragkit.errors import InvalidInput
from ragkit.indexes.analyzer import Analyzer
from ragkit.verdict import Scorer, Status, Support

__all__ = [
    "Claim",
    "Groundedness",
    "Row",
    "Scorer",
    "Status",
    "Support",
    "WordOverlap",
    "citation_precision",
    "citation_recall",
    "groundedness",
]


@dataclass(frozen=True, slots=True)
class Claim:
    """What an answer says in one sentence or less, and the texts that it cites for it."""

    text: str
    cited: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.cited, tuple):
            raise InvalidInput(
                f"The cited texts of a claim are a {type(self.cited).__name__}.", "Pass a tuple of texts."
            )


@dataclass(frozen=True, slots=True)
class Row:
    claim: Claim
    support: Support


@dataclass(frozen=True, slots=True)
class Groundedness:
    """The verdicts, one a claim in the order of the answer; of `citation_precision`, one a citation of a claim."""

    rows: tuple[Row, ...]

    def count(self, *statuses: Status) -> int:
        """How many rows are of these statuses."""
        return sum(row.support.status in statuses for row in self.rows)

    @property
    def unjudged(self) -> int:
        """How many rows the scorer refused, or could not be understood on. They are in neither side of `share`."""
        return self.count("refused", "unreadable")

    @property
    def share(self) -> float | None:
        """Supported rows of all but the unjudged; uncited ones count as unsupported.

        None, that is unknown, when nothing is left: an answer without claims is neither grounded nor ungrounded.
        """
        judged = len(self.rows) - self.unjudged
        return self.count("supported") / judged if judged else None

    @property
    def least(self) -> float | None:
        """Supported rows of all rows: what `share` would be if every unjudged row were unsupported. None without rows.

        Far below `share`, it tells that too little was judged to believe in `share`.
        """
        return self.count("supported") / len(self.rows) if self.rows else None


def groundedness(claims: Sequence[Claim], scorer: Scorer) -> Groundedness:
    """Each claim judged by all that it cites itself, taken together. What others cite does not help it."""
    return Groundedness(tuple(Row(claim, _support(claim, scorer)) for claim in claims))


def citation_recall(grounded: Groundedness) -> float | None:
    """The share of claims that are supported by all their citations taken together.

    The citation recall of ALCE (Gao and others, Enabling Large Language Models to Generate Text with Citations, 2023),
    and of Liu and others (Evaluating Verifiability in Generative Search Engines, 2023) where every claim is worth
    verifying: both take the texts together, and count a claim without citations as 0. As claims are judged here by
    their own citations, it is `share` by its published name. None when unknown.
    """
    return grounded.share


def citation_precision(grounded: Groundedness, scorer: Scorer) -> Groundedness:
    """The citations, one a row; the `share` of those that help to support their claim is the citation precision.

    As in ALCE (Gao and others, 2023): a citation counts when its claim is supported by all its citations together, and
    it either supports the claim by itself, or the others do not support the claim without it. So every citation of an
    unsupported claim counts as wrong, and so does one that adds nothing. Liu and others (2023) differ: they ask people
    for partial support as well, which a scorer with two verdicts cannot say, and let a citation count that supports
    its claim alone though all together do not.

    A verdict of `grounded` is not asked for again. A citation that could not be judged is a row, counted apart.
    """
    rows = (
        Row(replace(row.claim, cited=(cited,)), _of_one(row, at, scorer))
        for row in grounded.rows
        for at, cited in enumerate(row.claim.cited)
    )
    return Groundedness(tuple(rows))


class WordOverlap:
    """The baseline that needs no model: a claim is supported when its words, and all its numbers, stand in the texts.

    The score is the share of the claim's distinct terms (stemmed, without stop words, unweighted) that stand anywhere
    in the cited texts; with a number that does not stand there, half of it. It sees no negation, no order and no
    synonym: `Ann hired Bob` supports `Bob hired Ann`. It is the figure that a real scorer must beat.

    Of the thresholds 0.5, 0.6 … 1.0, `enough` has the best sum of Cohen's kappa over six sets labelled by people, each
    of which alone has another best one. Halving for numbers adds .01 to .03 to the AUC of three of them, and takes .002
    to .004 from the others. `python -m tests.grounded` prints the figures.
    """

    def __init__(self, enough: float = 0.8, analyzer: Analyzer | None = None) -> None:
        if not 0 < enough <= 1:
            raise InvalidInput(f"A claim cannot be supported from {enough} on.", "Choose a share between 0 and 1.")
        self.enough = enough
        self._analyzer = analyzer or Analyzer()

    def support(self, claim: str, cited: Sequence[str]) -> Support:
        wanted = set(self._analyzer.terms(claim))
        if not wanted:
            return Support(None, "unreadable", "The claim has no words to look for.")
        missing = wanted.difference(*map(self._analyzer.terms, cited))
        numbers = sorted(filter(_NUMBER.fullmatch, missing))
        score = (1 - len(missing) / len(wanted)) * (0.5 if numbers else 1)
        if numbers:
            return Support(score, "unsupported", f"The cited texts do not have the numbers {', '.join(numbers)}.")
        if score >= self.enough:
            return Support(score, "supported")
        return Support(score, "unsupported", f"The cited texts do not have the words {', '.join(sorted(missing))}.")


_NUMBER = re.compile(r"\d+(?:\.\d+)*")


def _support(claim: Claim, scorer: Scorer) -> Support:
    """What the scorer says; a scorer that breaks is a row as well, and so is one that says no score."""
    if not claim.cited:
        return Support(None, "uncited", "The claim cites nothing.")
    texts = [text for text in claim.cited if text.strip()]
    if not texts:
        return Support(0.0, "unsupported", "The cited texts are blank.")
    try:
        return scorer.support(claim.text, texts)
    except Exception as error:  # of whatever class: a scorer is the user's, and one claim must not end a run
        return Support(None, "unreadable", f"The scorer failed: {type(error).__name__}: {error}")


def _of_one(row: Row, at: int, scorer: Scorer) -> Support:
    """Whether one citation helps to support its claim."""
    cited = row.claim.cited
    if len(cited) == 1 or not row.support.judged:
        return row.support
    if row.support.status == "unsupported":
        return replace(row.support, reason="All citations together do not support the claim.")
    alone = _support(replace(row.claim, cited=(cited[at],)), scorer)
    if alone.status != "unsupported":
        return alone
    others = _support(replace(row.claim, cited=(*cited[:at], *cited[at + 1 :])), scorer)
    if others.status == "unsupported":
        return replace(alone, status="supported", reason="The other citations do not support the claim without it.")
    if others.status == "supported":
        return replace(alone, reason="The other citations support the claim without it.")
    return others
