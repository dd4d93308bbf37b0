"""The numbers that Word shows before list items and headings ("2.", "a)", "3.1"), which stand nowhere in the text."""

from collections import defaultdict
from typing import Any

from lxml import etree

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
          (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip


class Numbers:
    """Counts along as paragraphs pass in order."""

    def __init__(self, numbering: etree._Element) -> None:
        self._lists: dict[str, tuple[str, dict[int, tuple[str, str, int]]]] = {}
        shapes = {shape.get(f"{_W}abstractNumId", ""): _levels(shape) for shape in numbering.iter(f"{_W}abstractNum")}
        for number in numbering.iter(f"{_W}num"):
            shape = number.find(f"{_W}abstractNumId")
            shape_id = shape.get(f"{_W}val", "") if shape is not None else ""
            self._lists[number.get(f"{_W}numId", "")] = (shape_id, shapes.get(shape_id, {}))
        self._counts: dict[str, dict[int, int]] = defaultdict(dict)

    def has(self, paragraph: etree._Element, styles: dict[str, Any]) -> bool:
        place = _place(paragraph, styles)
        return place is not None and place[0] in self._lists

    def of(self, paragraph: etree._Element, styles: dict[str, Any]) -> str:
        """What stands before this paragraph: "-" for a bullet, "" for none."""
        place = _place(paragraph, styles)
        if place is None or place[0] not in self._lists:
            return ""
        shape_id, levels = self._lists[place[0]]
        depth = place[1]
        if depth not in levels:
            return ""
        counts = self._counts[shape_id]
        counts[depth] = counts.get(depth, levels[depth][2] - 1) + 1
        for deeper in [level for level in counts if level > depth]:
            del counts[deeper]
        style, pattern, _ = levels[depth]
        if style == "bullet":
            return "-"
        if style == "none":
            return ""
        for level in range(depth + 1):
            own_style, _, start = levels.get(level, ("decimal", "", 1))
            pattern = pattern.replace(f"%{level + 1}", _shown(counts.get(level, start), own_style))
        return pattern


def _levels(shape: etree._Element) -> dict[int, tuple[str, str, int]]:
    levels = {}
    for level in shape.iter(f"{_W}lvl"):
        values = {child.tag.removeprefix(_W): child.get(f"{_W}val", "") for child in level}
        start = int(values.get("start") or 1)
        levels[int(level.get(f"{_W}ilvl", "0"))] = (values.get("numFmt", "decimal"), values.get("lvlText", ""), start)
    return levels


def _place(paragraph: etree._Element, styles: dict[str, Any]) -> tuple[str, int] | None:
    """The list and the depth in it, by the paragraph itself or by the styles that its own is based on."""
    own = paragraph.find(f"{_W}pPr/{_W}numPr")
    style_id = paragraph.find(f"{_W}pPr/{_W}pStyle")
    style = styles.get(style_id.get(f"{_W}val", "")) if style_id is not None else None
    while own is None and style is not None:
        own = style.element.find(f"{_W}pPr/{_W}numPr")
        style = getattr(style, "base_style", None)
    if own is None:
        return None
    number, depth = own.find(f"{_W}numId"), own.find(f"{_W}ilvl")
    if number is None or number.get(f"{_W}val") in (None, "0"):
        return None
    return number.get(f"{_W}val", ""), int(depth.get(f"{_W}val", "0")) if depth is not None else 0


def _shown(count: int, style: str) -> str:
    if style.endswith("Letter"):
        letters = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)
        return letters.upper() if style.startswith("upper") else letters
    if style.endswith("Roman"):
        letters, left = "", count
        for value, sign in _ROMAN:
            letters, left = letters + sign * (left // value), left % value
        return letters.upper() if style.startswith("upper") else letters
    return f"{count:02d}" if style == "decimalZero" else str(count)
