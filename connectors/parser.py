"""Which function reads a file: a built-in one, one of an installed package, or yours."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import PurePosixPath

from ragkit.connectors.builder import Builder
from ragkit.connectors.document import Document
from ragkit.connectors.failure import explain
from ragkit.connectors.formats import Format, detect
from ragkit.connectors.source import Source
from ragkit.errors import InvalidInput, Unreadable

Parse = Callable[[Source, Builder], None]


MAX_DEPTH = 3
"""A mail in an archive in an archive is read; whoever nests deeper is up to something."""


@dataclass(frozen=True, slots=True)
class Parser:
    """One family of formats: how its files are named, and the function that reads them."""

    media_type: str
    extensions: tuple[str, ...]
    parse: Parse


parsers: list[Parser] = []
"""Added by `parser`. They are asked before the built-in ones, the last added first."""


def parser(media_type: str, extensions: Iterable[str]) -> Callable[[Parse], Parse]:
    """Read files with these endings by your own function: `@ragkit.parser("text/x-log", [".log"])`."""
    endings = tuple(ending.lower() for ending in extensions)
    if isinstance(extensions, str) or not all(ending.startswith(".") for ending in endings):
        raise InvalidInput(f"extensions={extensions!r} is no list of endings.", 'Write them like [".log", ".out"].')

    def add(parse: Parse) -> Parse:
        parsers.append(Parser(media_type, endings, parse))
        return parse

    return add


def parse(uri: str, name: str, data: bytes, *, depth: int = 0) -> Document:
    """The document that these bytes are. Raises `Unreadable`, or whatever the parser raises."""
    if not data.strip(b"\0 \t\r\n"):
        raise Unreadable("It is empty.", "Nothing to do, unless it should hold something.")
    own = _added(name)
    if own:
        media_type, read = own.media_type, own.parse
    else:
        format = detect(data, name)
        media_type, read = format.media_type, _built_in(format)
    out = Builder()
    read(Source(uri, name, data, media_type, _reader_of_insides(uri, depth)), out)
    document = out.build(uri, media_type)
    if not document.text.strip() and not document.children and not document.failures:
        raise Unreadable("No text was found in it.", "If it shows text when you open it, please report the file.")
    return document


def _reader_of_insides(uri: str, depth: int) -> Callable[[Builder, str, bytes], None]:
    taken: Counter[str] = Counter()

    def read_inside(out: Builder, name: str, data: bytes) -> None:
        taken[name] += 1
        child = f"{uri}#{name}" if taken[name] == 1 else f"{uri}#{name}~{taken[name]}"
        try:
            if depth >= MAX_DEPTH:
                raise Unreadable(f"It lies more than {MAX_DEPTH} files deep inside others.", "Unpack it.")
            out.children.append(parse(child, PurePosixPath(name).name, data, depth=depth + 1))
        except MemoryError:
            raise
        except Exception as error:  # one bad file must not cost the others
            out.failures.append(explain(child, error))

    return read_inside


def _added(name: str) -> Parser | None:
    ending = PurePosixPath(name).suffix.lower()
    for added in (*reversed(parsers), *installed()):
        if ending in added.extensions:
            return added
    return None


@cache
def installed() -> tuple[Parser, ...]:
    """Entry points of other packages; loading one runs its `@ragkit.parser` lines."""
    before = len(parsers)
    for entry in entry_points(group="ragkit.parsers"):
        try:
            entry.load()
        except Exception as error:
            package = entry.dist.name if entry.dist else entry.value
            raise InvalidInput(
                f"The parser {entry.name!r} of the package {package} cannot be loaded ({error}).",
                f"Mend or uninstall {package}.",
            ) from error
    added = tuple(parsers[before:])
    del parsers[before:]
    return added


def _built_in(format: Format) -> Parse:
    read: Parse = import_module(f"ragkit.connectors.{format.module}").parse
    return read
