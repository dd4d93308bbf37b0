"""How passages stand in a prompt, for every provider alike: numbered, and fenced as data that no document can leave."""

import re
from dataclasses import replace
from html import escape

from ragkit.folding import fold
from ragkit.model import Message, Passage, Request

_FENCE = re.compile(r"<(?=[^\w<]*p[^\w<]{0,2}a[^\w<]{0,2}s[^\w<]{0,2}s[^\w<]{0,2}a[^\w<]{0,2}g[^\w<]{0,2}e)")
"""What could close a fence or open another one, also when written with spaces, look-alikes or invisible marks."""
_NUMBERS = re.compile(r"(?<![\w\])])\[(\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*)\](?!\()")
"""References of the documents' own. Those of code (`a[1]`) and of links stay."""


def with_passages(request: Request) -> tuple[Message, ...]:
    """The messages, with the passages before the text of the last one that the user wrote."""
    if not request.passages:
        return request.messages
    numbers = {one.number for one in request.passages}
    fenced = "\n".join(_fenced(one, numbers) for one in request.passages)
    messages = list(request.messages)
    for at in reversed(range(len(messages))):
        if messages[at].role == "user":
            messages[at] = replace(messages[at], text=f"{fenced}\n\n{messages[at].text}")
            return tuple(messages)
    return (Message("user", fenced), *messages)


def answered(question: str, answer: str) -> str:
    """An answer that was written from documents: it may hold what they say, and is fenced as they are."""
    said = unfenced(escape(" ".join(question.split())))
    return f'<passage-answer question="{said}">\n{unfenced(answer)}\n</passage-answer>'


def unfenced(text: str) -> str:
    """The text without a word that could end the fence around it; everything else as it was."""
    folded = fold(text)
    made: list[str] = []
    done = 0
    for match in _FENCE.finditer(folded.text):
        start, end = folded.range(match.start(), match.end())
        if start >= done:
            made += (text[done:start], "&lt;")
            done = end
    return "".join((*made, text[done:]))


def unnumbered(text: str, numbers: set[int]) -> str:
    """The text with `[3]` as `(3)` where a passage 3 is given: who copies it would cite that one. As long as it was."""
    return _NUMBERS.sub(lambda match: _own(match, numbers), text)


def _fenced(passage: Passage, numbers: set[int]) -> str:
    title = unfenced(escape(" ".join(passage.title.split())))
    text = unnumbered(unfenced(passage.text), numbers)
    return f'<passage n="{passage.number}" title="{title}">\n{text}\n</passage>'


def _own(match: re.Match[str], numbers: set[int]) -> str:
    mine = numbers.intersection(map(int, re.findall(r"\d+", match[1])))
    return f"({match[1]})" if mine else match[0]
