"""PDF: pages with running heads and numbers, headings, tables, lists. No stream is compressed, for the bytes that zlib
makes differ between its builds."""

import io
import re
from collections.abc import Sequence
from typing import Any

from draft import Draft
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import ListFlowable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

_SIZE = 9.5
_BETWEEN_COLUMNS = 2.7
"""In sizes of the type."""
_WIDTH = A4[0] - 144
_RULE = colors.HexColor("#c9d2dc")


def pdf(draft: Draft) -> bytes:
    target = io.BytesIO()
    title = draft.meta["title"]
    head = draft.meta.get("head", f"Norrvik Sensors - {title}")
    template = SimpleDocTemplate(
        target, pagesize=A4, invariant=1, pageCompression=0, title=title, author=draft.meta["author"],
        topMargin=80, bottomMargin=70,
    )  # fmt: skip

    def furniture(canvas: Any, page: Any) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(72, 805, head)
        canvas.drawString(290, 30, f"Page {page.page}")

    template.build(_story(draft), onFirstPage=furniture, onLaterPages=furniture)
    return target.getvalue()


def _story(draft: Draft) -> list[Any]:
    styles = getSampleStyleSheet()
    text = ParagraphStyle("text", parent=styles["BodyText"], leading=13.5)
    story: list[Any] = []
    for block in draft.blocks:
        if block.kind == "heading":
            story.append(Paragraph(_inline(block.text), styles[f"Heading{block.level}"]))
        elif block.kind == "text":
            story.append(Paragraph(_inline(block.text), text))
        elif block.kind in ("bullets", "numbers"):
            items = [Paragraph(_inline(row[0]), text) for row in block.rows]
            signs: Any = (
                {"bulletType": "1", "bulletFormat": "%s."} if block.kind == "numbers" else {"bulletType": "bullet"}
            )
            story.append(ListFlowable(items, bulletFontSize=text.fontSize, **signs))
        elif block.kind == "table":
            story += [Spacer(1, 4), _table(block.rows), Spacer(1, 8)]
        elif block.kind == "page":
            story.append(PageBreak())
    return story


def _table(rows: Sequence[Sequence[str]]) -> Table:
    """Each column as wide as its longest cell; in smaller type where the page is too narrow for that."""
    widths = [
        max(stringWidth(cell, "Helvetica-Bold", _SIZE) for cell in column) + _BETWEEN_COLUMNS * _SIZE
        for column in zip(*rows, strict=True)
    ]
    scale = min(1, _WIDTH / sum(widths))
    table = Table([list(row) for row in rows], [width * scale for width in widths], hAlign="LEFT", repeatRows=1)
    style: list[Any] = [
        ("FONTSIZE", (0, 0), (-1, -1), _SIZE * scale),
        ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
    ]
    table.setStyle(TableStyle(style))
    return table


def _inline(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"\*(.+?)\*", r"<i>\1</i>", re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escaped))
