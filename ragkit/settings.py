"""What `ragkit.toml` may say. A word that is not listed here is an error that names it, never silently ignored."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from tomlkit.exceptions import TOMLKitError

from ragkit.errors import InvalidInput

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z")
_NEW = """# A ragkit workspace. Every domain is a collection of documents with its own indexes.
version = 1
"""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DomainSettings(_Strict):
    """One domain: what it holds, in words that help to route questions to it."""

    description: str = ""
    keywords: list[str] = Field(default_factory=list)


class Settings(_Strict):
    version: int = Field(default=1, ge=1, le=1)
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
        return Settings.model_validate(tomlkit.parse(path.read_text("utf-8")).unwrap())
    except TOMLKitError as error:
        raise InvalidInput(f"{path} is no valid TOML: {error}.", "Mend that line.") from error
    except ValidationError as error:
        raise InvalidInput(f"{path}: {explain(error)}.", "Mend or remove it.") from error


def explain(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())


def create(path: Path) -> None:
    """Write a new file unless there is one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, _NEW)


def save_domain(path: Path, name: str, domain: DomainSettings) -> None:
    """Set one domain and leave the rest of the file, with its comments, as it is."""
    try:
        Settings(domains={name: domain})
    except ValidationError as error:
        raise InvalidInput(f"{explain(error)}.", "Choose another name.") from error
    with _alone(path.parent):
        document = tomlkit.parse(path.read_text("utf-8"))
        domains = document.setdefault("domains", tomlkit.table(is_super_table=True))
        domains.setdefault(name, tomlkit.table()).update(domain.model_dump())
        _write(path, tomlkit.dumps(document))


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


def _write(path: Path, text: str) -> None:
    """Whole or not at all: into a file beside it, which then takes its place."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
