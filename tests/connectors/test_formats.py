import pytest

from ragkit.connectors import formats
from ragkit.connectors.formats import Format, detect
from ragkit.errors import Unreadable

from . import made

OUTLINE = [made.Section("One heading", ("A paragraph of words.",), (("name", "age"), ("Ann", "30")))]


@pytest.mark.parametrize("name", [name for name in made.MAKERS if name not in ("a.txt",)])
def test_every_made_file_is_what_its_name_says(name: str) -> None:
    found = detect(made.MAKERS[name](OUTLINE), name)
    assert found == formats.by_name(name)


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.pptx", "a.xlsx", "a.odt", "a.epub", "a.html", "a.xml"])
def test_content_is_believed_before_the_name(name: str) -> None:
    data = made.MAKERS[name](OUTLINE)
    for wrong in ("report", "report.txt", "report.pdf", "report.xls"):
        assert detect(data, wrong) == formats.by_name(name)


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (b"<!DOCTYPE html><html><body>x", "page.md", formats.MARKDOWN),
        (b"a,b\n1,2\n", "export.xls", formats.CSV),
        (b"just words", "words.pdf", formats.TEXT),
        (b"just words", "README", formats.TEXT),
        (b"From: a@b\nTo: c@d\nSubject: x\nDate: Tue, 3 Mar 2026 10:00:00 +0000\n\nHi", "saved.txt", formats.EML),
        (b"From: the desk of Ann\nTo do: sleep\n\nHi", "letter.txt", formats.TEXT),
        (b"{\\rtf1 hello}", "letter.doc", formats.RTF),
    ],
)
def test_what_a_text_is(data: bytes, name: str, expected: Format) -> None:
    assert detect(data, name) == expected


@pytest.mark.parametrize(
    ("data", "name", "word"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), "old.doc", "old binary format"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "a.docx", "password"),
        (b"PK\x03\x04 and then it is cut off", "a.docx", "damaged or cut off"),
        (bytes(range(256)) * 8, "a.pdf", "its name says PDF"),
    ],
)
def test_what_is_not_read_says_so_and_what_to_do(data: bytes, name: str, word: str) -> None:
    with pytest.raises(Unreadable) as raised:
        detect(data, name)
    assert word in raised.value.reason
    assert raised.value.hint.endswith((".", "FILE"))
