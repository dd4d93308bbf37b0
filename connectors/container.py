"""ZIP containers, which may be bombs, and the XML in them, which may ask for files: opened within limits."""

import io
import zipfile

from lxml import etree

from ragkit.errors import Unreadable

MAX_UNPACKED = 500_000_000
MAX_MEMBERS = 10_000
_RATIO = 500
_SMALL = 10_000_000

SAFE_XML = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
"""No entity is expanded and nothing is fetched, whatever a file asks for; how large it is, the memory limit says."""


def open_zip(data: bytes) -> zipfile.ZipFile:
    """A ZIP that stays within limits when unpacked, by what its own directory says."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    members = archive.infolist()
    size = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS or size > MAX_UNPACKED or (size > _SMALL and size > _RATIO * len(data)):
        raise Unreadable(
            f"It would unpack to {len(members):,} files with {size / 1e6:,.0f} MB, more than is let in "
            f"({MAX_MEMBERS:,} files, {MAX_UNPACKED / 1e6:,.0f} MB, {_RATIO} times the packed size): "
            "that is what a ZIP bomb looks like.",
            "If you trust it, unpack it yourself and ingest the files.",
        )
    return archive
