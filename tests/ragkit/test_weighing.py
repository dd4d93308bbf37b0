"""Which sentence answers: by the period, the kind of figure, the role, the edition, and how many it takes."""

import pytest

from ragkit.candidates import candidates
from ragkit.editions import superseded
from ragkit.extractive import extract
from ragkit.indexes.analyzer import Analyzer
from ragkit.model import Passage
from ragkit.periods import fit, periods
from ragkit.roles import in_role
from ragkit.stated import states
from ragkit.statements import read
from ragkit.weighing import question_of, weighed


def said(question: str, *texts: str | tuple[str, str]) -> str:
    pairs = (("", text) if isinstance(text, str) else text for text in texts)
    return extract(question, [Passage(number, title, text) for number, (title, text) in enumerate(pairs, 1)]).text


OLD = ("Report, third quarter of 2024", "Turnover was 16.4 million euros in the third quarter of 2024. We moved.")
NEW = (
    "Report, third quarter of 2025",
    "Turnover was 18.4 million euros, 12 % above the third quarter of 2024. We grew.",
)


def test_a_sentence_of_another_period_loses_to_one_whose_title_has_the_right_one() -> None:
    assert said("How much was turnover in the third quarter of 2025?", OLD, NEW) == (
        "Turnover was 18.4 million euros, 12 % above the third quarter of 2024. [2]"
    )
    assert said("How much was turnover in the third quarter of 2024?", NEW, OLD) == (
        "Turnover was 16.4 million euros in the third quarter of 2024. [2]"
    )


def test_a_quarter_is_the_same_however_it_is_written() -> None:
    table = "Quarter: Q1 2025 | Turnover: 7.0\nQuarter: Q2 2025 | Turnover: 7.2\nQuarter: Q2 2024 | Turnover: 6.8"
    assert said("How much was turnover in the second quarter of 2025?", table) == "Quarter: Q2 2025 | Turnover: 7.2 [1]"


def test_a_year_that_is_asked_for_is_no_quarter_of_it() -> None:
    quarter = "Million euros | Q1 2025 | Q1 2024\nOperating result | 2.1 | 1.9"
    year = "Million euros | 2025 | 2024\nOperating result | 8.9 | 7.2"
    assert said("What was the operating result in 2025?", quarter, year).endswith("Operating result | 8.9 | 7.2 [2]")


def test_who_asks_when_is_told_other_years() -> None:
    assert "2031" in said("When does the lease of 2021 end?", "The lease of 2021 ends on 3 May 2031. It is long.")


@pytest.mark.parametrize(
    ("own", "around", "low", "high"),
    [
        ("In 2025 sales rose.", "", 1, 1),
        ("Sales rose.", "Report 2025", 0.5, 0.9),
        ("Sales rose.", "", 0, 0),
        ("Sales rose.", "Report 2024", -0.9, -0.5),
        ("Sales rose in 2024.", "Report 2025", -1, -1),
        ("Sales rose, 5 % above those of 2024.", "Report 2025", 0.5, 0.9),
        ("In March sales rose.", "Report 2024", -1, -0.5),
    ],
)
def test_how_well_a_sentence_fits_the_period(own: str, around: str, low: float, high: float) -> None:
    assert low <= fit(periods("How did sales develop in 2025?"), periods(own), periods(around)) <= high


def test_periods_are_read_in_their_forms() -> None:
    text = "Q3 2025, the first quarter of 2024, September 2023, 2022-11-05 and 2021; it may cost 2020 euros"
    assert [(one.year, one.quarter, one.month) for one in periods(text)] == [
        (2025, 3, 0), (2024, 1, 0), (2023, 3, 9), (2022, 4, 11), (2021, 0, 0),
    ]  # fmt: skip


def test_who_asks_how_much_something_is_wants_no_percentage() -> None:
    text = "Turnover of the shop rose by 5 %. Turnover of the shop was 300 euros."
    assert said("How much was the turnover of the shop?", text).startswith("Turnover of the shop was 300 euros. [1]")
    assert said("How much did the turnover of the shop grow?", text).startswith("Turnover of the shop rose by 5 %. [1]")


def test_what_is_stated_leads_before_what_is_only_mentioned() -> None:
    text = "Rent per head went from 115 to 122 euros. Rent was 9,000 euros."
    assert said("How much was rent?", text).startswith("Rent was 9,000 euros. [1]")
    assert states("What is the rent in Utrecht?", "Rent | 9,000 | 8,000")
    assert not states("What is the rent in Utrecht?", "Rent rises every year.")


def test_who_heads_something_is_told_by_a_name_beside_the_role() -> None:
    text = "The headcount of engineering grew. Ruth Vermeer leads engineering. Engineering has 57 heads."
    assert said("Who is the head of engineering?", text) == "Ruth Vermeer leads engineering. [1]"
    own = "The storage team owns the archive. Leads from partners are cheap. Storage (Jan Vermeer) runs the archive."
    assert said("Who is responsible for the archive?", own) == "Storage (Jan Vermeer) runs the archive. [1]"
    assert not in_role("Qualified leads | 1,240")


def test_a_newer_edition_comes_before_the_one_it_replaces() -> None:
    first = ("Travel policy, version 1", "A night in a hotel may cost 130 euros. Book early.")
    second = ("Travel policy, version 2", "A night in a hotel costs 160 euros at most. Book late.")
    assert said("How much may a night in a hotel cost?", first, second).splitlines() == [
        "Sources differ:",
        "",
        "A night in a hotel costs 160 euros at most. [2]",
        "A night in a hotel may cost 130 euros. [1]",
    ]
    assert said("How much could a night in a hotel cost by version 1?", first, second).startswith(
        "A night in a hotel may"
    )


def test_only_titles_that_say_so_make_an_edition_old() -> None:
    titles = [
        "Plan (version 1)", "Plan (version 2)", "Budget 2026, draft of October 2025", "Budget 2026, revised in March",
        "Minutes, 14 October 2025", "Minutes, 9 December 2025", "Price list 2024", "Price list 2025", "Report 2024",
        "Report 2025", "Other plan (version 0)", "",
    ]  # fmt: skip
    old = {"Plan (version 1)", "Budget 2026, draft of October 2025", "Price list 2024"}
    assert superseded("What does it cost?", titles) == old
    assert superseded("What did the draft say?", titles) == frozenset()


def test_two_counts_of_one_thing_are_shown_as_a_conflict_though_worded_differently() -> None:
    mail = ("Incident of 18 September: alerts were late", "23 customers were affected. All were told.")
    review = ("Review of the incident of 18 September", "27 customers got alerts late.")
    text = said("How many customers were affected by the late alerts of 18 September?", mail, review)
    assert text.splitlines()[0] == "Sources differ:"
    assert set(text.splitlines()[2:]) == {"23 customers were affected. [1]", "27 customers got alerts late. [2]"}


def test_a_count_of_a_part_or_of_another_day_is_no_conflict() -> None:
    mail = ("Incident of 18 September: alerts were late", "23 customers were affected. All were told.")
    part = ("Review of the incident of 18 September", "Alerts were late for 4 customers more.")
    other = ("Incident of 3 May: alerts were late", "27 customers were affected.")
    for second in (part, other):
        assert "differ" not in said("How many customers were affected by late alerts on 18 September?", mail, second)


def test_rows_that_say_their_columns_need_no_head_and_others_bring_it() -> None:
    labelled = "Service | Owner\nService: gateway | Owner: Jan\nService: storage | Owner: Ruth"
    assert said("Who is the owner of storage?", labelled) == "Service: storage | Owner: Ruth [1]"
    words = "Light | Meaning\nyellow | no gateway\nred | no power"
    assert said("What does the red light mean?", words).endswith("red | no power [1]")


def test_a_row_is_about_its_first_cell() -> None:
    rows = "service: gateway | language: Go | needs: storage\nservice: storage | language: Rust | needs: none"
    passages = [Passage(1, "", rows)]
    analyzer = Analyzer()
    known = candidates(passages, analyzer)
    ranked = weighed(question_of("Which language is storage written in?", known, analyzer), known)
    assert ranked[0].said.text.startswith("service: storage | language: Rust")


def test_the_title_of_a_document_is_no_answer() -> None:
    title = "Report on the third quarter of 2025"
    text = f"{title}\n\nThe margin rose because service earns more."
    assert title not in said("Why did the margin rise in the third quarter of 2025?", (title, text))


def test_what_has_far_lower_odds_is_not_added() -> None:
    text = "The interest of the loan is 4.1 %. The loan was signed in Delft. Norrvik pays no dividend. Tea is free."
    assert said("Which interest do we pay on the loan?", text) == "The interest of the loan is 4.1 %. [1]"


@pytest.mark.parametrize(
    ("question", "passages"),
    [
        ("When was the guild founded?", (("Anna Vermeer asks about September", "She founded the guild in 1650."),)),
        (
            "How much is the allowance?",
            (("", "The allowance is 50 EUR per day."), ("", "The allowance is 60 EUR per day.")),
        ),
        (
            "Where does the journal write of alerts?",
            (("", "The alerts in Delft were late."), ("", "the journal wants to write.")),
        ),
    ],
)
def test_each_sentence_that_is_said_stands_word_for_word_in_what_it_cites(
    question: str, passages: tuple[tuple[str, str], ...]
) -> None:
    given = [Passage(number, title, text) for number, (title, text) in enumerate(passages, 1)]
    reply = extract(question, given)
    marked = read(reply.text, reply.quotes)
    claimed = [one for one in marked.statements if one.claims]
    assert claimed
    for one in claimed:
        quoted = [
            given[mark.quote.number - 1].text[mark.quote.start : mark.quote.end] for mark in one.marks if mark.quote
        ]
        assert quoted
        assert all(marked.text[one.start : one.end] == text for text in quoted)
