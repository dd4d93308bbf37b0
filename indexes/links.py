"""Links: a passage points to the documents whose titles it says, and these rise towards it.

A question in two steps ("When did the country joined by this river become a republic?") is often answered by a passage
about something that another passage names, and which shares few words with the question. Whatever a linked passage
gains, it stays behind the one that points to it: so questions in one step lose nothing.

Tried on musique-100, the values being chosen by one half of the questions and measured on the other, many times over:
a gain that may pass the passage that points (documents of squad-articles then lose .02 of nDCG@10), a gain cut off
below it (ties), links of linked passages, less from passages with many links, and rarity as a weight (no difference),
and no regard to the rest of the question (2 points fewer of the questions have all their documents in the first ten).
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from ragkit.indexes import lexical
from ragkit.indexes.analyzer import Analyzer
from ragkit.indexes.domain import Domain
from ragkit.indexes.pool import Pool
from ragkit.indexes.segment import Array
from ragkit.indexes.snapshot import Snapshot

FIRST = 4
"""As many of the best passages point to others."""
_WAY = 0.8
"""The most of the way up to the passage that points to it that a linked one rises."""
_REST = 0.5
"""The share of that which it only rises as far as it says what is left of the question."""
_SAME = 10
"""A title of more documents ("Untitled") is no name."""
_COMMON = 0.1
"""Nor is what this share of the documents says, if those are more than `_SAME`."""
_LEAST = 3
_ASIDE = re.compile(r"\s*\([^()]*\)\s*$")
_MARKS = re.compile("[\u0300-\u036f]+")
_POSSESSIVE = re.compile(r"['’]s\b")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Passage:
    """One of the best rows of a search, with what is read of it."""

    row: int
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    source: Passage
    rows: Array
    """Of the document that it points to, those that may be found."""


class Titles:
    """What the documents of one domain are called, to be recognised where a text says it.

    Upper and lower case, accents, punctuation and what stands in brackets at a title's end make no difference. But one
    of the words must be written as a name: to say "time" or "four" is not to speak of a document with that title.
    """

    def __init__(self, titles: Iterable[tuple[int, str]]) -> None:
        self.documents = 0
        named: dict[str, list[int]] = defaultdict(list)
        for document, title in titles:
            self.documents += 1
            name = " ".join(word.lower() for word in _words(_ASIDE.sub("", title)) or _words(title))
            if len(name) >= _LEAST and not name.replace(" ", "").isnumeric():
                named[name].append(document)
        self._named = {name: tuple(documents) for name, documents in named.items() if len(documents) <= _SAME}
        lengths: dict[str, set[int]] = defaultdict(set)
        for name in self._named:
            lengths[name.partition(" ")[0]].add(name.count(" ") + 1)
        self._lengths = {word: tuple(sorted(known, reverse=True)) for word, known in lengths.items()}

    def said(self, text: str) -> dict[str, tuple[int, ...]]:
        """The titles that a text says, with their documents. Of two that begin with the same word, the longer one."""
        said: dict[str, tuple[int, ...]] = {}
        if not self._named:
            return said
        words = _words(text)
        lower = [word.lower() for word in words]
        at = 0
        while at < len(words):
            name, length = self._at(words, lower, at)
            if name:
                said[name] = self._named[name]
            at += length
        return said

    def _at(self, words: Sequence[str], lower: Sequence[str], at: int) -> tuple[str, int]:
        for length in self._lengths.get(lower[at], ()):
            name = " ".join(lower[at : at + length])
            if name in self._named and any(map(_is_name, words[at : at + length])):
                return name, length
        return "", 1


def _words(text: str) -> list[str]:
    """In their case, without accents; `John's` is `John`."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", text)))
    return _WORD.findall(_POSSESSIVE.sub(" ", text))


def _is_name(word: str) -> bool:
    """Scripts that know no capitals have to be believed."""
    return not word.islower() and not word.isnumeric()


_known: WeakKeyDictionary[Snapshot, Titles] = WeakKeyDictionary()


def titles(domain: Domain, state: Snapshot) -> Titles:
    """Read when a state's links are first asked for, and kept as long as the state is."""
    known = _known.get(state)
    if known is None:
        known = _known[state] = Titles(domain.titles(state))
    return known


def links(
    pool: Pool, allowed: Array, called: Sequence[Titles], analyzer: Analyzer, passages: Sequence[Passage]
) -> list[Link]:
    """What these passages point to, in any of the pool's domains. `called`: their titles, a domain each."""
    documents = sum(titles.documents for titles in called)
    rare: dict[str, bool] = {}
    pointed: dict[tuple[int, int], list[Passage]] = defaultdict(list)
    for passage in passages:
        own = (int(pool.domains[passage.row]), int(pool.documents[passage.row]))
        for place, known in enumerate(called):
            for name, named in known.said(passage.text).items():
                if own[0] == place and own[1] in named:
                    continue
                if name not in rare:
                    rare[name] = _is_rare(pool, analyzer.terms(name), documents)
                if rare[name]:
                    for document in named:
                        pointed[place, document].append(passage)
    rows = _rows(pool, allowed, list(pointed))
    return [Link(source, rows[target]) for target, sources in pointed.items() if target in rows for source in sources]


def gains(pool: Pool, terms: Iterable[str], found: Sequence[Link], rows: Array, scores: Array) -> Array:
    """What each of these rows gains; `rows` rise, and those of the links are among them.

    Of a document the row that has the highest score gains, and of several links the one that is worth most counts.
    """
    gained = np.zeros(len(rows))
    places = [np.searchsorted(rows, link.rows) for link in found]
    targets = [int(at[np.argmax(scores[at])]) for at in places]
    said = _Said(pool, terms, np.unique([*(link.source.row for link in found), *rows[targets].tolist()]))
    for link, at in zip(found, targets, strict=True):
        source = link.source
        share = 1 - _REST + _REST * said.rest(source.row, int(rows[at]))
        gained[at] = max(gained[at], _WAY * share * (source.score - scores[at]))
    return gained


def _is_rare(pool: Pool, terms: Sequence[str], documents: int) -> bool:
    """By the rarest of its words: whether it says what few documents say. Stop words say nothing."""
    postings = [np.concatenate([part.postings(term)[0] + part.first for part in pool.parts]) for term in set(terms)]
    if not postings:
        return False
    rows = min(postings, key=len)
    most = max(_SAME, _COMMON * documents)
    return len(rows) <= most or len(set(zip(pool.domains[rows], pool.documents[rows], strict=True))) <= most


def _rows(pool: Pool, allowed: Array, documents: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Array]:
    """By domain and document the rows that may be found; a document without any is left out."""
    if not documents:
        return {}
    rows = np.flatnonzero(np.isin(pool.documents, [document for _, document in documents]) & allowed)
    places, owners = pool.domains[rows], pool.documents[rows]
    found = {(place, one): rows[(places == place) & (owners == one)] for place, one in documents}
    return {document: own for document, own in found.items() if len(own)}


class _Said:
    """Which words of a question some rows hold, each weighed by how rare it is."""

    def __init__(self, pool: Pool, terms: Iterable[str], rows: Array) -> None:
        self._at = {row: at for at, row in enumerate(rows.tolist())}
        kept, weights = [], []
        for term in terms:
            postings = [part.postings(term)[0] + part.first for part in pool.parts]
            if frequency := sum(map(len, postings)):
                kept.append(_among(rows, np.concatenate(postings)))
                weights.append(lexical.idf(pool.alive_count, frequency))
        self._holds = np.array(kept).reshape(len(kept), len(rows))
        self._weights = np.array(weights)

    def rest(self, source: int, target: int) -> float:
        """The share that the target holds of what the source lacks; 0 if that lacks nothing."""
        lacked = self._weights * ~self._holds[:, self._at[source]]
        total = float(lacked.sum())
        return float((lacked * self._holds[:, self._at[target]]).sum()) / total if total else 0.0


def _among(rows: Array, rising: Array) -> Array:
    """For each row, whether it is one of the others; numpy's isin would sort those again."""
    at = np.minimum(np.searchsorted(rising, rows), len(rising) - 1)
    among: Array = rising[at] == rows
    return among
