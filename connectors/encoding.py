"""From bytes to text: a byte-order mark says it, else UTF-8 proves itself, else the file's word, else detection."""

import codecs
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 256_000
_LATIN = {
    "cp1254": ("çğıöşüâîû",),
    "cp1252": (
        "áéíóúüñªº",
        "áâãàçéêíóôõúü",
        "àâçéèêëîïôùûüÿœæ",
        "äöüßé",
        "åäöé",
        "æøåé",
        "àèéìíòóù",
        "äëéèïöü",
        "áðéíóúýþæö",
    ),
    "cp1250": ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíľĺňóôŕšťúýž", "áéíóöőúüű", "ăâîşţșț", "čćđšž"),
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äöüõšž"),
}
"""The letters beyond ASCII of an encoding's languages; the first encoding that explains most of a text's wins."""
_IN_USE = (
    "cp1251", "koi8_r", "cp866", "cp1253", "cp1255", "cp1256", "cp874", "cp932", "euc_jp", "gb18030", "big5", "cp949",
    "cp1252", "cp1250",
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
    """Where bytes beyond ASCII mostly stand alone it is Latin script, told by its letters; else the library tells."""
    beyond = sum(byte > 127 for byte in sample)
    in_a_row = sum(one > 127 and after > 127 for one, after in pairwise(sample))
    if in_a_row < 0.45 * beyond:
        return max(_LATIN, key=lambda encoding: _fit(sample, encoding))
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=list(_IN_USE)).best()
    return best.encoding if best else "cp1252"


def _fit(sample: bytes, encoding: str) -> float:
    """The share of the letters beyond ASCII that one language of the encoding explains."""
    beyond = Counter(
        letter.lower() for letter in sample.decode(encoding, "replace") if letter > "\x7f" and letter.isalpha()
    )
    if not beyond:
        return 1.0
    return max(sum(beyond[letter] for letter in language) for language in _LATIN[encoding]) / beyond.total()


def looks_like_text(data: bytes) -> bool:
    """No NUL bytes (but UTF-16 and UTF-32 have them), and few other control characters."""
    sample = data[:8192]
    if sample.startswith(tuple(mark for mark, _ in _MARKS)) or _without_mark(data[: len(data) // 2 * 2]):
        return True
    unseen = sum(byte < 9 or (13 < byte < 32 and byte != 27) for byte in sample)
    return unseen <= len(sample) // 50
