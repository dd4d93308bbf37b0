"""A Plan: what must be asked to answer a question, in which order, and what is concluded from all of it.

A simple question is a plan of one. Nothing is left out of a plan silently: `notes` say what was changed, `lost` what is
not asked.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

MOST = 8
"""Sub-questions of one plan. Each costs a retrieval, and with a model a call."""
HOLE = re.compile(r"\{(\w+)\}")
"""Where the answer of another sub-question goes: `{1}`. Only in what depends on that: a user may write braces, too."""
_LISTED = re.compile(r"\{\w+\}(?: and \{\w+\})+")
_LONGEST = 300
_UNKNOWN = "…"


@dataclass(frozen=True, slots=True)
class SubQuestion:
    id: str
    text: str
    tools: tuple[str, ...] = ()
    """Where it is to be looked up; none means: as the router decides."""
    depends_on: tuple[str, ...] = ()
    why: str = ""
    each: bool = False
    """To be asked once for each thing that the answer before it names: see `spread`."""


@dataclass(frozen=True, slots=True)
class Plan:
    question: str
    sub_questions: tuple[SubQuestion, ...]
    """Each stands after those that it depends on."""
    conclusion: str = ""
    """What is to be judged from all the answers together: never looked up by itself."""
    notes: tuple[str, ...] = ()
    """What was changed in the plan, and why: nothing of the question was lost by it."""
    lost: tuple[str, ...] = ()
    """What of the question is not asked, and why."""
    by: Literal["rules", "model"] = "rules"
    replanned: bool = False
    """It was planned again after a first answer; that happens once."""

    @property
    def simple(self) -> bool:
        return len(self.sub_questions) == 1 and not self.conclusion


class ToolInfo(Protocol):
    """What a planner needs to know of a tool."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...


class Planner(Protocol):
    async def plan(self, question: str, tools: Sequence[ToolInfo]) -> Plan: ...

    async def replan(self, plan: Plan, answers: Mapping[str, str], tools: Sequence[ToolInfo]) -> Plan:
        """The plan after first answers; answered sub-questions stay as they are, and a second time nothing changes."""
        ...


def whole(question: str, *notes: str) -> Plan:
    """A plan that asks the question as it is."""
    return Plan(question, (SubQuestion("1", question),), notes=notes)


def ready(plan: Plan, done: Collection[str]) -> list[SubQuestion]:
    """Those that may be asked now, all of them at the same time."""
    return [one for one in plan.sub_questions if one.id not in done and all(need in done for need in one.depends_on)]


def fill(sub: SubQuestion, answers: Mapping[str, str]) -> str:
    """The text with the answers in their places. An answer is a text, never a form: what it holds is not filled again.

    Of several in a row, those that there are stand there; see `lacking`.
    """

    def said(hole: re.Match[str]) -> str:
        return hole[0] if hole[1] not in sub.depends_on else _short(answers.get(hole[1], "")) or _UNKNOWN

    text = _LISTED.sub(lambda run: " and ".join(f"{{{key}}}" for key in _known(sub, run[0], answers)), sub.text)
    return HOLE.sub(said, text).strip()


def lacking(sub: SubQuestion, answers: Mapping[str, str]) -> list[str]:
    """The sub-questions without whose answers this one asks nothing. Of several in a row, one answer is enough."""
    rows = [HOLE.findall(run) for run in _LISTED.findall(sub.text)]
    rows += [[key] for key in HOLE.findall(_LISTED.sub(" ", sub.text))]
    return [
        key
        for row in rows
        for key in row
        if key in sub.depends_on and not any(answers.get(one) for one in row if one in sub.depends_on)
    ]


def _known(sub: SubQuestion, run: str, answers: Mapping[str, str]) -> list[str]:
    """Of places in a row those that have an answer; all, where none has one."""
    keys = HOLE.findall(run)
    return [key for key in keys if key not in sub.depends_on or answers.get(key)] or keys


def spread(plan: Plan, answers: Mapping[str, str], most: int = MOST) -> Plan:
    """The plan once a first answer names several things: one sub-question for each, where each must be asked about."""
    if plan.replanned:
        return plan
    made: list[SubQuestion] = []
    into: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    lost: list[str] = []
    room = most - len(plan.sub_questions)
    for sub in plan.sub_questions:
        source = next((need for need in sub.depends_on if need in answers), "")
        things = named(answers[source]) if sub.each and source and sub.id not in answers else []
        kept = things[: max(room + 1, 1)]
        if len(kept) < 2:
            needs = tuple(dict.fromkeys(one for need in sub.depends_on for one in into.get(need, (need,))))
            text = HOLE.sub(lambda hole: " and ".join(f"{{{one}}}" for one in into.get(hole[1], (hole[1],))), sub.text)
            made.append(_with(sub, text=text, depends_on=needs))
            continue
        room -= len(kept) - 1
        into[sub.id] = tuple(f"{sub.id}_{number}" for number in range(1, len(kept) + 1))
        rest = tuple(one for need in sub.depends_on if need != source for one in into.get(need, (need,)))
        for key, thing in zip(into[sub.id], kept, strict=True):
            text = sub.text.replace(f"{{{source}}}", thing.replace("{", "(").replace("}", ")"))
            text = HOLE.sub(lambda hole: " and ".join(f"{{{one}}}" for one in into.get(hole[1], (hole[1],))), text)
            made.append(SubQuestion(key, text, sub.tools, rest, f"{source} named {thing}"))
        notes.append(f"{sub.id} became {len(kept)} sub-questions, one for each that {source} named.")
        if left := things[len(kept) :]:
            lost.append(f"There was no room to ask about {', '.join(left)}: a plan has at most {most} sub-questions.")
    if not notes:
        return plan
    return replace(
        plan, sub_questions=tuple(made), notes=(*plan.notes, *notes), lost=(*plan.lost, *lost), replanned=True
    )


def named(answer: str) -> list[str]:
    """The things that an answer lists; one or none when it is no list."""
    lines = [line for line in answer.splitlines() if line.strip()]
    if len(lines) < 2:
        listed = answer.strip().rstrip(".")
        listed = listed.split(": ", 1)[-1]
        lines = re.split(r"\s*;\s*|\s*,\s*(?:and\s+|or\s+)?|\s+and\s+(?=[A-Z\d\"“])", listed)
    bare = (re.sub(r"^\s*(?:[-*•]|\(?\d{1,2}[.)])\s+|\s*\[\d+\]", "", line).strip(" .") for line in lines)
    things = [one for one in dict.fromkeys(bare) if one]
    looks = all(len(one.split()) <= 8 and (len(one.split()) <= 3 or not one[0].islower()) for one in things)
    return things if looks else [answer.strip()]


def _with(sub: SubQuestion, text: str, depends_on: Iterable[str]) -> SubQuestion:
    return SubQuestion(sub.id, text, sub.tools, tuple(depends_on), sub.why, sub.each)


def _short(answer: str) -> str:
    said = " ".join(answer.split()).rstrip(".")
    return said if len(said) <= _LONGEST else said[:_LONGEST].rsplit(" ", 1)[0]
