"""How passages stand in a prompt, for every provider alike: numbered, and fenced as data that no document can leave."""

import re
from dataclasses import replace
from html import escape

from ragkit.model import Message, Passage, Request

_FENCE = re.compile(r"<(?=[^\w<]*passage)", re.IGNORECASE)
"""What could close a fence or open another one, also when written with spaces or with marks that nobody sees."""


def with_passages(request: Request) -> tuple[Message, ...]:
    """The messages, with the passages before the text of the last one that the user wrote."""
    if not request.passages:
        return request.messages
    messages = list(request.messages)
    fenced = "\n".join(map(_fenced, request.passages))
    for at in reversed(range(len(messages))):
        if messages[at].role == "user":
            messages[at] = replace(messages[at], text=f"{fenced}\n\n{messages[at].text}")
            return tuple(messages)
    return (Message("user", fenced), *messages)


def _fenced(passage: Passage) -> str:
    title = escape(" ".join(passage.title.split()))
    return f'<passage n="{passage.number}" title="{title}">\n{_FENCE.sub("&lt;", passage.text)}\n</passage>'
