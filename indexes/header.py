"""A Header: the title and headings that a chunk stands under, so that it says by itself what it is about."""

import math
from collections.abc import Iterable
from typing import NamedTuple

from ragkit.indexes.measure import Measure
from ragkit.indexes.outline import Outline

_SHARE = 4
"""A header takes at most this part of a chunk."""


class Request(NamedTuple):
    """What a header has to say, before it is cut to its share."""

    labels: tuple[str, ...]
    columns: str = ""


def request(outline: Outline, start: int, end: int) -> Request:
    """Title and path without the headings that stand in the range themselves, and without saying one twice."""
    path = outline.section(start).path
    within = [heading.start >= start and heading.end <= end and heading.end > heading.start for heading in path]
    labels = [heading.label for heading, inside in zip(path, within, strict=True) if not inside]
    if outline.title and outline.title.casefold() not in {heading.label.casefold() for heading in path}:
        labels.insert(0, outline.title)
    kept = [label for at, label in enumerate(labels) if label not in labels[at + 1 :]]
    return Request(tuple(kept), outline.columns(start))


def headers(requests: Iterable[Request], measure: Measure) -> dict[Request, str]:
    """Each cut to its share, by whole words: the innermost headings stay longest, the names of columns first."""
    most = measure.limit // _SHARE
    asked = list(dict.fromkeys(requests))
    columns = list(dict.fromkeys(one.columns for one in asked if len(one.columns) <= 10 * most))
    short = {text for text, cost in zip(columns, measure.costs(columns), strict=True) if cost <= most / 2}
    words = {one: _words(one, 10 * most) for one in asked}
    written: dict[Request, str] = {}
    while words:
        texts = {one: _written(left, one.columns if one.columns in short else "") for one, left in words.items()}
        over: dict[Request, list[list[str]]] = {}
        for (one, text), cost in zip(
            texts.items(), measure.costs([f"{text}\n" for text in texts.values()]), strict=True
        ):
            if cost <= most or not text:
                written[one] = text
            elif not words[one]:
                written[one] = ""
            else:
                over[one] = _less(words[one], 1 - most / cost)
        words = over
    return written


def _words(asked: Request, characters: int) -> list[list[str]]:
    """The words of each label, innermost first, as far as there could be room for them."""
    kept: list[list[str]] = []
    for label in reversed(asked.labels):
        words = label[: characters + 1].split()
        if len(label) > characters:
            words = words[:-1]
        if words:
            kept.append(words)
        characters -= len(label)
        if characters < 0:
            break
    return kept


def _less(labels: list[list[str]], share: float) -> list[list[str]]:
    """Without about that share of the words, at least one: the last of the outermost label go first."""
    drop = max(1, math.floor(share * sum(len(words) for words in labels)))
    kept = list(labels)
    while drop and kept:
        outermost = kept.pop()
        if len(outermost) > drop:
            kept.append(outermost[:-drop])
        drop -= min(drop, len(outermost))
    return kept


def _written(labels: list[list[str]], columns: str) -> str:
    """The innermost label stands last, next to the text."""
    path = " > ".join(" ".join(words) for words in reversed(labels))
    return "\n".join(part for part in (path, columns) if part)
