"""A server of models, as every provider has one: its address, its key, and the sentences that tell of its faults."""

import math
import os
import re
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import mktime_tz, parsedate_tz
from typing import Any, Generic, Literal, Protocol, TypeVar
from urllib.parse import SplitResult, urljoin, urlsplit

from anyio import to_thread

from ragkit import attributes
from ragkit.errors import RagkitError
from ragkit.indexes.embedder import encodable
from ragkit.model import Kind, ModelError, Usage
from ragkit.modelsettings import ModelSettings

Fault = Kind | Literal["lost", "unpaid", "absent"]
"""More than kinds: what ends alike may have another remedy."""

_LATER = "Try again later, or name a second model to fall back to."
_REACH = "Check base_url, the network and the proxy, and that the server runs."
_SAYS: Mapping[Fault, tuple[Kind, str, str]] = {
    "rate": (
        "rate",
        "takes no more requests for now",
        "Try again later, or lower requests_per_minute, tokens_per_minute or concurrency of this model in ragkit.toml.",
    ),
    "overloaded": ("overloaded", "is overloaded", _LATER),
    "server": ("server", "failed", _LATER),
    "timeout": ("timeout", "did not answer in time", "Raise its timeout in ragkit.toml, or ask a faster model."),
    "connection": ("connection", "could not be reached", _REACH),
    "lost": ("connection", "broke off the connection", _REACH),
    "broken": (
        "broken",
        "sent a broken reply",
        "Try again; when it stays so, check base_url: it is written like {example}.",
    ),
    "learnt": ("learnt", "wants to be asked in another way", "Ask again: it will be."),
    "key": ("key", "refused the key", "Check the key in {variable}, and what it is allowed."),
    "unpaid": (
        "request",
        "may spend no more money",
        "See to the billing and the spending limits of the account that {variable} is of, or ask another model.",
    ),
    "context": (
        "context",
        "was sent more than it can read",
        "Ask with fewer passages or a shorter conversation, or a model that reads more.",
    ),
    "absent": ("request", "is not there", "Check the name of the model, and that the key may use it."),
    "request": ("request", "refused the request", "Check what ragkit.toml says of this model, or ask another one."),
}
_ELSEWHERE: Mapping[Fault, str] = {
    "server": "Try again later, or name a second model to fall back to; the log of the server may say more.",
    "absent": "Check the name of the model, and base_url.",
}
"""What to do at a server that is not the provider's own."""
_LONGEST = 250
_SECRET = 8
"""Letters. Servers at home take any key, such as "x"; it is no secret, and to hide it would spoil what they say."""
_MASKED = re.compile(r"\*{2}|.(\.{3}|…).")
"""Servers echo keys with their middle masked; the rest is still more than an error should tell."""


class ModelServer:
    def __init__(self, model: str, settings: ModelSettings, provider: str, usual: str) -> None:
        """`usual` is where the provider's own is; `provider` begins its variables."""
        self.model = model
        """As users know it."""
        named = settings.base_url.strip()
        self.url = named or os.environ.get(f"{provider}_BASE_URL", "").strip() or usual
        """Always given to the SDK, which would look for one itself."""
        self.variable = settings.key or f"{provider}_API_KEY"
        self._provider, self._usual = provider, usual
        self._key = ""
        try:
            address = urlsplit(self.url)
            port = address.port
        except ValueError:
            address, port = urlsplit(""), None
        self.name = address.hostname or ""
        self.host = f"{self.name}:{port}" if port else self.name
        self.path = address.path
        own = urlsplit(usual).hostname or ""
        self.official = self.name == own or self.name.endswith(f".{own}")
        self.valid = address.scheme in ("http", "https") and bool(self.name)
        self.address = _plain(address).rstrip("/") if self.valid else ""
        """Without a login."""
        self.strange = bool(named) and not self.official
        """Whether a file of settings leads here: what the environment has for the SDK was not meant for it."""
        self._password = address.password or ""

    @property
    def misplaced(self) -> tuple[str, str]:
        """What to say when it is not `valid`: a reason and a hint."""
        places = f"in ragkit.toml or in {self._provider}_BASE_URL"
        return f"The base_url of {self.model} is no address of a server.", f"Write it like {self._usual}, {places}."

    def key(self, needed: bool = True, instead: str = "") -> str:
        key = os.environ.get(self.variable, "").strip()
        if not key and not needed:
            return ""
        if not key:
            reason = f"{self.model} at {self.host} needs a key, and {self.variable} is not set."
            hint = f"Set the environment variable {self.variable}{instead}."
        elif not key.isascii() or not key.isprintable() or " " in key:
            reason = f"What {self.variable} holds is no key for {self.model}."
            hint = f"Set {self.variable} to the key alone: letters, digits and signs, without spaces."
        else:
            self._key = key
            attributes.hide(key)
            return key
        raise ModelError(reason, hint, "key", model=self.model)

    def clean(self, said: str) -> str:
        """What a server said: on one line, without signs that a terminal obeys, short, and without our secrets."""
        words = "".join(sign if sign.isprintable() else " " for sign in said).split()
        said = " ".join("…" if _MASKED.search(word) else word for word in words)
        if self._password:
            said = said.replace(f":{self._password}@", ":…@")
        if len(self._password) >= _SECRET:
            said = said.replace(self._password, "…")
        if len(self._key) >= _SECRET:  # the whole of it, or as much as is echoed
            said = re.sub(rf"{re.escape(self._key[:_SECRET])}\S*", "[key]", said)
        return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"

    def failure(
        self,
        fault: Fault,
        said: str = "",
        *,
        hint: str = "",
        retry_after: float | None = None,
        usage: Usage | None = None,
    ) -> ModelError:
        kind, what, advice = _SAYS[fault]
        reason = sentence(f"{self.model} at {self.host} {what}", self.clean(said))
        if not self.official:
            advice = _ELSEWHERE.get(fault, advice)
        hint = hint or advice.format(variable=self.variable, example=self._usual)
        if retry_after is not None and retry_after >= 1:
            hint = f"It asks to wait {math.ceil(retry_after):.6g} s. {hint}"
        return ModelError(reason, hint, kind, model=self.model, retry_after=retry_after, usage=usage)

    def moved(self, place: str) -> ModelError:
        """Redirects are not followed: the whole prompt would go where nobody has sent it."""
        try:
            to = f"redirects to {_plain(urlsplit(urljoin(self.url, place)))}" if place else "redirects"
        except ValueError:
            to = "redirects"
        return ModelError(
            sentence(f"{self.model} at {self.host} {self.clean(to)}", ""),
            f"Nothing was sent there. If that is where you mean to ask, write it as base_url,"
            f" in ragkit.toml or in {self._provider}_BASE_URL.",
            model=self.model,
        )

    def unready(self, error: Exception) -> ModelError:
        return ModelError(
            sentence(f"What asks {self.model} at {self.host} could not be made", self.clean(str(error))),
            "Check base_url, and what the environment says of proxies and certificates.",
            model=self.model,
        )

    def closed(self, usage: Usage | None = None) -> ModelError:
        return ModelError(
            "The workspace was closed during this call.",
            "Close it when all answers are there.",
            "connection",
            model=self.model,
            usage=usage,
        )

    def unsent(self, error: UnicodeEncodeError, usage: Usage | None = None) -> ModelError:
        return ModelError(
            f"What {self.model} was to be sent cannot be written as {error.encoding}.",
            "Look for odd characters in the question, the passages and the settings of the model.",
            model=self.model,
            usage=usage,
        )


class Closable(Protocol):
    def close(self) -> Awaitable[None]: ...


ClientT = TypeVar("ClientT", bound=Closable)


class Opening(Generic[ClientT]):
    """The client of an SDK, made when it is first needed: in a thread, for importing an SDK can take seconds."""

    def __init__(self, server: ModelServer, make: Callable[[], ClientT]) -> None:
        self.client: ClientT | None = None
        self._server = server
        self._make = make
        self._making = threading.Lock()

    async def ready(self) -> ClientT:
        if self.client is not None:
            return self.client
        return await to_thread.run_sync(self._made, abandon_on_cancel=True)

    async def aclose(self) -> None:
        client, self.client = self.client, None
        if client is not None:
            await client.close()

    def _made(self) -> ClientT:
        with self._making:  # not a lock of the loop: a thread goes on when nobody waits for it any more
            if self.client is None:
                try:
                    self.client = self._make()
                except (RagkitError, ImportError):
                    raise
                except Exception as error:
                    raise self._server.unready(error) from None
            return self.client


def sendable(said: Any) -> Any:
    """A body without lone surrogates, wherever they stand: no wire takes them, and no server is to blame for that."""
    if isinstance(said, str):
        return encodable(said)
    if isinstance(said, Mapping):
        return {sendable(name): sendable(value) for name, value in said.items()}
    return [sendable(one) for one in said] if isinstance(said, list | tuple) else said


def _plain(address: SplitResult) -> str:
    """Without login and query, in which secrets may stand."""
    host = address.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{address.scheme}://{host}{f':{address.port}' if address.port else ''}{address.path}"


def sentence(what: str, said: str) -> str:
    """Ours, with the words of another in it: it ends as a sentence does, however they end."""
    said = said.rstrip(" .!?:;,")
    return f"{what}{': ' if said else ''}{said}."


def said_in(body: Any) -> str:
    """The sentence for people in the body of an error; of a page, its title."""
    if isinstance(body, Mapping):
        return next((said_in(body[name]) for name in ("message", "error", "detail", "msg") if body.get(name)), "")
    if isinstance(body, list):
        return "; ".join(filter(None, map(said_in, body)))
    text = "" if body is None else str(body)
    if text.lstrip().startswith("<"):
        title = re.search(r"<title[^>]*>([^<]*)", text, re.IGNORECASE)
        return title[1] if title else ""
    return text


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, of thousandths, of seconds or of a date."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    try:
        date = parsedate_tz(headers.get("retry-after", ""))
        return None if date is None else max(0.0, mktime_tz(date) - time.time())
    except (ValueError, OverflowError):
        return None


def below(error: BaseException | None) -> Fault:
    """What went wrong below the API. By name: SDKs have changed the library that they speak HTTP with before."""
    name = type(error).__name__
    if isinstance(error, TimeoutError) or name.endswith("Timeout"):
        return "timeout"
    if name == "RemoteProtocolError":  # two things have this name, and only the words tell them apart
        return "lost" if "without sending a response" in str(error) else "broken"
    if name in ("DecodingError", "TooManyRedirects"):
        return "broken"
    if name in ("UnsupportedProtocol", "LocalProtocolError", "InvalidURL"):
        return "request"
    return "lost" if name in ("ReadError", "WriteError", "ConnectionResetError", "BrokenPipeError") else "connection"
