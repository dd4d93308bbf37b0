"""What `ragkit.toml` may say. A word that is not listed here is an error that names it, never silently ignored."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from tomlkit.exceptions import TOMLKitError

from ragkit.errors import InvalidInput, RagkitError, nearest_of
from ragkit.files import write_whole
from ragkit.guardsettings import GuardSettings
from ragkit.indexes.recipe import AnalyzerSettings, ChunkerSettings, EmbedderSettings, Recipe
from ragkit.modelsettings import AskSettings, BudgetSettings, CacheSettings, ModelSettings, Price, TraceSettings

VERSION = 1
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z")
_NEW = """# A ragkit workspace. A domain is a collection of documents with indexes of its own.
version = 1

# Domains are added by `ragkit ingest FOLDER --domain NAME`, or by hand:
#
# [domains.finance]
# description = "Reports, revenue, budgets"      # what questions it can answer
# keywords = ["revenue", "quarter"]
# examples = ["How much did revenue grow?"]      # questions that belong there
# sources = ["docs/finance"]                     # folders and files, as seen from here
#
# What follows decides how it is indexed. After a change, `ragkit sync` indexes the domain anew.
# chunker = "structure"                          # fixed, recursive, sentence-window, parent-child
# chunker = { kind = "structure", size = 256, overlap = 1 }
# embedder = "minilm"                            # sentence-transformers:NAME, openai:NAME, hash
# embedder = { name = "openai:nomic-embed-text", base_url = "http://localhost:11434/v1" }
# analyzer = "english"                           # the language of stemmer and stop words, or none
#
# Who writes answers. Without a model, they are sentences of the documents. Keys stay in the environment.
#
# model = ["anthropic:NAME", "openai:NAME"]      # the second when the first does not answer; before the first [table]
# [models."openai:llama3"]
# base_url = "http://localhost:11434/v1"
# price = { input = 0, output = 0 }              # for a million tokens; what is not said is unknown
# [ask]                                          # what one ask may take
# seconds = 60
# [day]                                          # and all asks of a day (UTC)
# money = 5
# [guard]                                        # what is taken out of questions and answers
# redact = ["email", "phone", "card", "id"]
"""


class DomainSettings(Recipe):
    """One domain: what it holds, where that comes from, and how it is indexed."""

    description: str = Field(default="", description="In words that help to send questions to it.")
    keywords: list[str] = Field(default_factory=list)
    examples: list[str] = Field(default_factory=list, description="Questions that it can answer.")
    sources: list[str] = Field(default_factory=list, description="Folders and files, as seen from the workspace.")

    @property
    def recipe(self) -> Recipe:
        return Recipe(chunker=self.chunker, embedder=self.embedder, analyzer=self.analyzer)


class Settings(BaseModel):
    """What holds for the whole workspace; it stands before the first [table]."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(default=VERSION, ge=1)
    model: str | list[str] = Field(default="extractive", description="One, or several: the first that answers.")
    strong: str | list[str] = Field(
        default="", description="For what the parts of a question are made into, and where the first finds nothing."
    )
    models: dict[str, ModelSettings] = Field(default_factory=dict, description="What is known of each, by its name.")
    ask: AskSettings = Field(default_factory=AskSettings)
    day: BudgetSettings = Field(default_factory=BudgetSettings, description="What all asks of a day may spend.")
    cache: CacheSettings = Field(default_factory=CacheSettings)
    trace: TraceSettings = Field(default_factory=TraceSettings)
    guard: GuardSettings = Field(default_factory=GuardSettings)
    domains: dict[str, DomainSettings] = Field(default_factory=dict)

    @field_validator("domains")
    @classmethod
    def _names(cls, domains: dict[str, DomainSettings]) -> dict[str, DomainSettings]:
        for name in domains:
            if not _NAME.match(name):
                raise ValueError(f"{name!r} is no name for a domain: use lower-case letters, digits, - and _")
        return domains


def load(path: Path) -> Settings:
    """The settings in a file; the defaults where there is none."""
    if not path.exists():
        return Settings()
    try:
        given = tomlkit.parse(path.read_text("utf-8")).unwrap()
    except OSError as error:
        raise RagkitError(
            f"{path} cannot be read: {error.strerror}.", "It must be a file that you may read."
        ) from error
    except TOMLKitError as error:
        raise InvalidInput(f"{path} is no valid TOML: {error}.", "Mend that line.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not in UTF-8.", "Save it as UTF-8.") from error
    version = given.get("version")
    if isinstance(version, int) and version > VERSION:
        raise RagkitError(
            f"{path} was written for a newer ragkit (version {version}; this one knows {VERSION}).", "Update ragkit."
        )
    return validated(given, str(path))


def validated(given: dict[str, Any], where: str) -> Settings:
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise InvalidInput(f"{where}: {explain(error)}", "Mend or remove it.") from error


def explain(error: ValidationError, model: type[BaseModel] | None = None) -> str:
    """In sentences. `model` is what was to be read, if it was not the settings."""
    said = []
    for one in error.errors():
        meant = _meant(one["loc"], model) if one["type"] == "extra_forbidden" else ""
        said.append(f"{'.'.join(map(str, one['loc']))}: {one['msg']}.{meant}")
    return " ".join(said)


_FIELDS: dict[str, type[BaseModel]] = {
    "chunker": ChunkerSettings,
    "embedder": EmbedderSettings,
    "analyzer": AnalyzerSettings,
}
_TABLES: dict[str, type[BaseModel]] = {
    "ask": AskSettings,
    "day": BudgetSettings,
    "cache": CacheSettings,
    "trace": TraceSettings,
    "guard": GuardSettings,
}


def _meant(place: tuple[int | str, ...], model: type[BaseModel] | None) -> str:
    """The nearest word that would be known at this place."""
    *path, word = map(str, place)
    above = path[-1] if path else ""
    known = _FIELDS.get(above) or model or _table(path)
    return nearest_of(word, known.model_fields)


def _table(path: list[str]) -> type[BaseModel]:
    """What a table of `ragkit.toml` is read as."""
    if not path:
        return Settings
    if path[0] == "models":
        return Price if path[-1] == "price" else ModelSettings
    return _TABLES.get(path[0], DomainSettings)


def create(path: Path) -> None:
    """Write a new file unless there is one."""
    if not path.exists():
        with _told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, _NEW)


def change_domain(path: Path, name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Settings:
    """Change one domain, or make it, and leave the rest of the file, with its comments, as it is.

    `change` is given the domain as the file has it now, not as it was read once: others may have changed it.
    """
    with _told(path), _alone(path.parent):
        before = load(path)
        old = before.domains.get(name, DomainSettings()).model_dump()
        all_ = before.model_dump()
        after = validated({**all_, "domains": {**all_["domains"], name: {**old, **change(old)}}}, "This domain")
        document = tomlkit.parse(path.read_text("utf-8"))
        domains = document.setdefault("domains", tomlkit.table(is_super_table=True))
        table = domains.setdefault(name, tomlkit.table())
        for key, value in after.domains[name].model_dump().items():
            if old[key] != value or (key == "description" and key not in table):
                table[key] = _short(key, value)
        write_whole(path, tomlkit.dumps(document))
        return after


def _short(key: str, value: Any) -> Any:
    """A table of settings without those that are as by default."""
    if key not in _FIELDS:
        return value
    given = _FIELDS[key].model_validate(value).model_dump(exclude_defaults=True)
    inline = tomlkit.inline_table()
    inline.update(given)
    return inline


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RagkitError(
            f"{path} cannot be written ({error.strerror or error}).", "Check its disk, and that you may write there."
        ) from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time may change a workspace's settings. The folder itself is locked, so no file is left."""
    if sys.platform == "win32":  # which cannot lock a folder
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
