"""Whether passages hold an answer, what they lack, and how an abstention reads."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ragkit
from ragkit.abstention import (
    Abstention,
    filtered_out,
    found_nothing,
    not_enough,
    not_routed,
)
from ragkit.collection import Collection, collection_of
from ragkit.enough import Evidence, Weights, shipped, weigh
from ragkit.indexes.analyzer import Analyzer
from ragkit.indexes.domain import Domain
from ragkit.indexes.hit import Hit
from ragkit.kinds import holds
from ragkit.looked import look
from ragkit.sought import Date, Name, dates_in, seek

REPORT = (
    "Orbital was founded in 1999 in Oslo. In March 2020, Orbital paid a dividend of $5 million to its shareholders. "
    "In May 2021, the company opened a plant in Bergen. Its board met twice."
)
OTHER = "Lumina sells lamps. In March 2021, Lumina paid a dividend of $7 million."


def hit(text: str, title: str, cosine: float = 0.6, words: float = 8.0, rank: int = 1, uri: str = "") -> Hit:
    return Hit(
        rank, cosine, "finance", uri or f"{title}.md", title, 100, 100 + len(text), text, (3,), ("Results",),
        (100, 100 + len(text)), {"bm25": words, "vector": cosine},
    )  # fmt: skip


HITS = (hit(REPORT, "Orbital report", 0.7, 9.0), hit(OTHER, "Lumina report", 0.5, 6.0, 2))


def collection(question: str, texts: Sequence[str] = (REPORT, OTHER), passages: int = 50) -> Collection:
    analyzer = Analyzer()
    held = [set(analyzer.terms(f"report Orbital Lumina {text}")) for text in texts]
    frequency = {term: sum(term in one for one in held) for term in analyzer.terms(question)}
    return Collection(("finance",), passages, frozenset({"all-MiniLM-L6-v2@1"}), analyzer, frequency)


def evidence(question: str, hits: Sequence[Hit] = HITS) -> Evidence:
    return weigh(question, hits, collection(question))


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who founded Orbital?", "person"),
        ("When was Orbital founded?", "date"),
        ("In what year did the French reach Alsace?", "date"),
        ("How much did Orbital pay?", "amount"),
        ("What was the dividend of Orbital?", "amount"),
        ("What were the impacts of the debt restructuring?", "other"),
        ("What percentage of equity did it acquire?", "share"),
        ("How many plants are there?", "count"),
        ("Where is the plant?", "place"),
        ("Why did it close?", "reason"),
        ("How does it work?", "way"),
        ("Is Orbital listed?", "yes-no"),
        ("Compare Orbital and Lumina.", "comparison"),
        ("Which company had a higher profit?", "comparison"),
        ("Which company did it enter an agreement with?", "other"),
        ("List the plants.", "list"),
        ("What is DNA?", "definition"),
        ("net sales by region", "other"),
    ],
)
def test_a_question_seeks_a_kind_of_thing(question: str, kind: str) -> None:
    assert seek(question).kind == kind


def test_names_are_runs_of_capitals_without_their_legal_form_each_with_its_own_dates() -> None:
    found = seek("Compare the profits of AccuTech Solutions Inc. in May 2019 and Evergreen Goods Co. in 2017.")
    assert found.names == (
        Name("AccuTech Solutions", "AccuTech Solutions Inc.", (Date(2019, 5),)),
        Name("Evergreen Goods", "Evergreen Goods Co.", (Date(2017, None),)),
    )


def test_a_role_and_its_company_are_two_names_and_a_bank_of_england_is_one() -> None:
    assert [one.text for one in seek("Who became CEO of Retail Emporium?").names] == ["CEO", "Retail Emporium"]
    assert [one.text for one in seek("What does the Bank of England set?").names] == ["Bank England"]


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("In August 2021 it rose", [Date(2021, 8)]),
        ("on March 5, 2020", [Date(2020, 3)]),
        ("since 2021-03-04", [Date(2021, 3)]),
        ("In December, it fell", [Date(None, 12)]),
        ("it may march on", []),
        ("May be", []),
        ("sold 2021.5 tons", []),
    ],
)
def test_dates_are_as_exact_as_they_are_written(text: str, dates: list[Date]) -> None:
    assert list(dates_in(text)) == dates


def test_what_cannot_be_told_is_taken_as_there() -> None:
    assert holds("other", "nothing")
    assert holds("amount", "it paid $5 million")
    assert not holds("amount", "it paid its debts")
    assert holds("date", "In December, it was sold.")
    assert not holds("date", "It was sold.")


@given(st.text(max_size=200))
def test_no_question_breaks_the_rules(question: str) -> None:
    seek(question)
    weighed = evidence(question)
    assert 0 <= weighed.score <= 1
    assert weighed.lacking or weighed.enough


def test_what_stands_together_in_one_place_is_enough() -> None:
    found = evidence("What dividend did Orbital pay in March 2020?")
    assert found.enough
    assert found.closest is not None
    assert found.closest.quote.startswith("In March 2020, Orbital paid")
    assert not found.lacking


def test_the_closest_place_is_a_range_of_its_document() -> None:
    closest = evidence("What dividend did Orbital pay in March 2020?").closest
    assert closest is not None
    assert REPORT[closest.start - 100 : closest.end - 100] == closest.quote


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("What dividend did Zorblax pay in March 2020?", "“Zorblax” stands nowhere in finance"),
        ("What dividend did Orbital pay in March 2021?", "no place names “Orbital” together with March 2021"),
        ("What dividend did Orbital pay in June 2018?", "no place names “Orbital” together with June 2018"),
        ("What did Orbital say of lamps?", "no passage about “Orbital” speaks of “lamps”"),
        ("What percentage of the board of Orbital met?", "no percentage stands near “board”"),
    ],
)
def test_what_is_lacking_is_said(question: str, why: str) -> None:
    assert why in evidence(question).lacking


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("What dividend did Orbital pay in March 2020?", "What dividend did Orbital pay in March 2018?"),
        ("What dividend did Orbital pay in March 2020?", "What dividend did Zorblax pay in March 2020?"),
        ("Where did Orbital open a plant?", "Where did Lumina open a plant?"),
        ("When was Orbital founded?", "When was Lumina founded?"),
    ],
)
def test_another_name_or_date_makes_it_less_probable(good: str, bad: str) -> None:
    assert evidence(good).score > evidence(bad).score


def test_a_comparison_needs_both() -> None:
    both = evidence("Compare the dividends of Orbital in 2020 and Lumina in 2021.")
    one = evidence("Compare the dividends of Orbital in 2020 and Zorblax in 2021.")
    assert both.score > one.score
    assert "“Zorblax” stands nowhere in finance" in one.lacking


def test_without_passages_nothing_is_enough() -> None:
    found = evidence("What dividend did Orbital pay?", ())
    assert (found.score, found.enough, found.closest) == (0.0, False, None)
    assert found.lacking == ("no passage was found",)


def test_a_question_without_a_word_is_never_answered() -> None:
    found = evidence("What is it?")
    assert not found.enough
    assert found.lacking == ("the question holds no word to look for",)


def test_an_application_may_ask_for_more() -> None:
    question = "What dividend did Orbital pay in March 2020?"
    assert weigh(question, HITS, collection(question)).enough
    strict = weigh(question, HITS, collection(question), least=1.0)
    assert not strict.enough
    assert strict.lacking


def test_cosines_of_an_embedder_that_was_not_learnt_from_are_not_used() -> None:
    question = "What dividend did Orbital pay in March 2020?"
    other = replace(collection(question), embedders=frozenset({"hash-256@1"}))
    unlike = [replace(one, parts={**one.parts, "vector": 0.0}) for one in HITS]
    assert weigh(question, HITS, other).score == pytest.approx(weigh(question, unlike, other).score, abs=0.1)
    assert weigh(question, HITS, other).enough


def test_hits_of_words_alone_are_weighed_too() -> None:
    question = "What dividend did Orbital pay in March 2020?"
    hits = [replace(one, parts={"bm25": 9.0}) for one in HITS]
    assert weigh(question, hits, collection(question)).enough


def test_a_year_of_the_title_holds_for_every_line_below_it() -> None:
    question = "What dividend did Orbital pay in 2020?"
    text = "Orbital paid a dividend of $5 million."
    dated = look(question, [hit(text, "Orbital report 2020")], collection(question)).anchors[0].dated
    undated = look(question, [hit(text, "Orbital report")], collection(question)).anchors[0].dated
    assert (dated, undated) == (1.0, 0.0)


@pytest.mark.parametrize(
    "question", ["What is meant by ERR_42?", "Explain ERR_42", "What does ERR_42 stand for?", "Define ERR_42."]
)
def test_words_by_which_one_asks_need_not_be_found(question: str) -> None:
    found = (hit("ERR_42: a sensor sends with an expired certificate.", "Errors", cosine=0.5),)
    known = collection(question, (found[0].text, REPORT, OTHER))
    assert weigh(question, found, known).signs["hit"] == 1
    assert weigh(question, found, known).enough


def test_words_of_one_family_count_in_part() -> None:
    question = "What did Orbital acquire?"
    near = look(question, [hit("The acquisition of Lumina by Orbital.", "News")], collection(question)).anchors[0]
    far = look(question, [hit("The board of Orbital met.", "News")], collection(question)).anchors[0]
    assert 0 < near.sentence < 1
    assert far.sentence == 0


def test_a_table_row_is_a_place() -> None:
    question = "What was the revenue of Orbital in 2020?"
    table = "Company | Year | Revenue\nOrbital | 2019 | $4 million\nOrbital | 2020 | $6 million\n"
    best = look(question, [hit(table, "Orbital revenue")], collection(question)).anchors[0].best
    assert best is not None
    assert best.place.text.strip() == "Orbital | 2020 | $6 million"


def test_rarity_is_counted_over_all_that_was_searched(tmp_path: Path) -> None:
    workspace = ragkit.open(tmp_path / "ws")
    workspace.add_domain("finance", embedder="hash")
    (tmp_path / "in").mkdir()
    for number in range(6):
        (tmp_path / "in" / f"{number}.txt").write_text(
            f"Report {number} of the year. {'Orbital' if number < 2 else ''}"
        )
    workspace.ingest(tmp_path / "in", "finance")
    domain = Domain(workspace.path / ".ragkit" / "domains" / "finance", "finance")
    found = collection_of([domain], "What is the report on Orbital and Zorblax?")
    assert found.passages == 6
    assert dict(found.frequency) == {"report": 6, "orbit": 2, "zorblax": 0}
    assert found.weight("zorblax") > found.weight("orbit") > found.weight("report")
    assert found.embedders == frozenset({"hash-256@1"})
    hits = workspace.search("report on Orbital", ["finance"], k=4)
    assert weigh(
        "What is the report on Orbital?", hits, collection_of([domain], "What is the report on Orbital?")
    ).closest


def test_nothing_is_known_of_no_domain() -> None:
    found = collection_of([], "What is Orbital?")
    assert (found.passages, found.names) == (0, ())
    assert not weigh("What is Orbital?", (), found).enough


def test_the_weights_that_ship_say_what_they_were_learnt_from_and_none_is_negative() -> None:
    weights = shipped()
    assert weights.learnt["command"].startswith("python -m tests.abstention")
    assert "CC BY" in weights.learnt["from"]
    for scorer in (weights.vectors, weights.words):
        assert min(*scorer.about.weights.values(), *scorer.said.weights.values()) >= 0
    assert not any("cosine" in name for name in weights.words.about.weights)
    assert Weights.model_validate(json.loads(files("ragkit").joinpath("enough.json").read_text("utf-8"))) == weights


SIGNS = tuple(evidence("What dividend did Orbital pay in March 2020?").signs)


@given(st.fixed_dictionaries({name: st.floats(0, 1) for name in SIGNS}), st.sampled_from(SIGNS))
def test_more_of_a_sign_never_speaks_against_an_answer(signs: Mapping[str, float], name: str) -> None:
    for scorer in (shipped().vectors, shipped().words):
        assert scorer.score({**signs, name: 1.0}) >= scorer.score(signs) - 1e-12


def abstentions() -> list[Abstention]:
    lacked = evidence("What dividend did Zorblax pay in March 2020?")
    return [
        not_routed(("finance", "law"), "The nearest is finance."),
        filtered_out(("finance",), 1200, {"year": 2030}),
        found_nothing(("finance", "law"), 1200),
        not_enough(("finance",), 1, lacked),
    ]


def test_each_reason_reads_differently() -> None:
    said = abstentions()
    assert [one.reason for one in said] == [
        "not routed",
        "filtered out",
        "found nothing",
        "not enough evidence",
    ]
    assert len({one.text for one in said}) == len({one.text.split()[0:4].__repr__() for one in said}) == 4


def test_an_abstention_says_what_was_searched() -> None:
    astray, filtered, nothing, short = (one.text for one in abstentions())
    assert "finance, law" in astray
    assert "To ask one of them anyway, name it." in astray
    assert "The filter year=2030 leaves nothing of the 1,200 passages of finance" in filtered
    assert "the 1,200 passages of finance, law" in nothing
    assert "the 1 passage of finance was searched" in short


def test_what_came_closest_is_named_by_title_heading_and_page_and_why_it_was_not_enough() -> None:
    short = abstentions()[-1]
    assert (
        "Closest came Orbital report, Results, page 3 (Orbital report.md): “In March 2020, Orbital paid" in short.text
    )
    assert "It is not enough: “Zorblax” stands nowhere in finance." in short.text
    assert short.closest is not None
    assert short.score is not None


def test_a_long_place_is_shortened_and_a_bare_one_is_named_by_its_uri() -> None:
    question = "What dividend did Orbital pay in March 2018?"
    text = f"Orbital paid a dividend {'of some kind ' * 40}."
    bare = replace(hit(text, "", uri="a/b.txt"), headings=(), pages=())
    said = not_enough(("finance",), 9, weigh(question, [bare], collection(question))).text
    assert "Closest came a/b.txt: “Orbital paid" in said
    assert len(said) < 500
