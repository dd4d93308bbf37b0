"""Plans: what is ready when, what is filled in where, and what is mended in a plan that cannot be carried out."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest

from ragkit.answer import Answer
from ragkit.bridges import bridge_query
from ragkit.deadline import Deadline
from ragkit.execution import carry_out
from ragkit.model import ModelError, Reply, Request
from ragkit.modelplanner import ModelPlanner
from ragkit.plan import Plan, SubQuestion, fill, lacking, named, ready, spread
from ragkit.plancheck import Draft, checked
from ragkit.ruleplanner import RulePlanner, plan_by_rules
from ragkit.scripted import ScriptedModel
from ragkit.standin import stand_in
from ragkit.structured import conform

SCALING = (
    "Compare our Q3 revenue growth with engineering headcount changes and marketing spend. Are we scaling efficiently?"
)


@dataclass(frozen=True)
class Known:
    name: str
    description: str = ""


TOOLS = [Known("finance", "Reports"), Known("people", "Staff")]


def draft(*subs: tuple[str, str, Sequence[str]], tools: Mapping[str, Sequence[str]] | None = None) -> Draft:
    return Draft([SubQuestion(key, text, tuple((tools or {}).get(key, ())), tuple(needs)) for key, text, needs in subs])


def test_waves() -> None:
    plan = checked("q", draft(("1", "Who made X?", []), ("2", "Who made Y?", []), ("3", "Did {1} meet {2}?", [])))
    assert [sub.id for sub in ready(plan, [])] == ["1", "2"]
    assert [sub.id for sub in ready(plan, ["1"])] == ["2"]
    assert [sub.id for sub in ready(plan, ["1", "2"])] == ["3"]
    assert ready(plan, ["1", "2", "3"]) == []


def test_an_answer_is_filled_in_and_is_never_a_form_itself() -> None:
    sub = SubQuestion("3", "When did {1} meet {2}?", depends_on=("1", "2"))
    assert fill(sub, {"1": "Ann {2}.", "2": "Bob\n Ray"}) == "When did Ann {2} meet Bob Ray?"
    assert fill(sub, {"1": "Ann"}) == "When did Ann meet …?"
    assert fill(SubQuestion("2", "What is {x}?"), {"x": "no"}) == "What is {x}?"
    assert len(fill(sub, {"1": "a " * 5000, "2": "b"})) < 700


def test_a_circle_is_cut() -> None:
    plan = checked(
        "q", draft(("a", "Where is {b} found?", ["b"]), ("b", "Who made {a}?", ["a"]), ("c", "Is it red?", []))
    )
    assert [(sub.id, sub.text, sub.depends_on) for sub in plan.sub_questions] == [
        ("c", "Is it red?", ()),
        ("a", "Where is found?", ()),
        ("b", "Who made {a}?", ("a",)),
    ]
    assert plan.notes == ("a, b waited for each other: a waits for b no more.",)


def test_a_long_circle_and_one_that_waits_for_itself() -> None:
    subs: list[tuple[str, str, list[str]]] = [
        (str(n), f"What comes after thing{n} and {{{n % 4 + 1}}}?", [str(n % 4 + 1)]) for n in range(1, 5)
    ]
    plan = checked("q", draft(*subs, ("5", "What of red {5}?", ["5"])))
    assert len(plan.sub_questions) == 5
    done: set[str] = set()
    for sub in plan.sub_questions:
        assert set(sub.depends_on) <= done
        done.add(sub.id)
    assert len(plan.notes) == 2


def test_forty_sub_questions_become_eight_and_the_rest_is_named() -> None:
    plan = checked("q", draft(*[(str(n), f"What is thing{n}?", []) for n in range(40)]))
    assert len(plan.sub_questions) == 8
    assert "32 were left out" in plan.lost[0]
    assert "What is thing39?" in plan.lost[0]


def test_unknown_tools_are_left_to_the_router() -> None:
    tools = {"1": ["Finance", "oracle"], "2": ["oracle"], "3": ["people"]}
    made = draft(("1", "What is revenue?", []), ("2", "What is the margin?", []), ("3", "Who leads?", []), tools=tools)
    plan = checked("q", made, TOOLS)
    assert [sub.tools for sub in plan.sub_questions] == [("finance",), (), ("people",)]
    assert plan.notes == (
        "1 named oracle, which no tool is called: it is asked of finance.",
        "2 named oracle, which no tool is called: the router decides where it is asked.",
    )


def test_what_is_asked_twice_is_asked_once_and_who_waited_for_it_waits_for_the_other() -> None:
    plan = checked(
        "q",
        draft(
            ("1", "What was the revenue of Acme in 2023?", []),
            ("2", "What was Acme's 2023 revenue?", []),
            ("3", "Why was {2} so low?", ["2"]),
        ),
    )
    assert [(sub.id, sub.text, sub.depends_on) for sub in plan.sub_questions][1] == ("3", "Why was {1} so low?", ("1",))
    assert plan.notes == ('2 asks what 1 asks: "What was Acme\'s 2023 revenue?" was left out.',)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("What was the revenue of Acme Corporation worldwide in the third quarter of 2022?",
         "What was the revenue of Acme Corporation worldwide in the third quarter of 2023?"),
        ("What is the highest point of the largest island in the northern part of the old kingdom?",
         "What is the lowest point of the largest island in the northern part of the old kingdom?"),
        ("How many people live in the old town by the river near the sea?",
         "How many people live in the old town by the river near the sea in Italy?"),
        ("Who made {1}?", "Who made {2}?"),
        ("What is the revenue?", "What is the outlook for revenue growth this autumn?"),
    ],
)  # fmt: skip
def test_what_differs_in_a_name_a_number_or_a_word_is_asked(a: str, b: str) -> None:
    plan = checked("q", draft(("1", "Red house?", []), ("2", "Blue moon?", []), ("3", a, []), ("4", b, [])))
    assert len(plan.sub_questions) == 4
    assert plan.notes == ()


def test_unknown_needs_empty_texts_and_ids_that_come_twice() -> None:
    plan = checked("q", draft(("1", "Who made {9}'s house?", ["9"]), ("1", "Who is {7}?", []), ("2", " ", [])))
    assert [(sub.id, sub.text, sub.depends_on) for sub in plan.sub_questions] == [("1", "Who made's house?", ())]
    assert len(plan.notes) == 5
    assert any("called 1" in note for note in plan.notes)


def test_a_plan_of_nothing_is_the_question() -> None:
    plan = checked("Why?", Draft([]))
    assert plan.simple
    assert plan.sub_questions[0].text == "Why?"
    assert plan.notes


def test_a_list_becomes_one_question_each() -> None:
    plan = plan_by_rules("What is the population of the five most populous cities in India?")
    assert plan.sub_questions[1].each
    again = spread(plan, {"1": "Mumbai, Delhi, Bengaluru, Hyderabad and Ahmedabad."})
    assert [sub.text for sub in again.sub_questions][1:] == [
        f"What is the population of {city}?" for city in ("Mumbai", "Delhi", "Bengaluru", "Hyderabad", "Ahmedabad")
    ]
    assert again.notes
    once = replace(plan, replanned=True)
    assert spread(once, {"1": "Paris and Rome"}) is once
    few = spread(plan, {"1": ", ".join(f"City{n}" for n in range(20))})
    assert len(few.sub_questions) == 8
    assert "City19" in few.lost[0]
    assert spread(plan, {"1": "Mumbai"}) == plan


def test_who_waits_for_a_question_that_was_spread_waits_for_all_of_them() -> None:
    subs = [
        SubQuestion("1", "Which teams won?"),
        SubQuestion("2", "Where is {1}?", depends_on=("1",), each=True),
        SubQuestion("3", "How far apart are {2}?", depends_on=("2",)),
    ]
    again = spread(Plan("q", tuple(subs)), {"1": "Reds; Blues"})
    assert again.sub_questions[-1].text == "How far apart are {2_1} and {2_2}?"
    assert again.sub_questions[-1].depends_on == ("2_1", "2_2")


@pytest.mark.parametrize(
    ("answer", "things"),
    [
        ("Ann Lee, Bob Ray and Cy Young.", ["Ann Lee", "Bob Ray", "Cy Young"]),
        ("1. Ann\n2) Bob\n- Cy [3]", ["Ann", "Bob", "Cy"]),
        ("The winners are: Reds; Blues", ["Reds", "Blues"]),
        ("Ann", ["Ann"]),
        ("It rose, as the report says on its first page, by a third of what it had been.", None),
    ],
)
def test_the_things_an_answer_names(answer: str, things: list[str] | None) -> None:
    assert named(answer) == (things or [answer])


def test_a_query_for_a_bridge_has_titles_and_names_instead_of_the_answer() -> None:
    question = "When did the spouse of Lil Hardin make records?"
    sub = SubQuestion("2", "When did {1} make records?", depends_on=("1",))
    found = [
        ("Lil Hardin", "Lil Hardin married Louis Armstrong in 1924. Louis Armstrong played."),
        ("Jazz", "no names"),
    ]
    query = bridge_query(question, sub, found)
    assert "{" not in query
    assert query.startswith("When did make records? Lil Hardin Jazz Louis Armstrong")


# A model


def reply_of(model: ScriptedModel) -> ModelPlanner:
    async def reply(request: Request) -> Reply:
        return await conform(model.areply, request)

    return ModelPlanner(reply)


def proposed(*subs: dict[str, object], conclusion: str = "") -> str:
    return json.dumps({"sub_questions": subs, "conclusion": conclusion})


def test_a_model_plans() -> None:
    model = ScriptedModel([
        proposed(
            {"id": "1", "text": "What was our revenue growth in Q3?", "tools": ["finance"]},
            {"id": "2", "text": "How did the engineering headcount change in Q3?", "tools": ["people"]},
            {"id": "3", "text": "What was our marketing spend in Q3?", "tools": ["finance"]},
            conclusion="Are we scaling efficiently?",
        )
    ])  # fmt: skip
    plan = asyncio.run(reply_of(model).plan(SCALING, TOOLS))
    assert plan.by == "model"
    assert [sub.tools for sub in plan.sub_questions] == [("finance",), ("people",), ("finance",)]
    assert (plan.conclusion, plan.notes) == ("Are we scaling efficiently?", ())
    assert '"description": "Reports"' in model.requests[0].messages[0].text


@pytest.mark.parametrize(
    "script",
    [
        ["I would first look at the revenue.", "Well, as I said."],
        [ModelError("It is ill.", kind="overloaded")],
        [Reply("No.", "scripted:test", "refusal")],
        [json.dumps({"sub_questions": "none"}), "[]"],
    ],
)
def test_without_a_plan_from_the_model_rules_plan_and_the_plan_says_so(script: list[str | Reply | ModelError]) -> None:
    plan = asyncio.run(reply_of(ScriptedModel(script)).plan(SCALING, TOOLS))
    assert replace(plan, notes=()) == plan_by_rules(SCALING)
    assert len(plan.notes) == 1
    assert "by rules" in plan.notes[0]


def test_a_model_plans_again_once() -> None:
    first = proposed(
        {"id": "1", "text": "Which company bought Acme?"},
        {"id": "2", "text": "Who leads {1}?", "depends_on": ["1"]},
    )
    second = proposed(
        {"id": "2", "text": "Who led Globex when it bought Acme?"}, {"id": "3", "text": "Who leads Globex now?"}
    )
    model = ScriptedModel([first, second])
    planner = reply_of(model)

    async def both() -> tuple[Plan, Plan]:
        plan = await planner.plan("Who leads the company that bought Acme?", [])
        assert await planner.replan(plan, {}, []) == plan
        again = await planner.replan(plan, {"1": "Globex, which was dissolved"}, [])
        once = replace(plan, replanned=True)
        assert await planner.replan(once, {"1": "Globex"}, []) is once
        return again, await planner.replan(again, {"1": "Globex", "2": "Ann"}, [])

    again, last = asyncio.run(both())
    assert [sub.text for sub in again.sub_questions] == [
        "Which company bought Acme?",
        "Who led Globex when it bought Acme?",
        "Who leads Globex now?",
    ]
    assert again.replanned
    assert "Who leads {1}?" in again.notes[0]
    assert last is again
    assert len(model.requests) == 2


def test_when_a_model_cannot_plan_again_the_plan_stays() -> None:
    first = proposed(
        {"id": "1", "text": "Who won?"}, {"id": "2", "text": "Where is {1}?", "depends_on": ["1"], "each": True}
    )
    planner = reply_of(ScriptedModel([first, ModelError("It is ill.", kind="server")]))

    async def both() -> Plan:
        return await planner.replan(await planner.plan("Where are the winners?", []), {"1": "Reds and Blues"}, [])

    plan = asyncio.run(both())
    assert [sub.text for sub in plan.sub_questions] == ["Who won?", "Where is Reds?", "Where is Blues?"]
    assert "It is ill." in plan.notes[-1]


def again(first: str, second: str, answers: dict[str, str], question: str = "Where are the winners?") -> Plan:
    """What is planned once these are answered."""
    planner = reply_of(ScriptedModel([first, second]))

    async def both() -> Plan:
        return await planner.replan(await planner.plan(question, []), answers, [])

    return asyncio.run(both())


WON: dict[str, object] = {"id": "1", "text": "Who won?"}
WHERE: dict[str, object] = {"id": "2", "text": "Where is {1}?", "depends_on": ["1"], "each": True}


def test_a_model_that_numbers_from_one_again_asks_something_new() -> None:
    new = proposed({"id": "1", "text": "Where are the Reds at home?"},
                   {"id": "2", "text": "How many people live in {1}?", "depends_on": ["1"]})  # fmt: skip
    plan = again(proposed(WON, WHERE), new, {"1": "Reds"})
    assert [(sub.id, sub.text, sub.depends_on) for sub in plan.sub_questions] == [
        ("1", "Who won?", ()),
        ("3", "Where are the Reds at home?", ()),
        ("2", "How many people live in {3}?", ("3",)),
    ]


def test_a_new_question_that_needs_the_old_one_of_its_id_waits_for_that() -> None:
    plan = again(proposed(WON, WHERE), proposed({"id": "1", "text": "Where is {1} at home?"}), {"1": "Reds"})
    assert [(sub.id, sub.text, sub.depends_on) for sub in plan.sub_questions] == [
        ("1", "Who won?", ()),
        ("3", "Where is {1} at home?", ("1",)),
    ]


@pytest.mark.parametrize("left", [[], [WON], [{"id": "1", "text": "who won"}]])
def test_a_model_that_has_nothing_new_to_ask_leaves_the_plan(left: list[dict[str, object]]) -> None:
    plan = again(proposed(WON, WHERE), proposed(*left), {"1": "Reds and Blues"})
    assert [sub.text for sub in plan.sub_questions] == ["Who won?", "Where is Reds?", "Where is Blues?"]
    assert plan.replanned


@pytest.mark.parametrize("question", ["What does {1} mean?", "Compare {1} with {2} and {3} in 2020 and in 2021.", "{{"])
def test_braces_of_a_user_are_no_places_for_answers(question: str) -> None:
    for plan in (plan_by_rules(question), again("", "", {}, question)):
        assert [(sub.text, sub.depends_on) for sub in plan.sub_questions] == [(question, ())]
        assert fill(plan.sub_questions[0], {"1": "no"}) == question


def test_a_number_with_a_hash_is_a_place_for_a_model_only() -> None:
    plan = plan_by_rules("What is the revenue of team #1 and team #2 in 2020 and in 2021?")
    assert not any(sub.depends_on for sub in plan.sub_questions)


def test_of_answers_in_a_row_one_is_enough() -> None:
    sub = SubQuestion("3", "How far apart are {2_1} and {2_2} from {1}?", depends_on=("1", "2_1", "2_2"))
    assert lacking(sub, {"1": "Rome", "2_2": "Paris"}) == []
    assert fill(sub, {"1": "Rome", "2_2": "Paris"}) == "How far apart are Paris from Rome?"
    assert lacking(sub, {"2_1": "Paris", "2_2": ""}) == ["1"]
    assert lacking(sub, {"1": "Rome"}) == ["2_1", "2_2"]
    assert lacking(replace(sub, text="Where is it?"), {}) == []


@pytest.mark.parametrize(
    ("question", "said", "stands"),
    [
        ("Who is the director of Titanic?", "Titanic was directed by James Cameron and stars Kate Winslet. It is long.",
         "James Cameron"),
        ("Who is the head of finance?", "Engineers are many. The head of finance is Ines Falk.", "Ines Falk"),
        ("What is the capital of France?", "Paris is the capital of France.", "Paris"),
        ("When was the company founded?", "The company was founded in 1987 by Bob Ray.", "1987"),
        ("What is the margin of the shop?", "Margins rose to 12 %.", "the margin of the shop"),
        ("Who bought Acme?", "Acme was sold.", "the one who bought Acme"),
        ("Which team looks after keys?", "It is told where keys are kept.", "the team that looks after keys"),
        ("When was the shop opened?", "It was opened long ago.", ""),
    ],
)  # fmt: skip
def test_what_stands_for_sentences_in_another_question(question: str, said: str, stands: str) -> None:
    assert stand_in(question, said) == stands


@pytest.mark.parametrize(
    ("question", "said", "asked"),
    [
        ("Who keeps the keys?", "They are kept in a safe, which is locked, of course.",
         "Where does the one who keeps the keys live?"),
        ("When were the keys made?", "They are kept in a safe, which is locked, of course.", None),
        ("Where are the keys?", "the green safe", "Where does the green safe live?"),
    ],
)  # fmt: skip
def test_without_a_model_no_sentence_is_put_into_a_question(question: str, said: str, asked: str | None) -> None:
    async def answering(sub: SubQuestion, text: str, before: tuple[Answer, ...]) -> Answer:
        return Answer(text, said, model="extractive")

    async def replan(plan: Plan, answers: dict[str, str]) -> Plan:
        return spread(plan, answers)

    async def run(each: bool) -> Answer:
        steps = (SubQuestion("1", question), SubQuestion("2", "Where does {1} live?", depends_on=("1",), each=each))
        _, done = await carry_out(Plan("?", steps), answering, replan, Deadline(None), lambda answer: None)
        return done["2"]

    for each in (False, True):
        answer = asyncio.run(run(each))
        if asked is None:
            assert answer.status == "skipped"
            assert question in answer.reason
        else:
            assert answer.question == asked


def test_parts_that_ask_the_same_once_they_are_filled_are_asked_once() -> None:
    asked: list[str] = []

    async def answering(sub: SubQuestion, text: str, before: tuple[Answer, ...]) -> Answer:
        asked.append(text)
        return Answer(text, "Delft", model="scripted:x")

    async def replan(plan: Plan, answers: dict[str, str]) -> Plan:
        return plan

    async def run() -> dict[str, Answer]:
        steps = (
            SubQuestion("1", "Where is the tower?"),
            SubQuestion("2", "Where is the bridge?"),
            SubQuestion("3", "How old is {1}?", depends_on=("1",)),
            SubQuestion("4", "How old is {2}?", depends_on=("2",)),
        )
        return (await carry_out(Plan("?", steps), answering, replan, Deadline(None), lambda answer: None))[1]

    done = asyncio.run(run())
    assert sorted(asked) == ["How old is Delft?", "Where is the bridge?", "Where is the tower?"]
    assert done["3"] is done["4"]


def test_rules_are_a_planner() -> None:
    plan = asyncio.run(RulePlanner().plan(SCALING, TOOLS))
    assert plan == plan_by_rules(SCALING)
    assert asyncio.run(RulePlanner().replan(plan, {"1": "12 %"}, TOOLS)) == plan
