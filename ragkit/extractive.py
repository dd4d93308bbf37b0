"""The default model, which is none: it answers with sentences of the passages themselves. No key, no guess."""

import re
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from math import log

from anyio import to_thread

from ragkit.indexes.analyzer import Analyzer
from ragkit.indexes.sentences import sentences
from ragkit.model import ModelError, Passage, Reply, Request, Usage

_OTHERS = re.compile(r"\[(\d+)\]")
"""References of the documents' own, which must not be taken for ours."""
_SENTENCES = 3
_SHORT = 3
"""A sentence of fewer terms is a heading or a fragment."""


class Extractive:
    name = "extractive"
    server = ""

    async def aopen(self) -> None:
        pass

    async def areply(self, request: Request) -> Reply:
        if request.schema is not None or request.tools:
            raise ModelError(
                "Without a model, there are only answers from passages.", "Name a model, such as anthropic:NAME."
            )
        said = await to_thread.run_sync(extract, request.messages[-1].text, request.passages)
        return Reply(said, self.name)

    async def astream(self, request: Request) -> AsyncGenerator[str | Usage | Reply, None]:
        reply = await self.areply(request)
        yield reply.text
        yield reply

    async def aclose(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class _Sentence:
    passage: Passage
    start: int
    text: str
    terms: frozenset[str]


def extract(question: str, passages: Sequence[Passage]) -> str:
    """The sentences that share the most with the question, by how rare the shared words are, in the passages' order.

    Each next one is chosen for what those before it do not say yet. Empty when nothing is shared.
    """
    analyzer = Analyzer()
    asked = frozenset(analyzer.terms(question))
    known = [
        _Sentence(passage, start, " ".join(text.split()), frozenset(analyzer.terms(text)))
        for passage in passages
        for start, end in sentences(passage.text, 0, len(passage.text))
        for text in [passage.text[start:end]]
    ]
    known = [one for one in known if len(one.terms) >= _SHORT]
    often = Counter(term for one in known for term in one.terms)
    weight = {term: log(1 + len(known) / (1 + often[term])) for term in asked}
    chosen: list[_Sentence] = []
    left = set(asked)
    while len(chosen) < _SENTENCES:
        best = max(known, key=lambda one: (_gain(one, left, asked, weight), -one.passage.number), default=None)
        if best is None or not best.terms & left:
            break
        chosen.append(best)
        known.remove(best)
        left -= best.terms
    chosen.sort(key=lambda one: (one.passage.number, one.start))
    return " ".join(f"{_own(one.text)} [{one.passage.number}]" for one in chosen)


def _gain(one: _Sentence, left: set[str], asked: frozenset[str], weight: dict[str, float]) -> float:
    """What is new counts whole, what was said before for a tenth; a passage that ranks lower counts a little less."""
    new = sum(weight[term] for term in one.terms & left)
    old = sum(weight[term] for term in (one.terms & asked) - left)
    return (new + 0.1 * old) / (1 + 0.05 * one.passage.number)


def _own(text: str) -> str:
    return _OTHERS.sub(r"(\1)", text)
