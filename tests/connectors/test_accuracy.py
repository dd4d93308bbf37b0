"""Real files of public test suites against references that were not made by ragkit."""

from pathlib import Path

import pytest

from tests import accuracy
from tests.words import compare, words, words_of_markdown


@pytest.mark.parametrize("source", ["transcriptions", "conversions"])
def test_words_missing_and_invented_are_under_two_percent_or_explained(shared_files: Path, source: str) -> None:
    rows = list(getattr(accuracy, f"against_{source}")())
    assert len(rows) >= 10
    worse = {row.name: str(row.difference) for row in rows if row.worse}
    assert {name: why for name, why in worse.items() if name not in accuracy.EXPLAINED} == {}
    explained = {row.name for row in rows} & accuracy.EXPLAINED.keys()
    assert explained == worse.keys(), "no excuse outlives its need"


def test_strings_that_must_and_must_not_be_read(shared_files: Path) -> None:
    checked = 0
    for row in accuracy.manifest():
        expect = row.get("expect")
        if isinstance(expect, dict) and expect.get("kind") == "substrings":
            text = accuracy.text_of(str(row["path"]))
            read = " ".join(words(text))
            for must in expect["must_include"]:
                assert " ".join(words_of_markdown(must)) in read, (row["path"], must)
                checked += 1
            for must_not in expect["must_not_include"]:
                assert must_not not in text, (row["path"], must_not)
    assert checked >= 10


def test_every_shared_file_is_read_or_fails_in_a_sentence(shared_files: Path) -> None:
    from ragkit.connectors.document import Document
    from ragkit.connectors.failure import Failure
    from ragkit.connectors.folder import Folder
    from ragkit.connectors.reading import read

    from .test_exactness import assert_exact

    folder = Folder(shared_files, exclude=["README.md", "manifest.jsonl", "expected/"])
    results = list(read(folder))
    for got in results:
        if isinstance(got, Document):
            assert_exact(got)
    failed = {got.uri: got.reason for got in results if isinstance(got, Failure)}
    assert failed.keys() == {
        "broken/truncated.pdf",
        "doc/fake.doc",
        "pdf/loremipsum-flat.pdf",
        "pdf/non_text_searchable.pdf",
        "pdf/ocr_test_rotated_90.pdf",
        "pdf/password.pdf",
        "pdf/table-multi-row-column-cells.pdf",
        "xlsx/password_protected.xlsx",
    }
    assert not any("Error" in reason or "Traceback" in reason for reason in failed.values())


def test_the_measure_itself_tells_what_is_lost_and_what_is_made_up() -> None:
    difference = compare(words("The quick brown fox"), words("the quick fox jumps, jumps"), optional=["jumps"])
    assert (difference.missing, difference.invented) == (0.25, 0.2)
    markdown = r'a [b](http://x.y/z_(w) "title") \_d\_ &amp; ![e](f) <!-- g --> [\[1\]](#note_(x)-1)'
    assert words_of_markdown(markdown) == ["a", "b", "d", "e", "1"]
