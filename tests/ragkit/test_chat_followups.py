"""What rules make of follow-ups, kind by kind, and what they leave alone."""

import time

import pytest

from ragkit.followup import Exchange, stand_alone

Talk = str | tuple[str, str]
"""A question, or one with its answer."""


def after(*talk: Talk) -> list[Exchange]:
    made: list[Exchange] = []
    for one in talk:
        question, answer = one if isinstance(one, tuple) else (one, "")
        made.append(Exchange(question, stand_alone(question, made), answer))
    return made


REVENUE = "What was Acme's revenue in Q3 2023?"
FOLLOW_UPS: list[tuple[Talk | list[Talk], str, str]] = [
    # Periods
    ("How much did revenue grow in Q3?", "And in Q4?", "How much did revenue grow in Q4?"),
    (REVENUE, "And in Q4?", "What was Acme's revenue in Q4 2023?"),
    (REVENUE, "And in 2022?", "What was Acme's revenue in Q3 2022?"),
    (REVENUE, "What about Q1 2024?", "What was Acme's revenue in Q1 2024?"),
    ("What did marketing spend in March?", "and in April?", "What did marketing spend in April?"),
    ("What did marketing spend last year?", "And this year?", "What did marketing spend this year?"),
    ("How many engineers work at Globex?", "And in 2021?", "How many engineers work at Globex in 2021?"),
    ("How many engineers work at Globex?", "How about last year?", "How many engineers work at Globex last year?"),
    # Names and things
    (REVENUE, "And Globex?", "What was Globex's revenue in Q3 2023?"),
    (REVENUE, "What about Globex's?", "What was Globex's revenue in Q3 2023?"),
    ("Who leads the Berlin office?", "And Paris?", "Who leads the Paris office?"),
    ("How many people work in engineering?", "What about marketing?", "How many people work in marketing?"),
    ("What is the engineering budget?", "What about marketing?", "What is the marketing budget?"),
    ("Who is the CEO of Initech?", "And the CFO?", "Who is the CFO of Initech?"),
    ("Who is the CEO of Initech?", "And of Globex?", "Who is the CEO of Globex?"),
    ("What is the deadline for refunds?", "and for exchanges?", "What is the deadline for exchanges?"),
    ("Can contractors use the gym?", "And interns?", "Can interns use the gym?"),
    ("What is the fee for 10 users?", "And for 50 users?", "What is the fee for 50 users?"),
    ("Does the Basic plan include backups?", "What about the Premium plan?", "Does the Premium plan include backups?"),
    ("How high is the tower of Delft?", "And the tower of Ghent?", "How high is the tower of Ghent?"),
    ("How high is the tower of Delft?", "What about the bridge of Ghent?",
     "What about the bridge of Ghent (about: How high is the tower of Delft)?"),
    # How a thing is asked
    ("How much did revenue fall in Q3?", "Why?", "Why did revenue fall in Q3?"),
    ("Did Acme close the Lyon plant?", "when?", "When did Acme close the Lyon plant?"),
    ("Was the launch postponed?", "Why?", "Why was the launch postponed?"),
    # What looks back
    ("What is the rollout plan for Falcon?", "Who owns it?", "Who owns the rollout plan for Falcon?"),
    ("What is lung cancer?", "Is it treatable?", "Is lung cancer treatable?"),
    ("What is lung cancer?", "What are its symptoms?", "What are lung cancer's symptoms?"),
    ("What was Acme's revenue in 2023?", "How much was that in 2024?", "How much was Acme's revenue in 2024?"),
    ("Who approves travel expenses?", "When are they paid?", "When are travel expenses paid?"),
    ("What does the vacation policy say?", "Does that policy hold for interns?",
     "Does the vacation policy hold for interns?"),
    ("Where was Ada Lovelace born?", "When did she die?", "When did Ada Lovelace die?"),
    ("What did Ada Lovelace write?", "Who were her parents?", "Who were Ada Lovelace's parents?"),
    ("Who is Jane Smith?", "What does she earn?", "What does Jane Smith earn?"),
    (("Who founded Acme?", "Acme was founded by Wile Coyote. [1]"), "When was he born?", "When was Wile Coyote born?"),
    (("Which company bought Initech?", "It was bought by Globex Corporation. [1]"), "Where is it based?",
     "Where is Globex Corporation based?"),
    (("What did Acme earn?", "More than Globex Corporation. [1]"), "Where is it based?", "Where is Acme based?"),
    (["Where was Ada Lovelace born?", "When did she die?"], "And why is she famous?",
     "And why is Ada Lovelace famous?"),
    (["What is lung cancer?", "Is it treatable?"], "What causes it?", "What causes lung cancer?"),
    # Several in a row
    (["How much did revenue grow in Q3?", "And in Q4?"], "Why?", "Why did revenue grow in Q4?"),
    (["Who is the CEO of Initech?", "And of Globex?"], "And the CFO?", "Who is the CFO of Globex?"),
    ("Who is the CEO of Norrvik?", "Where is it based?", "Where is Norrvik based?"),
    # What is no like of what was asked
    (["What does the travel policy say?", "Who wrote it?"], "What about marketing spend?",
     "What about marketing spend (about: the travel policy say; wrote the travel policy)?"),
    ("Who wrote the travel policy?", "What about the marketing spend?",
     "What about the marketing spend (about: wrote the travel policy)?"),
    ("Who wrote the handbook?", "What about the roadmap?", "Who wrote the roadmap?"),
    (["What is lung cancer?", "great!"], "Is it treatable?", "Is lung cancer treatable?"),
    # What says too little
    ("How do I apply for the Fry Scholarship?", "What are the requirements?",
     "What are the requirements (about: apply for the Fry Scholarship)?"),
    ("How do I apply for the Fry Scholarship?", "How long does it take?",
     "How long does it take (about: apply for the Fry Scholarship)?"),
    (["How do I apply for the Fry Scholarship?", "What are the requirements?"], "Where do I send the form?",
     "Where do I send the form (about: apply for the Fry Scholarship; the requirements)?"),
    (["How do I apply for the Fry Scholarship?", "ok, thanks"], "What are the requirements?",
     "What are the requirements (about: apply for the Fry Scholarship)?"),
    ("Who approved the budget?", "When?", "When (about: approved the budget)?"),
    ("Can I get a parking permit?", "yes", "yes (about: get a parking permit)?"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "question", "expected"), FOLLOW_UPS)
def test_a_follow_up_is_made_to_stand_by_itself(before: Talk | list[Talk], question: str, expected: str) -> None:
    talk = before if isinstance(before, list) else [before]
    assert stand_alone(question, after(*talk)) == expected


ALONE = """\
What did Globex spend on research in 2022?
How many vacation days do interns get in Berlin?
Who wrote Romeo and Juliet?
Where is the parking garage of the Lyon plant?
If my insurance ends and I renew it, what happens to my licence plates?
What is the form that contractors must sign?
Which machines did the auditors inspect before they left the factory?
Is it possible to park a trailer in the visitors' garage?
Wie hoch war der Umsatz der Firma Globex im dritten Quartal?
Quels sont les horaires de la bibliothèque municipale ?
vacation policy for interns
"""


@pytest.mark.parametrize("question", ALONE.splitlines())
def test_a_question_that_stands_by_itself_is_left_alone(question: str) -> None:
    assert stand_alone(question, after(REVENUE, "And in Q4?")) == question


@pytest.mark.parametrize("said", ["thanks!", "ok", "great", "Ok, thanks", "Thank you very much!", "got it", "hello"])
def test_what_asks_nothing_is_left_alone(said: str) -> None:
    assert stand_alone(said, after("What is lung cancer?")) == said


def test_the_first_question_is_left_alone_whatever_it_is() -> None:
    assert stand_alone("And why is it so?", []) == "And why is it so?"


def test_what_comes_after_a_change_of_topic_is_about_the_new_one() -> None:
    talk = after(REVENUE, "Who leads the Berlin office?")
    assert stand_alone("Where is it?", talk) == "Where is the Berlin office?"
    assert stand_alone("And Paris?", talk) == "Who leads the Paris office?"


@pytest.mark.parametrize(
    "question",
    [
        "",
        "   ",
        "?",
        "?!",
        "(about: x)",
        "'",
        "it",
        "and",
        "And?",
        "what about",
        "x" * 5000,
        "it " * 900,
        "\x00\x1b[31m",
        "he's",
        "{1}",
    ],
)
@pytest.mark.parametrize("last", ["?", "What is lung cancer?", "yes", "", "\u202e", "it it it"])
def test_odd_questions_are_no_error(question: str, last: str) -> None:
    made = stand_alone(question, [Exchange(last, last, last)])
    assert isinstance(made, str)
    assert bool(made.strip()) == bool(question.strip())
    assert len(made) <= len(question) + 500


def test_a_long_conversation_does_not_make_questions_longer_and_longer() -> None:
    talk = after("How do I apply for the Fry Scholarship?", *["What are the requirements?", "Why?", "ok"] * 50)
    assert max(len(one.standalone) for one in talk) < 300


def test_rules_are_quick() -> None:
    talk = after(REVENUE, *["And in Q4?", "Why?", "What are the requirements?"] * 300)
    began = time.process_time()
    for _ in range(100):
        stand_alone("How do I apply for it?", talk)
    assert time.process_time() - began < 5
