"""What Office files have in common: a ZIP of XML parts, which may be a bomb, and comments beside the text."""

import io
import posixpath
import re
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
    """The reviewers' comments that belong to a part, such as a slide or a sheet: `Comment by NAME: words`."""
    folder, name = posixpath.split(part)
    relations = f"{folder}/_rels/{name}.rels"
    if relations not in archive.namelist():
        return
    authors = _authors(archive)
    for relation in _xml(archive, relations):
        target = relation.get("Target", "")
        target = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"{folder}/{target}")
        if "comment" in relation.get("Type", "").rpartition("/")[2].lower() and target in archive.namelist():
            yield from _comments_in(_xml(archive, target), authors)


def _xml(archive: zipfile.ZipFile, name: str) -> etree._Element:
    return etree.fromstring(archive.read(name), SAFE_XML)


def _authors(archive: zipfile.ZipFile) -> dict[str, str]:
    """By id: each kind of Office file keeps them in a part of another name."""
    authors = {}
    for name in archive.namelist():
        if re.search(r"persons/[^/]*\.xml$|[aA]uthors[^/]*\.xml$", name):
            for person in _xml(archive, name).iter("{*}person", "{*}cmAuthor", "{*}author"):
                authors[person.get("id", "")] = person.get("displayName") or person.get("name") or ""
    return authors


def _comments_in(root: etree._Element, authors: dict[str, str]) -> Iterator[str]:
    own = {str(at): author.text or "" for at, author in enumerate(root.findall("{*}authors/{*}author"))}
    for element in root.iter("{*}cm", "{*}comment", "{*}threadedComment", "{*}reply"):
        author = {**authors, **own}.get(element.get("personId") or element.get("authorId") or "", "")
        words = "".join(
            inner.text or ""
            for inner in element.iter("{*}t", "{*}text")
            if not len(inner) and element in _nearest(inner, element)
        )
        if words.strip() and not words.startswith("[Threaded comment]"):  # a copy for old programs
            yield f"Comment by {author or 'unknown'}: {' '.join(words.split())}"


def _nearest(inner: etree._Element, element: etree._Element) -> list[etree._Element]:
    """The comment or reply that a run of words belongs to."""
    for above in inner.iterancestors():
        if above is element or etree.QName(above).localname in ("cm", "reply"):
            return [above]
    return []
