"""A folder of files (or one file) as a connector."""

import os
import re
import stat
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from mimetypes import guess_type
from pathlib import Path

from pathspec import GitIgnoreSpec

from ragkit.connectors.connector import Item
from ragkit.connectors.document import Document
from ragkit.connectors.failure import Failure, explain
from ragkit.connectors.formats import by_name, holds_no_text
from ragkit.errors import InvalidInput, NotFound, Unreadable

IGNORE_FILES = (".gitignore", ".ragkitignore")
"""Read in every folder from the root down; the later file and the deeper folder have the last word, as in git."""
OWN_FILE = "ragkit.toml"
"""A workspace may lie in the very folder that it indexes; its settings are no document of it."""
DEFAULT_MAX_BYTES = 100_000_000
_TICK = 50_000_000
"""Nanoseconds. File systems stamp changes by a clock that ticks every 4 to 10 ms."""

_Specs = tuple[tuple[str, GitIgnoreSpec], ...]


class Folder:
    """The files below a folder. Uris are paths relative to it, with forward slashes.

    `include` and `exclude` are patterns as in a .gitignore. What is skipped without being read is counted by
    reason in `skipped`, anew at every scan.
    """

    def __init__(
        self,
        root: str | Path,
        *,
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        place = Path(root).expanduser()
        if not os.path.exists(place):  # not Path.exists, which raises where one may not look
            raise NotFound(
                f"There is no file or folder at {str(place)!r}, or none that you may see.",
                "Check the path for a typing error.",
            )
        place = place.resolve()
        self.only = place.name if place.is_file() else ""
        self.root = place.parent if self.only else place
        self.max_bytes = max_bytes
        self.skipped: Counter[str] = Counter()
        self._include = _patterns(include, "include") if include else None
        self._exclude = _patterns(exclude, "exclude")

    def scan(self) -> Iterator[Item | Failure]:
        """In the order in which the file system lists them; no list of all paths is held."""
        self.skipped.clear()
        if self.only:
            yield from self._item(self.only, self.root / self.only)
        else:
            yield from self._scan()

    def read(self, item: Item) -> Document:
        from ragkit.connectors.parser import parse

        path = self.root / item.uri
        if not path.resolve().is_relative_to(self.root):
            raise Unreadable("It leads out of the folder.", "Ingest the place that it leads to by its own path.")
        document = parse(item.uri, path.name, self._bytes(path))
        return document if document.title else replace(document, title=path.stem)

    def _bytes(self, path: Path) -> bytes:
        # O_NONBLOCK: a pipe that took the file's place since the scan must not hang us.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise Unreadable("It is no regular file.", "Exclude it.")
            if status.st_size > self.max_bytes:
                raise Unreadable(
                    f"It has {_mb(status.st_size)} MB; the limit for one file is {_mb(self.max_bytes)} MB.",
                    "Split it, or raise max_bytes.",
                )
            return file.read(self.max_bytes + 1)

    def _scan(self) -> Iterator[Item | Failure]:
        """Folder by folder, without recursion: what hostile archives unpack to is nested a thousand deep."""
        due: list[tuple[str, _Specs]] = [("", ())]
        while due:
            folder, specs = due.pop()
            try:
                entries = os.scandir(self.root / folder)
            except OSError as error:
                yield explain(folder or ".", error)
                continue
            with entries:
                own: list[tuple[str, GitIgnoreSpec]] = []
                for name in reversed(IGNORE_FILES):  # this folder's own, the one with the last word first
                    yield from self._read_ignore_file(folder, name, own)
                specs = (*own, *specs)
                for entry in entries:
                    uri = f"{folder}/{entry.name}" if folder else entry.name
                    if self._is_folder_to_scan(entry, uri, specs):
                        due.append((uri, specs))
                    else:
                        yield from self._entry(entry, uri, specs)

    def _read_ignore_file(
        self, folder: str, name: str, specs: list[tuple[str, GitIgnoreSpec]]
    ) -> Iterator[Item | Failure]:
        uri = f"{folder}/{name}" if folder else name
        path = self.root / uri
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would wait for ever
                return
            text = path.read_text("utf-8", "replace")
        except FileNotFoundError:
            return
        except OSError as error:
            yield explain(uri, error)
            return
        try:
            specs.append((folder, GitIgnoreSpec.from_lines(text.splitlines())))
        except (ValueError, re.error):
            specs.append((folder, GitIgnoreSpec.from_lines(filter(_is_pattern, text.splitlines()))))

    def _is_folder_to_scan(self, entry: os.DirEntry[str], uri: str, specs: _Specs) -> bool:
        return (
            entry.is_dir(follow_symlinks=False)
            and not entry.name.startswith(".")
            and not _ignored(uri, True, specs)
            and not self._exclude.match_file(uri + "/")
        )

    def _entry(self, entry: os.DirEntry[str], uri: str, specs: _Specs) -> Iterator[Item | Failure]:
        try:
            uri.encode()
        except UnicodeEncodeError:
            shown = uri.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            yield Failure(shown, "Its name is not valid UTF-8.", "Rename it.")
            return
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.name.startswith("."):
            self.skipped["hidden"] += 1
        elif entry.name == OWN_FILE:
            self.skipped["ragkit's own"] += 1
        elif _ignored(uri, is_folder, specs) or self._exclude.match_file(uri + "/" * is_folder):
            self.skipped["ignored"] += 1
        elif entry.is_symlink():
            yield from self._link(uri, Path(entry.path))
        elif not entry.is_file(follow_symlinks=False):
            self.skipped["no regular file"] += 1
        else:
            yield from self._item(uri, Path(entry.path))

    def _link(self, uri: str, path: Path) -> Iterator[Item | Failure]:
        """A link to a file inside the root is read; one to a folder inside is not, for it is scanned where it is."""
        try:
            target = path.resolve(strict=True)
        except (OSError, RuntimeError):  # RuntimeError: links in a circle, before Python 3.13
            yield Failure(uri, "It is a link to something that does not exist.", "Mend or remove the link.")
            return
        if not target.is_relative_to(self.root):
            self.skipped["link out of the folder"] += 1
        elif target.is_dir():
            self.skipped["link to a folder"] += 1
        elif not target.is_file():
            self.skipped["no regular file"] += 1
        else:
            yield from self._item(uri, path)

    def _item(self, uri: str, path: Path) -> Iterator[Item | Failure]:
        if self._include is not None and not self._include.match_file(uri):
            self.skipped["not included"] += 1
            return
        if holds_no_text(uri) and uri != self.only:
            self.skipped[f"no text ({path.suffix.lower()})"] += 1
            return
        try:
            status = path.stat()
        except OSError as error:
            yield explain(uri, error)
            return
        format = by_name(uri)
        media_type = format.media_type if format else guess_type(uri)[0] or "application/octet-stream"
        # The time of change, too: it tells of a file that was replaced by one with the same size and an older date.
        fingerprint = f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"
        if time.time_ns() - status.st_ctime_ns < _TICK:
            fingerprint += "-now"  # another change in this tick of the clock would not show: it is read once more
        yield Item(uri, fingerprint, media_type, status.st_size)


def _patterns(lines: Iterable[str], name: str) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise InvalidInput(
            f"{name}={lines!r} holds a pattern that is none: {error}.", "Write it as in a .gitignore."
        ) from error


def _is_pattern(line: str) -> bool:
    """Git passes over what it cannot read as a pattern."""
    try:
        GitIgnoreSpec.from_lines([line])
    except (ValueError, re.error):
        return False
    return True


def _ignored(uri: str, is_folder: bool, specs: _Specs) -> bool:
    for folder, spec in specs:
        relative = uri[len(folder) + 1 :] if folder else uri
        verdict = spec.check_file(relative + "/" * is_folder).include
        if verdict is not None:
            return verdict
    return False


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f}" if size >= 1e7 else f"{size / 1e6:,.1f}"
