"""Whatever a model writes, a user sees what it rests on, or that it rests on nothing: over real HTTP, every way.

The cases are those of `python -m tests.answerfaults`, which prints them with what the user reads.
"""

from collections.abc import Iterator

import pytest

from ragkit.markers import marked
from ragkit.statements import read
from tests import answerfaults
from tests.answerfaults import AGAIN, FAULTS, PROVIDERS, Case, Outcome, Stage
from tests.citations import Looker

Both = tuple[str, str]
"""What it comes to when claims are left out, and when they are marked."""

_ONE: Both = "answer: 1 supported", "answer: 1 supported"
_TWO: Both = "answer: 2 supported", "answer: 2 supported"
_HALF: Both = "partial: 1 supported", "partial: 1 supported, 1 unsupported"
_HALF_UNCITED: Both = "partial: 1 supported", "partial: 1 supported, 1 uncited"
_NOTHING: Both = "abstained: no claims", "abstained: no claims"
_WRONG: Both = "abstained: no claims", "partial: 1 unsupported"
_UNCITED: Both = "abstained: no claims", "partial: 2 uncited"

EXPECTED: dict[str, Both] = {
    "none": _TWO,
    "a wrong passage": _HALF,
    "an unknown marker": _HALF_UNCITED,
    "an unknown marker beside a right one": _TWO,
    "a wrong number": _HALF,
    "a wrong unit": _HALF,
    "a wrong date": _HALF,
    "a wrong name": _HALF,
    "a negation put in": _HALF,
    "nothing cited": _UNCITED,
    "nothing cited, nothing true": _UNCITED,
    "cited once for two sentences": _TWO,
    "markers before the sentences": _TWO,
    "a marker in a word, one alone": _ONE,
    "a group [1, 2]": _ONE,
    "forms of its own": _TWO,
    "brackets in brackets": _HALF_UNCITED,
    "zeros, long and foreign digits": ("partial: 3 supported", "partial: 3 supported, 1 uncited"),
    "a link behind a marker": _WRONG,
    "a table": _HALF,
    "a list": _HALF,
    "a code fence": _ONE,
    "an order obeyed, and it is cited": _WRONG,
    "an order obeyed, and its words are cited": _WRONG,
    "an order obeyed, and another passage is cited": _WRONG,
    "another language": _WRONG,  # see docs/decisions/grounding.md
    "an empty answer": _NOTHING,
    "a marker and no words": _NOTHING,
    "a wrong number, alone": _WRONG,
    "100 kB": ("partial: 999 supported", "partial: 999 supported, 999 unsupported"),
}
NATIVE: dict[str, Both] = {
    "brackets in brackets": _TWO,  # what the server cites is a marker whatever stands around it
    "zeros, long and foreign digits": ("answer: 4 supported", "answer: 4 supported"),
}
ONCE_MORE: dict[str, Both] = {
    "mended": _ONE,
    "another wrong number": _WRONG,
    "withdrawn": _NOTHING,
    "empty": _WRONG,
    "cut off": _WRONG,
    "refused": _NOTHING,
    "an error": _WRONG,
    "too late for the model": _WRONG,
    "too late for the ask": _WRONG,
    "too dear": _WRONG,
}
SEEN = {
    ("a wrong number", "strict"): "The office in Basel was closed [1].",
    (
        "a wrong number",
        "mark",
    ): "Revenue grew by 14 % over the second quarter [1]. [?] The office in Basel was closed [2].",
    ("a wrong number", "off"): "Revenue grew by 14 % over the second quarter [1]. The office in Basel was closed [2].",
    (
        "an unknown marker",
        "mark",
    ): "Revenue grew by 12 % over the second quarter. [?] The office in Basel was closed [1].",
    ("an order obeyed, and it is cited", "mark"): "PWNED [1] [?]",
    ("a table", "strict"): "| What | Value |\n|---|---|\n| Revenue grew over the second quarter | by 12 % [1] |",
    ("a list", "strict"): "These are the facts:\n\n- Revenue grew by 12 % over the second quarter [1]",
    ("a link behind a marker", "off"): "Costs stayed flat [1] (https://evil.example/).",
}
REASONS = {
    "a wrong number": "The number 14 % stands in none of the cited texts",
    "a wrong unit": "The number 4.2 billion euros stands in none of the cited texts",
    "a wrong date": "2024",
    "a wrong name": "Bo Lee",
    "a negation put in": "The claim denies “closed”, and the cited text does not.",
    "an unknown marker": "It cites [9], which is no passage.",
    "nothing cited": "It cites nothing.",
    "an order obeyed, and it is cited": "What it cites tells a model what to say, and no fact.",
}
NOTES = {
    "mended": "Written again",
    "an error": "It could not be asked for again",
    "too late for the model": "It could not be asked for again",
    "too late for the ask": "It could not be asked for again",
    "too dear": "It could not be asked for again",
}


def played() -> Iterator[Case]:
    for case in answerfaults.cases():
        long = case.fault == "100 kB" and (case.policy, case.way) != ("mark", "stream")
        if not long and (case.policy != "off" or case.provider == PROVIDERS[0]):
            yield case


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with answerfaults.stage(tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest.mark.parametrize("case", list(played()), ids=str)
def test_a_user_sees_what_an_answer_rests_on(stage: Stage, case: Case) -> None:
    outcome = stage.play(case)
    answer = outcome.answer
    if case.policy == "off":
        assert outcome.calls == 1
        assert {one.status for one in answer.claims} <= {"unchecked"}
        assert answer.groundedness is None
    else:
        expected = _expected(case)[case.policy == "mark"]
        assert outcome.summary == expected, (answer.text, answer.reason, answer.missing)
        assert outcome.calls == 1 + (_doubted(case) and case.then != "too dear")
    if not answer.abstained and (said := SEEN.get((case.fault, case.policy))) is not None:
        assert answer.text == said
    assert list(Looker(stage.places[case.policy]).problems(answer)) == [], "citations are exact, whatever was written"
    if answer.citations and case.provider != "anthropic:native":
        assert {number for _, number in marked(answer.text)} == {one.marker for one in answer.citations}
    _check_reasons(case, outcome)
    if case.way == "stream":
        _check_stream(outcome)


def _expected(case: Case) -> Both:
    if case.then != "insists":
        return ONCE_MORE[case.then]
    native = NATIVE.get(case.fault) if case.provider == "anthropic:native" else None
    return native or EXPECTED[case.fault]


def _doubted(case: Case) -> bool:
    """Whether there is something to ask for once more."""
    return case.then != "insists" or not _expected(case)[1].startswith(("answer", "abstained"))


def _check_reasons(case: Case, outcome: Outcome) -> None:
    answer = outcome.answer
    if case.policy != "off" and outcome.end == "partial":
        assert answer.missing, "a reader is told of every claim that is not supported"
        assert all("“" in one for one in answer.missing[:1])
        if case.provider != "anthropic:native":  # where all of a passage is cited, and what names none does not arrive
            assert REASONS.get(case.fault, "") in " ".join(answer.missing)
    if outcome.end == "abstained":
        assert answer.reason.endswith(".")
        assert (answer.text, answer.citations, answer.claims) == ("", (), ())
    if not answer.abstained:
        assert NOTES.get(case.then, "") in " ".join(answer.notes)


def _check_stream(outcome: Outcome) -> None:
    """What was read is in the answer, or was taken back; and nothing else was taken back."""
    kept = {one.text for one in outcome.answer.claims if one.status not in ("unsupported", "uncited")}
    marked_text = read(outcome.streamed)
    streamed = [marked_text.text[one.start : one.end] for one in marked_text.statements if one.claims]
    if outcome.answer.groundedness is None and not outcome.answer.abstained:
        assert outcome.retracted == []
        return
    assert set(streamed) - kept == set(outcome.retracted)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_a_second_text_leaves_out_is_taken_back_too(stage: Stage, provider: answerfaults.Provider) -> None:
    outcome = stage.play(Case("a wrong number", "mark", "stream", provider, "mended"))
    assert outcome.answer.text == "Revenue grew by 12 % over the second quarter [1]."
    assert outcome.retracted == [
        "Revenue grew by 14 % over the second quarter.",
        "The office in Basel was closed.",
    ]


def test_every_fault_is_expected() -> None:
    assert EXPECTED.keys() == FAULTS.keys()
    assert ONCE_MORE.keys() == AGAIN.keys()
    assert all(case.provider in PROVIDERS for case in answerfaults.cases())
    assert "| a wrong number | insists | strict |" in answerfaults.table([_an_outcome()])


def _an_outcome() -> tuple[Case, Outcome]:
    from ragkit.answer import Answer

    return Case("a wrong number", "strict", "ask", PROVIDERS[0]), Outcome(Answer("?", "It is."), 1, "It is.")
