"""Glyphs: what is left of a text that a terminal or a page can only show, never obey."""

_JOINERS = "\u200c\u200d"
"""Not printable, and yet what Persian words and some emoji are made of."""


def shown(text: str, keep: str = "") -> str:
    """The text with a space for each sign that moves, paints, hides or turns something: ESC, bidi, zero width, tags.

    It stays as long as it was, so that ranges hold. `keep` are signs that may stay, such as the ends of lines.
    """
    if text.isprintable():
        return text
    kept = _JOINERS + keep
    return "".join(sign if sign.isprintable() or sign in kept else " " for sign in text)
