"""A Guard: looks at questions before they are asked and at answers before they are told, and may change or block them.

Those of `ragkit.toml` stand below; `ws.add_guard` takes others, of this form.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from ragkit.answer import Answer, Citation
from ragkit.folding import fold
from ragkit.guardsettings import GuardSettings, topic
from ragkit.pii import Kind, masked, redacted

Where = Literal["question", "answer"]


@dataclass(frozen=True, slots=True)
class Ruling:
    """`Ruling()`: the text may stay. With a `text`: it is to be this one. With a `rule`: it is blocked."""

    text: str | None = None
    redacted: tuple[str, ...] = ()
    """What was taken out, in words that say nothing of it: `email`."""
    rule: str = ""
    """By which it is blocked: one word, which the answer names."""
    reason: str = ""
    """In a sentence for who asked."""


ALLOWED = Ruling()


class Guard(Protocol):
    """`check` is called in a thread of its own, from several asks at a time. One that fails or hangs blocks."""

    @property
    def name(self) -> str: ...

    @property
    def looks_at(self) -> Collection[Where]:
        """It is called for nothing else. An answer that any guard looks at is not streamed before it is checked."""
        ...

    def check(self, text: str, where: Where) -> Ruling: ...


class Redaction:
    """Takes personal data out of questions and answers."""

    name = "redact"
    looks_at: tuple[Where, ...] = ("question", "answer")

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self.kinds = tuple(kinds)

    def check(self, text: str, where: Where) -> Ruling:
        changed, found = redacted(text, self.kinds)
        return Ruling(changed, tuple(dict.fromkeys(found))) if found else ALLOWED


class Length:
    """Blocks questions that are too long."""

    name = "length"
    looks_at: tuple[Where, ...] = ("question",)

    def __init__(self, most: int) -> None:
        self.most = most

    def check(self, text: str, where: Where) -> Ruling:
        if len(text) <= self.most:
            return ALLOWED
        said = f"The question has {len(text):,} characters; at most {self.most:,} are answered."
        return Ruling(rule="length", reason=said)


class Ban:
    """Blocks questions and answers that hold a banned word, also written with look-alikes and hidden signs."""

    name = "ban"
    looks_at: tuple[Where, ...] = ("question", "answer")

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = [(said, topic(said)) for said in topics]

    def check(self, text: str, where: Where) -> Ruling:
        folded = fold(text).text
        for said, pattern in self._topics:
            if pattern.search(folded):
                return Ruling(rule="ban", reason=f"Here, nothing is said about “{said}”.")
        return ALLOWED


def guards_for(settings: GuardSettings) -> tuple[Guard, ...]:
    """Redaction comes first, so that nothing personal is left in what is kept of a question that another one blocks."""
    made: list[Guard] = []
    if settings.redact:
        made.append(Redaction(settings.redact))
    if settings.max_question:
        made.append(Length(settings.max_question))
    if settings.ban:
        made.append(Ban(settings.ban))
    return tuple(made)


def presentable(answer: Answer, settings: GuardSettings) -> Answer:
    """The answer as it is printed or sent: where redaction is on, quotes, titles and headings show a block for each
    sign that it takes out. A mask has the length of what it hides, so that a quote is as long as its range."""
    if not settings.redact:
        return answer

    def hidden(one: Citation) -> Citation:
        return replace(
            one,
            title=masked(one.title, settings.redact),
            headings=tuple(masked(heading, settings.redact) for heading in one.headings),
            quote=masked(one.quote, settings.redact),
        )

    return replace(
        answer,
        citations=tuple(map(hidden, answer.citations)),
        claims=tuple(replace(one, citations=tuple(map(hidden, one.citations))) for one in answer.claims),
        sub_answers=tuple(presentable(part, settings) for part in answer.sub_answers),
    )
