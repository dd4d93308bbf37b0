"""How much of the gold ranges was retrieved, and how much else.

As Chroma defines it (Smith and Troynikov, Evaluating Chunking Strategies for Retrieval, 2024). With I the part of the
gold that lies in a retrieved range, G the gold, each character counted once, and T the retrieved text, in which what
two overlapping chunks both hold counts twice, because a reader, or a model, is given it twice:

    recall = |I| / |G|        precision = |I| / |T|        IoU = |I| / (|T| + |G not in I|)

The gold counts once even where two of its ranges overlap; their code counts it twice in |G|. None do in their data.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Range = tuple[int, int]
"""From, and up to but without."""
Ranges = Mapping[str, Sequence[Range]]
"""Ranges of documents, by uri."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many characters (or tokens) are gold, are retrieved (with repetition), and are both."""

    gold: int
    retrieved: int
    both: int

    @property
    def recall(self) -> float:
        return self.both / self.gold if self.gold else 0.0

    @property
    def precision(self) -> float:
        return self.both / self.retrieved if self.retrieved else 0.0

    @property
    def iou(self) -> float:
        either = self.retrieved + self.gold - self.both
        return self.both / either if either else 0.0


def overlap(retrieved: Ranges, gold: Ranges) -> Overlap:
    """Lay the retrieved ranges over the gold ones."""
    united = {uri: union(ranges) for uri, ranges in gold.items()}
    return Overlap(
        gold=sum(_length(ranges) for ranges in united.values()),
        retrieved=sum(_length(ranges) for ranges in retrieved.values()),
        both=sum(_shared(union(ranges), united.get(uri, [])) for uri, ranges in retrieved.items()),
    )


def union(ranges: Iterable[Range]) -> list[Range]:
    """The same characters as ranges that do not touch, in order; empty ranges vanish."""
    united: list[Range] = []
    for start, end in sorted(one for one in ranges if one[0] < one[1]):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], end))
        else:
            united.append((start, end))
    return united


def token_starts(text: str) -> list[int]:
    r"""Where the tokens of a text begin. A token is a run of word characters, `\w+`: no model's tokens, so that
    figures are the same under every model. Signs are no tokens."""
    return [word.start() for word in _WORD.finditer(text)]


def in_tokens(ranges: Iterable[Range], starts: Sequence[int]) -> list[Range]:
    """The ranges, counted in tokens. A token is in the range in which it begins, so chunks that touch share none."""
    return [(bisect_left(starts, start), bisect_left(starts, end)) for start, end in ranges]


def _length(ranges: Iterable[Range]) -> int:
    return sum(end - start for start, end in ranges)


def _shared(left: Sequence[Range], right: Sequence[Range]) -> int:
    """The length that two unions have in common."""
    at = total = 0
    for start, end in left:
        while at < len(right) and right[at][1] <= start:
            at += 1
        for other_start, other_end in right[at:]:
            if other_start >= end:
                break
            total += min(end, other_end) - max(start, other_start)
    return total
