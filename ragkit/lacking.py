"""What the passages lack, in plain words: which name, date or kind of thing was asked for and stands nowhere."""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from ragkit.collection import Collection
from ragkit.kinds import LACKED
from ragkit.looked import Anchor, Looked, covered

_MOST = 3
"""Reasons. The first ones say it; a list of ten is not read."""
_WORD = re.compile(r"\w[\w.'’-]*")
_HELD = 0.999
_HALF = 0.5
_LONG = 4


def lacking(looked: Looked, collection: Collection, enough: bool) -> tuple[str, ...]:
    """The gravest first. When nothing in particular is missing and yet it is not enough, that is said."""
    if not looked.passages:
        return ("no passage was found",)
    if not looked.terms:
        return ("the question holds no word to look for",)
    spoken = _spoken(looked, collection)
    found = [*_unknown(looked, collection, spoken)]
    for anchor in looked.anchors:
        found += _of_anchor(anchor, looked, collection, spoken)
    if not found and not enough:
        found = ["the passages are only distantly like the question"]
    return tuple(dict.fromkeys(found))[:_MOST]


def _spoken(looked: Looked, collection: Collection) -> Mapping[str, str]:
    """Each term of the question as it was written."""
    words: dict[str, str] = {}
    for match in _WORD.finditer(looked.question):
        for term in collection.analyzer.terms(match.group()):
            words.setdefault(term, match.group().rstrip(".'’-"))
    return words


def _unknown(looked: Looked, collection: Collection, spoken: Mapping[str, str]) -> list[str]:
    """What stands in no passage of all that was searched: names first, then what weighs most."""
    where = _listed(list(collection.names)) or "what was searched"
    names = [name for name, own in looked.named.items() if not any(map(collection.frequency.get, own))]
    whole = frozenset(term for name in names for term in looked.named[name])
    others = [term for own in looked.named.values() for term in sorted(own - whole)]
    terms = [term for term in (*others, *_heaviest(looked)) if term in spoken and not collection.frequency.get(term)]
    missing = list(dict.fromkeys([*names, *(spoken[term] for term in terms)]))[:_MOST]
    return [f"{_quoted(missing)} {'stand' if len(missing) > 1 else 'stands'} nowhere in {where}"] if missing else []


def _of_anchor(anchor: Anchor, looked: Looked, collection: Collection, spoken: Mapping[str, str]) -> list[str]:
    name = f"“{anchor.name}”"
    if anchor.name and anchor.held < _HELD:
        unknown = any(not collection.frequency.get(term) for term in looked.named[anchor.name])
        return [] if unknown else [f"no document that was found names {name}"]
    about = f" about {name}" if anchor.name else ""
    found = []
    held = frozenset[str]().union(*(one.terms for one in anchor.passages))
    missing = _words(looked, collection, spoken, held)
    if missing:
        found.append(f"no passage{about} speaks of {_quoted(missing)}")
    elif anchor.best is not None and len(looked.rest) > 1:
        place = anchor.best.place.terms | anchor.best.passage.context
        words = _words(looked, collection, spoken, frozenset())
        if covered(looked.rest, place) < _HALF and len(words) > 1:
            found.append(f"no single place{about} holds {_quoted(words)} together")
    dates = _listed([str(date) for date in anchor.dates], "or")
    heaviest = next(iter(_heaviest(looked)), "")
    subject = name if anchor.name else f"“{spoken[heaviest]}”" if heaviest in spoken else "it"
    if dates and anchor.dated < _HALF:
        found.append(f"no place names {subject} together with {dates}")
    if not anchor.typed and looked.sought.kind in LACKED:
        near = f"“{spoken[heaviest]}”" if heaviest in spoken and heaviest in held else subject
        found.append(f"{LACKED[looked.sought.kind]} stands near {near}")
    return found


def _heaviest(looked: Looked) -> list[str]:
    """Of what is asked. Short words, as "per", would sound odd as what is lacking."""
    told = [term for term in looked.rest if len(term) >= _LONG or not term.isalpha()]
    return sorted(told, key=lambda term: -looked.rest[term])


def _words(looked: Looked, collection: Collection, spoken: Mapping[str, str], held: AbstractSet[str]) -> list[str]:
    """Of what is asked, that are known and not held: those that weigh most, in the question's order."""
    known = [term for term in _heaviest(looked) if term in spoken and collection.frequency.get(term)]
    chosen = [term for term in known if term not in held][:_MOST]
    return list(dict.fromkeys(spoken[term] for term in looked.rest if term in chosen))


def _quoted(words: Sequence[str]) -> str:
    return _listed([f"“{word}”" for word in words])


def _listed(parts: Sequence[str], last: str = "and") -> str:
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}" if len(parts) > 1 else "".join(parts)
