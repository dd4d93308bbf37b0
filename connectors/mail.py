"""Mail: headers to metadata, subject as heading, body as text; attachments and a mailbox's mails as children."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import Any

from ragkit.connectors import html
from ragkit.connectors.builder import Builder
from ragkit.connectors.encoding import decode
from ragkit.connectors.formats import MBOX
from ragkit.connectors.source import Source

_HEADERS = ("from", "to", "cc", "bcc", "reply-to", "message-id", "in-reply-to")
_MAIL_STARTS = re.compile(rb"(?m)^From .*\r?\n(?=[\w-]+:)")


def parse(source: Source, out: Builder) -> None:
    if source.media_type != MBOX.media_type:
        _mail(source.data, source, out)
        return
    mails = _MAIL_STARTS.split(source.data)[1:]
    for number, mail in enumerate(mails, 1):
        source.read_inside(out, f"{number}.eml", re.sub(rb"(?m)^>(>*From )", rb"\1", mail))


def _mail(data: bytes, source: Source, out: Builder) -> None:
    message: Any = message_from_bytes(data, policy=policy.default)
    _headers(message, out)
    out.heading(out.title, 1)
    body = message.get_body(("plain", "html")) if isinstance(message, EmailMessage) else None
    if body is not None:
        text = _text(body)
        if body.get_content_type() == "text/html":
            title = out.title
            html.write(text, out)
            out.title = title
        else:
            out.block(text)
    _attachments(message, source, out)


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
    try:
        return " ".join(str(message.get(name, "")).split())
    except (ValueError, IndexError, AttributeError, TypeError):  # the header parser trips over malformed ones
        raw = next((value for key, value in message.raw_items() if key.lower() == name), "")
        return " ".join(str(raw).split())


def _text(part: Any) -> str:
    payload = part.get_payload(decode=True)
    declared = part.get_content_charset() or ""
    return decode(payload, declared).text if isinstance(payload, bytes) else str(part.get_payload())


def _attachments(message: Any, source: Source, out: Builder) -> None:
    attached = message.iter_attachments() if message.get_content_maintype() == "multipart" else ()
    for number, part in enumerate(attached, 1):
        name = part.get_filename() or f"attachment-{number}"
        if part.get_content_type() == "message/rfc822":
            source.read_inside(out, f"{number}.eml", part.get_payload(0).as_bytes())
        elif part.get_content_maintype() not in ("image", "audio", "video", "multipart"):
            content = part.get_payload(decode=True)
            if content:
                source.read_inside(out, name, content)
