"""Redaction finds what is written as personal data, and leaves figures, dates and names of things alone."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragkit.pii import KINDS, Kind, masked, personal, redacted

FOUND: list[tuple[Kind, str]] = [
    ("email", "jo.o'neil+x@sub.example.co.uk"),
    ("email", "jane (at) example (dot) org"),
    ("email", "ana＠example.com"),
    ("email", "müller@bücher.example"),
    ("phone", "+44 20 7946 0958"),
    ("phone", "(415) 555-0132"),
    ("phone", "415-555-0132"),
    ("phone", "030/1234567"),
    ("phone", "01 42 68 53 00"),
    ("card", "4111 1111 1111 1111"),
    ("card", "5555-5555-5555-4444"),
    ("card", "378282246310005"),
    ("card", "6011111111111117"),
    ("card", "3530111333300000"),
    ("card", "4\u200b111 1111 1111 1111"),
    ("id", "078-05-1120"),
    ("id", "900-70-0000"),
    ("id", "AB 12 34 56 C"),
    ("id", "GB82 WEST 1234 5698 7654 32"),
    ("id", "DE89370400440532013000"),
    ("id", "FR14 2004 1010 0505 0001 3M02 606"),
    ("id", "2 55 08 14 168 025 38"),
    ("id", "12345678Z"),
    ("id", "X1234567L"),
    ("id", "RSSMRA85T10A562S"),
    ("id", "811218-9876"),
    ("id", "111.444.777-35"),
    ("id", "2341 2341 2346"),
    ("id", "11010519491231002X"),
]
BESIDE = [
    ("phone 4155550132", "4155550132", "phone"), ("SSN 078051120", "078051120", "id"),
    ("NHS number 943 476 5919", "943 476 5919", "id"), ("IdNr. 36574261809", "36574261809", "id"),
    ("BSN 111222333", "111222333", "id"), ("PESEL 44051401359", "44051401359", "id"),
    ("SIN 046 454 286", "046 454 286", "id"), ("CPF 11144477735", "11144477735", "id"),
]  # fmt: skip
LEFT = [
    "revenue of 2021 2022 2023: 1,234,567 and 12.5 %",
    "order 2024-11-20, ISBN 978-3-16-148410-0, ORCID 0000-0003-1234-5678",
    "4111 1111 1111 1112",  # Luhn says no
    "DE89370400440532013001",
    "12345678A",
    "000-12-3456 and 666-12-3456",
    "version 10.11.12.13 of 192.168.100.200",
    "@home a@b user@localhost",
    "4155550132",
    "078051120",
    "NHS number 943 476 5918",
    "cells B12:C34, [1][2], (1999–2003), 6997100000000000000",
    "call 911; in 2019, 415 people",
    "text-davinci-002 46.9 65.8",
    "10312864 + 26535788 = 36848652",
]


@pytest.mark.parametrize(("kind", "said"), FOUND, ids=[said for _, said in FOUND])
def test_what_has_the_form_is_found_in_a_sentence(kind: Kind, said: str) -> None:
    text = f"Write to {said}, she said. [1]"
    assert [(one.kind, text[one.start : one.end]) for one in personal(text)] == [(kind, said)]
    assert redacted(text) == (f"Write to [{kind}], she said. [1]", (kind,))


@pytest.mark.parametrize(("text", "said", "kind"), BESIDE)
def test_bare_digits_count_beside_their_name(text: str, said: str, kind: Kind) -> None:
    assert redacted(f"My {text}.") == (f"My {text.replace(said, f'[{kind}]')}.", (kind,))


@pytest.mark.parametrize("text", LEFT)
def test_figures_are_left_alone(text: str) -> None:
    assert redacted(text) == (text, ())


def test_only_what_was_asked_for_is_taken_out() -> None:
    text = "a@example.com, +44 20 7946 0958"
    assert redacted(text, ["phone"]) == ("a@example.com, [phone]", ("phone",))
    assert redacted(text, []) == (text, ())


@given(st.text(alphabet=st.sampled_from("ab1234 @.-+()[]\u200b\u202e４é"), max_size=60))
def test_ranges_lie_in_the_text_apart_and_a_mask_is_as_long(text: str) -> None:
    found = personal(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert len(masked(text)) == len(text)
    assert {one.kind for one in found} <= set(KINDS)


@pytest.mark.parametrize("piece", ["a", "a@", "1 ", "+1", "0", "a.", "GB82", "4111 ", "sin ", "(0", "ab12 "])
def test_no_text_takes_long(piece: str) -> None:
    """A pattern that tries again and again would not come to an end."""
    assert personal(piece * 50_000) == personal(piece * 50_000, KINDS)
