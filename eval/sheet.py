"""A Sheet: a table of the page that a reader can sort."""

from collections.abc import Sequence

from ragkit.eval.compare import Score
from ragkit.eval.markup import escaped
from ragkit.eval.report import figure, interval

_LONG = 14
Cell = tuple[str, float | None, str]
"""Its HTML, what it is sorted by (None: its text), and its class."""


def sheet(name: str, heads: Sequence[str], rows: Sequence[Sequence[Cell]], caption: str) -> str:
    kinds = [kind if kind == "number" else "" for _, _, kind in rows[0]]
    said = "".join(
        f'<th scope="col"{_class(kind)}><button type="button">{_broken(head)}</button></th>'
        for head, kind in zip(heads, kinds, strict=True)
    )
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        f'<div class="wide"><table id="{name}" aria-describedby="{name}-note"><thead><tr>{said}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
        f'<p class="faint" id="{name}-note">{escaped(caption)} Press a heading to sort.</p>'
    )


def _broken(head: str) -> str:
    """Where a long name of a metric may be broken: at what no reader sees."""
    return escaped(head).replace("_", "_\u200b") if len(head) > _LONG else escaped(head)


def _cell(cell: Cell) -> str:
    said, value, kind = cell
    if kind == "head":
        return f'<th scope="row">{said}</th>'
    worth = "" if value is None else f' data-value="{value!r}"'
    return f"<td{_class(kind)}{worth}>{said}</td>"


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def scored(score: Score | None, best: float) -> Cell:
    if score is None:
        return ("–", -1.0, "number")
    said = figure(score.metric, score.mean)
    said = f"<b>★ {said}</b>" if score.mean == best else said
    return (f"{said}<small>{interval(score.metric, score.low, score.high)}</small>", score.mean, "number")
