"""Plans without a model: comparisons, enumerations, several questions, and things to be found out first, by rules.

A question that no rule is sure of stays one question: what is asked whole is found at its own place, and a wrong cut
loses what held it together. English; of other languages only several question marks are understood.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ragkit.bridges import unnest
from ragkit.clauses import Part, english, parts
from ragkit.comparisons import sides
from ragkit.enumerations import members
from ragkit.lookback import resolve, resolve_thing, says_it, subject
from ragkit.objects import asks_who, thing_of
from ragkit.plan import HOLE, MOST, Plan, SubQuestion, ToolInfo, spread, whole
from ragkit.plancheck import Draft, checked

_LONGEST = 600
"""Signs: what is longer is a topic that is told, not a question."""


class RulePlanner:
    """`await RulePlanner().plan("Compare A with B")`"""

    def __init__(self, most: int = MOST) -> None:
        self.most = most

    async def plan(self, question: str, tools: Sequence[ToolInfo]) -> Plan:
        """Which tool is asked what is left to the router: rules know nothing of tools."""
        return plan_by_rules(question, self.most)

    async def replan(self, plan: Plan, answers: Mapping[str, str], tools: Sequence[ToolInfo]) -> Plan:
        return spread(plan, answers, self.most)


def plan_by_rules(question: str, most: int = MOST) -> Plan:
    asked = " ".join(question.split())
    if len(asked) > _LONGEST or not asked or "{" in asked:  # braces of the user's own are no places for answers
        return whole(asked)
    found = parts(asked)
    steps: list[SubQuestion] = []
    conclusions = [part.text for part in found if part.judges]
    compared = False
    first = about = thing = ""
    who = len(found) > 1 and asks_who(found[0].text)
    if who:
        thing = thing_of(found[0].text)
    for part in found:
        if part.judges:
            continue
        if who and steps and not about:
            if not thing and says_it(part.text):
                return whole(asked)  # its answer is a person, and no person is meant
            part = replace(part, text=resolve_thing(part.text, thing))
        made, compares = _steps(part, len(steps), first, about, most)
        about = about or subject(part.text)
        compared = compared or compares
        steps += made
        first = first or made[-1].id
    if len(steps) < 2:
        return whole(asked)
    if compared and not conclusions:
        conclusions = [asked]
    return checked(asked, Draft(steps, " ".join(conclusions)), most=most)


def _steps(part: Part, before: int, first: str, about: str, most: int) -> tuple[list[SubQuestion], bool]:
    """The steps of one part, numbered on, and whether they are the sides of a comparison."""
    text = part.text
    if part.told or not english(text):
        return _numbered([text], before, "one of several questions"), False
    if about and (said := resolve(text, about)) is not None:
        return [SubQuestion(str(before + 1), said[0], why="another question about the same")], False
    if first and (earlier := resolve(text, f"{{{first}}}")) is not None:
        return [
            SubQuestion(str(before + 1), earlier[0], (), (first,), "asked of what was found before", earlier[1])
        ], False
    if (compared := sides(text)) is not None:
        return _numbered(compared, before, "one side of a comparison"), True
    if (listed := members(text, most)) is not None:
        return _numbered(listed, before, "one of several that are asked about"), False
    found = unnest(text)
    if len(found) == 1:
        return _numbered([text], before, "one of several questions"), False
    return [_moved(step, before) for step in found], False


def _numbered(texts: Sequence[str], before: int, why: str) -> list[SubQuestion]:
    return [SubQuestion(str(number), text, why=why) for number, text in enumerate(texts, start=before + 1)]


def _moved(step: SubQuestion, before: int) -> SubQuestion:
    def on(key: str) -> str:
        return str(int(key) + before)

    text = HOLE.sub(lambda hole: f"{{{on(hole[1])}}}", step.text)
    return replace(step, id=on(step.id), text=text, depends_on=tuple(map(on, step.depends_on)))
