"""Whether a plan can be carried out: what cannot is mended, and each mending is a note of the plan."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ragkit.indexes.analyzer import Analyzer
from ragkit.plan import HOLE, MOST, Plan, SubQuestion, ToolInfo, whole

_ALIKE = 0.8
_ANALYZER = Analyzer()
_PLACE = re.compile(r"\{\s*#?([^{}\s]{1,40})\s*\}")
_HASH = re.compile(r"#(\w+)")


@dataclass(frozen=True, slots=True)
class Draft:
    """What was proposed, by rules or by a model."""

    sub_questions: Sequence[SubQuestion]
    conclusion: str = ""


def checked(
    question: str,
    draft: Draft,
    tools: Sequence[ToolInfo] = (),
    most: int = MOST,
    by: Literal["rules", "model"] = "rules",
    notes: Iterable[str] = (),
    lost: Iterable[str] = (),
) -> Plan:
    """The plan of a draft: no circles, no unknown tools, at most so many sub-questions, none asked twice.

    `notes` and `lost` are those of an earlier plan, of which this one is made.
    """
    said, gone = list(notes), list(lost)
    subs = _named(draft.sub_questions, said)
    subs = _tooled(subs, tools, said)
    subs = _linked(subs, said, by == "model")
    subs = _ordered(subs, said)
    subs = _once(subs, said)
    subs = _few(subs, most, gone)
    if not subs:
        said.append("The plan was empty: the question is asked as it is.")
        return replace(whole(question, *said), by=by, lost=tuple(gone))
    return Plan(question, tuple(subs), draft.conclusion.strip(), tuple(said), tuple(gone), by)


def _named(subs: Sequence[SubQuestion], notes: list[str]) -> list[SubQuestion]:
    made: list[SubQuestion] = []
    taken: set[str] = set()
    for number, sub in enumerate(subs, start=1):
        text = " ".join(_PLACE.sub(lambda hole: f"{{{_key(hole[1])}}}", sub.text).split())
        key = _key(sub.id) or str(number)
        if not text:
            notes.append(f"{key} was left out: it asks nothing.")
            continue
        if key in taken:
            other = next(f"{key}_{n}" for n in range(2, len(subs) + 2) if f"{key}_{n}" not in taken)
            notes.append(f"Two sub-questions were called {key}: the second is now {other}.")
            key = other
        taken.add(key)
        needs = tuple(dict.fromkeys(filter(None, map(_key, sub.depends_on))))
        made.append(replace(sub, id=key, text=text, depends_on=needs))
    return made


def _tooled(subs: list[SubQuestion], tools: Sequence[ToolInfo], notes: list[str]) -> list[SubQuestion]:
    known = {_bare(tool.name): tool.name for tool in tools}
    made = []
    for sub in subs:
        kept = tuple(dict.fromkeys(known[_bare(name)] for name in sub.tools if _bare(name) in known))
        wrong = [name for name in sub.tools if _bare(name) not in known]
        if wrong:
            where = f"it is asked of {', '.join(kept)}" if kept else "the router decides where it is asked"
            notes.append(f"{sub.id} named {_list(wrong)}, which no tool is called: {where}.")
        made.append(replace(sub, tools=kept))
    return made


def _linked(subs: list[SubQuestion], notes: list[str], hashes: bool) -> list[SubQuestion]:
    """Places and dependencies that agree: who has a place for an answer waits for it, and waits for nothing unknown.

    Some models write `#1` for a place; to who asks by hand, #1 is a number.
    """
    ids = {sub.id for sub in subs}
    made = []
    for sub in subs:
        text = sub.text
        if hashes:
            text = _HASH.sub(lambda hole: f"{{{hole[1]}}}" if hole[1] in ids else hole[0], text)
        holes = list(dict.fromkeys(HOLE.findall(text)))
        lost = [need for need in dict.fromkeys((*sub.depends_on, *holes)) if need not in ids]
        if lost:
            notes.append(f"{sub.id} waited for {_list(lost)}, which the plan has not: it waits no more.")
            text = _without(text, lost)
        needs = tuple(dict.fromkeys(need for need in (*sub.depends_on, *holes) if need in ids))
        if not _asks(text):
            notes.append(f"{sub.id} was left out: without another's answer it asks nothing.")
        made.append(replace(sub, text=text, depends_on=needs, each=sub.each and bool(needs)))
    kept = {sub.id for sub in made if _asks(sub.text)}
    return [_unlinked(sub, [need for need in sub.depends_on if need not in kept]) for sub in made if sub.id in kept]


def _ordered(subs: list[SubQuestion], notes: list[str]) -> list[SubQuestion]:
    """Each after those that it waits for. Where they wait for each other in a circle, the first waits no more."""
    made: list[SubQuestion] = []
    left = list(subs)
    done: set[str] = set()
    while left:
        free = next((sub for sub in left if all(need in done for need in sub.depends_on)), None)
        if free is None:
            ring = _ring(left, done)
            first = min((sub for sub in left if sub.id in ring), key=left.index)
            cut = [need for need in first.depends_on if need in ring]
            if len(ring) == 1:
                notes.append(f"{first.id} waited for itself: it waits no more.")
            else:
                notes.append(f"{_list(sorted(ring))} waited for each other: {first.id} waits for {_list(cut)} no more.")
            free = _unlinked(first, cut)
            left[left.index(first)] = free
            if not _asks(free.text):
                notes.append(f"{free.id} was left out: without the answer of another it asks nothing.")
                left = [_unlinked(sub, [free.id]) for sub in left if sub is not free]
            continue
        made.append(free)
        done.add(free.id)
        left.remove(free)
    return made


def _ring(left: list[SubQuestion], done: set[str]) -> set[str]:
    """The ids of one circle: whoever waits is followed until somebody comes twice."""
    waiting = {sub.id: [need for need in sub.depends_on if need not in done] for sub in left}
    way: list[str] = [left[0].id]
    while (following := waiting[way[-1]][0]) not in way:
        way.append(following)
    return set(way[way.index(following) :])


def _once(subs: list[SubQuestion], notes: list[str]) -> list[SubQuestion]:
    made: list[SubQuestion] = []
    instead: dict[str, str] = {}
    for sub in subs:
        moved = _renamed(sub, instead)
        twin = next((one for one in made if _same(one.text, moved.text)), None)
        if twin is None:
            made.append(moved)
            continue
        instead[sub.id] = twin.id
        tools = tuple(dict.fromkeys((*twin.tools, *moved.tools))) if twin.tools and moved.tools else ()
        made[made.index(twin)] = replace(twin, tools=tools)
        notes.append(f"{sub.id} asks what {twin.id} asks: {moved.text!r} was left out.")
    return made


def _same(a: str, b: str) -> bool:
    """Whether one says what the other says, or adds a word to it that is neither a name nor a number.

    Questions that put a word in another's place (highest, lowest) are never the same, however long they are.
    """
    ours, theirs = set(_terms(a)), set(_terms(b))
    if not ours or not theirs:
        return a.lower() == b.lower()
    more, less = (ours, theirs) if len(ours) >= len(theirs) else (theirs, ours)
    if not less <= more or len(less) < _ALIKE * len(more):
        return False
    longer = a if more is ours else b
    special = {term for word in re.findall(r"\b(?:[A-Z]\w*|\w*\d\w*)", longer)[1:] for term in _terms(word)}
    return not (more - less) & special and HOLE.findall(a) == HOLE.findall(b)


def _few(subs: list[SubQuestion], most: int, lost: list[str]) -> list[SubQuestion]:
    if len(subs) <= most:
        return subs
    listed = "; ".join(f"{sub.id}: {sub.text}" for sub in subs[most:])
    lost.append(f"A plan has at most {most} sub-questions; {len(subs) - most} were left out: {listed}")
    return subs[:most]


def _renamed(sub: SubQuestion, names: dict[str, str]) -> SubQuestion:
    text = HOLE.sub(lambda hole: f"{{{names.get(hole[1], hole[1])}}}", sub.text)
    return replace(sub, text=text, depends_on=tuple(dict.fromkeys(names.get(need, need) for need in sub.depends_on)))


def _unlinked(sub: SubQuestion, lost: Sequence[str]) -> SubQuestion:
    if not lost:
        return sub
    needs = tuple(need for need in sub.depends_on if need not in lost)
    return replace(sub, text=_without(sub.text, lost), depends_on=needs, each=sub.each and bool(needs))


def _without(text: str, holes: Sequence[str]) -> str:
    gone = HOLE.sub(lambda hole: "" if hole[1] in holes else hole[0], text)
    return " ".join(re.sub(r"\s+(?=['’?.,;!])", "", gone).split())


def _terms(text: str) -> list[str]:
    said = HOLE.sub(" ", text)
    return _ANALYZER.terms(said) + re.findall(r"(?<=\s)[A-HJ-Z]\b", said)  # what is X?


def _asks(text: str) -> bool:
    """`Where is {1}?` asks something, `{1}` and `Where is?` do not."""
    return bool(_terms(text)) or (bool(HOLE.search(text)) and re.search(r"\w", HOLE.sub("", text)) is not None)


def _key(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_")


def _bare(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
