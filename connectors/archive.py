"""ZIP archives: read as folders, member by member, within limits on how much they may unpack to."""

import zipfile
from pathlib import PurePosixPath

from ragkit.connectors.builder import Builder
from ragkit.connectors.failure import Failure
from ragkit.connectors.formats import holds_no_text
from ragkit.connectors.officezip import open_zip
from ragkit.connectors.source import Source
from ragkit.errors import Unreadable

_BROKEN = (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError)


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
                data = _unpacked(archive, member)
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


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """No more than the directory promised, for that may lie."""
    with archive.open(member) as file:
        data = file.read(member.file_size + 1)
    if len(data) > member.file_size:
        raise Unreadable("It unpacks to more than the archive says, as ZIP bombs do.", "Unpack it yourself.")
    return data
