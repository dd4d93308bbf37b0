"""CSV, JSON and JSONL: headers, ids, titles."""

import json

import pytest

from ragkit.errors import Unreadable

from .parsed import read


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_with_a_header_names_every_value(delimiter: str) -> None:
    rows = [["name", "city"], ["Ann", "Oslo"], ["Bo", "Rome"]]
    document = read("a.csv", "\r\n".join(delimiter.join(row) for row in rows))
    assert document.text == "name | city\nname: Ann | city: Oslo\nname: Bo | city: Rome"


def test_csv_without_a_header_and_with_quotes() -> None:
    assert read("a.csv", '1,"a, ""b""\nc"\n2,d\n').text == '1 | a, "b" c\n2 | d'


def test_jsonl_maps_id_title_and_text_and_keeps_the_rest() -> None:
    records = [
        {"_id": "d1", "title": "One", "text": "First.", "year": 2026},
        {"id": 7, "contents": "Second."},
        ["bare", 1],
    ]
    document = read("a.jsonl", "\n".join(map(json.dumps, records)))
    assert [(child.uri, child.title, child.text) for child in document.children] == [
        ("a.jsonl#d1", "One", "First."), ("a.jsonl#7", "", "Second."), ("a.jsonl#L3", "", "[0]: bare\n[1]: 1"),
    ]  # fmt: skip
    assert document.children[0].metadata == {"year": 2026, "title": "One"}


def test_json_and_jsonl_are_told_apart_by_what_they_hold() -> None:
    lines = '{"id": 1, "text": "one"}\n{"id": 2, "text": "two"}'
    assert [one.uri for one in read("a.json", lines).children] == ["a.json#1", "a.json#2"]
    assert read("a.jsonl", '{\n  "text": "one"\n}').text == "one"
    assert read("a.json", "<!doctype html><p>A page.</p>").text == "A page."


def test_json_is_records_one_record_or_a_line_a_value() -> None:
    assert [one.uri for one in read("a.json", '[{"id": 1, "text": "x"}, {"text": "y"}]').children] == [
        "a.json#1",
        "a.json#[1]",
    ]
    assert read("a.json", '{"title": "T", "text": "x"}').title == "T"
    assert read("a.json", '{"a": {"b": [1, true, null, "c"]}}').text == "a.b[0]: 1\na.b[1]: true\na.b[3]: c"
    with pytest.raises(Unreadable, match="no valid JSON"):
        read("a.json", "{")
