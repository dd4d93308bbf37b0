"""Every error that ragkit raises on purpose. Each message says what happened, to what, and what to do next."""

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType


class RagkitError(Exception):
    """The root: catch this to catch whatever ragkit raises on purpose.

    `reason` says what happened and to what, in a sentence; `hint` says what to do next.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(f"{reason} {hint}".strip())
        self.reason = reason
        self.hint = hint

    def __reduce__(self) -> tuple[type["RagkitError"], tuple[str, str]]:
        return type(self), (self.reason, self.hint)


class NotFound(RagkitError):
    """Something that the user named does not exist."""


class InvalidInput(RagkitError):
    """An argument, a setting or a file that the user wrote is not of the form it must have."""


class MissingExtra(RagkitError):
    """A feature needs a package that is not installed."""


class Unreadable(RagkitError):
    """A source could not be read. Readers turn it into a `Failure` row, and the rest goes on."""


def import_extra(module: str, extra: str) -> ModuleType:
    """Import a package that only an extra of ragkit brings, or say how to get it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"This needs the package {error.name}, which is not installed.",
            f'Install it with: pip install "ragkit[{extra}]"',
        ) from error


def nearest_of(name: str, names: Iterable[str]) -> str:
    """What was probably meant, as a sentence to append to a reason; nothing when no name is near."""
    near = get_close_matches(name, list(names), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
