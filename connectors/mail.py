"""Mail: headers to metadata, subject as heading, body as text; attachments and a mailbox's mails as children."""

import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime
from typing import Any

from ragkit.connectors import html
from ragkit.connectors.builder import Builder
from ragkit.connectors.encoding import decode
from ragkit.connectors.formats import MBOX
from ragkit.connectors.source import Source

_HEADERS = ("from", "to", "cc", "bcc", "reply-to", "message-id", "in-reply-to")
_SIGNATURES = frozenset(("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"))
_LONG_HEADER = 10_000
_MAIL_STARTS = re.compile(rb"(?m)^From .*\r?\n(?=[\w-]+:)")


def parse(source: Source, out: Builder) -> None:
    mails = _MAIL_STARTS.split(source.data)[1:] if source.media_type == MBOX.media_type else []
    if not mails:
        _mail(source, out)
    for number, mail in enumerate(mails, 1):
        source.read_inside(out, f"{number}.eml", re.sub(rb"(?m)^>(>*From )", rb"\1", mail))


def _mail(source: Source, out: Builder) -> None:
    message: Any = message_from_bytes(source.data, policy=policy.default)
    _headers(message, out)
    out.heading(out.title, 1)
    for part in _bodies(message):
        if part.get_content_type() == "text/html":
            html.write(_text(part), out, part=True)
        else:
            out.block(_text(part))
    _attachments([part for part in _parts(message) if _is_attached(part)], source, out)


def _bodies(message: Any) -> list[Any]:
    """The texts to show, in order; of alternatives that say the same, the plain one if it says anything."""
    if message.get_content_maintype() != "multipart" or not isinstance(message.get_payload(), list):
        return [] if _is_attached(message) or not _text(message).strip() else [message]
    groups = [bodies for part in message.get_payload() if (bodies := _bodies(part))]
    if message.get_content_subtype() == "alternative":
        plain = [bodies for bodies in groups if all(part.get_content_type() == "text/plain" for part in bodies)]
        groups = (plain or groups)[:1]
    return [part for bodies in groups for part in bodies]


def _parts(message: Any) -> Iterator[Any]:
    """The leaves, however programs nest them; a mail in the mail is a leaf."""
    if message.get_content_maintype() == "multipart" and isinstance(message.get_payload(), list):
        for part in message.get_payload():
            yield from _parts(part)
    else:
        yield message


def _is_attached(part: Any) -> bool:
    kind = part.get_content_type()
    return kind not in ("text/plain", "text/html") or bool(part.get_filename()) or _disposition(part) == "attachment"


def _disposition(part: Any) -> str:
    return str(part.get("content-disposition", "")).partition(";")[0].strip().lower()


def _headers(message: Any, out: Builder) -> None:
    out.title = _header(message, "subject")
    for name in _HEADERS:
        value = _header(message, name)
        if value:
            out.metadata[name.replace("-", "_")] = value
    try:
        out.metadata["date"] = parsedate_to_datetime(_header(message, "date"))
    except ValueError:
        if _header(message, "date"):
            out.metadata["date"] = _header(message, "date")


def _header(message: Any, name: str) -> str:
    raw = next((value for key, value in message.raw_items() if key.lower() == name), "")
    if len(raw) > _LONG_HEADER:  # the library's parser of addresses takes minutes over some
        return " ".join(str(raw).split())
    try:
        return " ".join(str(message.get(name, "")).split())
    except (ValueError, IndexError, AttributeError, TypeError):  # the header parser trips over malformed ones
        return " ".join(str(raw).split())


def _text(part: Any) -> str:
    payload = part.get_payload(decode=True)
    declared = part.get_content_charset() or ""
    return decode(payload, declared).text if isinstance(payload, bytes) else str(part.get_payload())


def _attachments(parts: Iterable[Any], source: Source, out: Builder) -> None:
    for number, part in enumerate(parts, 1):
        kind = part.get_content_type()
        if kind == "message/rfc822":
            source.read_inside(out, f"{number}.eml", part.get_payload(0).as_bytes())
        elif part.get_content_maintype() not in ("image", "audio", "video", "multipart") and kind not in _SIGNATURES:
            content = part.get_payload(decode=True)
            if content:
                source.read_inside(out, part.get_filename() or f"attachment-{number}", content)
