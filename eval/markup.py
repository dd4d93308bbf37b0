"""Markup: what documents, questions and names say, made into HTML that says the same and does nothing."""

from html import escape

from ragkit.glyphs import shown


def escaped(text: str, most: int = 0) -> str:
    """Text as text, for contents and attributes: no markup, no control, nothing that turns the direction of reading.

    It is shortened to `most` characters, unless that is 0.
    """
    if most and len(text) > most:
        text = f"{text[: most - 1]}…"
    return escape(shown(text, keep="\n\t"), quote=True)
