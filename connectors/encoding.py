"""From bytes to text: a byte-order mark says it, else UTF-8 proves itself, else the file's word, else detection."""

import codecs
from typing import NamedTuple

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 256_000
_IN_USE = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874", "koi8_r", "cp866",
    "cp932", "euc_jp", "gb18030", "big5", "cp949", "mac_roman",
)  # fmt: skip
"""What files of the last decades are in; among all encodings there are, a German word passes for mainframe text."""


class Decoded(NamedTuple):
    text: str
    encoding: str


def decode(data: bytes, declared: str = "") -> Decoded:
    """Bytes that fit no guess are shown as U+FFFD rather than lost."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return Decoded(data.decode(encoding, errors="replace"), encoding.removesuffix("-sig"))
    wide = _without_mark(data)
    if wide:
        return Decoded(data.decode(wide, errors="replace"), wide)
    for encoding in ("utf-8", declared):
        text = _strictly(data, encoding)
        if text is not None:
            return Decoded(text, encoding)
    text = data.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    if sum(character > "\x7f" for character in text) - broken > broken:
        return Decoded(text, "utf-8")  # UTF-8 with a few broken bytes, which by any other name is gibberish
    detected = _detect(data[:_SAMPLE])
    return Decoded(data.decode(detected, errors="replace"), detected)


def _strictly(data: bytes, encoding: str) -> str | None:
    if not encoding:
        return None
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):  # a file may name an encoding that it is not in, or that is none
        return None


def _without_mark(data: bytes) -> str:
    """UTF-16 without a byte-order mark: mostly Latin text, so every other byte is NUL."""
    sample = data[:2000]
    if len(sample) < 4 or len(data) % 2:
        return ""
    even, odd, half = sample[0::2].count(0), sample[1::2].count(0), len(sample) // 2
    if odd > 0.6 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.6 * half and odd < 0.1 * half:
        return "utf-16-be"
    return ""


def _detect(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=list(_IN_USE)).best()
    return best.encoding if best else "cp1252"


def looks_like_text(data: bytes) -> bool:
    """No NUL bytes (but UTF-16 and UTF-32 have them), and few other control characters."""
    sample = data[:8192]
    if sample.startswith(tuple(mark for mark, _ in _MARKS)) or _without_mark(data[: len(data) // 2 * 2]):
        return True
    unseen = sum(byte < 9 or (13 < byte < 32 and byte != 27) for byte in sample)
    return unseen <= len(sample) // 50
