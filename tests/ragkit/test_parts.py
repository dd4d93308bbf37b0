"""Questions in parts: planned, routed, asked at once or one after the other, and put together."""

import asyncio
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ragkit
from ragkit.answer import Answer
from ragkit.events import Found, Part, Piece, Planned, Routed
from ragkit.model import ModelError, Reply, Request, ToolCall
from ragkit.modelplanner import Proposal
from ragkit.modelselector import Choice
from ragkit.providers import providers
from ragkit.scripted import Line, ScriptedModel
from tests.wire import Seen, Turn, WireServer

QUESTION = (
    "Compare our Q3 revenue growth with engineering headcount changes and marketing spend. Are we scaling efficiently?"
)
DOCUMENTS = {
    "finance": ("Revenue, growth, margins", "# Results\n\nQ3 revenue growth was 12 %, to 18.4 million euros.\n"),
    "engineering": ("Engineers, headcount, systems", "# Team\n\nEngineering headcount rose from 142 to 151 in Q3.\n"),
    "marketing": ("Campaigns, spend, leads", "# Campaigns\n\nMarketing spend in Q3 was 2.1 million euros.\n"),
}


UNCHECKED = "[ask]\nclaims = 'off'\nevidence = 0\n"
"""What the scripted models here say rests on nothing, and their questions are asked of a sentence or two."""


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("indexed")
    (folder / "ragkit.toml").write_text(f"version = 1\n{UNCHECKED}[cache]\nexact = false\n")
    with ragkit.open(folder) as made:
        for name, (description, text) in DOCUMENTS.items():
            made.add_domain(name, description=description, embedder="hash")
            (folder / f"{name}.md").write_text(text)
            made.ingest(folder / f"{name}.md", name)
    return folder


@pytest.fixture
def place(tmp_path: Path, indexed: Path) -> Iterator[ragkit.Workspace]:
    shutil.copytree(indexed, tmp_path, dirs_exist_ok=True)
    with ragkit.open(tmp_path) as made:
        yield made


Step = dict[str, object]
GROWTH: Step = {"text": "What is revenue growth?", "tools": ["finance"]}
HEADCOUNT: Step = {"text": "What is headcount?", "tools": ["engineering"]}


def scripted(
    *steps: Step, conclusion: str = "", says: Callable[[str], Line] = lambda asked: "Yes. [1]"
) -> ScriptedModel:
    """A model that plans these steps, and says what is made of each question."""

    def line(request: Request) -> Line:
        if request.schema is Proposal:
            filled = [
                {"id": str(at), "why": "", "depends_on": [], "tools": [], **step} for at, step in enumerate(steps, 1)
            ]
            return json.dumps({"sub_questions": filled, "conclusion": conclusion})
        if request.schema is Choice:
            return json.dumps({"tools": [], "reason": ""})
        return says(request.messages[-1].text)

    return ScriptedModel(line)


def long(question: str) -> str:
    """So long that a model is asked to plan it."""
    return f"{question} Please tell me all of it that the documents of this company hold."


def test_without_a_model_each_part_is_answered_from_its_own_domain(place: ragkit.Workspace) -> None:
    answer = place.ask(QUESTION)
    assert [one.domains for one in answer.sub_answers] == [("finance",), ("engineering",), ("marketing",)]
    assert [one.status for one in answer.sub_answers] == ["answered"] * 3
    assert {one.uri for one in answer.citations} == {"finance.md", "engineering.md", "marketing.md"}
    for one in answer.citations:
        assert f"[{one.marker}]" in answer.text
        assert place.document(one.uri, one.domain).text[one.start : one.end] == one.quote
    assert any("Are we scaling efficiently?" in one for one in answer.missing)


def test_with_a_model_the_parts_are_made_into_one_answer(place: ragkit.Workspace) -> None:
    asked = {"finance": "Q3 revenue growth?", "engineering": "Headcount changes?", "marketing": "Marketing spend?"}
    steps: list[Step] = [{"text": text, "tools": [name]} for name, text in asked.items()]

    def says(asked: str) -> Line:
        return "We do. [1][2][3]" if "The parts of the question" in asked else "It is so. [1] [2] [3]"

    model = scripted(*steps, conclusion="Are we scaling efficiently?", says=says)
    answer = place.ask(QUESTION, model=model)
    assert answer.text == "We do. [1][2][3]"
    assert [one.uri for one in answer.citations] == ["finance.md", "engineering.md", "marketing.md"]
    assert [one.domains for one in answer.sub_answers] == [("finance",), ("engineering",), ("marketing",)]
    assert 'question="Headcount changes?">\nIt is so. [2]\n</passage-answer>' in model.requests[-1].messages[0].text
    assert answer.missing == ()
    assert answer.usage.calls == 5


def test_a_simple_question_stays_one_and_goes_where_it_belongs(place: ragkit.Workspace) -> None:
    answer = place.ask("How many engineers are there in headcount?")
    assert answer.sub_answers == ()
    assert answer.domains == ("engineering",)
    assert answer.route["chosen"] == ["engineering"]


def test_who_names_domains_is_not_routed(place: ragkit.Workspace) -> None:
    answer = place.ask("What was marketing spend?", ["finance", "engineering"])
    assert answer.route == {}
    assert answer.domains == ("finance", "engineering")


def test_what_waits_for_an_answer_is_asked_with_it(place: ragkit.Workspace) -> None:
    steps: list[Step] = [{"text": "Who leads finance?", "tools": ["finance"]},
             {"text": "When did {1} join engineering?", "tools": ["engineering"], "depends_on": ["1"]}]  # fmt: skip
    model = scripted(*steps, says=lambda asked: "Ines Falk [1]" if "Who leads" in asked else "In 2019. [2]")
    answer = place.ask(long("When did the head of finance join engineering?"), model=model)
    assert [one.question for one in answer.sub_answers] == [
        "Who leads finance?",
        "When did Ines Falk join engineering?",
    ]


def test_independent_parts_are_asked_at_once(place: ragkit.Workspace) -> None:
    now = most = 0

    class Slow(ScriptedModel):
        async def areply(self, request: Request) -> Reply:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.05)
            now -= 1
            return await super().areply(request)

    steps: list[Step] = [{"text": f"What is {name} like?", "tools": [name]} for name in DOCUMENTS]
    slow = Slow([])
    slow._lines = scripted(*steps)._lines
    place.ask(long("What are they like?"), model=slow)
    assert most == 3


def test_the_same_part_is_asked_once(place: ragkit.Workspace) -> None:
    model = scripted(GROWTH, {"text": "what is revenue growth?", "tools": ["finance"]},
                     HEADCOUNT)  # fmt: skip
    place.ask(long("What is it?"), model=model)
    asked = [one.messages[-1].text for one in model.requests if one.schema is None]
    assert len([text for text in asked if text.casefold() == "what is revenue growth?"]) == 1


@pytest.mark.parametrize(
    "broken",
    [
        ModelError("It is away.", "Wait.", "request"),
        Reply("I cannot.", "scripted:test", "refusal"),
        "NOT IN THE PASSAGES",
    ],
)
def test_a_part_that_fails_is_said_and_the_rest_is_answered(place: ragkit.Workspace, broken: Line) -> None:
    steps: list[Step] = [
        GROWTH,
        HEADCOUNT,
    ]

    def says(asked: str) -> Line:
        return broken if asked == "What is headcount?" else "It is 12 %. [1]"

    answer = place.ask(long("What is it?"), model=scripted(*steps, says=says))
    assert answer.text == "It is 12 %. [1]"
    assert answer.sub_answers[0].status == "answered"
    assert answer.sub_answers[1].status in ("failed", "insufficient")
    (missing,) = answer.missing
    assert missing.startswith("“What is headcount?” is not answered: ")


def test_when_all_parts_fail_there_is_no_answer_and_a_reason(place: ragkit.Workspace) -> None:
    steps: list[Step] = [
        GROWTH,
        HEADCOUNT,
    ]
    answer = place.ask(long("What is it?"), model=scripted(*steps, says=lambda asked: "NOT IN THE PASSAGES"))
    assert answer.abstained
    assert answer.reason == "None of the parts of the question could be answered."
    assert len(answer.missing) == 2


def test_a_budget_that_ends_between_parts_skips_the_rest_and_says_so(place: ragkit.Workspace, tmp_path: Path) -> None:
    path = tmp_path / "ragkit.toml"
    path.write_text(path.read_text().replace("[ask]\n", "[ask]\ncalls = 2\n"))
    other = ragkit.open(tmp_path)
    steps: list[Step] = [{"text": "Who leads finance?", "tools": ["finance"]},
             {"text": "When did {1} join engineering?", "tools": ["engineering"], "depends_on": ["1"]}]  # fmt: skip
    answer = other.ask(long("When did the head of finance join?"), model=scripted(*steps))
    other.close()
    assert answer.partial
    assert any(
        "The budget of 2 calls" in one for one in (*answer.missing, *(m for s in answer.sub_answers for m in s.missing))
    )


def test_a_tool_is_called_with_what_the_model_says(place: ragkit.Workspace) -> None:
    @ragkit.tool
    def add(one: int, other: int) -> int:
        """Adds two numbers."""
        return one + other

    place.add_tool(add)
    steps: list[Step] = [{"text": "What is 2 and 3?", "tools": ["add"]}, HEADCOUNT]

    def says(asked: str) -> Line:
        return [ToolCall("1", "add", {"one": 2, "other": 3})] if asked == "What is 2 and 3?" else "It is so. [1]"

    answer = place.ask(long("What is it?"), model=scripted(*steps, says=says))
    assert answer.sub_answers[0].text == "5"
    assert answer.sub_answers[0].domains == ("add",)


def test_a_tool_that_hangs_is_left_behind(place: ragkit.Workspace) -> None:
    over = threading.Event()

    @ragkit.tool(seconds=0.2)
    def wait() -> str:
        """Waits."""
        over.wait(60)
        return "late"

    place.add_tool(wait)
    steps: list[Step] = [
        {"text": "What does it wait for?", "tools": ["wait"]},
        HEADCOUNT,
    ]

    def says(asked: str) -> Line:
        return [ToolCall("1", "wait", {})] if asked == "What does it wait for?" else "It is so. [1]"

    answer = place.ask(long("What is it?"), model=scripted(*steps, says=says))
    over.set()
    assert answer.sub_answers[0].status == "failed"
    assert "did not end in 0.2 s" in answer.missing[0]


UNKNOWN: Step = {"text": "What is headcount?", "tools": ["astrology"]}
FIRST: Step = {"text": "What is the margin of {2}?", "depends_on": ["2"]}
SECOND: Step = {"text": "Where is the campaign of {1}?", "depends_on": ["1"]}


@pytest.mark.parametrize(
    ("steps", "note"),
    [
        ([UNKNOWN, {"text": "What is revenue growth?"}], "no tool is called"),
        ([FIRST, SECOND], "waited for each other"),
        ([{"text": f"What is number {n} like?"} for n in range(40)], "8"),
    ],
)
def test_what_is_wrong_with_a_plan_is_mended_and_said(place: ragkit.Workspace, steps: list[Step], note: str) -> None:
    answer = place.ask(long("What is it?"), model=scripted(*steps))
    assert any(note in one for one in (*answer.missing, *answer.notes))
    assert len(answer.sub_answers) <= 8


def test_prose_instead_of_a_plan_is_planned_by_rules(place: ragkit.Workspace) -> None:
    model = ScriptedModel(lambda request: "I would first look at revenue." if request.schema else "It is so. [1]")
    answer = place.ask(QUESTION, model=model)
    assert len(answer.sub_answers) == 3
    assert any("The plan is made by rules." in one for one in answer.notes)


def test_a_domain_that_is_damaged_costs_its_part_only(place: ragkit.Workspace, tmp_path: Path) -> None:
    place.close()
    for path in (tmp_path / ".ragkit" / "domains" / "marketing").glob("*.sqlite*"):
        path.write_bytes(b"no database at all" * 100)
    answer = place.ask(QUESTION)
    assert {one.uri for one in answer.citations} >= {"finance.md", "engineering.md"}
    assert answer.partial


def test_events_come_in_the_order_of_the_work(place: ragkit.Workspace) -> None:
    *events, last = place.stream(QUESTION)
    kinds = [type(one) for one in events]
    assert kinds[0] is Planned
    assert kinds.count(Routed) == kinds.count(Found) == kinds.count(Part) == 3
    assert isinstance(last, Answer)
    simple = [
        type(one) for one in place.stream("How large is engineering headcount?", model=ScriptedModel(["151 [1]"]))
    ]
    assert simple == [Planned, Routed, Found, Piece, Piece, Answer]


def test_a_plan_can_be_seen_without_asking(place: ragkit.Workspace) -> None:
    plan = place.plan(QUESTION)
    assert [one.id for one in plan.sub_questions] == ["1", "2", "3"]
    assert plan.conclusion == "Are we scaling efficiently?"


@pytest.fixture
def strong(monkeypatch: pytest.MonkeyPatch) -> ScriptedModel:
    """Beside it stands a cheap model, which finds nothing about depths."""
    cheap = scripted(
        GROWTH, HEADCOUNT, says=lambda asked: "NOT IN THE PASSAGES" if "deep" in asked else "It is so. [1]"
    )
    strong = ScriptedModel(lambda request: "All of it. [1][2]", "mine:strong")
    cheap.name = "mine:cheap"
    monkeypatch.setitem(providers, "mine", lambda name, settings: {"cheap": cheap, "strong": strong}[name])
    return strong


def test_the_strong_model_puts_parts_together_and_looks_again(
    place: ragkit.Workspace, tmp_path: Path, strong: ScriptedModel
) -> None:
    settings = tmp_path / "ragkit.toml"
    said = settings.read_text().replace("version = 1", 'version = 1\nmodel = "mine:cheap"\nstrong = "mine:strong"')
    settings.write_text(said)
    other = ragkit.open(tmp_path)
    parts = other.ask(long("What is it?"))
    assert (parts.text, parts.model) == ("All of it. [1][2]", "mine:strong")
    assert len(strong.requests) == 1
    assert other.ask("What is headcount?").model == "mine:cheap"
    assert len(strong.requests) == 1
    deep = other.ask("How deep is headcount?")
    assert (deep.text, deep.model) == ("All of it. [1]", "mine:strong")  # it was given one passage
    assert other.ask("How deep is headcount?", model="mine:cheap").abstained  # who names a model means it
    other.close()


def test_the_example_over_the_wire(tmp_path: Path, place: ragkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key-anthropic")
    asked = {"finance": "Q3 revenue growth?", "engineering": "Headcount changes?", "marketing": "Marketing spend?"}
    steps = [
        {"id": str(at), "text": text, "tools": [name], "depends_on": [], "why": "", "each": False}
        for at, (name, text) in enumerate(asked.items(), 1)
    ]

    def turn(seen: Seen) -> Turn:
        if seen.schema is not None:
            return Turn(json.dumps({"sub_questions": steps, "conclusion": "Are we scaling efficiently?"}))
        return Turn("We do. [1][2][3]" if "The parts of the question" in seen.prompt else "It is so. [1]")

    with WireServer(turn) as server:
        settings = tmp_path / "ragkit.toml"
        settings.write_text(f'{settings.read_text()}\n[models."anthropic:test"]\nbase_url = "{server.url}"\n')
        other = ragkit.open(tmp_path)
        answer = other.ask(QUESTION, model="anthropic:test")
        other.close()
        assert len(server.seen) == 5
    assert answer.text == "We do. [1][2][3]"
    assert [one.domains for one in answer.sub_answers] == [("finance",), ("engineering",), ("marketing",)]
    assert [one.uri for one in answer.citations] == ["finance.md", "engineering.md", "marketing.md"]


def test_several_numbers_in_one_bracket_are_citations(place: ragkit.Workspace) -> None:
    def says(asked: str) -> Line:
        return "Both. [1, 2]" if "The parts of the question" in asked else "It is so. [1]"

    answer = place.ask(long("What is it?"), model=scripted(GROWTH, HEADCOUNT, says=says))
    assert answer.text == "Both. [1][2]"
    assert [one.uri for one in answer.citations] == ["finance.md", "engineering.md"]


def test_an_error_of_a_model_of_ones_own_costs_its_part_only(place: ragkit.Workspace) -> None:
    def says(asked: str) -> Line:
        if asked == "What is headcount?":
            raise ValueError("a bug")
        return "It is 12 %. [1]"

    answer = place.ask(long("What is it?"), model=scripted(GROWTH, HEADCOUNT, says=says))
    assert answer.text == "It is 12 %. [1]"
    assert answer.sub_answers[1].status == "failed"
    assert "ValueError: a bug" in answer.missing[0]


def test_what_waits_for_a_part_that_was_spread_is_asked_or_said(place: ragkit.Workspace) -> None:
    steps: list[Step] = [
        {"text": "Who are the members?", "tools": ["finance"]},
        {"text": "Where was {1} born?", "depends_on": ["1"], "each": True, "tools": ["finance"]},
        {"text": "How does {1} relate to {2}?", "depends_on": ["1", "2"], "each": True, "tools": ["finance"]},
    ]
    planned = []

    def says(asked: str) -> Line:
        return "Alice, Bob and Carl" if asked == "Who are the members?" else "It is so. [1]"

    inner = scripted(*steps, says=says)

    def line(request: Request) -> Line:
        if request.schema is Proposal:
            planned.append(request)
            if len(planned) > 1:
                return ModelError("It is away.", "Wait.", "request")
        return inner._lines(request)

    answer = place.ask(long("Who are they?"), model=ScriptedModel(line))
    assert len(answer.sub_answers) > 3
    assert all(one.status in ("answered", "skipped") for one in answer.sub_answers)


def test_a_model_that_will_not_combine_leaves_the_parts(place: ragkit.Workspace) -> None:
    def says(asked: str) -> Line:
        return "NOT IN THE PASSAGES" if "The parts of the question" in asked else "It is so. [1]"

    answer = place.ask(long("What is it?"), model=scripted(GROWTH, HEADCOUNT, says=says))
    assert "It is so. [1]" in answer.text
    assert "It is so. [2]" in answer.text
    assert "stand side by side" in answer.missing[0]


LEADS: Step = {"text": "Who leads finance?", "tools": ["finance"]}
JOINED: Step = {"text": "When did {1} join engineering?", "tools": ["engineering"], "depends_on": ["1"]}
BORN: Step = {"text": "Who else joined at {2}?", "tools": ["engineering"], "depends_on": ["2"]}


def test_what_needs_an_answer_that_there_is_not_is_skipped_and_says_what_it_needs(place: ragkit.Workspace) -> None:
    def says(asked: str) -> Line:
        return "NOT IN THE PASSAGES" if asked == "Who leads finance?" else "It is so. [1]"

    model = scripted(LEADS, JOINED, BORN, HEADCOUNT, says=says)
    *events, answer = place.stream(long("When did the head of finance join?"), model=model)
    assert isinstance(answer, Answer)
    assert [one.status for one in answer.sub_answers] == ["insufficient", "skipped", "skipped", "answered"]
    assert answer.sub_answers[1].question == "When did … join engineering?"
    assert answer.sub_answers[1].reason == "It needs the answer to “Who leads finance?”."
    assert "“When did … join engineering?”" in answer.sub_answers[2].reason
    assert len([one for one in events if isinstance(one, Part)]) == 4
    asked = [one.messages[-1].text for one in model.requests if one.schema is None]
    assert not any("join" in text for text in asked if "The parts of the question" not in text)


def test_without_a_model_a_name_stands_for_the_answer(tmp_path: Path) -> None:
    (tmp_path / "ragkit.toml").write_text("version = 1\n")
    other = ragkit.open(tmp_path)
    for name, text in {
        "film": "The film Skylark was directed by Ines Falk in 1997.",
        "lives": "Ines Falk is the spouse of Jon Mora, a painter.",
        "others": "Bob Ray is the spouse of Ann Lee.",
    }.items():
        (tmp_path / f"{name}.md").write_text(f"# {name.title()}\n\n{text}\n")
        other.ingest(tmp_path / f"{name}.md", "people")
    answer = other.ask("Who is the spouse of the director of Skylark?")
    other.close()
    assert [one.question for one in answer.sub_answers] == [
        "Who is the director of Skylark?",
        "Who is the spouse of Ines Falk?",
    ]
    assert "Jon Mora" in answer.sub_answers[-1].text


def test_notes_of_a_plan_do_not_make_an_answer_partial(place: ragkit.Workspace) -> None:
    answer = place.ask(long("What is it?"), model=scripted(UNKNOWN, GROWTH))
    assert (answer.partial, answer.status) == (False, "answered")
    assert any("no tool is called" in one for one in answer.notes)
    simple = place.ask(long("What is headcount?"), model=scripted(UNKNOWN))
    assert simple.sub_answers == ()
    assert any("no tool is called" in one for one in simple.notes)


def test_what_a_plan_left_out_is_missing(place: ragkit.Workspace) -> None:
    steps: list[Step] = [{"text": f"What is number {n} like?", "tools": ["finance"]} for n in range(10)]
    answer = place.ask(long("What is it?"), model=scripted(*steps))
    assert any("2 were left out" in one for one in answer.missing)


def test_an_ask_in_parts_says_where_it_looked_in_the_order_of_the_plan(place: ragkit.Workspace) -> None:
    answer = place.ask(QUESTION)
    assert answer.domains == ("finance", "engineering", "marketing")
    parts = answer.route["parts"]
    assert [one["question"] for one in parts] == [one.question for one in answer.sub_answers]
    assert [one["chosen"] for one in parts] == [["finance"], ["engineering"], ["marketing"]]


@pytest.mark.parametrize(
    ("says", "status"),
    [("NOT IN THE PASSAGES", "insufficient"), (ModelError("It is away.", "Wait.", "request"), "failed")],
)
def test_an_ask_of_which_every_part_fails_is_not_answered(place: ragkit.Workspace, says: Line, status: str) -> None:
    answer = place.ask(long("What is it?"), model=scripted(GROWTH, HEADCOUNT, says=lambda asked: says))
    assert (answer.abstained, answer.status) == (True, status)
    assert answer.domains == (("finance", "engineering") if status == "insufficient" else ())


@pytest.mark.parametrize(("question", "reason"), [(" ", "is empty"), ("why " * 3000, "12,000 characters")])
def test_a_question_is_checked_before_anything_is_planned(place: ragkit.Workspace, question: str, reason: str) -> None:
    model = scripted(GROWTH)
    for ask in (place.plan, place.ask):
        with pytest.raises(ragkit.InvalidInput, match=reason):
            ask(question, model=model)
    assert model.requests == []


def test_braces_of_a_user_stay_in_the_question(place: ragkit.Workspace) -> None:
    model = scripted(GROWTH, HEADCOUNT)
    answer = place.ask(long("What does {1} say of {headcount}?"), model=model)
    assert answer.question == long("What does {1} say of {headcount}?")
    assert model.requests[-1].messages[-1].text == answer.question


@ragkit.tool(keywords=("sum",))
def add(one: int, other: int) -> int:
    """The sum of two numbers of headcount."""
    return one + other


def routing_to(*tools: str, says: Callable[[Request], Line]) -> ScriptedModel:
    """A model that finds a question simple, and sends it there."""

    def line(request: Request) -> Line:
        if request.schema is Choice:
            return json.dumps({"tools": list(tools), "reason": "They may know."})
        if request.schema is Proposal:
            return json.dumps({"sub_questions": [{"id": "1", "text": request.messages[-1].text, "tools": tools}]})
        return says(request)

    return ScriptedModel(line)


def test_what_a_tool_says_stands_beside_the_passages(place: ragkit.Workspace) -> None:
    place.add_tool(add)

    def says(request: Request) -> Line:
        if request.tools:
            return [ToolCall("1", "add", {"one": 142, "other": 9})]
        assert [one.title for one in request.passages][-1] == "The tool add"
        return "It is 151. [1][2]"

    answer = place.ask(long("What is headcount?"), model=routing_to("add", "engineering", says=says))
    assert answer.text == "It is 151. [1]"  # what is no document is cited by no range
    assert answer.domains == ("engineering", "add")
    assert answer.notes == ("The tool add said: 151",)
    assert not answer.partial


def test_a_tool_that_fails_beside_a_domain_is_noted_and_the_documents_answer(place: ragkit.Workspace) -> None:
    place.add_tool(add)

    def says(request: Request) -> Line:
        return "I call nothing." if request.tools else "It is so. [1]"

    answer = place.ask(long("What is headcount?"), model=routing_to("add", "engineering", says=says))
    assert (answer.text, answer.domains) == ("It is so. [1]", ("engineering",))
    assert answer.notes == ("scripted:test did not call the tool add.",)


def test_without_a_model_only_tools_are_asked_that_read_questions(place: ragkit.Workspace) -> None:
    from ragkit.calculator import calculator

    place.add_tool(add)
    answer = place.ask("What is the sum of headcount?")
    assert answer.domains == ("engineering",)
    place.add_tool(calculator)
    *events, told = place.stream("What is 17 % of 2,340?")
    assert isinstance(told, Answer)
    assert (told.text, told.domains) == ("397.8", ("calculator",))
    assert [one.text for one in events if isinstance(one, Piece)] == ["397.8"]
    found = place.ask("Calculate how far engineering headcount rose")
    assert found.domains != ("calculator",)
    assert "headcount" in found.text


def test_texts_that_no_model_streamed_are_told_as_a_piece(place: ragkit.Workspace) -> None:
    *events, answer = place.stream(QUESTION)
    assert isinstance(answer, Answer)
    assert [one.text for one in events if isinstance(one, Piece)] == [answer.text]

    def says(asked: str) -> Line:
        return "NOT IN THE PASSAGES" if "The parts of the question" in asked else "It is so. [1]"

    *events, answer = place.stream(long("What is it?"), model=scripted(GROWTH, HEADCOUNT, says=says))
    assert isinstance(answer, Answer)
    assert [one.text for one in events if isinstance(one, Piece)][-1] == answer.text


def test_a_router_that_hangs_leaves_time_to_look_everywhere(
    place: ragkit.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = threading.Event()
    router = place._asking._router
    ready = router.ready

    def slow(*given: Any) -> Any:
        hangs.wait(60)
        return ready(*given)

    monkeypatch.setattr(router, "ready", slow)
    answer = place.ask("How large is headcount?", seconds=4)
    hangs.set()
    assert answer.domains == tuple(DOCUMENTS)
    assert "142 to 151" in answer.text
    assert answer.notes == ("There was not enough time to decide where to look: all domains were searched.",)


def test_what_the_strong_model_made_of_parts_is_remembered(
    place: ragkit.Workspace, tmp_path: Path, strong: ScriptedModel
) -> None:
    settings = tmp_path / "ragkit.toml"
    said = settings.read_text().replace("version = 1", 'version = 1\nmodel = "mine:cheap"\nstrong = "mine:strong"')
    settings.write_text(said.replace("[cache]", "[cache]\nsemantic = 0.99"))
    other = ragkit.open(tmp_path)
    answers = [other.ask(long("What is it?")) for _ in range(2)]
    other.close()
    assert [one.cached for one in answers] == [False, True]
    assert answers[0].sub_answers == answers[1].sub_answers


def test_a_tool_may_be_given_for_one_question(place: ragkit.Workspace) -> None:
    from ragkit.calculator import calculator

    asked = "What is 17 % of 2,340?"
    assert place.ask(asked, tools=[calculator]).text == "397.8"
    assert place.ask(asked).text != "397.8"
    place.add_tool(calculator)
    with pytest.raises(ragkit.InvalidInput, match="names two things"):
        place.ask(asked, tools=[calculator])


def test_without_a_model_sure_figures_of_the_parts_stand_in_a_table_above_them(place: ragkit.Workspace) -> None:
    place.add_domain("sales", description="Sales revenue by quarter", embedder="hash")
    (place.path / "sales.md").write_text(
        "# Sales\n\nSales revenue was 16.4 million euros in Q3 2024.\n\n"
        "Sales revenue was 18.4 million euros in Q3 2025.\n"
    )
    place.ingest(place.path / "sales.md", "sales")
    table = place.ask("Compare sales revenue in Q3 2024 with sales revenue in Q3 2025", domains=["sales"]).text
    assert table.startswith(
        "| | € |\n|---|---|\n| 2024 | 16.4 million euros [1] |\n| 2025 | 18.4 million euros [2] |\n\n"
    )
    assert not place.ask(QUESTION).text.startswith("|")
