"""Citations of the Messages API: passages go out as documents, and what the server says it cites comes back as ranges.

A server counts documents and characters as it likes. What it says is only taken when it names a passage that was sent,
and when the text at its place is the one that it quotes: https://docs.claude.com/en/docs/build-with-claude/citations
"""

import re
from collections.abc import Sequence
from typing import Any

from ragkit.indexes.embedder import encodable
from ragkit.markers import marked
from ragkit.model import Message, Passage, Quote
from ragkit.prompt import unnumbered

_TITLE = 200
"""Letters of a title: it names a passage, and is not read as one."""
_PLACES = {"char_location", "page_location", "content_block_location"}
"""What names a document. The other ones name results of searches, and we send none."""
_TAIL = re.compile(r"(?:[ \t]?\[\d{1,4}(?:\s*[,;]\s*\d{1,4})*\])+[.,;:!?)]*\Z")
"""Markers that the model has written itself at the end of what it says."""
_HEAD = re.compile(r"[ \t]*\[(\d{1,4})\]")
_HEAD_SO_FAR = re.compile(r"[ \t]*(?:\[\d{0,4})?")


def documents(passages: Sequence[Passage]) -> list[dict[str, Any]]:
    """A content block for each. No text can leave its block, so that it needs no fence."""
    return [
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": text},
            "title": title,
            "citations": {"enabled": True},
        }
        for title, text in _sent(passages)
    ]


def citable(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """Those that hold a text: a server refuses an empty document, and all of the request with it."""
    return tuple(one for one in passages if one.text.strip())


def placed(messages: Sequence[Message]) -> tuple[Sequence[Message], int]:
    """Messages, and which of them it is before whose text documents stand; an empty one when the user wrote none."""
    at = next((at for at in reversed(range(len(messages))) if messages[at].role == "user"), None)
    return ((Message("user"), *messages), 0) if at is None else (messages, at)


class Cited:
    """The text of a reply as it grows, with a marker for each citation, and what the markers rest on.

    It is told all text in the order in which it comes, and the citations of each block at the block's end. It gives
    back what may be said of it by now: a streamed reply is word for word a whole one.
    """

    def __init__(self, sent: Sequence[Passage]) -> None:
        self.sent = tuple(sent)
        """In the order of their documents; none where the server is not asked to cite."""
        self.text = ""
        """What was given back so far."""
        self._texts = [text for _, text in _sent(sent)]
        self._held = ""
        """White space that a marker may have to stand before, or what may become a marker that stands there already."""
        self._put: frozenset[int] = frozenset()
        """The markers between which and the text to come nothing stands."""
        self._found: dict[tuple[int, int], Quote] = {}
        """By the place and the number of a marker."""

    def add(self, piece: str) -> str:
        if not self.sent:
            return self._say(piece)
        self._held = self._without_again(self._held + piece)
        if self._put:
            return ""
        said = self._held.rstrip()
        self._held = self._held[len(said) :]
        return self._say(said)

    def end(self, citations: object = None) -> str:
        """A block is over."""
        said = self._held.rstrip()
        space, self._held = self._held[len(said) :], ""
        self._say(said)
        marks = self._marks(citations if isinstance(citations, list) and self.sent else ())
        if marks and not space:
            self._put = frozenset(number for _, number in marked(marks))
        return said + marks + self._say(space)

    @property
    def quotes(self) -> tuple[Quote | None, ...]:
        """What each marker of the text rests on; empty when that is not known of any."""
        if not self._found:
            return ()
        return tuple(self._found.get(marker) for marker in marked(self.text))

    def _say(self, said: str) -> str:
        self.text += said
        return said

    def _without_again(self, coming: str) -> str:
        """Models that are told to write numbers do so after a block that the server has cited for them, too."""
        while self._put and not _HEAD_SO_FAR.fullmatch(coming):
            match = _HEAD.match(coming)
            if match is None or int(match[1]) not in self._put:
                self._put = frozenset()
            else:
                coming = coming[match.end() :]
        return coming

    def _marks(self, citations: Sequence[object]) -> str:
        """Says a marker for each citation, unless the model has written it there itself."""
        tail = _TAIL.search(self.text)
        own = [] if tail is None else [one for one in marked(self.text) if one[0] >= tail.start()]
        said, numbers = "", {number for _, number in own}
        for number, quote in self._checked(citations):
            place = next((one for one in own if one[1] == number and one not in self._found), None)
            if place is None and (quote is not None or number not in numbers):
                mark = f" [{number}]" if self.text else f"[{number}]"
                said += self._say(mark)
                place = len(self.text) - len(mark.lstrip()), number
            if place is not None and quote is not None:
                self._found[place] = quote
            numbers.add(number)
        return said

    def _checked(self, citations: Sequence[object]) -> list[tuple[int, Quote | None]]:
        """Each once; one without a range is nothing beside another of the same passage."""
        found = dict.fromkeys(one for one in map(self._read, citations) if one is not None)
        ranged = {number for number, quote in found if quote is not None}
        return [(number, quote) for number, quote in found if quote is not None or number not in ranged]

    def _read(self, citation: object) -> tuple[int, Quote | None] | None:
        """None for what names no passage. The SDK has checked nothing of it."""
        kind, at = getattr(citation, "type", None), getattr(citation, "document_index", None)
        if kind not in _PLACES or type(at) is not int or not 0 <= at < len(self.sent):
            return None
        number, text = self.sent[at].number, self._texts[at]
        start, end = getattr(citation, "start_char_index", None), getattr(citation, "end_char_index", None)
        if kind != "char_location" or type(start) is not int or type(end) is not int:
            return number, None
        if not 0 <= start < end <= len(text) or text[start:end] != getattr(citation, "cited_text", None):
            return number, None
        return number, Quote(number, start, end)


def _sent(passages: Sequence[Passage]) -> list[tuple[str, str]]:
    """Titles and texts as they go over the wire. A text is no shorter and no longer than that of its passage."""
    numbers = {one.number for one in passages}
    return [
        (f"[{one.number}] {unnumbered(_title(one.title), numbers)}".strip(), encodable(unnumbered(one.text, numbers)))
        for one in passages
    ]


def _title(title: str) -> str:
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in title).split())
    return plain if len(plain) <= _TITLE else f"{plain[: _TITLE - 1]}…"
