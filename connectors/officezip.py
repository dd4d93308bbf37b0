"""What Office files have in common: a ZIP of XML parts, which may be a bomb, and comments beside the text."""

import io
import posixpath
import zipfile
from collections.abc import Iterator

from lxml import etree

from ragkit.errors import Unreadable

MAX_UNPACKED = 500_000_000
MAX_MEMBERS = 10_000
_RATIO = 500
_SMALL = 10_000_000

SAFE_XML = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, recover=True)
"""No entity is expanded and nothing is fetched, whatever a file asks for."""


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


def comments(archive: zipfile.ZipFile, part: str) -> Iterator[str]:
    """The reviewers' comments that belong to a part, such as a slide or a sheet."""
    folder, name = posixpath.split(part)
    relations = f"{folder}/_rels/{name}.rels"
    if relations not in archive.namelist():
        return
    targets = []
    for relation in _xml(archive, relations):
        if "comment" in relation.get("Type", "").rpartition("/")[2].lower():
            target = relation.get("Target", "")
            targets.append(target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"{folder}/{target}"))
    threads = [target for target in targets if "threaded" in target.lower()]
    for target in threads or targets:  # old programs get a copy of a thread as a plain comment
        if target in archive.namelist():
            yield from _comments_in(_xml(archive, target))


def _xml(archive: zipfile.ZipFile, name: str) -> etree._Element:
    return etree.fromstring(archive.read(name), SAFE_XML)


def _comments_in(root: etree._Element) -> Iterator[str]:
    for element in root.iter("{*}cm", "{*}comment", "{*}threadedComment"):
        words = [inner.text or "" for inner in element.iter("{*}t", "{*}text") if not len(inner)]
        if any(word.strip() for word in words):
            yield " ".join("".join(words).split())
