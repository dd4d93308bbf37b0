"""Whatever goes wrong with a model ends as it should, after as many calls as it should: both providers, every way.

The cases are those of `python -m tests.faulttable`, which prints them with what the user reads.
"""

import traceback
from collections.abc import Iterator

import pytest

from tests import faulttable
from tests.faulttable import BASE, FAULTS, FORMS, KEY, LATER, RESULT, TOOLS, WELL, Case, Outcome, Stage
from tests.wire import Turn

HANGS = 60.0
"""Seconds that nothing takes here; who would wait as long as a server says takes 600."""

assert LATER > 2 * BASE, "or it would pass without Retry-After"

Row = tuple[str, str, str, str]
_TRIED: Row = "answer 2", "? 4", "answer 2", "? 4"
_FINAL: Row = "? 1", "? 1", "? 1", "? 1"
_CUT: Row = "answer 2", "? 4", "partial 1", "partial 1"
"""What a reader has seen is not said again: a stream that broke off is not asked for a second time."""


def row(form: Row, kind: str) -> Row:
    whole_once, whole_always, once, always = (one.replace("?", kind) for one in form)
    return whole_once, whole_always, once, always


ASKED: dict[str, Row | dict[str, Row]] = {  # whole: once, always; streamed: once, always
    "429, Retry-After 0.05 s": row(_TRIED, "rate"),
    "429, Retry-After 600 s": row(_FINAL, "rate"),
    "429": row(_TRIED, "rate"),
    "no money left": row(_FINAL, "request"),
    "500": row(_TRIED, "server"),
    "overloaded (529, 503)": row(_TRIED, "overloaded"),
    "a gateway's page (502)": row(_TRIED, "server"),
    "the first byte is late, in time": row(_FINAL, "answer"),
    "the first byte is too late": row(_TRIED, "timeout"),
    "reset before the first byte": row(_TRIED, "connection"),
    "reset in the middle": row(_CUT, "connection"),
    "closed in the middle": row(_CUT, "broken"),
    "ended in the middle": row(_CUT, "broken"),
    "invalid JSON": row(_CUT, "broken"),
    "an error instead of the rest": {"anthropic": row(_CUT, "overloaded"), "openai": row(_CUT, "server")},
    "an answer without content": row(_FINAL, "abstained"),
    "no choices": {"anthropic": row(_FINAL, "abstained"), "openai": row(_TRIED, "broken")},
    "the limit of tokens": row(_FINAL, "partial"),
    "refusal": row(_FINAL, "abstained"),
    "content filter": row(_FINAL, "abstained"),
    "context length": row(_FINAL, "context"),
    "400": row(_FINAL, "request"),
    "400 that quotes the key": row(_FINAL, "request"),
    "401": row(_FINAL, "key"),
    "404": row(_FINAL, "request"),
}
IN_ORDER: dict[str, str | dict[str, str]] = {
    "form: none": "answer 1",
    "form: another form, then the right one": "answer 2",
    "form: another form, twice": "schema 2",
    "form: no JSON, then the right form": "answer 2",
    "form: cut off at the limit of tokens, then whole": "answer 2",
    "form: invalid JSON as the body, then the right form": "answer 2",
    "form: 500, another form, 429, the right form": "answer 4",
    "form: refusal": "refusal 1",
    "form: context length": "context 1",
    "form: a server that knows no schema, then the right form": {"anthropic": "request 1", "openai": "answer 2"},
    "tools: none: a call, its result, an answer": "answer 2",
    "tools: 500 before the call, reset before the answer": "answer 4",
    "tools: arguments that are no JSON, then a call": "answer 3",
    "tools: context length, at the result": "context 2",
}


def expected(case: Case) -> str:
    if case.way in faulttable.ASKED:
        if case.times == "–":
            return "answer 1"
        rows = ASKED[case.fault]
        its = rows[case.provider] if isinstance(rows, dict) else rows
        return its[2 * (case.way == "streamed") + (case.times == "always")]
    ends = IN_ORDER[f"{case.way}: {case.fault}"]
    return ends[case.provider] if isinstance(ends, dict) else ends


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with faulttable.stage(tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest.mark.parametrize("case", list(faulttable.cases()), ids=str)
def test_a_fault_ends_as_it_should(stage: Stage, case: Case) -> None:
    outcome = stage.play(case)
    assert f"{outcome.end} {outcome.calls}" == expected(case), outcome.sentence
    assert outcome.seconds < HANGS
    assert all(one.stream == (case.way == "streamed") for one in outcome.seen)
    for turn, gap in zip(_turns(case), outcome.gaps, strict=False):
        assert gap >= float(turn.retry_after or 0), "who is told to wait does"
    _check_error(case, outcome)
    _check_answer(case, outcome)
    if case.way == "form":
        _check_form(case, outcome)
    if case.way == "tools":
        assert all(one.tools == ("read",) for one in outcome.seen)
        assert RESULT in outcome.seen[-1].prompt


def _turns(case: Case) -> list[Turn]:
    """As many as there may be calls."""
    return [*case.turns, *([case.then] * 4 if case.then is not None else [])]


def _check_error(case: Case, outcome: Outcome) -> None:
    error = outcome.error
    if error is None:
        assert outcome.end in ("answer", "partial", "abstained", "refusal")
        return
    assert error.reason.endswith(".")
    assert error.hint.endswith(".")
    assert error.model == case.model
    assert case.model in error.reason
    shown = "".join(traceback.format_exception(error))
    assert KEY not in f"{shown} {error!r} {vars(error)}", "who debugs it must not see a key either"


def _check_answer(case: Case, outcome: Outcome) -> None:
    answer = outcome.answer
    if answer is None:
        return
    assert answer.usage.calls == outcome.calls
    assert answer.model == case.model or outcome.end == "abstained"
    assert KEY not in repr(answer)
    if outcome.end == "answer":
        assert answer.text == WELL.text
        assert [one.marker for one in answer.citations] == [1]
    if case.way == "streamed":
        assert outcome.pieces.strip() == answer.text
    if outcome.end == "partial":
        assert WELL.text.startswith(answer.text)
        assert answer.text
        assert case.model in answer.missing[0]


def _check_form(case: Case, outcome: Outcome) -> None:
    if outcome.end == "answer":
        assert outcome.reply is not None
        assert outcome.reply.data == faulttable.Tower(town="Delft", metres=43)
        assert outcome.reply.usage is not None
    first = outcome.seen[0].schema
    assert first is not None
    assert set(first["properties"]) == {"town", "metres"}
    if case.fault.startswith("another form"):
        assert "metres: Field required" in outcome.seen[1].prompt, "a model mends what it is told of"


def test_every_fault_is_expected() -> None:
    assert ASKED.keys() == FAULTS.keys()
    assert IN_ORDER.keys() == {f"form: {one}" for one in FORMS} | {f"tools: {one}" for one in TOOLS}


def test_a_line_of_the_table_is_what_several_cases_show() -> None:
    well = [
        (Case("500", way, times, provider, ()), Outcome("answer", f"It is {provider}:test at 127.0.0.1:99", [], [], 0))
        for provider in faulttable.PROVIDERS
        for way in faulttable.ASKED
        for times in ("once", "always")
    ]
    *_, line = faulttable.table(well).splitlines()
    assert line == "| 500 | once, always | `ask`, `stream` | both | answer: It is MODEL at HOST | 0 |"
    other = [(Case("500", "whole", "always", "openai", ()), Outcome("server", "It failed.", [], [], 0))]
    assert faulttable.table([*well[:2], *other]).splitlines()[2:] == [
        "| 500 | once, always | `ask` | anthropic | answer: It is MODEL at HOST | 0 |",
        "| 500 | always | `ask` | openai | error server: It failed. | 0 |",
    ]
