"""RTF: its plain text."""

from ragkit.connectors.builder import Builder
from ragkit.connectors.source import Source
from ragkit.errors import import_extra


def parse(source: Source, out: Builder) -> None:
    to_text = import_extra("striprtf.striprtf", "office").rtf_to_text
    text: str = to_text(source.data.decode("latin-1"), errors="replace")
    out.write(text.replace("|\n", "\n").strip())
