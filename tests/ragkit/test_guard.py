"""Guards: what they block is never asked or told, what they take out is in no event, and citations stay ranges."""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

import ragkit
from ragkit import telemetry
from ragkit.answer import Answer, Citation
from ragkit.deadline import Deadline
from ragkit.errors import InvalidInput
from ragkit.events import Event, Found, Part, Piece, Planned, Routed, Tell
from ragkit.guard import ALLOWED, Guard, Length, Ruling, Where, guards_for, presentable
from ragkit.guarding import LEAST, REDACTED, RULE, guarded
from ragkit.guardsettings import GuardSettings
from ragkit.plan import Plan, SubQuestion
from ragkit.route import Route
from ragkit.scripted import ScriptedModel
from ragkit.settings import Settings
from ragkit.tracecollector import Collector
from tests import asks

MAIL = "ana@example.com"
QUESTION = "How high is the tower of Delft?"


def guards(**settings: Any) -> tuple[Guard, ...]:
    return guards_for(GuardSettings(**settings))


class Says:
    """An ask that answers what it is given, and keeps what it was asked and told."""

    def __init__(self, answer: Answer, *events: Event) -> None:
        self.answer = answer
        self.events = events
        self.asked: list[str] = []

    async def __call__(self, question: str, tell: Tell | None) -> Answer:
        self.asked.append(question)
        if tell is not None:
            for event in self.events:
                tell(event)
        return dataclasses.replace(self.answer, question=question)


def run(
    question: str, on: tuple[Guard, ...], ask: Says, deadline: Deadline | None = None
) -> tuple[Answer, list[Event]]:
    told: list[Event] = []
    return asyncio.run(guarded(question, on, ask, told.append, deadline)), told


def cite(marker: int, quote: str = "x") -> Citation:
    return Citation(marker, "a.md", "d", "A", (), (), 0, len(quote), quote)


# The question


@pytest.mark.parametrize(
    ("settings", "question", "reason"),
    [
        ({"max_question": 10}, "x" * 11, "blocked: length. The question has 11 characters; at most 10 are answered."),
        ({}, "x" * 2001, "blocked: length. The question has 2,001 characters; at most 2,000 are answered."),
        ({"ban": ["casino"]}, "Which Casino?", "blocked: ban. Here, nothing is said about “casino”."),
        ({"ban": ["card counting"]}, "card  counting!", "blocked: ban. Here, nothing is said about “card counting”."),
        ({"ban": ["/gambl\\w+/"]}, "GAMBLING", "blocked: ban. Here, nothing is said about “/gambl\\w+/”."),
        ({"ban": ["casino"]}, "cas\u200bino or саsinо", "blocked: ban. Here, nothing is said about “casino”."),
        ({"ban": ["赌场"]}, "最好的赌场在哪里", "blocked: ban. Here, nothing is said about “赌场”."),
    ],
)
def test_a_blocked_question_is_asked_nobody(settings: dict[str, Any], question: str, reason: str) -> None:
    ask = Says(Answer("", "No."))
    answer, told = run(question, guards(**settings), ask)
    assert (answer.abstained, answer.status, answer.text, answer.reason) == (True, "blocked", "", reason)
    assert (ask.asked, told) == ([], [])


@pytest.mark.parametrize(
    ("settings", "question"),
    [
        ({"max_question": 0}, "x" * 5000),
        ({"ban": ["casino"]}, "casinos"),
        ({"ban": ["ban"]}, "urban banner"),
        ({}, "Who?"),
    ],
)
def test_what_no_rule_forbids_is_asked_as_it_is(settings: dict[str, Any], question: str) -> None:
    ask = Says(Answer("", "No."))
    answer, _ = run(question, guards(**settings), ask)
    assert ask.asked == [question]
    assert (answer.text, answer.question) == ("No.", question)


def test_only_what_is_left_of_a_question_is_asked() -> None:
    ask = Says(Answer("", "Yes."))
    answer, _ = run(f"Who is {MAIL}, +44 20 7946 0958?", guards(redact=["email", "phone"]), ask)
    assert ask.asked == [answer.question] == ["Who is [email], [phone]?"]


# The answer


def test_text_and_parts_are_redacted_and_quotes_are_not() -> None:
    quote = f"Ana ({MAIL}) built it."
    part = Answer("Who built it?", f"Ana, {MAIL} [1]", (cite(1, quote),), missing=(f"{MAIL} is not answered",))
    whole = Answer(
        "", f"Ana, {MAIL} [1], and Lee [2].", (cite(1, quote), cite(2)), notes=(f"asked {MAIL}",), sub_answers=(part,),
        route={"parts": [{"question": f"Who is {MAIL}?", "chosen": ["d"]}]},
    )  # fmt: skip
    answer, _ = run(QUESTION, guards(redact=["email"]), Says(whole))
    assert answer.text == "Ana, [email] [1], and Lee [2]."
    assert answer.citations == whole.citations
    assert answer.sub_answers[0].text == "Ana, [email] [1]"
    assert answer.sub_answers[0].citations == part.citations
    assert MAIL not in repr(dataclasses.replace(answer, citations=(), sub_answers=()))
    assert MAIL not in repr(dataclasses.replace(answer.sub_answers[0], citations=()))


def test_a_blocked_answer_says_by_which_rule_and_nothing_else() -> None:
    whole = Answer(
        "", "Go to the casino. [1]", (cite(1),), missing=("casino",), sub_answers=(Answer("a", "b"),), model="m"
    )
    answer, told = run(QUESTION, guards(ban=["casino"]), Says(whole, Piece("Go to the cas"), Part(whole)))
    assert answer == Answer(
        QUESTION, "", abstained=True, reason="blocked: ban. Here, nothing is said about “casino”.", status="blocked",
        model="m",
    )  # fmt: skip
    assert told == []


def test_a_blocked_part_leaves_the_others() -> None:
    parts = (Answer("Where?", "At the casino."), Answer("When?", "At noon."))
    answer, _ = run(QUESTION, guards(ban=["casino"]), Says(Answer("", "At noon.", sub_answers=parts)))
    assert [(one.status, one.text) for one in answer.sub_answers] == [("blocked", ""), ("answered", "At noon.")]


def test_no_piece_leaks_what_will_be_taken_out() -> None:
    hit_question = f"Who is {MAIL}?"
    plan = Planned(Plan(QUESTION, (SubQuestion("a", QUESTION),)))
    events: list[Event] = [
        plan, Routed(QUESTION, Route((), (), True, "", "keyword", 0.0)), Found(QUESTION, ()), Found(hit_question, ()),
        Part(Answer(hit_question, f"It is {MAIL}.")), Piece("Write to ana@exam"), Piece("ple.com. [1]"),
    ]  # fmt: skip
    whole = Answer("", f"Write to {MAIL}. [1]", (cite(1),))
    answer, told = run(QUESTION, guards(redact=["email"]), Says(whole, *events))
    assert answer.text == "Write to [email]. [1]"
    assert told[:3] == events[:3]
    assert told[3:] == [
        Found("Who is [email]?", ()), Part(Answer("Who is [email]?", "It is [email].")), Piece("Write to [email]. [1]"),
    ]  # fmt: skip


def test_without_guards_of_answers_pieces_come_as_they_are_made() -> None:
    events: list[Event] = [Piece("It "), Piece("is.")]
    _, told = run(QUESTION, guards(), Says(Answer("", "It is."), *events))
    assert told == events


# Guards of one's own


class Own:
    name = "own"

    def __init__(self, rule: Callable[[str], Ruling], *looks_at: Where) -> None:
        self.looks_at: Collection[Where] = looks_at or ("answer",)
        self.rule = rule
        self.seen: list[str] = []

    def check(self, text: str, where: Where) -> Ruling:
        self.seen.append(text)
        return self.rule(text)


def test_a_text_of_a_guards_own_keeps_citations_valid() -> None:
    """It lost [2], and made up [9]."""
    whole = Answer("", "One. [1] Two. [2]", (cite(1), cite(2)))
    own = Own(lambda text: Ruling("One. [1, 9] Three. [9]"))
    answer, _ = run(QUESTION, (own,), Says(whole))
    assert answer.text == "One. [1] Three."
    assert [one.marker for one in answer.citations] == [1]


def test_each_guard_sees_what_those_before_it_left_and_the_same_text_once() -> None:
    own = Own(lambda text: ALLOWED)
    part = Answer("Who?", MAIL)
    run(QUESTION, (*guards(redact=["email"]), own), Says(Answer("", MAIL, sub_answers=(part, part))))
    assert sorted(own.seen) == sorted(["[email]", QUESTION, "Who?"])


def test_a_guard_that_fails_or_hangs_lets_nothing_pass() -> None:
    def fails(text: str) -> Ruling:
        raise ValueError(f"no {text}")

    answer, _ = run(QUESTION, (Own(fails),), Says(Answer("", "Secret.")))
    assert answer.reason == "blocked: own. The guard own failed (ValueError)."
    began = time.monotonic()

    def hang(text: str) -> Ruling:
        time.sleep(LEAST + 1)
        return ALLOWED

    hangs = Own(hang, "question")
    ask = Says(Answer("", "Secret."))
    answer, _ = run(QUESTION, (hangs,), ask, Deadline(0.1))
    assert answer.reason == "blocked: own. The guard own did not answer in time."
    assert ask.asked == []
    assert time.monotonic() - began >= LEAST


# Settings


def test_settings_are_checked_and_off_by_default() -> None:
    assert [type(one) for one in guards()] == [Length]
    assert guards(max_question=0) == ()
    assert [one.name for one in guards(redact=["card"], ban=["x"])] == ["redact", "length", "ban"]
    assert Settings().guard == GuardSettings()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ban = ['/(/']", "no regular expression"), ("ban = [' ']", "must say what is banned"),
        ("redact = ['name']", "'email', 'phone', 'card' or 'id'"),
        ("max_questions = 5", "Did you mean 'max_question'?"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_settings_is_told(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "ragkit.toml").write_text(f"version = 1\n[guard]\n{line}\n")
    with pytest.raises(InvalidInput, match=r"guard\.") as failed:
        ragkit.open(tmp_path)
    assert said in str(failed.value)


# What is printed, and what is kept


def test_what_is_printed_hides_what_quotes_hold() -> None:
    quote = f"Ana ({MAIL}) built it."
    part = Answer("", "", (cite(1, quote),))
    shown = presentable(Answer("", "", (cite(1, quote),), sub_answers=(part,)), GuardSettings(redact=["email"]))
    for one in (*shown.citations, *shown.sub_answers[0].citations):
        assert one.quote == f"Ana ({'█' * len(MAIL)}) built it."
        assert one.end - one.start == len(one.quote)
    whole = Answer("", "", (cite(1, quote),))
    assert presentable(whole, GuardSettings()) is whole


def traced(question: str, on: tuple[Guard, ...], ask: Says) -> Any:
    collector = Collector(texts=True)
    with telemetry.recording(collector, texts=True):
        run(question, on, ask)
    return collector.trace


def test_a_trace_says_what_was_done_and_not_what_was_taken_out() -> None:
    on = guards(redact=["email"], ban=["casino"], max_question=40)
    for question in (f"Who is {MAIL}?", f"Casino {MAIL}", f"{MAIL} {'x' * 50}"):
        trace = traced(question, on, Says(Answer("", f"It is {MAIL}.")))
        assert MAIL not in repr(trace)
        assert trace.spans[0].attributes[REDACTED] == ["email"]
    assert (trace.status, trace.spans[0].attributes[RULE]) == ("blocked", ["length"])
    assert trace.question == f"[email] {'x' * 50}"
    assert traced(QUESTION, guards(), Says(Answer("", "Yes."))) is None  # nothing was done


# With a workspace


@pytest.fixture
def place(tmp_path: Path) -> Iterator[ragkit.Workspace]:
    made = asks.workspace(tmp_path, "")
    (tmp_path / "docs" / "Keeper.md").write_text(f"# Keeper\n\nThe keeper of the tower of Delft is Ana, {MAIL}.\n")
    made.sync()
    yield made
    made.close()


def test_an_ask_of_documents_with_personal_data(place: ragkit.Workspace) -> None:
    model = ScriptedModel(lambda request: f"Ana, {MAIL}. [1]")
    told: list[Event] = []

    async def ask(question: str, tell: Tell | None) -> Answer:
        async for event in place.astream(question, model=model):
            if isinstance(event, Answer):
                return event
            if tell is not None:
                tell(event)
        raise AssertionError("it ended without an answer")

    question = f"Who keeps the tower of Delft, {MAIL} or +44 20 7946 0958?"
    answer = asyncio.run(guarded(question, guards(redact=["email", "phone"]), ask, told.append))
    assert MAIL not in answer.text
    assert "[email]" in answer.text
    for one in answer.citations:
        assert place.document(one.uri, one.domain).text[one.start : one.end] == one.quote
    assert all(MAIL not in message.text for request in model.requests for message in request.messages)
    assert [one.text for one in told if isinstance(one, Piece)] == [answer.text]


def test_a_model_that_plans_or_routes_is_shown_what_the_guards_leave(tmp_path: Path) -> None:
    asks.workspace(tmp_path, '[guard]\nredact = ["email"]\nban = ["password"]\n').close()
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "Rent.md").write_text("# Rent\n\nThe rent of the hall of Ghent is 20 euros a day.\n")
    place = ragkit.open(tmp_path)
    place.ingest(tmp_path / "more", "rents")
    model = ScriptedModel(lambda request: "prose")
    question = (
        f"Compare what {MAIL} says about the tower of Delft with what Bo says about the rent of the hall of Ghent."
    )
    assert MAIL not in repr(place.plan(question, model=model))
    with pytest.raises(ragkit.ModelError, match="another form"):
        place.route(question, by="model", model=model)
    assert len(model.requests) >= 2
    assert all(MAIL not in message.text for request in model.requests for message in request.messages)
    asked = len(model.requests)
    for decide in (place.plan, place.route):
        with pytest.raises(ragkit.RagkitError, match=r"blocked: ban\."):
            decide("What is the password of the tower?", model=model)
    assert len(model.requests) == asked
    place.close()
