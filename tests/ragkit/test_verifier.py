import asyncio
from collections.abc import Sequence

import pytest

from ragkit.answer import Citation
from ragkit.connectors.document import Document, Mark
from ragkit.indexes.outline import Outline
from ragkit.model import Reply
from ragkit.source import Source
from ragkit.verdict import Support
from ragkit.verifier import Verifier

FIRST, SECOND = "Revenue grew by 12 % in the third quarter.\n", "Headcount rose to 85 engineers in July."
DOCUMENT = Document(
    "report.pdf",
    text=FIRST + SECOND,
    marks=(
        Mark("page", 0, len(FIRST), number=1),
        Mark("page", len(FIRST), len(FIRST + SECOND), number=2),
    ),
)
WHOLE = Citation(1, "report.pdf", "d", "Report", (1, 2), (), 0, len(DOCUMENT.text), DOCUMENT.text)


def supported(pairs: Sequence[tuple[str, Sequence[str]]]) -> list[Support]:
    return [Support(0.9, "supported") for _ in pairs]


def pages(text: str, outline: Outline | None) -> list[tuple[int, ...]]:
    verifier = Verifier("mark", supported, lambda cited: outline)
    made = asyncio.run(verifier.verified(Reply(text, "scripted:x"), {1: Source(WHOLE)}))
    assert [one.pages for one in made.citations] == [one.pages for claim in made.claims for one in claim.citations]
    return [one.pages for one in made.citations]


@pytest.mark.parametrize(
    ("text", "expected"), [("Revenue grew by 12 % [1].", (1,)), ("There are 85 engineers [1].", (2,))]
)
def test_a_citation_names_the_page_of_its_own_range(text: str, expected: tuple[int, ...]) -> None:
    assert pages(text, Outline(DOCUMENT)) == [expected]


def test_it_names_those_of_the_passage_where_the_document_has_changed() -> None:
    assert pages("Revenue grew by 12 % [1].", None) == [(1, 2)]
