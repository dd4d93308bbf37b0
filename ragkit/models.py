"""The models of a workspace: made when first asked, and shared by all asks, so that all know of their health."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from ragkit.budget import Allowance, Budget, Ledger
from ragkit.cache import Cache, SqliteCache
from ragkit.chain import Chain
from ragkit.deadline import Deadline
from ragkit.model import Model
from ragkit.modelsettings import ModelSettings
from ragkit.provider import make_model
from ragkit.settings import Settings
from ragkit.weather import Weather

Asked: TypeAlias = str | Model | Sequence[str | Model]
"""One model, by name or made by hand; or several, in the order in which they are asked."""


@dataclass
class Models:
    folder: Path
    settings: Settings
    _known: dict[str, Weather] = field(default_factory=dict)
    _making: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.folder / "spending.sqlite")
        self.cache = self._cache()

    def chain(self, asked: Asked | None = None) -> Chain:
        given = self.settings.model if asked is None else asked
        named = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]
        return Chain([self._weather(one) for one in named], self.cache)

    def allowance(self, seconds: float | None = None) -> Allowance:
        deadline = Deadline(self.settings.ask.seconds if seconds is None else seconds)
        return Allowance(deadline, Budget(self.settings.ask, self.settings.day, self.ledger))

    async def aclose(self) -> None:
        """Close connections; they are opened again when they are needed."""
        for one in self._known.values():
            await one.model.aclose()
        self._known.clear()
        self.ledger.close()
        if self.cache is not None:
            self.cache.close()

    def _weather(self, asked: str | Model) -> Weather:
        if not isinstance(asked, str):
            return Weather(asked, self.settings.models.get(asked.name, ModelSettings()))
        with self._making:
            if asked not in self._known:
                settings = self.settings.models.get(asked, ModelSettings())
                self._known[asked] = Weather(make_model(asked, settings), settings)
            return self._known[asked]

    def _cache(self) -> Cache | None:
        settings = self.settings.cache
        if not settings.exact:
            return None
        if settings.redis:
            from ragkit.rediscache import RedisCache

            return RedisCache(settings.redis, settings)
        return SqliteCache(self.folder / "replies.sqlite", settings)
