"""Where documents come from: a place that can be listed, and whose items can be read one at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from ragkit.connectors.document import Document
from ragkit.connectors.failure import Failure


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a connector found and has not read yet."""

    uri: str
    """Stable: the same thing has the same uri at every scan, whatever has changed in it."""
    fingerprint: str
    """Cheap to take, and different when the content may have changed (for a file: size and times)."""
    media_type: str
    """A guess from the name; the reader decides by content."""
    size: int
    """In bytes."""


class Connector(Protocol):
    """The seam of floor 1. Reading happens in another process, so a connector must survive pickling."""

    def scan(self) -> Iterator[Item | Failure]:
        """Yield what is there, one by one; a `Failure` for what could not even be listed."""
        ...

    def read(self, item: Item) -> Document:
        """The document behind an item. Raises `ragkit.Unreadable` when there is none to be had."""
        ...
