"""Verifies what a model wrote: markers become ranges of documents, and each claim is checked against its ranges.

A marker that names no source is dropped, a range that a model names is looked at before it is believed, and a claim
that its sources do not support is left out or marked, as the policy says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ragkit.answer import Citation
from ragkit.indexes.analyzer import Analyzer
from ragkit.model import Quote
from ragkit.narrow import narrow
from ragkit.rewrite import Policy, Range, Resting, Verified, rewrite
from ragkit.source import Source
from ragkit.statements import Mark, Marked, Statement, read
from ragkit.verdict import Support

Check = Callable[[Sequence[tuple[str, Sequence[str]]]], Sequence[Support]]
"""Claims, each with the texts it cites."""
_UNCITED = "It cites nothing."
_NEITHER = "It cites nothing, and what its paragraph cites does not support it."
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
        cited = _checked(marked, cited, check)
    return rewrite(marked, cited, policy, {} if numbers is None else numbers)


def _cited(marked: Marked, sources: Mapping[int, Source], told: Mapping[int, str]) -> list[Resting]:
    analyzer = Analyzer()
    found = []
    for one in marked.statements:
        places: list[tuple[int, Citation]] = []
        after = one.start
        for mark in one.marks:
            if (source := sources.get(mark.number)) is not None:
                said = marked.text[after : mark.at]
                whole = marked.text[one.start : one.end]
                asked = said if len(said.split()) >= _SENTENCE else whole
                places += [(mark.at, range_) for range_ in _ranges(mark, source, asked, analyzer)]
            if len(marked.text[after : mark.at].split()) >= _SENTENCE:
                after = mark.at
        named = tuple(sources[mark.number] for mark in one.marks if mark.number in sources)
        heard = tuple(told[mark.number] for mark in one.marks if mark.number in told)
        found.append(Resting(one, marked.text[one.start : one.end], tuple(dict.fromkeys(places)), named, heard))
    return found


def _ranges(mark: Mark, source: Source, said: str, analyzer: Analyzer) -> list[Citation]:
    text = source.at.quote
    own = mark.quote
    named = own is not None and own.number == mark.number and 0 <= own.start < own.end <= len(text)
    if own is not None and named and text[own.start : own.end].strip():
        return [_trimmed(source.at, own.start, own.end)]
    return _narrowed(source, said, analyzer) or [_trimmed(source.at, 0, len(text))]


def _narrowed(source: Source, said: str, analyzer: Analyzer) -> list[Citation]:
    if source.whole:
        return [source.at]
    return [_part(source.at, start, end) for start, end in narrow(said, source.at.quote, analyzer)]


def _trimmed(whole: Citation, start: int, end: int) -> Citation:
    kept = whole.quote[start:end]
    first = start + len(kept) - len(kept.lstrip())
    return _part(whole, first, first + len(kept.strip()))


def _part(whole: Citation, start: int, end: int) -> Citation:
    return replace(whole, start=whole.start + start, end=whole.start + end, quote=whole.quote[start:end])


def _checked(marked: Marked, cited: Sequence[Resting], check: Check) -> list[Resting]:
    """Each with what the check says; one that cites nothing is checked against what its paragraph cites."""
    analyzer = Analyzer()
    tried = [one if one.places or one.told else _borrowed(marked, one, cited, analyzer) for one in cited]
    due = [at for at, one in enumerate(tried) if (one.places or one.told) and one.statement.claims]
    made: list[Support | None] = [None] * len(tried)
    asked: list[tuple[int, str, list[str]]] = []
    for at in due:
        said = tried[at].said
        texts = [*(one.quote for _, one in tried[at].places), *tried[at].told]
        if any(_flat(said) in _flat(text) for text in texts):
            made[at] = Support(1.0, "supported", "It stands there word for word.")
        else:
            asked.append((at, said, texts))
    if asked:
        for (at, _, _), verdict in zip(asked, check([(said, texts) for _, said, texts in asked]), strict=True):
            made[at] = verdict
    found: list[Resting] = []
    for own, lent, support in zip(cited, tried, made, strict=True):
        if own.places or own.told or (support is not None and support.status == "supported"):
            found.append(replace(lent, support=support))
        elif own.statement.claims:
            found.append(replace(own, support=Support(None, "uncited", _UNCITED if support is None else _NEITHER)))
        else:
            found.append(own)
    return found


def _borrowed(marked: Marked, one: Resting, cited: Sequence[Resting], analyzer: Analyzer) -> Resting:
    """Models often cite once for several sentences."""
    said = one.said
    sources = dict.fromkeys(
        source for other in cited if not _apart(marked.text, one.statement, other.statement) for source in other.sources
    )
    places = tuple((one.statement.end, place) for source in sources for place in _narrowed(source, said, analyzer))
    return replace(one, places=places) if said else one


def _apart(text: str, one: Statement, other: Statement) -> bool:
    first, second = sorted((one, other), key=lambda each: each.start)
    return "\n\n" in text[first.end : second.start]


def _flat(text: str) -> str:
    return " ".join(text.split())
