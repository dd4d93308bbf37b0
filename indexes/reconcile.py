"""Brings the catalog from what it has to what was read, document by document."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Any

from ragkit.connectors.connector import Item
from ragkit.connectors.document import Document
from ragkit.connectors.failure import Failure, explain
from ragkit.connectors.reading import flat
from ragkit.indexes.scan import Scan
from ragkit.indexes.writer import Writer


class Reconciler:
    """Counts what it does in `count`: added, updated, renamed, deleted, unchanged."""

    def __init__(self, writer: Writer) -> None:
        self.writer, self.catalog = writer, writer.catalog
        self.count = Counter[str]()
        self.failed: list[Failure] = []
        self._next_item = int(self.catalog.one("SELECT coalesce(max(id), 0) + 1 FROM items"))
        self._gone: dict[int, tuple[str, str]] = {}
        """Documents whose items are gone, with content and uri. They are deleted last: their content may turn up."""
        self._gone_by_content: dict[str, list[int]] = defaultdict(list)
        self._gone_by_uri: dict[str, int] = {}
        self._gone_items: list[int] = []
        self._given: dict[str, bool] = {}
        """Uris that were given (true) or freed (false) since the last commit."""

    def begin(self, scan: Scan) -> None:
        """Take over what a scan found out; nothing is deleted yet."""
        self.count["unchanged"] += scan.unchanged
        self.writer.note("DELETE FROM failures WHERE source = ?", scan.source)
        for failure in scan.failures:
            self._fail(scan.source, failure)
        self.lose(scan.gone)

    def lose(self, items: Sequence[int]) -> None:
        """These items are gone."""
        self._gone_items += items
        for item in items:
            for id, content, uri in self.catalog.execute(
                "SELECT id, content_hash, uri FROM documents WHERE item = ?", (item,)
            ):
                self._gone[id] = (content, uri)
                self._gone_by_content[content].append(id)
                self._gone_by_uri[uri] = id

    def take(self, scan: Scan, item: Item, answer: Document | Failure) -> None:
        """What reading an item gave: one document, several, or a failure."""
        id = scan.known.get(item.uri)
        known = {} if id is None else self._known(id)
        if id is None:
            id, self._next_item = self._next_item, self._next_item + 1
            self.writer.note("INSERT INTO items VALUES (?, ?, ?, '')", id, scan.source, item.uri)
        failures: dict[str, Failure] = {}
        seen: set[str] = set()
        for one in flat(answer):
            if isinstance(one, Failure):
                failures[one.uri] = one
            elif one.uri in seen:
                failures[one.uri] = Failure(one.uri, "Another document of it has the same uri.", "Make them unique.")
            else:
                seen.add(one.uri)
                try:
                    self._put(scan, id, one, known.get(one.uri))
                except Exception as error:  # what cannot be cut or kept is a row; the rest goes on
                    failures[one.uri] = explain(one.uri, error)
                if self.writer.due:
                    self.commit()
        for uri, (document, *_) in known.items():
            if uri not in seen and not _kept(uri, item.uri, failures):
                self.writer.delete(document)
                self.count["deleted"] += 1
        for failure in failures.values():
            self._fail(scan.source, failure)
        # Last, and only if all went well: until then the item counts as not read.
        self.writer.note("UPDATE items SET fingerprint = ? WHERE id = ?", "" if failures else item.fingerprint, id)

    def finish(self) -> None:
        """Delete what is gone and did not turn up elsewhere."""
        for id in self._gone:
            self.writer.delete(id)
            self.count["deleted"] += 1
        for item in self._gone_items:
            self.writer.note("DELETE FROM items WHERE id = ?", item)

    def commit(self) -> None:
        self.writer.commit()
        self._given.clear()

    def _known(self, item: int) -> dict[str, Any]:
        rows = self.catalog.execute(
            "SELECT own_uri, id, content_hash, uri, title, media_type FROM documents WHERE item = ?", (item,)
        )
        return {own_uri: rest for own_uri, *rest in rows}

    def _put(self, scan: Scan, item: int, document: Document, known: Any) -> None:
        if known is not None:
            id, content, uri, *described = known
            if content == document.content_hash:
                self.count["unchanged"] += 1
                if described != [document.title, document.media_type]:
                    self._describe(id, document)
                return
            self.writer.add(item, document.uri, uri, self.writer.cut(document), replaces=id)
            self.count["updated"] += 1
            return
        same = self._turned_up(document)
        if same is not None:
            uri = self._free(scan, document.uri)
            values = (item, document.uri, uri, same)
            self.writer.note("UPDATE documents SET item = ?, own_uri = ?, uri = ? WHERE id = ?", *values, visible=True)
            self._describe(same, document)
            self.count["renamed"] += 1
            return
        cut = self.writer.cut(document)
        replaced = self._gone_by_uri.get(document.uri)
        if replaced is not None:  # it came from another source before
            self._forget(replaced)
        self.count["added" if replaced is None else "updated"] += 1
        self.writer.add(item, document.uri, self._free(scan, document.uri), cut, replaces=replaced)

    def _describe(self, id: int, document: Document) -> None:
        self.writer.note(
            "UPDATE documents SET title = ?, media_type = ? WHERE id = ?",
            document.title, document.media_type, id, visible=True,
        )  # fmt: skip

    def _turned_up(self, document: Document) -> int | None:
        """The document that is gone from where it was and says the same."""
        same = self._gone_by_content.get(document.content_hash)
        if not same:
            return None
        at_its_place = self._gone_by_uri.get(document.uri)
        id = at_its_place if at_its_place in same else same[0]
        self._forget(id)
        return id

    def _forget(self, id: int) -> None:
        """It is not gone after all, or not for nothing."""
        content, uri = self._gone.pop(id)
        self._gone_by_content[content].remove(id)
        del self._gone_by_uri[uri]
        self._given[uri] = False

    def _free(self, scan: Scan, uri: str) -> str:
        """The uri, or one beside it where another source of this domain has a document of that name."""
        for name in _names(scan.place, uri):
            taken = self._given.get(name)
            if taken is None:
                taken = self.catalog.one("SELECT 1 FROM documents WHERE uri = ?", (name,)) is not None
            if not taken:
                self._given[name] = True
                return name
        raise AssertionError("there is always another number")

    def _fail(self, source: int, failure: Failure) -> None:
        self.failed.append(failure)
        self.writer.note("INSERT INTO failures VALUES (?, ?, ?, ?)", source, failure.uri, failure.reason, failure.hint)


def _names(place: str, uri: str) -> Iterator[str]:
    path = PurePath(place)
    folder = path.parent.name if path.name == uri else path.name  # the source may be the file itself
    yield uri
    yield f"{folder}/{uri}"
    number = 2
    while True:
        yield f"{folder}~{number}/{uri}"
        number += 1


def _kept(uri: str, item: str, failures: Iterable[str]) -> bool:
    """What could not be read this time, or lies inside of what could not. A broken line may have been any record."""
    return any(
        uri == failed or uri.startswith(f"{failed}#") or re.fullmatch(rf"{re.escape(item)}#L\d+", failed)
        for failed in failures
    )
