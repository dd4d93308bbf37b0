"""A Place of a quote in a text: word for word, else in other typography, else with words edited.

Three ways are tried, from the surest to the least sure. The last finds anchors as in seed-and-extend alignment
(Altschul et al., Basic Local Alignment Search Tool, 1990): rare words of the quote vote for where it would begin, and
only the passages with most votes are compared word by word.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from itertools import accumulate
from typing import Literal

LEAST_SIMILAR = 0.8
"""Below, a passage is another one, not the quote edited. Two words in three are shared by many a pair of sentences
that were written to one template; four in five are not, once figures must agree (`_figures`)."""
FEWEST_WORDS = 6
"""A shorter quote with a word changed has too little left to be known by."""
_NO_RIVAL = 0.05
"""How much better the best passage must be than the next for it to be the one, when nothing says where it stood."""
_COMMON = 500
_PASSAGES = 8

_BLANKS_AND_SIGNS = r"\s!-#&-/:;?@\[-`{-~\xa0\xa1\xa6-\xa9\xab\xad\xb7\xbb\xbf\u2000-\u206f\u2e00-\u2e7f\u3000-\u3020"
_BLANKS_AND_SIGNS += r"\u3030\uff01-\uff0f\uff1a-\uff1b\uff1f-\uff20\uff3b-\uff40\uff5b-\uff65\ufeff"
_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"\d+(?:[.,]\d+)+|[{_UNSPACED}]|[^{_BLANKS_AND_SIGNS}{_UNSPACED}]+(?:[.,](?<=\d[.,])\d+)*")
_SIGNS_AFTER = re.compile(rf"(?:(?!\s)[{_BLANKS_AND_SIGNS}])*")
_SPACED_SCRIPTS_END = 0x590


@dataclass(frozen=True, slots=True)
class Place:
    """Where a quote stands in a text."""

    start: int
    end: int
    similarity: float
    """1.0: the same words, in other typography if not letter by letter."""
    verbatim: bool
    places: int
    """In how many places it stands so; this is the one that was picked."""


class Text:
    """A text in which many quotes are looked for. What that takes beyond the text is made once, when first needed."""

    def __init__(self, text: str) -> None:
        self.text = text

    def find(self, quote: str, near: int | None = None) -> Place | None:
        """The place of `quote`; of several, the nearest to `near`, or the first.

        One that stands in several places is not gold in all of them: to find it once is to find it.
        """
        if near is not None and quote and self.text.startswith(quote, near) and self._stands(near, quote):
            return Place(near, near + len(quote), 1.0, True, 1)
        return self._verbatim(quote, near) or self._same_words(quote, near) or self._edited(quote, near)

    def nearest(self, quote: str) -> Place | None:
        """What is most like a quote that is lost, to show it. Nothing where nothing is like it."""
        found = self._passages(_words(quote))
        return found[0] if found and found[0].similarity >= 0.5 else None

    def _verbatim(self, quote: str, near: int | None) -> Place | None:
        starts = [at for at in _occurrences(self.text, quote) if self._stands(at, quote)]
        if not starts:
            return None
        at = _pick(starts, near)
        return Place(at, at + len(quote), 1.0, True, len(starts))

    def _stands(self, at: int, quote: str) -> bool:
        """Whether it is the quote that stands there, not a part of something else: "5 million" is not in "2.5 million".

        People do quote from the middle of a word; where the quote is long, it is known by the rest of its words.
        """
        cuts = {_cut(self.text, at), _cut(self.text, at + len(quote))}
        return "figure" not in cuts and ("word" not in cuts or len(_words(quote)) >= FEWEST_WORDS)

    def _same_words(self, quote: str, near: int | None) -> Place | None:
        """Case, quotation marks, dashes, blanks and hyphens at line ends aside."""
        wanted = _joined(_words(quote))
        found = [place for at in _occurrences(self._index.joined, wanted) if (place := self._index.range(at, wanted))]
        if not found:
            return None
        start = _pick([start for start, _ in found], near)
        start, end = self._with_signs(quote, start, dict(found)[start])
        return Place(start, end, 1.0, False, len(found))

    def _with_signs(self, quote: str, start: int, end: int) -> tuple[int, int]:
        """With the stop, bracket or quotation mark that the quote ends with, and the one that it begins with."""
        last = next(reversed(list(_WORD.finditer(quote))))
        first = _WORD.search(quote)
        after = _SIGNS_AFTER.match(self.text, end)
        signs = len(quote[last.end() :].strip())
        if after and signs:
            end = min(after.end(), end + signs)
        before = len(quote[: first.start()].strip()) if first else 0
        while before and start and not self.text[start - 1].isspace() and not _WORD.match(self.text, start - 1):
            start, before = start - 1, before - 1
        return start, end

    def _edited(self, quote: str, near: int | None) -> Place | None:
        words = _words(quote)
        if len(words) < FEWEST_WORDS:
            return None
        index = self._index
        found = [
            place
            for place in self._passages(words)
            if place.similarity >= LEAST_SIMILAR and _figures(words) == _figures(index.between(place.start, place.end))
        ]
        rivals = [place for place in found if place.similarity > found[0].similarity - _NO_RIVAL]
        if near is None:
            return rivals[0] if len(rivals) == 1 else None
        return min(rivals, key=lambda place: abs(place.start - near), default=None)

    def _passages(self, words: Sequence[str]) -> list[Place]:
        """Passages like these words, the likest first; none of them overlap."""
        found: list[Place] = []
        compared = (self._compare(words, at) for at in self._candidates(words))
        for place in sorted((one for one in compared if one), key=lambda one: (-one.similarity, one.start)):
            if all(place.end <= other.start or other.end <= place.start for other in found):
                found.append(place)
        return found

    def _candidates(self, words: Sequence[str]) -> list[int]:
        """Where the quote might begin, as places of words; each rare word that it has votes."""
        votes: Counter[int] = Counter()
        grain = max(4, len(words) // 4)
        for at, word in enumerate(words):
            positions = self._index.positions.get(word, ())
            if len(positions) <= _COMMON:
                for position in positions:
                    votes[(position - at) // grain] += 1
        ranked = sorted(votes, key=lambda bin_: (-votes[bin_] - votes.get(bin_ + 1, 0), bin_))
        return [bin_ * grain for bin_ in ranked[:_PASSAGES]]

    def _compare(self, words: Sequence[str], at: int) -> Place | None:
        index, slack = self._index, max(4, len(words) // 2)
        first = max(0, at - slack)
        window = index.words[first : max(0, at) + len(words) + 2 * slack]
        blocks = _trimmed(
            [
                (block.b, block.size)
                for block in SequenceMatcher(None, words, window, autojunk=False).get_matching_blocks()
                if block.size
            ]
        )
        if not blocks:
            return None
        begin, end = blocks[0][0], sum(blocks[-1])
        similarity = 2 * sum(size for _, size in blocks) / (len(words) + end - begin)
        return Place(index.starts[first + begin], index.ends[first + end - 1], similarity, False, 1)

    @cached_property
    def _index(self) -> "_Index":
        return _Index(self.text)


class _Index:
    """The words of a text in one writing, joined without blanks, and where each stands."""

    def __init__(self, text: str) -> None:
        self.words: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        for match in _WORD.finditer(text):
            word = _written(match[0])
            if word:
                self.words.append(word)
                self.starts.append(match.start())
                self.ends.append(match.end())
        parts = _parts(self.words)
        self.joined = "".join(parts)
        self._ends = list(accumulate(map(len, parts)))
        self._starts = [end - len(word) for end, word in zip(self._ends, self.words, strict=True)]

    @cached_property
    def positions(self) -> dict[str, list[int]]:
        positions: dict[str, list[int]] = defaultdict(list)
        for at, word in enumerate(self.words):
            positions[word].append(at)
        return positions

    def range(self, at: int, wanted: str) -> tuple[int, int] | None:
        """Where in the text the joined words have `wanted` at `at`, if whole words are there."""
        first, last = bisect_left(self._starts, at), bisect_left(self._ends, at + len(wanted))
        whole = first <= last < len(self._ends) and self._starts[first] == at and self._ends[last] == at + len(wanted)
        return (self.starts[first], self.ends[last]) if whole else None

    def between(self, start: int, end: int) -> list[str]:
        return self.words[bisect_left(self.starts, start) : bisect_right(self.ends, end)]


def _words(quote: str) -> list[str]:
    return [word for match in _WORD.finditer(quote) if (word := _written(match[0]))]


def _parts(words: Sequence[str]) -> list[str]:
    """The words as they are joined: figures stay apart, or "1.. 887" would be 1887."""
    return [
        f"\0{word}" if before[-1:].isdigit() and word[0].isdigit() else word
        for before, word in zip(["", *words], words, strict=False)
    ]


def _joined(words: Sequence[str]) -> str:
    return "".join(_parts(words))


def _written(word: str) -> str:
    return word.lower() if word.isascii() else unicodedata.normalize("NFKC", word).casefold()


def _figures(words: Sequence[str]) -> Counter[str]:
    """A passage with other figures in it states something else, however like it is."""
    return Counter(word for word in words if any(map(str.isdigit, word)))


def _occurrences(text: str, part: str) -> Iterator[int]:
    at = text.find(part) if part else -1
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def _pick(starts: Sequence[int], near: int | None) -> int:
    return starts[0] if near is None else min(starts, key=lambda start: (abs(start - near), start))


def _cut(text: str, at: int) -> Literal["", "word", "figure"]:
    """What is cut in two at this place of a text."""
    if not 0 < at < len(text):
        return ""
    before, after = text[at - 1], text[at]
    if before.isdigit() and after.isdigit():
        return "figure"
    if after.isdigit() and before in ".," and text[max(0, at - 2)].isdigit():
        return "figure"
    if before.isdigit() and after in ".," and text[at + 1 : at + 2].isdigit():
        return "figure"
    spaced = max(ord(before), ord(after)) < _SPACED_SCRIPTS_END
    joined = before.isalnum() and after.isalnum() and spaced
    return "word" if joined or unicodedata.combining(after) else ""


def _trimmed(blocks: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without stray words at both ends, which stand further from the rest than they are long."""
    while len(blocks) > 1 and blocks[1][0] - sum(blocks[0]) > 2 * blocks[0][1]:
        blocks = blocks[1:]
    while len(blocks) > 1 and blocks[-1][0] - sum(blocks[-2]) > 2 * blocks[-1][1]:
        blocks = blocks[:-1]
    return blocks
