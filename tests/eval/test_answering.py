"""Strategies that answer: what is kept of an answer, what of it is scored, and what a failing model does to a run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ragkit.errors import InvalidInput
from ragkit.eval import strategies
from ragkit.eval.answered import Answered, Cited
from ragkit.eval.answermetrics import NAMES
from ragkit.eval.claims import bare, marked
from ragkit.eval.compare import compare
from ragkit.eval.metrics import metric
from ragkit.eval.page import html
from ragkit.eval.questions import Gold, Question, QuestionSet
from ragkit.eval.report import Report
from ragkit.eval.reporting import reported
from ragkit.eval.result import Result, Run
from ragkit.eval.running import Bench
from ragkit.eval.store import read
from ragkit.eval.table import markdown
from ragkit.model import ModelError, Reply, Request, Usage
from ragkit.providers import providers
from ragkit.scripted import Line, ScriptedModel
from ragkit.write import NOT_FOUND

TOWNS = ("Aarau", "Basel", "Chur", "Delft", "Evora", "Faro", "Ghent", "Halle", "Imola", "Jena")
MANY = 40


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "towns"
    folder.mkdir()
    for number, town in enumerate(TOWNS):
        (folder / f"{town}.md").write_text(f"# {town}\n\nThe tower of {town} is {number + 40} metres high.\n")
    return folder


def questions(count: int = len(TOWNS)) -> QuestionSet:
    """About towers; the last one is not answered by the documents."""
    asked = [
        Question(
            id=f"q{at}",
            question=f"How high is the tower of {town}{'?' * (1 + at // len(TOWNS))}",
            answers=(f"{at % len(TOWNS) + 40} metres",),
            gold=(Gold(uri=f"{town}.md", quote=f"The tower of {town} is {at % len(TOWNS) + 40} metres high."),),
        )
        for at, town in ((at, TOWNS[at % len(TOWNS)]) for at in range(count))
    ]
    return QuestionSet("towers", (*asked, Question(id="none", question="Who sang in Bergen?", unanswerable=True)))


def strategy(**settings: Any) -> strategies.Strategy:
    return strategies.Strategy.model_validate(
        {"name": "s", "embedder": "hash", "retriever": "bm25", "k": 5, "passages": 2, "model": "extractive", **settings}
    )


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Request], Line]], ScriptedModel]:
    """Makes `told:x` say what a function makes of each request."""

    def tell(says: Callable[[Request], Line]) -> ScriptedModel:
        model = ScriptedModel(says, "told:x")
        monkeypatch.setitem(providers, "told", lambda name, settings: model)
        return model

    return tell


def answers(run: Run) -> dict[str, Answered]:
    found = {id: one.answer for id, one in run.results.items()}
    assert all(found.values())
    return {id: one for id, one in found.items() if one is not None}


def report(bench: Bench, run: Run, asked: QuestionSet, *names: str) -> Report:
    return reported(bench, [run], asked, names, lambda said: None)


def test_an_answer_is_kept_with_the_ranges_that_it_cites(tmp_path: Path, corpus: Path) -> None:
    bench = Bench(tmp_path / "bench")
    run = bench.run(strategy(), questions(), [corpus])
    (place,) = (tmp_path / "bench" / "runs").iterdir()
    assert read(place).results == run.results
    first = answers(run)["q3"]
    assert first.text.startswith("The tower of Delft is 43 metres high. [1]")
    cited = first.citations[0]
    text = bench.texts(run)(cited.uri)
    assert text is not None
    assert "43 metres" in text[cited.start : cited.end]
    assert (first.model, first.calls, first.money, first.error) == ("extractive", 0, Decimal(0), "")
    assert first.seconds > 0
    assert len(run.results["q3"].hits) == 5, "k, whatever the answer is written from"
    assert answers(run)["none"].abstained
    assert not (tmp_path / "bench" / ".ragkit" / "traces.sqlite").exists()
    assert not (tmp_path / "bench" / ".ragkit" / "replies.sqlite").exists()


def test_a_run_is_another_one_when_model_or_passages_change(tmp_path: Path, corpus: Path) -> None:
    bench = Bench(tmp_path / "bench")
    plainly = bench.run(strategy(model=None), questions(), [corpus])
    assert not plainly.answers
    assert bench.run(strategy(model="none", passages=3), questions(), [corpus]).made == plainly.made
    made = {bench.run(one, questions(), [corpus]).made for one in (strategy(), strategy(), strategy(passages=3))}
    assert len(made) == 2
    assert len(list((tmp_path / "bench" / "runs").iterdir())) == 3


def test_a_changed_model_of_the_users_workspace_is_another_run(tmp_path: Path, corpus: Path, told: Any) -> None:
    home = tmp_path / "home"
    home.mkdir()
    model = told(lambda _: Reply("metres high. [1]", "told:x", usage=Usage(1_000_000, 0)))
    asked = QuestionSet("two", questions().questions[:2])
    money = []
    for price in ("", '[models."told:x".price]\ninput = 2\noutput = 9\n'):
        (home / "ragkit.toml").write_text(f"version = 1\n{price}")
        run = Bench(home / ".ragkit" / "eval", home=home).run(strategy(model="told:x"), asked, [corpus])
        money.append({one.money for one in answers(run).values()})
    assert money == [{None}, {Decimal(2)}]
    assert len(model.requests) == 4, "the same prompts are not answered from memory"
    assert (home / ".ragkit" / "spending.sqlite").exists(), "what it costs counts for the day of the workspace"
    assert not (home / ".ragkit" / "traces.sqlite").exists()


def test_no_login_of_a_server_is_kept_with_a_run(tmp_path: Path, corpus: Path, told: Any) -> None:
    (tmp_path / "ragkit.toml").write_text('version = 1\n[models."told:x"]\nbase_url = "http://me:secret@host/v1"\n')
    told(lambda _: "metres high. [1]")
    run = Bench(tmp_path / "b", home=tmp_path).run(strategy(model="told:x"), questions(1), [corpus])
    assert run.settings["models"]["told:x"]["base_url"] == "http://host/v1"
    assert "secret" not in next((tmp_path / "b" / "runs").glob("*/run.json")).read_text()


def test_a_model_that_fails_is_a_row_and_only_that_is_asked_again(tmp_path: Path, corpus: Path, told: Any) -> None:
    def fails_at(town: str) -> Callable[[Request], Line]:
        def says(request: Request) -> Line:
            if town in request.messages[-1].text:
                return ModelError("The prompt is too long.", "Ask less.", "context", usage=Usage(7, 0))
            return "metres high. [1]"

        return says

    told(fails_at("Chur"))
    bench = Bench(tmp_path / "bench")
    run = bench.run(strategy(model="told:x"), questions(), [corpus])
    row = answers(run)["q2"]
    assert "The prompt is too long" in row.error
    assert (row.tokens, row.money, row.given) == (7, None, False)
    assert run.results["q2"].hits
    assert sum(bool(one.error) for one in answers(run).values()) == 1
    made = report(bench, run, questions(), "contains", "nDCG@10")
    assert metric("contains").score(run, questions())["q2"] == 0
    assert "s: no model answered 1 ask, scored 0." in made.findings()
    assert made.plain()["strategies"]["s"]["answers"]["errors"] == 1

    again = told(fails_at("nowhere"))
    Bench(tmp_path / "bench").run(strategy(model="told:x"), questions(), [corpus])
    mended = Bench(tmp_path / "bench").run(strategy(model="told:x"), questions(), [corpus])
    assert len(again.requests) == 1
    assert not any(one.error for one in answers(mended).values())
    assert list(mended.results) == list(run.results)
    assert {id: one for id, one in mended.results.items() if id != "q2"} == {
        id: one for id, one in run.results.items() if id != "q2"
    }


def test_a_budget_that_is_used_up_is_a_failure_and_no_answer_of_the_model(
    tmp_path: Path, corpus: Path, told: Any
) -> None:
    (tmp_path / "ragkit.toml").write_text("version = 1\n[day]\ncalls = 3\n")
    told(lambda _: "metres high. [1]")
    run = Bench(tmp_path / "bench", home=tmp_path).run(strategy(model="told:x"), questions(), [corpus])
    failed = [one for one in answers(run).values() if one.error]
    assert len(failed) == len(TOWNS) - 3
    assert all("budget of 3 calls for today" in one.error and not one.text and not one.model for one in failed)


SCRIPT = """
import sys
from pathlib import Path
from tests.eval.test_answering import questions, strategy, MANY
from ragkit.eval.running import Bench
Bench(Path(sys.argv[1])).run(strategy(), questions(MANY), [Path(sys.argv[2])])
"""


def test_a_run_with_answers_that_was_killed_goes_on(tmp_path: Path, corpus: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "killed"), str(corpus)]
    with subprocess.Popen(command, cwd=root) as process:
        while process.poll() is None:
            partial = next((tmp_path / "killed").glob("runs/*.partial"), None)
            if partial is not None and partial.read_bytes().count(b"\n") >= 5:
                os.kill(process.pid, signal.SIGKILL)
                break
            time.sleep(0.001)
    partial = next((tmp_path / "killed" / "runs").glob("*.partial"), None)
    if partial is None:
        pytest.skip("it was done before it could be killed")
    before = {row["question"]: row for row in map(json.loads, partial.read_text().splitlines()[:5])}
    resumed = Bench(tmp_path / "killed").run(strategy(), questions(MANY), [corpus])
    whole = Bench(tmp_path / "whole").run(strategy(), questions(MANY), [corpus])
    assert list(resumed.results) == list(whole.results)
    assert {id: one.text for id, one in answers(resumed).items()} == {
        id: one.text for id, one in answers(whole).items()
    }
    assert {id: answers(resumed)[id].seconds for id in before} == {
        id: row["answer"]["seconds"] for id, row in before.items()
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is high. [1] So it says. [2] [1]", [("It is high.", (1,)), ("So it says.", (2, 1))]),
        ("It is high [1]. So it says [2][1]. Done.", [("It is high.", (1,)), ("So it says.", (2, 1)), ("Done.", ())]),
        ("[1] It is high. [2] So it says.", [("It is high.", (1,)), ("So it says.", (2,))]),
        (
            "- one point. [1]\n- two points [2]\n\nLast.",
            [("- one point.", (1,)), ("- two points", (2,)), ("Last.", ())],
        ),
        ("[1]", []),
        ("", []),
    ],
)
def test_marks_belong_to_the_sentence_that_they_stand_at(text: str, expected: list[tuple[str, Any]]) -> None:
    assert marked(text) == expected


def test_marks_are_no_words_of_an_answer() -> None:
    assert bare("It is 43 metres [1] high. [2][13]") == "It is 43 metres high."


TEXT = "The tower is 43 metres high. It was built in 1310. Bread is baked at night."
TOWER, BUILT, BREAD = (0, 28), (29, 50), (51, 75)


def one(text: str, *cited: tuple[int, int], **more: Any) -> Answered:
    return Answered(text, tuple(Cited(at, "d", "a.md", *place) for at, place in enumerate(cited, 1)), **more)


CASES: dict[str, tuple[Answered, dict[str, float]]] = {
    "right": (
        one("The tower is 43 metres high. [1]", TOWER),
        {"EM": 0, "F1": 0.5714, "contains": 1, "abstention": 1, "groundedness": 1, "citation_precision": 1,
         "citation_recall": 1, "citation_gold_precision": 1, "citation_gold_recall": 1},
    ),
    "exact, cites nothing": (
        one("The 43 Metres!"),
        {"EM": 1, "F1": 1, "contains": 1, "abstention": 1, "groundedness": 0, "citation_precision": 0,
         "citation_recall": 0, "citation_gold_precision": 0, "citation_gold_recall": 0},
    ),
    "the wrong one at each": (
        one("The tower is 43 metres high. [1] It was built in 1310. [2]", BUILT, TOWER),
        {"contains": 1, "groundedness": 1, "citation_precision": 0, "citation_recall": 0,
         "citation_gold_precision": 0.5, "citation_gold_recall": 1},
    ),
    "one of two is idle": (
        one("The tower is 43 metres high. [1][2]", TOWER, BREAD),
        {"groundedness": 1, "citation_precision": 0.5, "citation_recall": 1, "citation_gold_precision": 0.5},
    ),
    "silent": (one("", abstained=True), dict.fromkeys((*(name for name in NAMES if name != "groundedness_judge"),), 0)),
    "failed": (
        one("", error="It broke."), dict.fromkeys((*(name for name in NAMES if name != "groundedness_judge"),), 0)
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_metrics_of_an_answer(case: str) -> None:
    answer, expected = CASES[case]
    asked = QuestionSet(
        "towers",
        (
            Question(id="q", question="How high?", answers=("1 km", "43 metres"), gold=(Gold(uri="a.md"),)),
            Question(id="none", question="Who?", answers=("nobody",), gold=(Gold(uri="a.md"),), unanswerable=True),
        ),
    )
    silent = Answered(abstained=True)
    run = Run("r", "towers", {}, {"q": Result("q", (), 0.1, "", answer), "none": Result("none", (), 0.1, "", silent)})
    gold = {"q": {"a.md": (TOWER,)}, "none": {"a.md": (TOWER,)}}
    for name, value in expected.items():
        scores = metric(name, gold, {"a.md": TEXT}).score(run, asked)
        assert scores.pop("q") == pytest.approx(value, abs=1e-4), name
        assert scores == ({"none": 1.0} if name == "abstention" else {}), name


def test_a_question_that_was_not_asked_scores_0_and_one_that_should_have_been_silent_too() -> None:
    asked = QuestionSet("s", (*questions().questions[:2], questions().questions[-1]))
    spoke = Result("none", (), 0.1, "", one("Someone did. [1]", TOWER))
    run = Run("r", "s", {}, {"none": spoke})
    assert metric("F1").score(run, asked) == {"q0": 0, "q1": 0}
    assert metric("abstention").score(run, asked) == {"q0": 0, "q1": 0, "none": 0}


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_only_retrieved_is_refused(name: str) -> None:
    run = Run("plain", "towers", {}, {"q0": Result("q0", (), 0.1)})
    with pytest.raises(InvalidInput, match=r"plain only retrieved|needs a model that judges"):
        metric(name, {}, {}).score(run, questions())


def test_what_answers_took_is_told_everywhere(tmp_path: Path, corpus: Path, told: Any) -> None:
    (tmp_path / "ragkit.toml").write_text(
        'version = 1\n[ask]\nclaims = "off"\n[models."told:x".price]\ninput = 1000\noutput = 0\n'
    )
    told(lambda seen: NOT_FOUND if "Faro" in seen.messages[-1].text else "<b>It</b> is high. [1]")
    bench = Bench(tmp_path / "bench", home=tmp_path)
    runs = [
        bench.run(strategy(name=name, model=model), questions(), [corpus])
        for name, model in (("asks", "told:x"), ("free", "extractive"), ("finds", None))
    ]
    made = reported(bench, runs, questions(), ["nDCG@10"], lambda said: None)
    costs = made.plain()["strategies"]["asks"]["answers"]
    assert (costs["calls"], costs["abstained"], costs["unpriced"]) == (len(TOWNS), 2, 0)
    assert costs["money"] == pytest.approx(costs["tokens"] * 0.001, rel=0.5)
    assert "answers" not in made.plain()["strategies"]["finds"]
    json.dumps(made.plain(), allow_nan=False)
    text = markdown(made)
    assert "## What answers took" in text
    assert f"| {len(TOWNS)} · {costs['tokens']} | {costs['money']:,.4f} |" in text
    page = html(made)
    assert "What each strategy found and answered" in page
    assert "&lt;b&gt;It&lt;/b&gt; is high. [1]" in page
    assert "<strong>Abstained.</strong>" in page
    unknown = replace(answers(runs[0])["q0"], money=None)
    some = replace(runs[0], results={**runs[0].results, "q0": replace(runs[0].results["q0"], answer=unknown)})
    row = compare([some], questions(), [metric("F1")]).costs["asks"].answers
    assert row is not None
    assert row.unpriced == 1
    said = Report(compare([some], questions(), [metric("F1")]), [some], questions(), {}, lambda uri: None)
    assert "≥ 0." in markdown(said)
    assert "asks: nobody knows what 1 ask cost." in said.findings()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model = 'extractve'", "no model 'extractve'. Did you mean 'extractive'"),
        ("model = 'anthropic'", "names no model"),
        ("model = []", "names no model"),
        ("passages = 0", "passages"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "s.toml").write_text(f"[variants.a]\n{text}\n")
    with pytest.raises(InvalidInput) as caught:
        strategies.load(tmp_path / "s.toml")
    assert words in str(caught.value)


def test_a_grid_may_have_models(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('[grid]\nmodel = ["none", "extractive", ["anthropic:a", "openai:b"]]\n')
    found = strategies.load(tmp_path / "s.toml")
    assert {one.name: one.models for one in found} == {
        "none": (), "extractive": ("extractive",), "anthropic:a+openai:b": ("anthropic:a", "openai:b"),
    }  # fmt: skip
