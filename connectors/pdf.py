"""PDF: PDFium gives the characters and where they stand, pypdf what the file says of itself.

PDFium reads the text because it was measured to be twenty times as fast as pypdf and to read the same words
(docs/decisions/pdf.md); pypdf reads pages in right-to-left scripts, whose ligatures PDFium turns round, and files
that PDFium cannot open. How characters become lines and paragraphs is in `pdflayout`.
"""

import io
import logging
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from statistics import median
from typing import Any

import pypdf
import pypdf.errors
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from ragkit.connectors.builder import Builder
from ragkit.connectors.pdfheadings import Outline
from ragkit.connectors.pdflayout import compose
from ragkit.connectors.pdfpage import Line, Page
from ragkit.connectors.source import Source
from ragkit.errors import Unreadable

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_INFO = {"/Author": "author", "/Subject": "subject", "/Keywords": "keywords"}
_NO_TITLES = ("untitled", "title", "(anonymous)", "unknown")
_LINE_END = re.compile("\r\n|\r|\n|\ufffe")
_LONE_ACCENT = re.compile("(?:^|(?<= ))[\u00b4\u00a8\u02c6\u02dc\u02d8\u02c7\u02d9\u02da](?= |$)")
_ACCENT = re.compile("(?<=\\w)([\u00b4\u00a8\u02c6\u02dc\u02d8\u02c7\u02da\u00b8])([A-Za-z\u0131])")
_COMBINING = dict(
    zip(
        "\u00b4\u00a8\u02c6\u02dc\u02d8\u02c7\u02da\u00b8",
        "\u0301\u0308\u0302\u0303\u0306\u030c\u030a\u0327",
        strict=True,
    )
)
_FF = re.compile("(?<=[A-Za-z])\u21b5(?=[a-z])")
_BROKEN_WORD = re.compile(r"[^\W\d_][-\u2010]$")
_ARABIC_BY_LATIN = re.compile("(?<=[\u0620-\u06ff])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[\u0620-\u06ff])")
_CELL_GAP = 1.5
"""In font sizes: wider than any space between justified words."""
_PASSWORD = Unreadable("The PDF is protected by a password.", "Save a copy without the password, and ingest that.")


def parse(source: Source, out: Builder) -> None:
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it remarks on every odd object; failures are raised
    reader = _open_pypdf(source.data)
    pages = _with_pdfium(source.data, reader)
    if pages is None:
        if reader is None:
            raise Unreadable(
                "The PDF is damaged or cut off, and none of its pages can be read.",
                "Copy or download it again, or print it to a new PDF.",
            )
        pages = [_by_pypdf(reader, number) for number in range(len(reader.pages))]
    if reader is not None:
        _describe(reader, out)
        for page, label in zip(pages, _labels(reader, len(pages)), strict=True):
            page.label = label
            page.fields = _fields(reader, page.number - 1)
    if not any(page.lines or page.fields for page in pages):
        raise Unreadable(
            f"The PDF has {len(pages)} {'page' if len(pages) == 1 else 'pages'} but no text layer: it is a scan or a "
            "picture.",
            "Run OCR on it first, for instance: ocrmypdf IN.pdf OUT.pdf",
        )
    without_text = [page.number for page in pages if not page.lines]
    if without_text:
        out.metadata["pages_without_text"] = without_text
    out.metadata["pages"] = len(pages)
    compose(pages, _outline(reader) if reader is not None else {}, out)


def _open_pypdf(data: bytes) -> pypdf.PdfReader | None:
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise _PASSWORD
        len(reader.pages)
    except Unreadable:
        raise
    except Exception:  # pypdf raises many kinds on damaged files; PDFium may still open it
        return None
    return reader


def _describe(reader: pypdf.PdfReader, out: Builder) -> None:
    try:
        info: Any = reader.metadata or {}
        out.title = _title(str(info.get("/Title") or ""))
        for key, name in _INFO.items():
            if info.get(key):
                out.metadata[name] = str(info[key])
        for name, date in (("created", info.creation_date), ("modified", info.modification_date)) if info else ():
            if date:
                out.metadata[name] = date
    except (pypdf.errors.PyPdfError, ValueError, AttributeError, TypeError, KeyError) as error:
        out.metadata["info_unreadable"] = str(error)


def _title(given: str) -> str:
    """Less what programs put there by themselves: a number, a path, or their own name before it."""
    title = re.sub(r"^Microsoft (?:Word|PowerPoint|Excel) - ", "", given.strip())
    return title if re.search(r"[^\W\d_]{2}", title) and title.lower() not in _NO_TITLES else ""


def _labels(reader: pypdf.PdfReader, count: int) -> list[str]:
    """The page numbers as printed, where the file gives them (i, ii, 1, 2 …)."""
    try:
        labels = [str(label) for label in reader.page_labels]
    except Exception:  # labels are a courtesy of the file; a broken tree of them costs only the labels
        labels = []
    return labels if len(labels) == count else [str(number + 1) for number in range(count)]


def _outline(reader: pypdf.PdfReader) -> Outline:
    titles: dict[int, list[tuple[str, int]]] = defaultdict(list)

    def walk(entries: Any, level: int) -> None:
        for entry in entries:
            if isinstance(entry, list):
                walk(entry, level + 1)
            else:
                page = reader.get_destination_page_number(entry)
                if page is not None and entry.title:
                    titles[page + 1].append((str(entry.title), min(level, 5)))

    try:
        walk(reader.outline, 1)
    except Exception:  # like labels, an outline is a courtesy
        return {}
    return titles


def _fields(reader: pypdf.PdfReader, number: int) -> list[tuple[str, str]]:
    """Filled-in form fields: text that a reader sees, but that is in no page's text layer."""
    if "/AcroForm" not in reader.root_object or number >= len(reader.pages):
        return []
    filled = []
    try:
        for reference in reader.pages[number].get("/Annots") or ():
            field: Any = reference.get_object()
            value = field.get("/V")
            if field.get("/Subtype") == "/Widget" and isinstance(value, str) and value.strip(" /") not in ("", "Off"):
                filled.append((str(field.get("/TU") or field.get("/T") or "Field"), value.removeprefix("/")))
    except (pypdf.errors.PyPdfError, AttributeError, TypeError, KeyError):
        return filled
    return filled


def _with_pdfium(data: bytes, reader: pypdf.PdfReader | None) -> list[Page] | None:
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if error.err_code == pdfium_c.FPDF_ERR_PASSWORD:
            raise _PASSWORD from error
        return None
    with document:
        return [_page(document, number, reader) for number in range(len(document))]


def _page(document: pdfium.PdfDocument, number: int, reader: pypdf.PdfReader | None) -> Page:
    try:
        page = document[number]
    except pdfium.PdfiumError:
        return Page(number + 1, 0, [])
    text_page = page.get_textpage()
    try:
        text = text_page.get_text_range()
        if reader is not None and len(_RIGHT_TO_LEFT.findall(text)) * 4 > len(text):
            return _by_pypdf(reader, number)
        return Page(number + 1, page.get_height(), list(_lines(text_page, text)))
    finally:
        text_page.close()
        page.close()


def _by_pypdf(reader: pypdf.PdfReader, number: int) -> Page:
    """Lines without places: paragraphs cannot be told apart, but the words are right."""
    page = reader.pages[number]
    lines = [Line(_ARABIC_BY_LATIN.sub(" ", _mended(line))) for line in page.extract_text().splitlines()]
    return Page(number + 1, float(page.mediabox.height), [line for line in lines if line.text])


def _lines(text_page: pdfium.PdfTextPage, text: str) -> Iterator[Line]:
    start = 0
    for end in _LINE_END.finditer(text):
        yield from _line(text_page, text, start, end.start(), end[0] == "\ufffe")
        start = end.end()
    yield from _line(text_page, text, start, len(text), False)


def _line(text_page: pdfium.PdfTextPage, text: str, start: int, end: int, hyphenated: bool) -> Iterator[Line]:
    seen = [at for at in range(start, end) if not text[at].isspace()]
    if not seen:
        return
    offset = _char_index(text_page, start) - start
    boxes = [text_page.get_charbox(at + offset, loose=True) for at in seen]
    size = median(_size(text_page, seen[at] + offset) for at in (0, len(seen) // 2, -1))
    cells, cell_start = [], start
    for (at, box), (after, next_box) in zip(
        zip(seen, boxes, strict=True), zip(seen[1:], boxes[1:], strict=True), strict=False
    ):
        if after - at > 1 and next_box[0] - box[2] > _CELL_GAP * size:
            cells.append(text[cell_start : at + 1])
            cell_start = after
    cells.append(text[cell_start:end])
    cells = [_mended(cell) for cell in cells]
    if _is_stretched(cells, len(text[start:end].split())):
        cells = [" ".join(cells)]
    if len(cells) == 1 and _BROKEN_WORD.search(cells[0]):
        cells, hyphenated = [cells[0][:-1]], True
    yield Line(
        " ".join(cells),
        cells=tuple(cells),
        left=min(box[0] for box in boxes),
        right=max(box[2] for box in boxes),
        base=min(box[1] for box in boxes),
        size=size,
        bold=_bold(text_page, seen[0] + offset) and _bold(text_page, seen[-1] + offset),
        hyphenated=hyphenated,
    )


def _is_stretched(cells: list[str], words: int) -> bool:
    """A justified line of few words, stretched until they stand apart like cells: each is one word and no figure."""
    return len(cells) > 3 and len(cells) >= 0.8 * words and sum(cell[:1].islower() for cell in cells) > 0.5 * len(cells)


def _mended(text: str) -> str:
    """What fonts made by TeX come as: accents apart from their letters, an arrow for "ff"."""
    text = _FF.sub("ff", _LONE_ACCENT.sub("", text))
    return " ".join(_ACCENT.sub(lambda found: _composed(found[1], found[2], found[0]), text).split())


def _composed(accent: str, letter: str, otherwise: str) -> str:
    letter = "i" if letter == "\u0131" else letter
    one = unicodedata.normalize("NFC", letter + _COMBINING[accent])
    return one if len(one) == 1 else otherwise


def _size(text_page: pdfium.PdfTextPage, at: int) -> float:
    """The font's size as it stands on the page, which may scale it."""
    matrix = pdfium_c.FS_MATRIX()
    pdfium_c.FPDFText_GetMatrix(text_page.raw, at, matrix)
    size: float = pdfium_c.FPDFText_GetFontSize(text_page.raw, at)
    return max(size * math.hypot(matrix.b, matrix.d), 1.0)


def _char_index(text_page: pdfium.PdfTextPage, at: int) -> int:
    found: int = pdfium_c.FPDFText_GetCharIndexFromTextIndex(text_page.raw, at)
    return found if found >= 0 else at


def _bold(text_page: pdfium.PdfTextPage, at: int) -> bool:
    weight: int = pdfium_c.FPDFText_GetFontWeight(text_page.raw, at)
    return weight >= 600
