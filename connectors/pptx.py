"""PowerPoint: a mark a slide; its title, text, tables and charts from top to bottom, then notes and comments."""

import io
from collections.abc import Iterator
from typing import Any

from ragkit.connectors.builder import Builder
from ragkit.connectors.cellvalue import shown
from ragkit.connectors.container import open_zip
from ragkit.connectors.failure import Failure
from ragkit.connectors.office import comments, describe
from ragkit.connectors.source import Source
from ragkit.connectors.table import Cell, spread
from ragkit.errors import import_extra

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_FURNITURE = frozenset((13, 15, 16))
"""Placeholders that recur on every slide: its number, the footer, the date."""


def parse(source: Source, out: Builder) -> None:
    with open_zip(source.data) as archive:
        deck = import_extra("pptx", "office").Presentation(io.BytesIO(source.data))
        describe(archive, deck.core_properties, out)
        for number, slide in enumerate(deck.slides, 1):
            title = slide.shapes.title
            label = " ".join(title.text_frame.text.split()) if title is not None else ""
            out.separate()
            with out.mark("slide", label=label, number=number):
                _slide(slide, title, f"{source.uri}#slide {number}", out)
                for comment in comments(archive, str(slide.part.partname).lstrip("/")):
                    out.block(comment)


def _slide(slide: Any, title: Any, place: str, out: Builder) -> None:
    if title is not None:
        out.heading(title.text_frame.text, 1)
    for shape in _in_order(slide.shapes):
        if title is None or shape.shape_id != title.shape_id:
            try:
                _shape(shape, out)
            except (ValueError, KeyError, AttributeError, NotImplementedError) as error:
                out.failures.append(
                    Failure(f"{place}: {shape.name}", f"It cannot be read: {error}.", "Show its data as a table, too.")
                )
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = slide.notes_slide.notes_text_frame.text.strip()
        if notes:
            out.block(f"Notes: {notes}")


def _in_order(shapes: Any) -> Iterator[Any]:
    """As one reads: by rows from the top, each from the left; the members of a group in the group's place."""
    for shape in sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0)):
        if hasattr(shape, "shapes"):
            yield from _in_order(shape.shapes)
        else:
            yield shape


def _shape(shape: Any, out: Builder) -> None:
    if shape.is_placeholder and shape.placeholder_format.type in _FURNITURE:
        return
    if getattr(shape, "has_table", False) and shape.has_table:
        out.table(
            spread(
                [Cell(cell.text, cell.span_height, cell.span_width) for cell in row.cells if not cell.is_spanned]
                for row in shape.table.rows
            )
        )
    elif getattr(shape, "has_chart", False) and shape.has_chart:
        _chart(shape.chart, out)
    elif shape.has_text_frame:
        _text_frame(shape.text_frame, out)


def _text_frame(frame: Any, out: Builder) -> None:
    """A paragraph a line, with the numbers that PowerPoint gives the items of a list."""
    counts: dict[int, int] = {}
    for paragraph in frame.paragraphs:
        text, level = paragraph.text.strip(), paragraph.level
        properties = paragraph._p.pPr
        numbered = properties is not None and properties.find(f"{_DRAWING}buAutoNum") is not None
        counts = {depth: count for depth, count in counts.items() if depth < level or (depth == level and numbered)}
        if numbered and text:
            counts[level] = counts.get(level, 0) + 1
            text = f"{counts[level]}. {text}"
        if text:
            out.separate("\n")
            out.write("  " * level + text)
    out.separate()


def _chart(chart: Any, out: Builder) -> None:
    """A chart is a table of its figures."""
    if chart.has_title and chart.chart_title.has_text_frame:
        out.block(chart.chart_title.text_frame.text)
    plot = chart.plots[0]
    series = [(one.name, list(one.values)) for one in plot.series]
    rows = [["", *(name for name, _ in series)]]
    for at, category in enumerate(plot.categories):
        rows.append([str(category), *(_figure(values, at) for _, values in series)])
    out.table(rows)


def _figure(values: list[Any], at: int) -> str:
    return shown(values[at]) if at < len(values) else ""
