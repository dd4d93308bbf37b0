"""A Piece: what goes over the wire in one write, and what a client knows once it has read it."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Piece:
    data: bytes
    tokens: Counter[str] = field(default_factory=Counter)
    """Those that a client has now been told of, and had not before."""
    content: bool = False


def event(
    data: dict[str, Any] | str, name: str = "", *, tokens: Counter[str] | None = None, content: bool = False
) -> Piece:
    """A server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    head = f"event: {name}\n" if name else ""
    return Piece(f"{head}data: {text}\n\n".encode(), tokens or Counter(), content)


def words(text: str) -> list[str]:
    """A text as models stream it."""
    return re.findall(r"\s*\S+|\s+$", text)


def shreds(arguments: str, size: int = 9) -> list[str]:
    """Arguments as models stream them: cut anywhere."""
    return [arguments[at : at + size] for at in range(0, len(arguments), size)]
