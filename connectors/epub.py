"""EPUB: the chapters in reading order, each as HTML."""

import posixpath
from urllib.parse import unquote

from lxml import etree

from ragkit.connectors import html
from ragkit.connectors.builder import Builder
from ragkit.connectors.container import SAFE_XML, open_zip
from ragkit.connectors.encoding import decode
from ragkit.connectors.source import Source
from ragkit.errors import Unreadable

_DUBLIN_CORE = ("creator", "language", "date", "publisher", "identifier", "subject")


def parse(source: Source, out: Builder) -> None:
    with open_zip(source.data) as book:
        if "META-INF/encryption.xml" in book.namelist() and b"EncryptedData" in book.read("META-INF/encryption.xml"):
            out.metadata["encrypted_parts"] = True
        container = etree.fromstring(book.read("META-INF/container.xml"), SAFE_XML)
        rootfile = next(container.iter("{*}rootfile"), None)
        if rootfile is None:
            raise Unreadable("The book names no list of its contents.", "Convert it again, for instance with Calibre.")
        place = rootfile.get("full-path", "")
        package = etree.fromstring(book.read(place), SAFE_XML)
        title = next(package.iter("{*}title"), None)
        for name in _DUBLIN_CORE:
            values = [
                element.text for element in package.iter(f"{{http://purl.org/dc/elements/1.1/}}{name}") if element.text
            ]
            if values:
                out.metadata[name] = values[0] if len(values) == 1 else values
        files = {item.get("id"): item for item in package.iter("{*}item")}
        for reference in package.iter("{*}itemref"):
            item = files.get(reference.get("idref"))
            if item is None or "nav" in (item.get("properties") or "").split():
                continue
            path = posixpath.normpath(posixpath.join(posixpath.dirname(place), unquote(item.get("href", ""))))
            if path in book.namelist():
                html.write(decode(book.read(path)).text, out, part=True)
        out.title = (title.text or "") if title is not None else ""
