"""What is text in the end: Markdown, web pages, mails and CSV."""

import csv
import io
from email.message import EmailMessage
from email.policy import SMTP

from draft import Draft
from facts import markdown
from markdown_it import MarkdownIt

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><meta name="author" content="{author}"></head>
<body>
<nav><a href="/">Home</a> <a href="/products">Products</a> <a href="/contact">Contact</a></nav>
<main>
{body}</main>
<footer>© {year} Norrvik Sensors. Imprint. Privacy.</footer>
</body>
</html>
"""


def note(draft: Draft) -> bytes:
    head = "".join(f"{key}: {value}\n" for key, value in draft.meta.items())
    return f"---\n{head}---\n{draft.body}".encode()


def page(draft: Draft) -> bytes:
    body = MarkdownIt("commonmark").enable("table").render(draft.body)
    title, author, year = draft.meta["title"], draft.meta["author"], draft.meta["date"][:4]
    return _PAGE.format(body=body, title=title, author=author, year=year).encode()


def mail(draft: Draft) -> bytes:
    """A table in a mail is attached to it, as a CSV file named `attach`."""
    message = EmailMessage(policy=SMTP.clone(max_line_length=120))
    for name in ("From", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To"):
        if name.lower() in draft.meta:
            message[name] = draft.meta[name.lower()]
    attached = [block.rows for block in draft.blocks if block.kind == "table"]
    text = draft.body
    for rows in attached:
        text = text.replace(markdown(rows), "").rstrip("\n") + "\n"
    message.set_content(text, cte="8bit")
    for rows in attached:
        message.add_attachment(_csv(rows), "text", "csv", filename=draft.meta["attach"])
        message.set_boundary("norrvik-part")
    return message.as_bytes().replace(b"\r\n", b"\n")


def sheet(draft: Draft) -> bytes:
    (table,) = (block.rows for block in draft.blocks if block.kind == "table")
    return _csv(table)


def _csv(rows: tuple[tuple[str, ...], ...]) -> bytes:
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerows([[_number(cell) for cell in row] for row in rows])
    return target.getvalue().encode()


def _number(cell: str) -> str:
    """Thousands are not marked in CSV: their commas would be taken for the one between cells."""
    bare = cell.replace(",", "")
    return bare if bare.replace(".", "", 1).isdigit() else cell
