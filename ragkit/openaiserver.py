"""A server of OpenAI's kind: where it is, and the key for it."""

import os
import re
from urllib.parse import urlsplit

from ragkit import telemetry
from ragkit.errors import InvalidInput
from ragkit.model import ModelError
from ragkit.modelsettings import ModelSettings

_MASKED = re.compile(r"\S*\*{2,}\S*")
"""Servers echo keys with their middle masked; the rest is still more than an error should tell."""


class Server:
    def __init__(self, model: str, settings: ModelSettings) -> None:
        self.model = model
        """As users know it."""
        self.url = settings.base_url.strip() or os.environ.get("OPENAI_BASE_URL", "").strip()
        self.variable = settings.key or "OPENAI_API_KEY"
        self._named = bool(settings.key)
        try:
            address = urlsplit(self.url or "https://api.openai.com/v1")
            port = address.port
        except ValueError:
            address, port = urlsplit(""), None
        if address.scheme not in ("http", "https") or not address.hostname:
            raise InvalidInput(
                f"The base_url of {model} is no address of a server.", "Write it as http://localhost:11434/v1."
            )
        self.host = f"{address.hostname}:{port}" if port else address.hostname
        self.path = address.path
        self.official = address.hostname == "api.openai.com" or address.hostname.endswith(".api.openai.com")
        self._password = address.password or ""

    @property
    def key(self) -> str:
        """A server of one's own may need none, but a variable that was named must be there."""
        key = os.environ.get(self.variable, "").strip()
        if not key and (self.official or self._named):
            raise ModelError(
                f"There is no key for {self.model} at {self.host}: {self.variable} is not set.",
                f"Set {self.variable}, or base_url to a server of your own.",
                "key",
                model=self.model,
            )
        if not (key.isascii() and key.isprintable()):
            raise ModelError(
                f"What {self.variable} holds is no key: it has signs that no key has.",
                f"Set {self.variable} again, to the key and nothing else.",
                "key",
                model=self.model,
            )
        telemetry.hide(key)
        return key or "none"

    def clean(self, said: str) -> str:
        """What a server said: on one line, short, and without secrets that it echoes."""
        for secret in (os.environ.get(self.variable, "").strip(), self._password):
            if secret:
                said = said.replace(secret, "…")
        said = " ".join("".join(sign if sign.isprintable() else " " for sign in _MASKED.sub("…", said)).split())
        return said if len(said) <= 300 else f"{said[:299]}…"
