"""Questions about something that must be found out first: each phrase that describes it becomes a question of its own,
and the answer takes its place. "Who is the spouse of the director of X?" asks first who the director is.
"""

import re
from collections.abc import Iterable

from ragkit.phrases import innermost
from ragkit.plan import HOLE, SubQuestion
from ragkit.wording import words

_MOST_HOPS = 4
_EACH = re.compile(r"\b(?:each|all|any|both) of $", re.IGNORECASE)
_NAMES = 12
_READ = 4
_NAME = re.compile(r"(?:[A-Z][\w’'.-]*|\d{4})(?:\s+(?:(?:of|the|de|von|van)\s+)?[A-Z][\w’'.-]*)*")


def unnest(text: str) -> list[SubQuestion]:
    """The question, in as many steps as it has unknown things inside each other. One when it has none."""
    steps: list[SubQuestion] = []
    many: set[str] = set()
    rest = text
    for number in range(1, _MOST_HOPS + 1):
        found = words(rest)
        phrase = innermost(found)
        if phrase is None:
            break
        start, end = found[phrase.start].start, found[phrase.end - 1].end
        inner = rest[start:end].removeprefix("each of ").removeprefix("Each of ")
        inner = inner if found[phrase.start].named else inner[:1].lower() + inner[1:]
        ask = f"{phrase.ask} {inner}?"
        key = str(number)
        steps.append(_step(key, ask, phrase.why, many))
        if phrase.each:
            many.add(key)
        rest = _tidy(f"{_EACH.sub('', rest[:start])}{{{key}}}{rest[end:]}")
    if not steps:
        return [SubQuestion("1", text)]
    return [*steps, _step(str(len(steps) + 1), rest, "what is asked of it", many)]


def _step(key: str, text: str, why: str, many: set[str]) -> SubQuestion:
    needs = tuple(dict.fromkeys(HOLE.findall(text)))
    return SubQuestion(key, text, (), needs, why, any(need in many for need in needs))


def _tidy(text: str) -> str:
    """Without the comma that closed the clause that is gone."""
    return re.sub(r"(\{\w+\})\s*,\s+(?=[a-z])", r"\1 ", " ".join(text.split()))


def bridge_query(question: str, sub: SubQuestion, titles_and_texts: Iterable[tuple[str, str]]) -> str:
    """A query for a sub-question whose place is not filled: a passage was found instead of an answer.

    The titles of the first passages and the names in them, most frequent first, that the question did not know,
    stand where the answer would.
    """
    known = {word.lower() for word in re.findall(r"\w+", question)}
    counted: dict[str, int] = {}
    titles: list[str] = []
    for title, text in list(titles_and_texts)[:_READ]:
        titles.append(title)
        for name in _NAME.findall(text):
            if not {word.lower() for word in name.split()} <= known and len(name) > 2:
                counted[name] = counted.get(name, 0) + 1
    names = sorted(counted, key=lambda name: -counted[name])[:_NAMES]
    asked = HOLE.sub(" ", sub.text)
    return " ".join(" ".join(dict.fromkeys([asked, *titles, *names])).split())
