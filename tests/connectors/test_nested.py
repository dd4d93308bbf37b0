"""Mail and archives: headers, and the documents inside."""

import random
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest

from ragkit.errors import Unreadable

from . import made
from .parsed import read


def test_mail_headers_are_metadata_and_attachments_are_children() -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ann <ann@example.org>", "Bo <bo@example.org>", "Größe"
    message["Date"] = "Tue, 03 Mar 2026 10:00:00 +0100"
    message.set_content("See the plan.")
    message.add_alternative("<p>See the <b>plan</b>.</p>", subtype="html")
    message.add_attachment(b"# Plan\n\nDo it.", maintype="text", subtype="markdown", filename="plan.md")
    message.add_attachment(b"\x00\x01\x02" * 50, maintype="application", subtype="octet-stream", filename="x.dat")
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="logo.png")
    document = read("a.eml", message.as_bytes())
    assert (document.title, document.text) == ("Größe", "Größe\n\nSee the plan.")
    assert document.metadata["date"] == "2026-03-03T10:00:00+01:00"
    assert document.metadata["from"] == "Ann <ann@example.org>"
    assert [(child.uri, child.title) for child in document.children] == [("a.eml#plan.md", "Plan")]
    assert [failure.uri for failure in document.failures] == ["a.eml#x.dat"]


def test_bodies_and_attachments_are_found_however_they_nest() -> None:
    page, words = MIMEText("<p>The body.</p>", "html"), MIMEText(" ", "plain")
    notes, more = MIMEText("Notes.", "plain"), MIMEText("More notes.", "plain")
    for part in (notes, more):
        part.add_header("Content-Disposition", "attachment", filename="notes.txt")
    inner = MIMEMultipart("mixed", _subparts=[page, notes, more])
    signature = MIMEApplication(b"AAAA", "pkcs7-signature")
    for outer in (
        MIMEMultipart("alternative", _subparts=[words, inner]),
        MIMEMultipart("signed", _subparts=[MIMEMultipart("alternative", _subparts=[words, inner]), signature]),
    ):
        outer["Subject"] = "Nested"
        document = read("a.eml", outer.as_bytes())
        assert document.text == "Nested\n\nThe body."
        assert [(child.uri, child.text) for child in document.children] == [
            ("a.eml#notes.txt", "Notes."), ("a.eml#notes.txt~2", "More notes."),
        ]  # fmt: skip
        assert not document.failures


def test_texts_that_are_no_alternatives_are_all_shown() -> None:
    mail = MIMEMultipart("mixed", _subparts=[MIMEText("<p>The body.</p>", "html"), MIMEText("A list's footer.")])
    card = MIMEText("BEGIN:VCARD", "x-vcard")
    mail.attach(card)
    document = read("a.eml", mail.as_bytes())
    assert document.text == "The body.\n\nA list's footer."
    assert [child.text for child in document.children] == ["BEGIN:VCARD"]


def test_a_mail_to_everyone_is_read_at_once() -> None:
    everyone = ", ".join(f"Person {at} <p{at}@example.org>" for at in range(20_000))
    assert "p19999@" in read("a.eml", f"To: {everyone}\nSubject: All\n\nHello.").metadata["to"]


def test_a_mailbox_holds_its_mails() -> None:
    mail = "From ann@example.org Tue Mar  3 10:00:00 2026\nFrom: a@b\nSubject: {}\n\nHi {}\n>From here on.\n\n"
    document = read("a.mbox", mail.format("one", "Ann") + mail.format("two", "Bo"))
    assert [(child.uri, child.title) for child in document.children] == [
        ("a.mbox#1.eml", "one"),
        ("a.mbox#2.eml", "two"),
    ]
    assert document.children[0].text == "one\n\nHi Ann\nFrom here on."


def test_mails_in_mails_end_somewhere() -> None:
    inner = EmailMessage()
    inner["Subject"] = "innermost"
    inner.set_content("deep")
    for depth in range(6):
        outer = EmailMessage()
        outer["Subject"] = f"around {depth}"
        outer.set_content("see inside")
        outer.add_attachment(inner)
        inner = outer
    document, depth = read("a.eml", inner.as_bytes()), 0
    while document.children:
        document, depth = document.children[0], depth + 1
    assert depth == 3
    assert "files deep inside others" in document.failures[0].reason


def test_an_archive_keeps_hostile_names_inside() -> None:
    files = {
        "../../etc/passwd.txt": b"x y",
        "/abs.txt": b"a b",
        "C:\\win\\c.txt": b"c d",
        ".hidden/a.txt": b"h",
        "pic.png": b"p",
    }
    document = read("a.zip", made.zipped(files))
    assert [child.uri for child in document.children] == ["a.zip#etc/passwd.txt", "a.zip#abs.txt", "a.zip#C:/win/c.txt"]


def test_one_corrupt_member_costs_only_itself() -> None:
    archive = bytearray(made.zipped({"a.txt": b"words and words " * 99, "b.txt": b"Words."}))
    archive[35:55] = b"\xff" * 20  # no block of packed data begins so
    document = read("a.zip", bytes(archive))
    assert [child.uri for child in document.children] == ["a.zip#b.txt"]
    assert [failure.uri for failure in document.failures] == ["a.zip#a.txt"]


def test_an_archive_that_lies_about_its_size_is_stopped() -> None:
    honest = bytearray(made.zipped({"a.txt": b"words " * 1000, "b.txt": b"Words."}))
    at = honest.rfind((6000).to_bytes(4, "little"))  # the central directory's word for the unpacked size
    honest[at : at + 4] = (100).to_bytes(4, "little")
    document = read("a.zip", bytes(honest))
    assert [child.uri for child in document.children] == ["a.zip#b.txt"]
    assert [failure.uri for failure in document.failures] == ["a.zip#a.txt"]


def test_an_archive_that_would_unpack_to_too_much_is_refused() -> None:
    big = bytearray(made.zipped({"a.txt": random.Random(1).randbytes(2_000_000)}))
    at = big.rfind((2_000_000).to_bytes(4, "little"))
    big[at : at + 4] = (600_000_000).to_bytes(4, "little")
    with pytest.raises(Unreadable, match=r"1 files with 600 MB.*ZIP bomb"):
        read("a.zip", bytes(big))
