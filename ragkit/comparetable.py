"""A table of the figures that the parts of a question were answered with, where there is the same kind in each."""

import re
from collections.abc import Sequence
from dataclasses import replace

from ragkit.amounts import dates, figures
from ragkit.answer import Answer
from ragkit.asked import kind_of
from ragkit.extractive import DIFFER
from ragkit.statements import read

_WORD = re.compile(r"[\w$€£%][\w'’&.,%$-]*[\w%]|\w")
_EDGE = frozenset(["of", "in", "for", "the", "a", "an", "at", "on", "by", "to", "and", "or", "from", "with"])


def compare(parts: Sequence[Answer]) -> str:
    """A table in Markdown, one row a part, each value with the marker of its sentence; "" where they share no kind.

    The values are words of the answers; what a row is called is what tells its question from the others.
    """
    answered = list({one.question: one for one in parts if one.text}.values())
    if len(answered) < 2:
        return ""
    values = [_values(one) for one in answered]
    shared = [kind for kind in values[0] if all(kind in others for others in values)]
    if not shared:
        return ""
    labels = _labels([one.question for one in answered])
    unit = "" if shared[0] == "date" or shared[0].casefold() in values[0][shared[0]].casefold() else shared[0]
    lines = [f"| {_cell(label)} | {_cell(each[shared[0]])} |" for label, each in zip(labels, values, strict=True)]
    return "\n".join([f"| | {_cell(unit)} |" if unit else "| | |", "|---|---|", *lines])


def _values(one: Answer) -> dict[str, str]:
    """The first value of each unit, the kind that was asked for first."""
    kind = kind_of(one.question)
    found: dict[str, str] = {}
    if one.text.startswith(f"{DIFFER}\n"):
        sides = [_values(replace(one, text=line)) for line in one.text.splitlines()[1:] if line]
        return {key: "; ".join(each[key] for each in sides) for key in sides[0] if all(key in each for each in sides)}
    marked = read(one.text)
    for statement in marked.statements:
        said = marked.text[statement.start : statement.end]
        marks = "".join(f"[{mark.number}]" for mark in statement.marks)
        if not marks:
            continue
        if kind == "when":
            for date in dates(said)[:1]:
                found.setdefault("date", f"{date} {marks}")
            continue
        for figure in figures(said):
            if figure.text.casefold() not in one.question.casefold() and (figure.measured or kind == "count"):
                found.setdefault(figure.unit, f"{figure.text} {marks}")
    return found


def _labels(questions: Sequence[str]) -> list[str]:
    """What each question has between the words that all begin and all end with; all of it where nothing is left."""
    words = [_WORD.findall(one) for one in questions]
    shortest = min(map(len, words))
    first = next((at for at in range(shortest) if len({each[at].lower() for each in words}) > 1), shortest)
    last = next((at for at in range(shortest - first) if len({each[-1 - at].lower() for each in words}) > 1), 0)
    labels = []
    for each, question in zip(words, questions, strict=True):
        own = each[first : len(each) - last]
        while own and own[0] in _EDGE:
            own = own[1:]
        labels.append(" ".join(own) or question)
    return labels if len(set(labels)) == len(labels) else list(questions)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
