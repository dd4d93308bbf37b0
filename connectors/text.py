"""Plain text: as it stands, with one kind of line end."""

from ragkit.connectors.builder import Builder
from ragkit.connectors.source import Source


def parse(source: Source, out: Builder) -> None:
    out.write(source.text().strip("\r\n"))
