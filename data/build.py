"""Makes the binary files of the demo workspace, the same bytes every time: `make data`."""

import io
import re
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pptx
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Table

DEMO = Path(__file__).parent / "demo"
WHEN = datetime(2025, 10, 14, 9, 0)


def quarterly_report() -> bytes:
    styles = getSampleStyleSheet()
    heading, text = styles["Heading1"], styles["BodyText"]
    figures = [
        ["Million euros", "Q3 2025", "Q3 2024"],
        ["Revenue", "18.4", "16.4"],
        ["Gross margin", "9.9", "8.7"],
        ["Operating costs", "7.6", "6.8"],
        ["Operating result", "2.3", "1.9"],
    ]
    story: list[Any] = [
        Paragraph("Report on the third quarter of 2025", heading),
        Paragraph(
            "Norrvik Sensors sold more in the third quarter than in any quarter before. Revenue was 18.4 million "
            "euros, 12 % above the same quarter of 2024. The growth came from service contracts, which now bring in a "
            "third of all revenue; sales of sensors were flat.",
            text,
        ),
        Table(figures, colWidths=130),
        PageBreak(),
        Paragraph("People", heading),
        Paragraph(
            "At the end of September 151 people worked at Norrvik, nine more than a year before. Revenue per head rose "
            "from 115,000 to 122,000 euros in the quarter.",
            text,
        ),
        PageBreak(),
        Paragraph("Outlook", heading),
        Paragraph("For the year we expect revenue between 71 and 73 million euros.", text),
    ]

    def furniture(canvas: Any, template: Any) -> None:
        canvas.drawString(72, 810, "Norrvik Sensors - quarterly report")
        canvas.drawString(290, 30, f"Page {template.page}")

    target = io.BytesIO()
    report = SimpleDocTemplate(target, pagesize=A4, invariant=1, title="Third quarter of 2025", author="Tomas Brandt")
    report.build(story, onFirstPage=furniture, onLaterPages=furniture)
    return target.getvalue()


def budget() -> bytes:
    book = openpyxl.Workbook()
    book.properties.created = book.properties.modified = WHEN
    sheet = book.worksheets[0]
    sheet.title = "Budget 2026"
    for row in (
        ["Department", "2025", "2026 (draft)", "Change"],
        ["Engineering", 9_800_000, 11_200_000, 0.143],
        ["Marketing", 3_100_000, 2_900_000, -0.065],
        ["Finance", 1_200_000, 1_250_000, 0.042],
    ):
        sheet.append(row)
    for at in (2, 3, 4):
        sheet.cell(at, 4).number_format = "0.0%"
    return _saved(book)


def survey() -> bytes:
    document = docx.Document()
    document.core_properties.title, document.core_properties.author = "Customer survey 2025", "Dana Lindqvist"
    document.core_properties.created = document.core_properties.modified = WHEN
    document.add_heading("Customer survey 2025", 1)
    document.add_paragraph("We asked 412 customers in June; 187 answered.")
    document.add_heading("What they want", 2)
    for text in ("Alerts that arrive within a minute (61 %)", "Longer battery life (44 %)", "A mobile app (19 %)"):
        document.add_paragraph(text, style="List Number")
    return _saved(document)


def launch_deck() -> bytes:
    deck = pptx.Presentation()
    deck.core_properties.created = deck.core_properties.modified = WHEN
    deck.core_properties.title = "Launch of firmware 4.2"
    for title, body, notes in (
        ("Launch of firmware 4.2", "For all customers by the end of November", ""),
        (
            "Three messages",
            "Battery life up by a third\nAlerts within a minute\nNo action needed",
            "Tell partners first.",
        ),
    ):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = title, body
        if notes:
            slide.notes_slide.notes_text_frame.text = notes
    return _saved(deck)


def _saved(document: Any) -> bytes:
    """Office files are ZIPs with the hour of their making in them: put the same hour everywhere."""
    made, same = io.BytesIO(), io.BytesIO()
    document.save(made)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(same, "w") as target:
        for name in source.namelist():
            member = zipfile.ZipInfo(name, date_time=WHEN.timetuple()[:6])
            member.compress_type = zipfile.ZIP_DEFLATED
            data = source.read(name)
            if name == "docProps/core.xml":  # openpyxl notes the hour of saving, whatever it is told
                data = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + WHEN.isoformat().encode() + b"Z", data)
            target.writestr(member, data)
    return same.getvalue()


FILES = {
    "finance/report-2025-q3.pdf": quarterly_report,
    "finance/budget-2026.xlsx": budget,
    "marketing/survey-2025.docx": survey,
    "marketing/launch-4.2.pptx": launch_deck,
}

if __name__ == "__main__":
    for name, make in FILES.items():
        (DEMO / name).write_bytes(make())
