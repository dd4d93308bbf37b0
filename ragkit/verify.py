"""Verifies what a model wrote: markers become ranges of documents, and each claim is checked against its ranges.

A marker that names no source is dropped, a range that a model names is looked at before it is believed, and a claim
that its sources do not support is left out or marked, as the policy says.
"""

from collections.abc import Mapping, Sequence

from ragkit.answer import Citation
from ragkit.checking import Check, checked
from ragkit.model import Quote
from ragkit.narrow import narrow
from ragkit.rewrite import Policy, Range, Resting, Verified, rewrite
from ragkit.source import Source, part
from ragkit.statements import Mark, Marked, read

_SENTENCE = 4
"""Words before a marker, from which on they say enough to be looked up without the rest of their sentence."""


def verify(
    text: str,
    quotes: Sequence[Quote | None],
    sources: Mapping[int, Source],
    check: Check | None,
    policy: Policy,
    numbers: dict[Range, int] | None = None,
    told: Mapping[int, str] | None = None,
    unfinished: bool = False,
) -> Verified:
    """`numbers` are those that ranges have already, and are added to. `told` are texts that markers may name and that
    are no range of a document: they support, and are not cited."""
    marked = read(text, quotes, unfinished)
    cited = _cited(marked, sources, told or {})
    if check is not None and policy != "off":
        cited = checked(marked.text, cited, check)
    return rewrite(marked, cited, policy, {} if numbers is None else numbers)


def _cited(marked: Marked, sources: Mapping[int, Source], told: Mapping[int, str]) -> list[Resting]:
    found = []
    for one in marked.statements:
        places: list[tuple[int, Citation]] = []
        after = one.start
        for mark in one.marks:
            if (source := sources.get(mark.number)) is not None:
                said = marked.text[after : mark.at]
                whole = marked.text[one.start : one.end]
                asked = said if len(said.split()) >= _SENTENCE else whole
                places += [(mark.at, range_) for range_ in _ranges(mark, source, asked)]
            if len(marked.text[after : mark.at].split()) >= _SENTENCE:
                after = mark.at
        named = tuple(sources[mark.number] for mark in one.marks if mark.number in sources)
        heard = tuple(told[mark.number] for mark in one.marks if mark.number in told)
        found.append(Resting(one, marked.text[one.start : one.end], tuple(dict.fromkeys(places)), named, heard))
    return found


def _ranges(mark: Mark, source: Source, said: str) -> list[Citation]:
    text = source.at.quote
    own = mark.quote
    named = own is not None and own.number == mark.number and 0 <= own.start < own.end <= len(text)
    if own is not None and named and text[own.start : own.end].strip():
        return [_trimmed(source.at, own.start, own.end)]
    if source.whole:
        return [source.at]
    return [part(source.at, *each) for each in narrow(said, text)] or [_trimmed(source.at, 0, len(text))]


def _trimmed(whole: Citation, start: int, end: int) -> Citation:
    kept = whole.quote[start:end]
    first = start + len(kept) - len(kept.lstrip())
    return part(whole, first, first + len(kept.strip()))
