"""ZIP archives: read as folders, member by member, within limits on how much they may unpack to."""

import zipfile
import zlib
from pathlib import PurePosixPath

from ragkit.connectors.builder import Builder
from ragkit.connectors.container import open_zip
from ragkit.connectors.failure import Failure
from ragkit.connectors.formats import holds_no_text
from ragkit.connectors.source import Source
from ragkit.errors import Unreadable

_BROKEN = (zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError)


def parse(source: Source, out: Builder) -> None:
    with open_zip(source.data) as archive:
        for member in archive.infolist():
            path = _inside(member.filename)
            if (
                member.is_dir()
                or holds_no_text(path.name)
                or any(part.startswith((".", "__MACOSX")) for part in path.parts)
            ):
                continue
            try:
                if member.flag_bits & 1:
                    raise Unreadable("It is protected by a password.", "Unpack the archive, and ingest the files.")
                data = archive.read(member)  # never more than the directory promised: zipfile stops there
            except Unreadable as error:
                out.failures.append(Failure(f"{source.uri}#{path}", error.reason, error.hint))
                continue
            except _BROKEN as error:
                out.failures.append(
                    Failure(f"{source.uri}#{path}", f"It cannot be unpacked: {error}.", "Make the archive again.")
                )
                continue
            source.read_inside(out, str(path), data)


def _inside(name: str) -> PurePosixPath:
    """A member's path without the steps that would lead out of the archive."""
    parts = name.replace("\\", "/").split("/")
    return PurePosixPath(*(part for part in parts if part not in ("", ".", "..")))
