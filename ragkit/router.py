"""The Router of a workspace: from settings and tools to profiles, from profiles to a calibrated cascade, once."""

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from anyio import to_thread

from ragkit.calibration import FEWEST, Learnt, Scale, keep, kept, learn
from ragkit.cascade import Cascade, Scales, decide, decide_now
from ragkit.errors import InvalidInput, RagkitError, nearest_of
from ragkit.indexes.domain import Changed, Domain
from ragkit.indexes.made import embedder_for
from ragkit.indexes.recipe import EmbedderSettings
from ragkit.indexes.search import MOST_CHARACTERS
from ragkit.indexes.segment import Array
from ragkit.modelselector import Ask
from ragkit.profile import Candidate, Profile, Profiles
from ragkit.route import Inquiry, Route
from ragkit.settings import DomainSettings
from ragkit.tools import Tool

BY = ("cascade", "keyword", "semantic", "evidence", "model")
LEARNT = "learnt.json"
_HELD_OUT = 5
"""One in so many examples is asked about, of a cascade that does not know it."""
_MOST_HELD_OUT = 3_000
_OWN = 40
"""Sentences of a domain's own documents that stand for questions where there are no examples."""
_OWN_ALARMS = 0.02
"""Sentences are not questions: fewer of them may be turned away."""
_VERSION = 2
"""Of what scales are learnt by: another one, and they are learnt anew."""


Places = Mapping[str, tuple[DomainSettings, Domain]]


@dataclass(frozen=True, eq=False)
class Ready:
    profiles: tuple[Profile, ...]
    outside: Sequence[str]
    cascade: Cascade
    left_out: str

    def said(self, route: Route) -> Route:
        return replace(route, reason=f"{route.reason} {self.left_out}") if self.left_out else route


def check(text: str, by: str, ask: Ask | None) -> None:
    if by not in BY:
        raise InvalidInput(f"There is no selector {by!r}.{nearest_of(by, BY)}", f"Choose one of: {', '.join(BY)}.")
    if by == "model" and ask is None:
        raise InvalidInput("No model is named that could choose.", 'Name one: model="anthropic:NAME".')
    if not text.strip():
        raise InvalidInput("The question is empty.", "Ask something.")
    if len(text) > MOST_CHARACTERS:
        raise InvalidInput(
            f"The question has {len(text):,} characters; at most {MOST_CHARACTERS:,} can be routed.",
            "Ask a shorter one.",
        )


class Router:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._profiles = Profiles(folder)
        self._lock = threading.Lock()
        self._ready: list[Ready] = []
        self._learnt: tuple[int, Learnt] = (-1, Learnt())
        self._merged: dict[str, tuple[object, tuple[str, ...], Candidate]] = {}

    def now(self, text: str, domains: Places, tools: Sequence[Tool], by: str = "cascade") -> Route:
        """Without a model, in this thread."""
        check(text, by, None)
        ready = self.ready(domains, tools)
        return ready.said(decide_now(ready.cascade, Inquiry(text), by))

    async def route(
        self, text: str, domains: Places, tools: Sequence[Tool], by: str = "cascade", ask: Ask | None = None
    ) -> Route:
        check(text, by, ask)
        ready = await to_thread.run_sync(self.ready, domains, tools, abandon_on_cancel=True)
        return ready.said(await decide(ready.cascade, Inquiry(text), by, ask))

    def ready(self, domains: Places, tools: Sequence[Tool]) -> Ready:
        """The same cascade as long as nothing changes."""
        with self._lock:
            learnt = self.learnt()
            profiles = self._profiles.of(self._candidates(domains, tools, learnt))
            used, left_out = _usable(profiles)
            for ready in self._ready:
                same = len(ready.profiles) == len(used) and all(
                    a is b for a, b in zip(ready.profiles, used, strict=True)
                )
                if same and ready.outside is learnt.outside:
                    return replace(ready, left_out=left_out)
            cascade = Cascade(used)
            cascade.scales = self._scales(cascade, learnt.outside)
            ready = Ready(tuple(used), learnt.outside, cascade, left_out)
            self._ready = [ready, *self._ready[:3]]
            return ready

    def fit(self, learnt: Learnt, domains: Places, tools: Sequence[Tool]) -> Ready:
        """Keep these examples, in place of those that were kept before, and learn from them."""
        keep(self._folder / LEARNT, learnt)
        return self.ready(domains, tools)

    def learnt(self) -> Learnt:
        path = self._folder / LEARNT
        try:
            state = path.stat().st_mtime_ns
        except OSError:
            state = 0
        if self._learnt[0] != state:
            self._learnt = (state, kept(path))
            self._merged.clear()
        return self._learnt[1]

    def _candidates(self, domains: Places, tools: Sequence[Tool], learnt: Learnt) -> list[Candidate]:
        clash = {tool.name for tool in tools} & set(domains)
        if clash or len({tool.name for tool in tools}) < len(tools):
            raise InvalidInput(
                f"Two things are called {next(iter(clash), 'the same')!r}.", "Give every tool a name of its own."
            )
        found = [self._candidate(name, settings, domain, learnt) for name, (settings, domain) in domains.items()]
        embedder = found[0].embedder if found else EmbedderSettings()
        for tool in tools:
            examples = (*tool.examples, *learnt.examples.get(tool.name, ()))
            found.append(Candidate(tool.name, tool.description, tool.keywords, examples, embedder))
        return found

    def _candidate(self, name: str, settings: DomainSettings, domain: Domain, learnt: Learnt) -> Candidate:
        """With thousands of examples, joining and comparing them for every question would take longer than routing."""
        known = self._merged.get(name)
        if known and known[0] is settings and known[2].domain is domain:
            return known[2]
        examples = tuple(dict.fromkeys((*settings.examples, *learnt.examples.get(name, ()))))
        made = Candidate(name, settings.description, tuple(settings.keywords), examples, settings.embedder, domain)
        self._merged[name] = (settings, examples, made)
        return made

    def _scales(self, cascade: Cascade, outside: Sequence[str]) -> Scales:
        path = self._folder / f"scales-{_key(cascade.profiles, outside)}.json"
        if (before := _scales_of(path)) is not None:
            return before
        try:
            scales = _by_examples(cascade, outside) or Scales(None, _by_own_texts(cascade))
        except (RagkitError, Changed):  # an embedder that is down, a writer at work: the next question tries again
            return Scales()
        told = {name: None if one is None else one.model_dump() for name, one in vars(scales).items()}
        try:
            for old in self._folder.glob("scales-*.json"):
                old.unlink(missing_ok=True)
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(told), "utf-8")
        except OSError:
            return scales
        return scales


def _scales_of(path: Path) -> Scales | None:
    """None when they were never learnt, or the file is damaged: it is only a copy."""
    try:
        given = json.loads(path.read_text("utf-8"))
        return Scales(*(None if one is None else Scale.model_validate(one) for one in (given["cheap"], given["full"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _usable(profiles: Sequence[Profile]) -> tuple[list[Profile], str]:
    """Without those in which nothing can be found, and what is said of them.

    One that has examples stays, and all stay while none of them holds anything: so routes can be tried before a
    document is read.
    """
    anything = any(one.snapshot is not None for one in profiles)
    used = [
        one for one in profiles if not one.problem or ("cannot" not in one.problem and (one.examples or not anything))
    ]
    out = [one.problem for one in profiles if one not in used]
    noted = [one.problem for one in used if one.problem]
    said = f"Left out: {'; '.join(out)}." if out else ""
    return used, " ".join(part for part in (said, f"{'; '.join(noted)}." if noted else "") if part)


def _by_examples(cascade: Cascade, outside: Sequence[str]) -> Scales | None:
    """What the selectors make of examples that they do not know."""
    learners = [one for one in cascade.profiles if len(one.examples) >= _HELD_OUT]
    if sum(len(one.examples) for one in learners) // _HELD_OUT < FEWEST:
        return None
    held: list[tuple[Inquiry, int]] = []
    reduced = []
    total = sum(len(one.examples) for one in learners) // _HELD_OUT
    step = max(1, -(-total // _MOST_HELD_OUT))
    for at, one in enumerate(cascade.profiles):
        out = range(_HELD_OUT - 1, len(one.examples), _HELD_OUT) if one in learners else range(0)
        left = [place for place in range(len(one.examples)) if place not in set(out)]
        rows = np.array([*left, *range(len(one.examples), len(one.vectors))], np.int64)
        reduced.append(replace(one, examples=tuple(one.examples[place] for place in left), vectors=one.vectors[rows]))
        for place in out[::step]:
            inquiry = Inquiry(one.examples[place])
            inquiry.give(one.embedder, one.vectors[place])
            held.append((inquiry, at))
    held += [(inquiry, -1) for inquiry in _inquiries(outside[:: max(1, len(outside) // 1000)], cascade.profiles)]
    pale = Cascade(reduced)
    right = np.array([one for _, one in held])
    cheap = [pale.cheap(inquiry) for inquiry, _ in held]
    full = [pale.full(inquiry, *each) for (inquiry, _), each in zip(held, cheap, strict=True)]
    return Scales(
        learn(np.array([totals for totals, _ in cheap]), right),
        learn(np.array(full), right) if pale.evidence.places else None,
    )


def _by_own_texts(cascade: Cascade) -> Scale | None:
    """What the whole makes of sentences of the domains' documents, as if the document that holds one were not there."""
    rows: list[Array] = []
    right: list[int] = []
    for at in cascade.evidence.places:
        one = cascade.profiles[at]
        said = _sentences(one)
        for inquiry, (_, document) in zip(_inquiries([text for text, _ in said], [one]), said, strict=True):
            cheap, near = cascade.cheap(inquiry)
            rows.append(cascade.full(inquiry, cheap, near, (at, document)))
            right.append(at)
    return learn(np.array(rows), np.array(right), _OWN_ALARMS) if rows else None


def _sentences(profile: Profile) -> list[tuple[str, int]]:
    """Some sentences of a domain, evenly out of it, and the document of each."""
    from ragkit.indexes.sentences import sentences

    if profile.snapshot is None or profile.domain is None:
        return []
    pool = profile.snapshot.pool
    alive = np.flatnonzero(pool.alive)
    rows = alive[np.unique(np.linspace(0, len(alive) - 1, min(_OWN, len(alive))).astype(int))]
    found = profile.domain.found(pool.ids[rows].tolist())
    said = []
    for row in rows.tolist():
        text = found[int(pool.ids[row])].text
        parts = [text[start:end].strip() for start, end in sentences(text, 0, len(text))]
        fitting = [part for part in parts if 5 <= len(part.split()) <= 40]
        if fitting:
            said.append((fitting[len(fitting) // 2], int(pool.documents[row])))
    return said


def _inquiries(texts: Sequence[str], profiles: Sequence[Profile]) -> list[Inquiry]:
    """With vectors of all embedders, made in one go."""
    made = [Inquiry(text) for text in texts]
    for settings in {one.embedder for one in profiles} if texts else ():
        for inquiry, vector in zip(made, embedder_for(settings).passages(list(texts)), strict=True):
            inquiry.give(settings, vector)
    return made


def _key(profiles: Sequence[Profile], outside: Sequence[str]) -> str:
    told = [_VERSION, list(outside)]
    for one in profiles:
        state = None if one.snapshot is None else [one.snapshot.generation, one.snapshot.pool.ids[:1].tolist()]
        where = "" if one.domain is None else str(one.domain.folder)
        told.append([one.name, one.description, one.keywords, one.examples, one.embedder.model_dump(), state, where])
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
