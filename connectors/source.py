"""What a parser is given: the bytes of one file, what it is called, and what it seems to be."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragkit.connectors.encoding import decode

if TYPE_CHECKING:
    from ragkit.connectors.builder import Builder


@dataclass(frozen=True)
class Source:
    uri: str
    name: str
    """The file's own name, without folders or the file around it."""
    data: bytes = field(repr=False)
    media_type: str
    read_inside: Callable[["Builder", str, bytes], None] = field(repr=False)
    """Read a file found inside this one and hang it, or its failure, on the builder: `(out, name, data)`."""

    def text(self, declared: str = "") -> str:
        """The bytes as text: by byte-order mark, else as UTF-8, else as declared, else detected."""
        return decode(self.data, declared).text
