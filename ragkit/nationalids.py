"""National ids: numbers that name a person or an account, by their published forms, with their check digits.

A form without a check digit, or one that any number has, counts only beside a word that says what it is. The rules:
SSN and ITIN (ssa.gov, irs.gov), NI number (gov.uk NIM39110), NHS number, IBAN (ISO 13616, ISO 7064 mod 97-10), NIR
(insee.fr), DNI and NIE, codice fiscale, Steuer-IdNr (ISO 7064 mod 11,10), BSN, PESEL, personnummer, CPF, Aadhaar
(Verhoeff), the Chinese resident number (GB 11643, ISO 7064 mod 11-2), SIN.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass


def luhn(digits: str) -> bool:
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(one - 9 * (one > 9) for one in doubled)) % 10 == 0


def _weighted(digits: str, weights: tuple[int, ...], modulus: int) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False)) % modulus


def _any(_: str) -> bool:
    return True


_IBAN = {
    "ad": 24, "ae": 23, "al": 28, "at": 20, "az": 28, "ba": 20, "be": 16, "bg": 22, "bh": 22, "br": 29, "by": 28,
    "ch": 21, "cr": 22, "cy": 28, "cz": 24, "de": 22, "dk": 18, "do": 28, "ee": 20, "eg": 29, "es": 24, "fi": 18,
    "fo": 18, "fr": 27, "gb": 22, "ge": 22, "gi": 23, "gl": 18, "gr": 27, "gt": 28, "hr": 21, "hu": 28, "ie": 22,
    "il": 23, "iq": 23, "is": 26, "it": 27, "jo": 30, "kw": 30, "kz": 20, "lb": 28, "lc": 32, "li": 21, "lt": 20,
    "lu": 20, "lv": 21, "mc": 27, "md": 24, "me": 22, "mk": 19, "mr": 27, "mt": 31, "mu": 30, "nl": 18, "no": 15,
    "pk": 24, "pl": 28, "ps": 29, "pt": 25, "qa": 29, "ro": 24, "rs": 22, "sa": 24, "sc": 31, "se": 24, "si": 19,
    "sk": 24, "sm": 27, "sv": 28, "tl": 23, "tn": 24, "tr": 26, "ua": 29, "va": 22, "vg": 24, "xk": 20,
}  # fmt: skip


def _iban(text: str) -> bool:
    said = "".join(str(int(sign, 36)) for sign in text[4:] + text[:4])
    return int(said) % 97 == 1


def _nhs(digits: str) -> bool:
    return (11 - _weighted(digits, tuple(range(10, 1, -1)), 11)) % 11 == int(digits[9])


def _nir(text: str) -> bool:
    number = text[:13].replace("2a", "19").replace("2b", "18")
    return 97 - int(number) % 97 == int(text[13:])


def _dni(text: str) -> bool:
    number = text[:-1].translate(str.maketrans("xyz", "012"))
    return text[-1] == "trwagmyfpdxbnjzsqvhlcke"[int(number) % 23]


_ODD = dict(
    zip(
        "0123456789abcdefghijklmnopqrstuvwxyz",
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
         10, 22, 25, 24, 23],
        strict=True,
    )
)  # fmt: skip


def _fiscale(text: str) -> bool:
    even = sum(int(sign) if sign.isdigit() else ord(sign) - 97 for sign in text[1:15:2])
    return (even + sum(_ODD[sign] for sign in text[0:15:2])) % 26 == ord(text[15]) - 97


def _steuer(digits: str) -> bool:
    often = sorted((digits[:10].count(digit) for digit in set(digits[:10])), reverse=True)
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return often[0] in (2, 3) and often[1] == 1 and (11 - product) % 10 == int(digits[10])


def _bsn(digits: str) -> bool:
    return int(digits) > 0 and _weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), 11) == 0


def _pesel(digits: str) -> bool:
    month = int(digits[2:4]) % 20
    dated = 1 <= month <= 12 and 1 <= int(digits[4:6]) <= 31
    return dated and _weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), 10) == 0


def _personnummer(digits: str) -> bool:
    return luhn(digits[-10:]) and 1 <= int(digits[-8:-6]) <= 12 and 1 <= int(digits[-6:-4]) % 60 <= 31


def _cpf(digits: str) -> bool:
    first = _weighted(digits, tuple(range(10, 1, -1)), 11)
    second = _weighted(digits, tuple(range(11, 1, -1)), 11)
    return [str(0 if one < 2 else 11 - one) for one in (first, second)] == list(digits[9:]) and len(set(digits)) > 1


_D = [[(a + b) % 5 if b < 5 else (a + b) % 5 + 5 for b in range(10)] for a in range(5)]
_D += [[(a - b) % 5 + 5 if b < 5 else (a - b) % 5 for b in range(10)] for a in range(5, 10)]
_P = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]


def _verhoeff(digits: str) -> bool:
    check, order = 0, list(range(10))
    for digit in reversed(digits):
        check = _D[check][order[int(digit)]]
        order = [order[one] for one in _P]
    return check == 0


def _resident(text: str) -> bool:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10x98765432"[_weighted(text[:17], weights, 11)] == text[17]


@dataclass(frozen=True, slots=True)
class Form:
    name: str
    pattern: re.Pattern[str]
    """Over folded text; group `id` is the id, where the pattern has more."""
    holds: Callable[[str], bool] = _any
    """Whether its signs, without what is between them, are such an id."""


def _form(name: str, pattern: str, holds: Callable[[str], bool] = _any) -> Form:
    return Form(name, re.compile(rf"(?<![\w.,-])(?:{pattern})(?![\w-]|[.,]\d)"), holds)


def _beside(words: str, pattern: str) -> str:
    """A number that is one only behind such a word."""
    return rf"(?:{words})\W{{0,3}}(?:\w{{1,8}}\W{{1,3}}){{0,2}}?(?P<id>{pattern})"


_SSN = r"(?!000|666|9)\d{3}[- ](?!00)\d\d[- ](?!0000)\d{4}"
_ITIN = r"9\d\d[- ](?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])[- ]\d{4}"
FORMS = (
    _form("us", _SSN.replace("[- ]", "-")),
    _form("us", _ITIN.replace("[- ]", "-")),
    _form("us", _beside("ssn|social security|itin|tax ?payer", rf"{_SSN}|{_ITIN}|(?!000|666)\d{{9}}")),
    _form("uk", r"(?!bg|gb|kn|nk|nt|tn|zz)[a-ceghj-prtw-z][a-ceghj-nprtw-z] ?\d\d ?\d\d ?\d\d ?[a-d]"),
    _form("uk", _beside("nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}"), _nhs),
    _form("iban", "|".join(rf"{land}\d\d(?: ?[a-z0-9]){{{length - 4}}}" for land, length in _IBAN.items()), _iban),
    _form("fr", r"[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[ab]) ?\d{3} ?\d{3} ?\d\d", _nir),
    _form("es", r"(?:\d{8}|[xyz]-?\d{7})-?[a-z]", _dni),
    _form("it", r"[a-z]{6}\d\d[a-ehlmprst]\d\d[a-z]\d{3}[a-z]", _fiscale),
    _form("de", _beside("id-?nr|identifikationsnummer|steuer-?id|steuernummer", r"\d\d(?: ?\d{3}){3}"), _steuer),
    _form("nl", _beside("bsn|burgerservicenummer|sofinummer", r"\d{4}[. ]?\d\d[. ]?\d{3}|\d{9}"), _bsn),
    _form("pl", _beside("pesel", r"\d{11}"), _pesel),
    _form("se", r"(?:19|20)?\d{6}[-+]\d{4}", _personnummer),
    _form("br", r"\d{3}\.\d{3}\.\d{3}-\d\d", _cpf),
    _form("br", _beside("cpf", r"\d{11}"), _cpf),
    _form("in", r"[2-9]\d{3}[ -]\d{4}[ -]\d{4}", _verhoeff),
    _form("in", _beside("aadhaar|aadhar|uidai", r"[2-9]\d{11}"), _verhoeff),
    _form("cn", r"[1-8]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dx]", _resident),
    _form("ca", _beside("sin|social insurance", r"\d{3}[- ]?\d{3}[- ]?\d{3}"), luhn),
)  # fmt: skip


def ids(folded: str) -> Iterator[tuple[int, int]]:
    """Where ids stand in a folded text."""
    for form in FORMS:
        for match in form.pattern.finditer(folded):
            group = "id" if "id" in form.pattern.groupindex else 0
            if form.holds(re.sub(r"[^a-z0-9]", "", match[group])):
                yield match.span(group)
