"""Folding: a text as a reader takes it, without what nobody sees and with look-alikes made plain; and the way back.

Who hides "ig\\u200bnore" or writes it with Cyrillic letters means it to be read all the same. Look-alikes: the letters
and brackets of Unicode's confusables (UTS 39) that are taken for those of ASCII, in lower case.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_ALIKE = {
    **dict(zip("аеорсухіјѕһԁԛԝкмтвнп", "aeopcyxijshdqwkmtbhn", strict=True)),
    **dict(zip("αεικνορτυχϲ", "aeiknoptuxc", strict=True)),
    **dict.fromkeys("‹〈⟨❮❬≺⧼＜﹤", "<"),
    **dict.fromkeys("›〉⟩❯❭≻⧽＞﹥", ">"),
    **dict.fromkeys("⁄∕⧸／", "/"),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("’‘ʼ", "'"),
    "ı": "i", "ɡ": "g", "ӏ": "l", "ᴀ": "a", "ꜱ": "s",
}  # fmt: skip
_SCRIPTS = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґўαβγδεζηθικλμνξοπρστυφχψωάέήίόύώς")
_ODD = re.compile(r"[^\x20-\x7e\t-\r]")
_INVISIBLE = ("Cf", "Cc", "Co", "Cn")


@dataclass(frozen=True, slots=True)
class Folded:
    text: str
    places: tuple[int, ...] | None
    """Where each sign of it stands in the original; None when they stand where they stood."""
    length: int
    """Of the original."""

    def range(self, start: int, end: int) -> tuple[int, int]:
        """What this range of the folded text is in the original."""
        if self.places is None:
            return start, end
        first = self.places[start] if start < len(self.places) else self.length
        return first, self.places[end - 1] + 1 if end > start else first


def fold(text: str) -> Folded:
    """In lower case, invisible signs left out, spaces and digits of all scripts made plain ones."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return Folded(text.lower(), None, len(text))
    latin = _latin_words(text)
    signs: list[str] = []
    places: list[int] = []
    done = 0
    for match in _ODD.finditer(text):
        at = match.start()
        plain = _plain(match[0], at in latin)
        signs += (text[done:at].lower(), plain)
        places += (*range(done, at), *[at] * len(plain))
        done = at + 1
    signs.append(text[done:].lower())
    places += range(done, len(text))
    return Folded("".join(signs), tuple(places), len(text))


@lru_cache(maxsize=4096)
def _plain(sign: str, latin: bool) -> str:
    category = unicodedata.category(sign)
    if category in _INVISIBLE or "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef":
        return ""
    if category[0] == "Z":
        return " " if category == "Zs" else "\n"
    small = sign.lower()
    if small in _SCRIPTS:
        return _ALIKE.get(small, small) if latin else small
    made = unicodedata.normalize("NFKC", small).lower()
    return "".join(_ALIKE.get(one, one) for one in made)


def _latin_words(text: str) -> set[int]:
    """Where words stand that mix Latin letters with those of a script that has look-alikes: no honest word does."""
    found: set[int] = set()
    if _SCRIPTS.isdisjoint(text.lower()):
        return found
    start, latin, other = 0, False, False
    for place, sign in enumerate(f"{text} "):
        if sign.isalpha() or unicodedata.category(sign) == "Cf":
            latin = latin or sign.isascii()
            other = other or sign.lower() in _SCRIPTS
            continue
        if latin and other:
            found.update(range(start, place))
        start, latin, other = place + 1, False, False
    return found
