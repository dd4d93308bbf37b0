"""A Lab: a workspace of its own for indexes, which asks as the user's workspace does: the same models, keys, limits.

What a question costs counts for the day of the user's workspace. Remembered replies are off, for they would falsify
times and costs, and so are traces, of which a bench would leave thousands.
"""

import re
from functools import cached_property
from pathlib import Path
from typing import Any

from ragkit import settings
from ragkit.asking import Asking
from ragkit.modelsettings import CacheSettings, ModelSettings, TraceSettings
from ragkit.settings import Settings
from ragkit.workspace import FILE, STATE, Workspace

_LOGIN = re.compile(r"//[^/@]*@")


class Lab(Workspace):
    def __init__(self, folder: Path, home: Path | None = None, *, remembers: bool = False) -> None:
        """`home` is the user's workspace; nothing is made where there is none. A lab that `remembers` is for judges:
        the same question to a judge may be answered from memory."""
        super().__init__(folder)
        self._home = (home or folder).expanduser().resolve()
        self._remembers = remembers

    @cached_property
    def borrowed(self) -> Settings:
        """What the user's workspace says of models and limits."""
        known = settings.load(self._home / FILE)
        cache = known.cache.model_copy(update={"semantic": None}) if self._remembers else CacheSettings(exact=False)
        return known.model_copy(update={"cache": cache, "trace": TraceSettings(keep=False)})

    def about(self, models: tuple[str, ...]) -> dict[str, Any]:
        """What decides what these models say, and what it costs, to be kept with a run. No login, and no key."""
        said = {}
        for name in models:
            known = self.borrowed.models.get(name, ModelSettings())
            row = known.model_dump(mode="json", include={"base_url", "form", "price"})
            said[name] = {**row, "base_url": _LOGIN.sub("//", known.base_url)}
        return said

    def _make_asking(self) -> Asking:
        return Asking(self._home / STATE, self.borrowed, listeners=self._listeners)
