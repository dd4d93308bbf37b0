"""Personal data in a text: e-mail addresses, phone numbers, payment cards and national ids, by documented patterns.

Patterns find what has a form: names, addresses and birthdays have none, and stay. Numbers count by their check digits
where they have some (cards: ISO/IEC 7812 with Luhn; ids: see `nationalids`), else only as they are written for people:
"+44 20 7946 0958" (E.123), "(415) 555-0132", or digits behind "phone", so that no table of figures is blacked out.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from ragkit.folding import fold
from ragkit.nationalids import ids, luhn

Kind = Literal["email", "phone", "card", "id"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_AT = r"(?:@| ?[\[({] ?at ?[\])}] ?)"
_DOT = r"(?:\.| ?[\[({] ?dot ?[\])}] ?)"
_EMAIL = re.compile(
    rf"(?<![\w.!#$%&'*+/=?^`{{|}}~-])[\w!#$%&'*+/=?^`{{|}}~-][\w.!#$%&'*+/=?^`{{|}}~-]{{0,63}}{_AT}(?:{_LABEL}{_DOT}){{1,8}}[^\W\d_]{{2,24}}(?![\w@])"
)
_PHONE = (
    # with the country, as E.123 writes it, or dialled
    re.compile(r"(?<![\w.,+/-])(?:\+|00 ?)[1-9](?:[ ./()-]{0,2}\d){6,13}(?![\w]|[.,-]\d)"),
    # North America: area and exchange begin with 2 to 9
    re.compile(r"(?<![\w.,+/-])(?:1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-.])[2-9]\d\d[-.]\d{4}(?![\w]|[.,-]\d)"),
    # with the zero of a long distance, in groups
    re.compile(r"(?<![\w.,+/-])(?:\(0[1-9]\d{1,4}\) ?|0[1-9]\d{1,4}[ /-])\d{3,8}(?:[ -]\d{2,8}){0,3}(?![\w]|[.,-]\d)"),
    re.compile(r"(?<![\w.,+/-])0[1-9](?:[ .]\d\d){4}(?![\w]|[.,-]\d)"),
    # behind a word that says so
    re.compile(
        r"\b(?:tel|telephone|phone|mobile|cell|fax|call|whatsapp|sms|telefon|handy|téléphone|teléfono|telefone|móvil|celular)"
        r"(?: ?(?:number|no|nr|us|me|at|on|is))?[.: ]{1,3}(?P<number>\+?\(?\d(?:[ ./()-]{0,2}\d){6,14})(?!\w|[.,-]\d)"
    ),
)
_FEWEST, _MOST = 7, 15
"""Digits of a phone number; E.164 has no longer one."""
_CARD = re.compile(r"(?<![\w.,-])[2-6]\d(?:[ -]?\d){10,17}(?![\w-]|[.,]\d)")
_BRANDS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12})|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}"
)
"""How they begin, and how long they are: Visa, Mastercard, Amex, Diners, Discover, JCB, UnionPay, Maestro."""


@dataclass(frozen=True, slots=True)
class Personal:
    """A range of a text: `text[start:end]`."""

    kind: Kind
    start: int
    end: int


def personal(text: str, kinds: Iterable[Kind] = KINDS) -> tuple[Personal, ...]:
    """What of these kinds stands in a text, in its order, one never in another."""
    folded = fold(text)
    wanted = set(kinds)
    found = [(kind, *span) for kind, span in _found(folded.text) if kind in wanted]
    rank = {kind: place for place, kind in enumerate(("email", "id", "card", "phone"))}
    kept: list[Personal] = []
    taken = 0
    for kind, start, end in sorted(found, key=lambda one: (one[1], -one[2], rank[one[0]])):
        if start >= taken:
            first, last = folded.range(start, end)
            kept.append(Personal(kind, first, last))
        elif end > taken:  # two that overlap hide what either says
            last = folded.range(start, end)[1]
            kept[-1] = Personal(kept[-1].kind, kept[-1].start, last)
        taken = max(taken, end)
    return tuple(kept)


def redacted(text: str, kinds: Iterable[Kind] = KINDS) -> tuple[str, tuple[Kind, ...]]:
    """The text with `[email]` for an address and so on, and what was taken out, in its order."""
    found = personal(text, kinds)
    return _replaced(text, found, lambda one: f"[{one.kind}]"), tuple(one.kind for one in found)


def masked(text: str, kinds: Iterable[Kind] = KINDS) -> str:
    """The text with a block for each sign of them: it stays as long as it was, so that ranges hold."""
    return _replaced(text, personal(text, kinds), lambda one: "█" * (one.end - one.start))


def _replaced(text: str, found: Iterable[Personal], by: Callable[[Personal], str]) -> str:
    made: list[str] = []
    done = 0
    for one in found:
        made += (text[done : one.start], by(one))
        done = one.end
    return "".join((*made, text[done:]))


def _found(text: str) -> Iterator[tuple[Kind, tuple[int, int]]]:
    if "@" in text or "at" in text:
        for match in _EMAIL.finditer(text):
            yield "email", match.span()
    if not any(sign.isdigit() for sign in text):
        return
    for span in ids(text):
        yield "id", span
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if _BRANDS.fullmatch(digits) and luhn(digits):
            yield "card", match.span()
    for rule in _PHONE:
        for match in rule.finditer(text):
            group = "number" if "number" in rule.groupindex else 0
            if _FEWEST <= sum(sign.isdigit() for sign in match[group]) <= _MOST:
                yield "phone", match.span(group)
