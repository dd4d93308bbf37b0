"""Citations are exact, whatever is asked and whatever a model writes. `make citations` asks more."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ragkit
from ragkit.answer import Answer, Citation
from ragkit.markers import marked
from ragkit.model import Quote, Reply, ToolCall
from ragkit.rewrite import Policy
from ragkit.scripted import ScriptedModel
from ragkit.source import Source
from ragkit.verdict import Support
from ragkit.verify import verify
from tests.citations import AtRandom, Looker

TWICE = "The gate opens at nine. Nobody waits there. The gate opens at nine. It closes at six."
DOCUMENTS = {
    "twice.md": f"# Gate\n\n{TWICE}\n\n{'Filler goes on and on about trees. ' * 60}\n\nThe gate opens at nine.\n",
    "crlf.txt": "The pump was bought in 2019.\r\n\r\nIt cost 4,200 euros.\r\nThe pump failed twice.\r\n",
    "astral.md": "# 𝔘nicode 🙂\n\nThe 🚀 rocket flew 12 km. 👩‍👩‍👧 Families watched it. 𝟙𝟚 birds fled.\n",
    "marks.md": "# Café\n\nThe cafe\u0301 in Zu\u0308rich serves 40 guests. A\u030angstro\u0308m works there.\n",
    "table.csv": "Region,Revenue\nNorth,2.1\nSouth,1.4\nNorth,2.1\n",
    "brackets.md": "# Papers\n\nSee [1, 2] and [3]. The method [2] works well in 80 % of cases [4; 5].\n",
}
QUESTIONS = (
    "When does the gate open?", "What did the pump cost?", "How far did the rocket fly?", "How many guests are served?",
    "What is the revenue of the North?", "How well does the method work?", "When does the gate open and what did the "
    "pump cost?", "How far did the rocket fly? How many guests does the café serve?",
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ragkit.Workspace]:
    folder = tmp_path_factory.mktemp("citations")
    (folder / "docs").mkdir()
    for name, text in DOCUMENTS.items():
        (folder / "docs" / name).write_bytes(text.encode())
    settings = "[ask]\nevidence = 0\n[cache]\nexact = false\n[domains.all]\nembedder = 'hash'\n"
    (folder / "ragkit.toml").write_text(f"version = 1\n{settings}")
    made = ragkit.open(folder)
    made.ingest(folder / "docs", "all")
    yield made
    made.close()


def problems(place: ragkit.Workspace, answer: Answer) -> list[str]:
    return list(Looker(place).problems(answer))


@pytest.mark.parametrize("question", QUESTIONS)
def test_without_a_model(place: ragkit.Workspace, question: str) -> None:
    answer = place.ask(question, model="extractive")
    assert answer.citations
    assert problems(place, answer) == []


def test_with_a_careless_model(place: ragkit.Workspace) -> None:
    writer, chance = AtRandom(5), random.Random(5)
    seen = 0
    for number in range(60):
        answer = place.ask(f"{chance.choice(QUESTIONS)} For the {number}. time.", model=ScriptedModel(writer))
        assert problems(place, answer) == [], answer
        seen += len(answer.citations)
    assert seen > 100


def test_the_text_that_is_meant_is_cited_where_it_stands_twice(place: ragkit.Workspace) -> None:
    text = place.document("twice.md", "all").text
    first, last = text.index("The gate opens"), text.rindex("The gate opens")

    def says(which: int) -> ScriptedModel:
        def write(request: ragkit.Request) -> str:
            found = [one.number for one in request.passages if one.text.count("The gate opens") == which]
            return f"The gate opens at nine. [{found[0]}]" if found else "No."

        return ScriptedModel(write)

    answer = place.ask("When does the gate open?", model=says(1))
    if answer.citations:  # when the filler has set it apart
        assert answer.citations[0].start == last
    answer = place.ask("When does the gate open at all?", model=says(2))
    assert answer.citations[0].start in (first, text.index("The gate opens", first + 1))


def test_numbers_that_others_write_are_no_markers(place: ragkit.Workspace) -> None:
    """In a question, in what a tool says, and in what a model says that refuses."""
    answer = place.ask("What did the pump [1] cost? When does the gate [7, 8] open?", model="extractive")
    assert "(7, 8)" in answer.text
    assert problems(place, answer) == []
    refusal = Reply("I won't read [1].", "careful", "refusal")
    answer = place.ask("What did the pump cost?", model=ScriptedModel([refusal]))
    assert (answer.text, problems(place, answer)) == ("I won't read (1).", [])

    @ragkit.tool
    def stock(what: str) -> list[int]:
        """How many pumps are in stock, by store."""
        return [1, 2]

    other = ragkit.open(place.path)
    other.add_tool(stock)
    calls = [ToolCall("1", "stock", {"what": "pumps"})]
    model = ScriptedModel(lambda request: calls if request.tools else "There are 3 [1].")
    answer = other.ask("How many pumps are in stock, by store?", model=model)
    other.close()
    assert (answer.text, problems(place, answer)) == ("(1, 2)", [])


def test_follow_ups_cite_their_own_documents(place: ragkit.Workspace) -> None:
    chat = place.chat(model="extractive")
    for said in ("What did the pump cost?", "And when was it bought?", "How often did it fail?"):
        assert problems(place, chat.ask(said)) == []


PASSAGES = (
    TWICE,
    "\r\nIt rose by 12 %.\r\nIt fell. 🙂 \u0301x",
    "   Only this.   ",
    "甲は一。乙は二。[3] 丙。",
    " \n ",
    "",
)
SOURCES = {
    number: Source(Citation(number, f"{number}.md", "d", "", (), (), 100 * number, 100 * number + len(text), text))
    for number, text in enumerate(PASSAGES, 1)
    if text.strip()
}
_PIECES = st.sampled_from([
    *"[]()1234790|-#*`.,;:?!\n\r \t💥\u0301", "\n\n", "\n- ", "| ", " |\n|---|\n", "```\n", "\u2028", "\x0c",
    "[1]", "[2]", "[1, 3]", "[2-4]", "[9]", "[0]", "[0001]", "[１]", "[²]", "[00001]", "[[1]]", "[[9]2]", "【1】",
    "【2†x】", "[passage 1]", "[?]", "](http://x)", "The gate opens at nine.", "It fell. ", "乙は二。",
    "Nobody waits there ", "grew by 12 %",
])  # fmt: skip
_TEXTS = st.lists(_PIECES, max_size=25).map("".join)
_QUOTES = st.lists(
    st.none() | st.builds(Quote, st.integers(-1, 5), st.integers(-5, 120), st.integers(-5, 120)), max_size=6
)


@given(_TEXTS, _QUOTES, st.sampled_from(["strict", "mark", "off"]), st.randoms(use_true_random=False))
def test_no_text_makes_a_citation_that_is_none(
    text: str, quotes: list[Quote | None], policy: Policy, chance: random.Random
) -> None:
    def check(pairs: object) -> list[Support]:
        assert isinstance(pairs, list)
        assert all(any(each.strip() for each in cited) for _, cited in pairs)
        good, bad = Support(0.9, "supported"), Support(0.1, "unsupported", "No.")
        return [chance.choice((good, bad)) for _ in pairs]

    made = verify(text, quotes, SOURCES, check, policy)
    shown = {number for _, number in marked(made.text)}
    assert shown == {one.marker for one in made.citations}, made.text
    assert len(made.citations) == len(shown)
    for one in (*made.citations, *(each for claim in made.claims for each in claim.citations)):
        whole = SOURCES[int(one.uri[0])].at
        assert one.quote == whole.quote[one.start - whole.start : one.end - whole.start]
        assert one.quote.strip() == one.quote != ""
        assert one.marker in shown
    for claim in made.claims:
        assert 0 <= claim.start < claim.end <= len(made.text)
        stands = made.text[claim.start : claim.end]
        assert {one.marker for one in claim.citations} <= {number for _, number in marked(stands)}
        assert _letters(claim.text) == _letters(_bare(stands))
    assert not made.left_out or policy == "strict"
    assert policy == "off" or all(one.status != "unchecked" for one in made.claims)


def _bare(text: str) -> str:
    for at, number in reversed(marked(text)):
        text = text[:at] + text[at + len(f"[{number}]") :]
    return text


def _letters(text: str) -> list[str]:
    return [sign for sign in text if sign.isalnum()]
