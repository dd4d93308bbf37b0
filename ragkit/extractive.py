"""The default model, which is none: it answers with sentences of the passages themselves. No key, no guess."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import cache

from anyio import to_thread

from ragkit.candidates import Candidate, candidates
from ragkit.conflict import Conflict, conflict
from ragkit.indexes.analyzer import Analyzer
from ragkit.markers import unmarked
from ragkit.model import ModelError, Passage, Quote, Reply, Request, Usage
from ragkit.selection import Chosen, choose
from ragkit.weighing import question_of, weighed

NAME = "extractive"
DIFFER = "Sources differ:"
"""The only words of an answer that are no passage's."""
_PARAGRAPH = "\n\n"
"""Before what would be read as one sentence with what stands before it, and be checked as one."""


class Extractive:
    name = NAME
    server = ""

    async def aopen(self) -> None:
        pass

    async def areply(self, request: Request) -> Reply:
        if request.schema is not None or request.tools:
            raise ModelError(
                "Without a model, there are only answers from passages.", "Name a model, such as anthropic:NAME."
            )
        return await to_thread.run_sync(extract, request.messages[-1].text, request.passages)

    async def astream(self, request: Request) -> AsyncGenerator[str | Usage | Reply, None]:
        reply = await self.areply(request)
        yield reply.text
        yield reply

    async def aclose(self) -> None:
        pass


@dataclass(slots=True)
class _Page:
    """Lines of text, and what their markers rest on."""

    text: str
    quotes: list[Quote]

    def add(self, said: str, rests_on: Sequence[Quote], apart: str = " ", stop: str = " ") -> None:
        marks = "".join(f"[{one.number}]" for one in rests_on)
        own = unmarked(said)  # references of the documents' own must not be taken for ours
        self.text += f"{apart * bool(self.text)}{own}{stop}{marks}"
        self.quotes += rests_on


def extract(question: str, passages: Sequence[Passage]) -> Reply:
    """At most three sentences or table rows of the passages, each with the passages that say it.

    The text is empty when none says anything of what was asked.
    """
    analyzer = _analyzer()
    known = candidates(passages, analyzer)
    asked = question_of(question, known, analyzer)
    ranked = weighed(asked, known)
    chosen = choose(asked, ranked)
    page = _Page("", [])
    if chosen and (found := conflict(asked, ranked)):
        _differ(page, found)
    else:
        _write(page, chosen)
    return Reply(page.text, NAME, quotes=tuple(page.quotes))


@cache
def _analyzer() -> Analyzer:
    """One for all: it remembers the words that it has seen."""
    return Analyzer()


def _differ(page: _Page, found: Conflict) -> None:
    """What each side says, on a line. Words of ours stand on one of their own: they are no claim to be checked."""
    page.text = DIFFER
    for count, side in enumerate(found):
        text = side.said[0].text
        apart = "\n" if count and not text[:1].islower() else _PARAGRAPH
        page.add(text, [_quote(one) for one in side.said], apart)


def _write(page: _Page, chosen: Sequence[Chosen]) -> None:
    """Sentences on a line, rows of tables each on its own, below the names of the columns."""
    above: Candidate | None = None
    row = False
    for one in chosen:
        said = one.said
        if said.head is not None and said.head is not above:
            above = said.head
            page.add(above.text, [_quote(above)], "\n")
        apart = "\n" if said.row or row else " "
        if one.subject:
            page.text += f"{_PARAGRAPH * bool(page.text)}{one.subject}:"
        if one.subject or one.text[:1].islower():
            apart = _PARAGRAPH
        page.add(one.text, [one.quote, *map(_quote, one.alike)], apart)
        row = said.row or bool(one.subject)


def _quote(one: Candidate) -> Quote:
    return Quote(one.passage.number, one.start, one.end)
