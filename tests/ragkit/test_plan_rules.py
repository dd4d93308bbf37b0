"""What rules make of questions, kind by kind, and what they leave alone."""

import time

import pytest

from ragkit.plan import Plan
from ragkit.ruleplanner import plan_by_rules

WHOLE = """\
Which tests were chosen for the benchmark, and why are they hard?
What kinds of valves are used in the plant, and how do they lower the pressure?
How does the margin of Acme differ from Globex's, and what are its reasons?
How does the speed of Falcon compare to Heron and other ships?
What are the pros and cons of remote work?
What tasks were used to test Falcon, and what were the results?
What is hypoxia, and how is it treated?
Which is the cheapest, the N200 or the N210?
Who won? How large is it?
Who wrote Romeo and Juliet?
What are the themes of Romeo and Juliet?
Compare supply and demand.
How do supply and demand set prices?
What do the terms and conditions say about refunds?
How much did Acme spend on research and development in 2023?
What did Acme's Research and Development department cost?
How did revenue change between 2010 and 2015?
What happened from 2017 to 2019?
What is the difference between a stack and a queue?
Who directed "The Good, the Bad and the Ugly"?
Who wrote the song 'You and Me and the Moon'?
What did Watson and Crick discover?
Who founded Procter and Gamble?
Which countries border France, Spain and Andorra?
What is the relationship between France and Germany?
When and where was Marie Curie born?
Who approves invoices over 10,000 euros?
What is the name of the ship that Napoleon was sent away on?
Which methods are like BERT, GPT and ELMo?
How do I reset my password and log in again?
What is the capital of France?
Who is the director of Jump for Glory?
What is Corey Taylor's birthplace?
What are the five largest countries in the world?
What was the purpose of the letter that Darwin wrote in 1858?
Explain what inflation is and how it works.
Was ist der Unterschied zwischen Berlin und Hamburg?
Quelle est la capitale de la France et la population de Lyon ?
vacation policy
I had an accident in 2019. What do I need to bring?
LOSSES OF TROOPS AND SHIPS IN THE WAR THAT FRANCE LOST .
Interested in articles on robotics, and motion planning. We are not interested in arms.
"""

SCALING = (
    "Compare our Q3 revenue growth with engineering headcount changes and marketing spend. Are we scaling efficiently?"
)
DIVIDED = {
    # Comparisons
    SCALING: [
        "What is our Q3 revenue growth?",
        "What are engineering headcount changes in Q3?",
        "What is marketing spend in Q3?",
    ],
    "Compare A with B and C.": ["What is A?", "What is B?", "What is C?"],
    "Compare Acme's revenue in 2023 with Globex's.": [
        "What is Acme's revenue in 2023?",
        "What is Globex's revenue in 2023?",
    ],
    "Compare the revenue of Apple and Microsoft in 2023.": [
        "What is the revenue of Apple in 2023?",
        "What is the revenue of Microsoft in 2023?",
    ],
    "Compare the net profit of Acme in 2018 and Globex in 2020. Which company had the higher net profit?": [
        "What is the net profit of Acme in 2018?",
        "What is the net profit of Globex in 2020?",
    ],
    "How does Apple's Q3 revenue compare to Q2?": ["What is Apple's Q3 revenue?", "What is Apple's Q2 revenue?"],
    "What is the difference in revenue between Apple and Microsoft in 2023?": [
        "What is revenue of Apple in 2023?",
        "What is revenue of Microsoft in 2023?",
    ],
    "What is the difference between HTTP and HTTPS?": ["What is HTTP?", "What is HTTPS?"],
    "Is the Eiffel Tower taller than Big Ben?": ["How tall is the Eiffel Tower?", "How tall is Big Ben?"],
    "Are Ann Lee and Bob Ray from the same city?": ["What is the city of Ann Lee?", "What is the city of Bob Ray?"],
    "Who was born first, Ann Lee or Bob Ray?": ["Who was born first, Ann Lee?", "Who was born first, Bob Ray?"],
    # Enumerations and periods
    "Which is cheaper, the N200 or the N210?": ["How cheap is the N200?", "How cheap is the N210?"],
    "Which tool is easier, Go or Rust?": ["How easy is Go?", "How easy is Rust?"],
    "Compare version 1 of the travel policy with version 2": [
        "What is version 1 of the travel policy?",
        "What is version 2 of the travel policy?",
    ],
    "Compare section 1 with section 2 of the handbook": [
        "What is section 1 of the handbook?",
        "What is section 2 of the handbook?",
    ],
    "Compare the revenue of 2024 with that of 2025": ["What is the revenue of 2024?", "What is the revenue of 2025?"],
    "Compare Apple's revenue with that of Intel.": ["What is Apple's revenue?", "What is the revenue of Intel?"],
    "What is the land mass of China, Canada and France?": [
        "What is the land mass of China?",
        "What is the land mass of Canada?",
        "What is the land mass of France?",
    ],
    "What were the revenues of Apple and Microsoft in 2023?": [
        "What were the revenues of Apple in 2023?",
        "What were the revenues of Microsoft in 2023?",
    ],
    "What was Acme's revenue in 2021, 2022 and 2023?": [
        "What was Acme's revenue in 2021?",
        "What was Acme's revenue in 2022?",
        "What was Acme's revenue in 2023?",
    ],
    "How much was revenue in Q3 2024, Q3 2025 and Q1 2026?": [
        "How much was revenue in Q3 2024?",
        "How much was revenue in Q3 2025?",
        "How much was revenue in Q1 2026?",
    ],
    "How does the N200 differ from the N210?": ["What is the N200?", "What is the N210?"],
    "What was Acme's revenue each year from 2019 to 2021?": [
        "What was Acme's revenue in 2019?",
        "What was Acme's revenue in 2020?",
        "What was Acme's revenue in 2021?",
    ],
    "What was Acme's revenue in each quarter of 2023?": [
        f"What was Acme's revenue in Q{number} 2023?" for number in range(1, 5)
    ],
    "How did Acme and Globex perform in 2019 and 2021, respectively?": [
        "How did Acme perform in 2019?",
        "How did Globex perform in 2021?",
    ],
    "How many titles have the following teams won: Reds, Blues and Greens?": [
        "How many titles have Reds won?",
        "How many titles have Blues won?",
        "How many titles have Greens won?",
    ],
    # Several questions
    "What is our travel policy? Who approves trips?": ["What is our travel policy?", "Who approves trips?"],
    "How many engineers are there, and how much is spent on marketing?": [
        "How many engineers are there?",
        "How much is spent on marketing?",
    ],
    "What is revenue, and who is the CFO?": ["What is revenue?", "Who is the CFO?"],
    # After who, `it` is no person
    "Who approved the budget? How large is it? When does it begin?": [
        "Who approved the budget?",
        "How large is the budget?",
        "When does the budget begin?",
    ],
    "Who is the CEO of Norrvik? Where is it based?": ["Who is the CEO of Norrvik?", "Where is Norrvik based?"],
    "Who is Norrvik's CEO? Where is it based?": ["Who is Norrvik's CEO?", "Where is Norrvik based?"],
    "Who chairs Norrvik? What are its goals?": ["Who chairs Norrvik?", "What are Norrvik's goals?"],
    "By whom was the budget approved? How large is it?": [
        "By whom was the budget approved?",
        "How large is the budget?",
    ],
    "Who approved the budget? When did he approve it?": [
        "Who approved the budget?",
        "When did {1} approve the budget?",
    ],
    "Who runs the sales team? When did this team begin?": [
        "Who runs the sales team?",
        "When did the sales team begin?",
    ],
    "Wer hat das gebaut? Was kostet es?": ["Wer hat das gebaut?", "Was kostet es?"],
    "Who are the members of Blackpink and where were they born?": [
        "Who are the members of Blackpink?",
        "Where were {1} born?",
    ],
    "What is Google's video platform and how old are its founders?": [
        "What is Google's video platform?",
        "How old are {1}'s founders?",
    ],
    "List the five largest deserts on Earth and the dominant animals of each.": [
        "List the five largest deserts on Earth",
        "What are the dominant animals of {1}?",
    ],
    "How did Acme grow in 2020, and why did it shrink in 2021?": [
        "How did Acme grow in 2020?",
        "Why did Acme shrink in 2021?",
    ],
    "What is the capital of France and the population of Germany?": [
        "What is the capital of France?",
        "What is the population of Germany?",
    ],
    # Bridges
    "Who is the spouse of the director of Jump for Glory?": [
        "Who is the director of Jump for Glory?",
        "Who is the spouse of {1}?",
    ],
    "who is the spouse of the director of jump for glory": [
        "Who is the director of jump for glory?",
        "who is the spouse of {1}",
    ],
    "Who is the manager of the one that founded Acme?": [
        "What is the one that founded Acme?",
        "Who is the manager of {1}?",
    ],
    "What is the population of the state where Dodge City Regional Airport is located?": [
        "What is the state where Dodge City Regional Airport is located?",
        "What is the population of {1}?",
    ],
    "Who was in charge of the country where the composer of Aschenbrodel was a citizen?": [
        "Who is the composer of Aschenbrodel?",
        "What is the country where {1} was a citizen?",
        "Who was in charge of {2}?",
    ],
    "When was the country that produced Fist Power taken by the British?": [
        "What is the country that produced Fist Power?",
        "When was {1} taken by the British?",
    ],
    "Which region is Corey Taylor's city of birth located in?": [
        "What is Corey Taylor's city of birth?",
        "Which region is {1} located in?",
    ],
    "What river flows through the city Kevin Durant played for?": [
        "What is the city Kevin Durant played for?",
        "What river flows through {1}?",
    ],
    # Sets
    "What law schools did the most recent four Supreme Court justices attend?": [
        "Who are the most recent four Supreme Court justices?",
        "What law schools did {1} attend?",
    ],
    "What is the percentage of Asians in each borough of New York City?": [
        "What is each borough of New York City?",
        "What is the percentage of Asians in {1}?",
    ],
}


@pytest.mark.parametrize("question", WHOLE.splitlines())
def test_one_question_stays_one(question: str) -> None:
    plan = plan_by_rules(question)
    assert plan.simple, [sub.text for sub in plan.sub_questions]
    assert plan.sub_questions[0].text == question
    assert plan.notes == ()


@pytest.mark.parametrize("question", DIVIDED)
def test_several_are_told_apart(question: str) -> None:
    plan = plan_by_rules(question)
    assert [sub.text for sub in plan.sub_questions] == DIVIDED[question]
    for sub in plan.sub_questions:
        assert sub.why
        assert all(f"{{{need}}}" in sub.text for need in sub.depends_on)
        assert ("{" in sub.text) == bool(sub.depends_on)


@pytest.mark.parametrize(
    ("question", "conclusion"),
    [
        ("Compare X Corp with Y Corp. Which is better?", "Which is better?"),
        ("Compare X Corp with Y Corp.", "Compare X Corp with Y Corp."),
        ("What did sales cost in May? What did staff cost in May? What does this tell us?", "What does this tell us?"),
        ("What is our travel policy? Who approves trips?", ""),
        (SCALING, "Are we scaling efficiently?"),
    ],
)
def test_what_is_judged_is_not_looked_up(question: str, conclusion: str) -> None:
    plan = plan_by_rules(question)
    assert plan.conclusion == conclusion
    assert conclusion not in [sub.text for sub in plan.sub_questions]
    assert len(plan.sub_questions) == (3 if question == SCALING else 2)


def test_each_of_a_set_is_marked() -> None:
    def each(plan: Plan) -> list[bool]:
        return [sub.each for sub in plan.sub_questions]

    assert each(plan_by_rules("What is the population of the five most populous cities in India?")) == [False, True]
    assert each(plan_by_rules("Who is the spouse of the director of Jump for Glory?")) == [False, False]


@pytest.mark.parametrize(
    "question",
    ["", "   ", "?", "??? ?", "and", "{1}", "of the", "Compare", "each of", "Who's", "the " * 400, "a, b and c? " * 60],
)
def test_anything_can_be_asked(question: str) -> None:
    assert plan_by_rules(question).sub_questions


def test_rules_are_fast() -> None:
    questions = [*WHOLE.splitlines(), *DIVIDED]
    plan_by_rules(questions[0])
    began = time.process_time()
    for question in questions:
        plan_by_rules(question)
    assert (time.process_time() - began) / len(questions) < 0.01  # measured: 0.5 ms
