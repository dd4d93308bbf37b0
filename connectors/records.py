"""JSON and JSONL: a record is a document; `id`, `title` and `text` are mapped, the rest is metadata.

A JSON file that holds no records is one document, a line for each value: `path.to.it: value`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ragkit.connectors.builder import Builder
from ragkit.connectors.failure import Failure
from ragkit.connectors.formats import JSONL
from ragkit.connectors.source import Source
from ragkit.errors import Unreadable

ID = ("id", "_id")
TITLE = ("title",)
TEXT = ("text", "content", "contents", "body")


def parse(source: Source, out: Builder) -> None:
    """By the name's word, unless the file holds the other of the two: many are named wrongly."""
    text = source.text()
    first = text.lstrip().partition("\n")[0]
    if source.media_type == JSONL.media_type:
        one_a_line = _is_json(first) or not _is_json(text)
    else:
        one_a_line = not _is_json(text) and _is_json(first)
    if one_a_line:
        _records(source, _lines(source, text, out), out)
    else:
        _whole(source, text, out)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _whole(source: Source, text: str, out: Builder) -> None:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Unreadable(
            f"It is no valid JSON: {error}.", "Mend it, or name it .jsonl if each line is a value."
        ) from error
    if isinstance(value, list) and value and all(isinstance(one, dict) and _first(one, TEXT) for one in value):
        _records(source, ((f"[{at}]", one) for at, one in enumerate(value)), out)
    elif isinstance(value, dict) and _first(value, TEXT):
        _write(value, out)
    else:
        for line in flat_lines(value):
            out.block(line, gap="\n")


def _lines(source: Source, text: str, out: Builder) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield f"L{number}", json.loads(line)
        except ValueError as error:
            out.failures.append(
                Failure(f"{source.uri}#L{number}", f"Line {number} is no valid JSON: {error}.", "Mend it.")
            )


def _records(source: Source, records: Iterator[tuple[str, Any]], out: Builder) -> None:
    seen: dict[str, str] = {}
    for place, record in records:
        given = _first(record, ID) if isinstance(record, dict) else None
        name = place if given is None else str(given)
        uri = f"{source.uri}#{name}"
        if name in seen:
            out.failures.append(
                Failure(f"{source.uri}#{place}", f"Its id {name!r} is also that of {seen[name]}.", "Make ids unique.")
            )
            continue
        seen[name] = place
        one = Builder()
        _write(record, one)
        document = one.build(uri, source.media_type)
        if document.text.strip():
            out.children.append(document)
        else:
            out.failures.append(Failure(uri, "The record has no text.", f"Put it in a field called {TEXT[0]!r}."))


def _write(record: Any, out: Builder) -> None:
    text = _first(record, TEXT) if isinstance(record, dict) else None
    if text is None:
        for line in flat_lines(record):
            out.block(line, gap="\n")
        return
    out.title = str(_first(record, TITLE) or "")
    used = {_key(record, keys) for keys in (ID, TITLE, TEXT)}
    out.metadata.update((key, value) for key, value in record.items() if key not in used)
    out.write(str(text))


def _key(record: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((key for key in keys if isinstance(record.get(key), str | int | float)), None)


def _first(record: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    key = _key(record, keys)
    return None if key is None else record[key]


def flat_lines(value: Any, path: str = "") -> Iterator[str]:
    """`a.b[0]: value`, one for each value that is not itself a list or an object."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat_lines(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from flat_lines(inner, f"{path}[{at}]")
    elif value is not None and value != "":
        shown = json.dumps(value) if isinstance(value, bool) else str(value)
        yield f"{path}: {shown}" if path else shown
