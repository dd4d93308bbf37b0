"""The models of a workspace: made when first asked, and shared by all asks, so that all know of their health."""

import os
import re
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias

from anyio import to_thread

from ragkit.budget import Allowance, Budget, Ledger
from ragkit.cache import Cache, SqliteCache
from ragkit.chain import Chain
from ragkit.deadline import Deadline
from ragkit.errors import InvalidInput, nearest_of
from ragkit.model import LOCAL, Model
from ragkit.modelsettings import ModelSettings
from ragkit.providers import _OURS, make_model, providers
from ragkit.settings import Settings
from ragkit.weather import Health, Weather

Asked: TypeAlias = str | Model | Sequence[str | Model]
"""One model, by name or made by hand; or several, in the order in which they are asked."""

_Given: TypeAlias = tuple[object, Health]
_WORDS = re.compile(r"[^\W\d_]+|\d+")
_inherited: list[object] = []
"""Of the parent of a fork: its connections may neither be used here nor closed."""


@dataclass
class Models:
    folder: Path
    settings: Settings

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.folder / "spending.sqlite")
        self.cache = self._cache()
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._known: dict[str, Weather] = {}
        self._given: dict[int, _Given] = {}
        self._names: set[str] = set()
        self._making = threading.RLock()

    def chain(self, asked: Asked | None = None) -> Chain:
        named = _listed(self.settings.model if asked is None else asked)
        return Chain([self._weather(one) for one in named], self.cache)

    def allowance(self, seconds: float | None = None) -> Allowance:
        deadline = Deadline(self.settings.ask.seconds if seconds is None else seconds)
        return Allowance(deadline, Budget(self.settings.ask, self.settings.day, self.ledger))

    async def aclose(self) -> None:
        """Close connections; they are opened again when they are needed."""
        self._leave_parent()
        for one in self._known.values():
            await one.model.aclose()
        self._known.clear()
        await to_thread.run_sync(self.ledger.close)
        if self.cache is not None:
            await to_thread.run_sync(self.cache.close)

    def _leave_parent(self) -> None:
        if self._process != os.getpid():
            _inherited.extend(self._known.values())
            self._begin()

    def _weather(self, asked: str | Model) -> Weather:
        self._leave_parent()
        with self._making:
            if not isinstance(asked, str):
                return self._weather_of(asked)
            if asked not in self._known:
                settings = self.settings.models.get(asked, ModelSettings())
                made = make_model(asked, settings)
                self._check(asked)
                self._known[asked] = Weather(made, settings)
            return self._known[asked]

    def _weather_of(self, model: Model) -> Weather:
        """Who made it may forget it: what is known of its health goes with it."""
        settings = self.settings.models.get(model.name, ModelSettings())
        self._names.add(model.name)
        here = id(model)
        if here not in self._given:
            given, making, health = self._given, self._making, Health(settings)

            def forget(_: object) -> None:
                with making:
                    given.pop(here, None)

            try:
                self._given[here] = weakref.ref(model, forget), health
            except TypeError:  # of a class with slots: it is kept, or another could take its place
                self._given[here] = model, health
        return Weather(model, settings, self._given[here][1], remembers=False)

    def _check(self, asked: str) -> None:
        """A table with a name that is almost right would be ignored, and with it its limits and its server."""
        tables, schemes = self.settings.models, [*_OURS, *providers]
        used = {*self._known, *self._names, *_listed(self.settings.model)}
        for table in tables if asked not in LOCAL else ():
            scheme = table.partition(":")[0]
            if scheme not in schemes and table not in used:
                raise InvalidInput(
                    f'ragkit.toml has a table [models."{table}"], and {scheme!r} is no provider.'
                    f"{nearest_of(scheme, schemes)}",
                    f"Correct or remove it; there are: {', '.join(schemes)}.",
                )
            if asked not in tables and table not in used and _is_near(asked, table):
                raise InvalidInput(
                    f'There is no table [models."{asked}"] in ragkit.toml, but there is [models."{table}"].',
                    f'Correct the one or the other; if both are meant, add a table [models."{asked}"], empty or not.',
                )

    def _cache(self) -> Cache | None:
        settings = self.settings.cache
        if not settings.exact:
            return None
        if settings.redis:
            from ragkit.rediscache import RedisCache

            return RedisCache(settings.redis, settings)
        return SqliteCache(self.folder / "replies.sqlite", settings)


def _listed(asked: Asked) -> list[str | Model]:
    return list(asked) if isinstance(asked, Sequence) and not isinstance(asked, str) else [asked]


def _is_near(asked: str, table: str) -> bool:
    """Whether one is the other with a typing error in it.

    Their numbers, and how many words they have, must be the same: gpt-4o, gpt-4.1 and gpt-4o-mini are others.
    """
    ours, theirs = _WORDS.findall(asked.lower()), _WORDS.findall(table.lower())
    if len(ours) != len(theirs):
        return False
    others = [(one, other) for one, other in zip(ours, theirs, strict=True) if one != other]
    return bool(others) and all(get_close_matches(one, [other], cutoff=0.8) and one.isalpha() for one, other in others)
