"""Where to read from, as a user writes it: a path, or `scheme:rest` of a connector that was added or is installed."""

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import TypeVar

from ragkit.connectors.connector import Connector
from ragkit.connectors.folder import Folder
from ragkit.errors import InvalidInput, NotFound

Connect = Callable[[str], Connector]
ConnectT = TypeVar("ConnectT", bound=Connect)

connectors: dict[str, Connect] = {}
"""Added by `connector`, by scheme."""


def connector(scheme: str) -> Callable[[ConnectT], ConnectT]:
    """Read a place of your own: `@ragkit.connector("wiki")` makes `ragkit.read("wiki:team")` call `it("team")`."""
    if not scheme.isidentifier() or len(scheme) < 2:
        raise InvalidInput(f"{scheme!r} is no name for a connector.", "Use a word of two letters or more.")

    def add(connect: ConnectT) -> ConnectT:
        connectors[scheme] = connect
        return connect

    return add


def connect(place: str | Path) -> Connector:
    """The connector for a path, or for `scheme:rest` when a connector of that name was added or is installed."""
    if not str(place):
        raise InvalidInput("There is no path to read from.", "Name a folder or a file.")
    scheme, colon, rest = str(place).partition(":")
    if colon and not isinstance(place, Path):
        if scheme in connectors:
            return connectors[scheme](rest)
        for entry in entry_points(group="ragkit.connectors", name=scheme):
            found: Connect = entry.load()
            return found(rest)
        if scheme.isidentifier() and len(scheme) > 1 and not Path(place).exists():
            raise NotFound(
                f"There is no connector {scheme!r}, nor a file or folder at {str(place)!r}.",
                "Install the package that brings the connector, or check the path.",
            )
    return Folder(place)
