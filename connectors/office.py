"""What Office files keep beside their text: title, author and dates, and the reviewers' comments."""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from lxml import etree

from ragkit.connectors.builder import Builder
from ragkit.connectors.container import SAFE_XML


def describe(archive: zipfile.ZipFile, properties: Any, out: Builder) -> None:
    """Title, author and dates, if the file has any: where it has not, the libraries make some up."""
    if not any(name.lower().endswith("core.xml") for name in archive.namelist()):
        return
    out.title = properties.title or ""
    for name in ("author", "subject", "keywords", "category", "created", "modified"):
        value = getattr(properties, name, None)
        if value:
            out.metadata[name] = value


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
