"""Outlook's own mail files: as a mail, with headers, body and attachments."""

import io
from typing import Any

from ragkit.connectors import html
from ragkit.connectors.builder import Builder
from ragkit.connectors.source import Source
from ragkit.errors import import_extra


def parse(source: Source, out: Builder) -> None:
    message: Any = import_extra("oxmsg", "office").Message.load(io.BytesIO(source.data))
    out.title = message.subject or ""
    to = ", ".join(f"{one.name} <{one.email_address}>" for one in message.recipients)
    for name, value in (("from", message.sender), ("to", to), ("date", message.sent_date)):
        if value:
            out.metadata[name] = value
    out.heading(out.title, 1)
    if message.body:
        out.block(message.body)
    elif message.html_body:
        html.write(message.html_body, out, part=True)
    for number, attachment in enumerate(message.attachments, 1):
        content = attachment.file_bytes
        if content:
            source.read_inside(out, attachment.file_name or f"attachment-{number}", content)
