"""A Scan: what of a source is new, changed or gone, told by fingerprints, without opening anything."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragkit.connectors.connector import Connector, Item
from ragkit.connectors.failure import Failure, explain
from ragkit.connectors.place import connect
from ragkit.indexes.catalog import Catalog
from ragkit.indexes.writer import grouped, marks


@dataclass(frozen=True, slots=True)
class Scan:
    source: int
    place: str
    connector: Connector | None
    due: Sequence[Item]
    """New, changed, or failed the last time."""
    known: dict[str, int]
    """The ids of all items that the catalog has of this source, by uri."""
    gone: Sequence[int]
    """Ids of items that are no longer there."""
    failures: Sequence[Failure]
    unchanged: int
    """Documents of the items that need not be read."""
    skipped: dict[str, int]


def scan(catalog: Catalog, source: int, place: str, tell: Callable[[int], None]) -> Scan:
    """List a source and compare. A source that cannot be listed is a failure, and nothing of it is gone."""
    known = {
        uri: (id, fingerprint)
        for id, uri, fingerprint in catalog.execute(
            "SELECT id, uri, fingerprint FROM items WHERE source = ?", (source,)
        )
    }
    connector, found, failures, whole = _listed(place, tell)
    if connector is None and list(known) == [Path(place).name] and Path(place).parent.is_dir():
        failures, whole = [], True  # a file that was named by itself, and was deleted
    shielded = tuple(failure.uri for failure in failures) if whole else (".",)
    due = [item for item in found.values() if item.uri not in known or known[item.uri][1] != item.fingerprint]
    changed = {item.uri for item in due}
    same = [id for uri, (id, _) in known.items() if uri in found and uri not in changed]
    return Scan(
        source=source,
        place=place,
        connector=connector,
        due=due,
        known={uri: id for uri, (id, _) in known.items()},
        gone=[id for uri, (id, _) in known.items() if uri not in found and not _within(uri, shielded)],
        failures=failures,
        unchanged=_documents(catalog, source, same, len(known)),
        skipped=dict(getattr(connector, "skipped", {})),
    )


def _listed(place: str, tell: Callable[[int], None]) -> tuple[Connector | None, dict[str, Item], list[Failure], bool]:
    """What there is, what could not be listed, and whether the listing came to its end."""
    connector, found, failures = None, dict[str, Item](), list[Failure]()
    try:
        connector = connect(place)
        for one in connector.scan():
            if isinstance(one, Failure):
                failures.append(one)
            else:
                found[one.uri] = one
                tell(len(found))
    except Exception as error:  # of any connector
        failure = explain(place, error)
        if connector is None:
            failure = Failure(place, failure.reason, "Put it back, or remove it from the sources in ragkit.toml.")
        return connector, found, [*failures, failure], False
    return connector, found, failures, True


def _within(uri: str, shielded: Iterable[str]) -> bool:
    """Whether it lies where something could not be listed."""
    return any(one == "." or uri == one or uri.startswith(f"{one}/") for one in shielded)


def _documents(catalog: Catalog, source: int, items: Sequence[int], known: int) -> int:
    if len(items) == known:
        return int(
            catalog.one("SELECT count(*) FROM documents JOIN items ON items.id = item WHERE source = ?", (source,))
        )
    return sum(
        int(catalog.one(f"SELECT count(*) FROM documents WHERE item IN ({marks(group)})", group))
        for group in grouped(items)
    )
