"""A judge over the wire: real SDKs, claims and verdicts in their forms, and every way in which it says nothing."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragkit import weather
from ragkit.errors import InvalidInput
from ragkit.eval.answermetrics import JUDGED
from ragkit.eval.questions import QuestionSet, save
from ragkit.eval.report import Report
from ragkit.eval.reporting import check_answers, reported
from ragkit.eval.running import Bench
from tests import command
from tests.command import Done
from tests.eval.test_answering import TOWNS, corpus, questions, strategy
from tests.wire import Seen, Turn, WireServer

__all__ = ["corpus"]
ASKED = QuestionSet("towers", (*questions().questions[:4], questions().questions[-1]))


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weather, "BASE", 0.01)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key-anthropic")
    monkeypatch.setenv("OPENAI_API_KEY", "test-key-openai")


def says(turn: Callable[[str], Turn]) -> Callable[[Seen], Turn]:
    """One claim an answer, which names its town; `turn` is the verdict on that town."""

    def script(seen: Seen) -> Turn:
        town = next(one for one in TOWNS if one in seen.prompt)
        assert seen.schema is not None, "the form goes over the wire"
        if "claims" in seen.schema["properties"]:
            return Turn(json.dumps({"claims": [f"The tower of {town} burnt down twice in a cold winter."]}))
        return turn(town)

    return script


def verdict(word: str) -> Turn:
    return Turn(json.dumps({"verdict": word, "reason": "So it says."}))


def workspace(folder: Path, server: WireServer) -> Bench:
    (folder / "ragkit.toml").write_text(
        f'version = 1\n[models."anthropic:judge"]\nbase_url = "{server.url}"\ntries = 1\n'
        f'[models."openai:judge"]\nbase_url = "{server.url}/v1"\ntries = 1\n'
    )
    return Bench(folder / ".ragkit" / "eval", home=folder)


def made(bench: Bench, corpus: Path, model: str, **more: Any) -> Report:
    run = bench.run(strategy(passages=1), ASKED, [corpus])
    return reported(bench, [run], ASKED, ["contains"], lambda said: None, judge=model, **more)


@pytest.mark.parametrize("model", ["anthropic:judge", "openai:judge"])
def test_each_claim_is_judged_by_what_the_answer_cites(tmp_path: Path, corpus: Path, model: str) -> None:
    with WireServer(says(lambda town: verdict("unsupported" if town == "Chur" else "supported"))) as server:
        bench = workspace(tmp_path, server)
        report = made(bench, corpus, model)
        assert report.comparison.metrics == ("contains", JUDGED)
        scores = {one.metric: (one.mean, one.questions) for one in report.comparison.scores}
        assert scores[JUDGED] == (0.75, 4)
        told = report.plain()["strategies"]["s"]["judge"]
        assert (told["claims"], told["supported"], told["unsupported"], told["refused"]) == (4, 3, 1, 0)
        # the scorer finds no winter anywhere, so that it says the same of Chur alone
        assert told["agreement"] == {"claims": 4, "equal": 0.25, "kappa": 0.0}
        assert any("of 4 claims" in one and "25%" in one for one in report.findings())
        verdicts = [one for one in server.seen if "claims" not in (one.schema or {})["properties"]]
        assert all("metres high" in one.prompt for one in verdicts), "it is shown what is cited"
        count = len(server.seen)
        assert count == 8
        made(bench, corpus, model)
        assert len(server.seen) == count, "the same claims and texts are judged once"


def test_what_it_does_not_say_is_a_row_and_no_number(tmp_path: Path, corpus: Path) -> None:
    turns = {
        "Aarau": verdict("supported"),
        "Basel": Turn("I cannot help with that.", stop="refusal"),
        "Chur": Turn('{"verdict": "perhaps"}'),
        "Delft": Turn(fault="auth"),
    }
    with WireServer(says(turns.__getitem__)) as server:
        report = made(workspace(tmp_path, server), corpus, "anthropic:judge")
    (score,) = [one for one in report.comparison.scores if one.metric == JUDGED]
    assert (score.mean, score.questions) == (1.0, 1)
    told = report.plain()["strategies"]["s"]["judge"]
    assert (told["supported"], told["refused"], told["unreadable"]) == (1, 1, 2)
    assert {row["question"]: row["status"] for row in told["unjudged"]} == {
        "q1": "refused", "q2": "unreadable", "q3": "unreadable",
    }  # fmt: skip
    assert all(row["reason"] for row in told["unjudged"])
    assert told["agreement"] == {"claims": 1, "equal": 0.0, "kappa": 0.0}
    json.dumps(report.plain(), allow_nan=False)
    assert "1 refused, 2 not judged for other reasons" in " ".join(report.findings())


def test_a_judge_that_is_dead_scores_nothing_at_all(tmp_path: Path, corpus: Path) -> None:
    with WireServer(lambda _: Turn(fault="auth"), lenient=True) as server:
        report = made(workspace(tmp_path, server), corpus, "openai:judge")
    assert report.comparison.unscored == (JUDGED,)
    told = report.plain()["strategies"]["s"]["judge"]
    assert (told["unreadable"], told["own_sentences"]) == (told["claims"], 4)
    assert not any(isinstance(one, float) and math.isnan(one) for one in told["agreement"].values())


def test_runs_that_only_retrieve_are_refused() -> None:
    with pytest.raises(InvalidInput, match="plain only retrieved"):
        check_answers(["plain"], ["nDCG@10"], "anthropic:judge")
    with pytest.raises(InvalidInput, match="Name one: --judge"):
        check_answers([], [JUDGED], None)
    check_answers([], [JUDGED], "anthropic:judge")


def test_on_the_command_line(tmp_path: Path, corpus: Path) -> None:
    def ragkit(*arguments: str) -> Done:
        return command.ragkit("eval", *arguments, cwd=tmp_path)

    save(tmp_path / "q.jsonl", ASKED)
    base = '[base]\nembedder = "hash"\nretriever = "bm25"\npassages = 1\n'
    (tmp_path / "s.toml").write_text(f'{base}[variants.asks]\nmodel = "extractive"\n')
    (tmp_path / "mixed.toml").write_text(f'{base}[grid]\nmodel = ["none", "extractive"]\n')
    run = ["run", "q.jsonl", "--source", corpus.name, "-s"]
    with WireServer(says(lambda _: verdict("supported"))) as server:
        workspace(tmp_path, server)
        refused = ragkit(*run, "mixed.toml", "-m", "F1")
        assert (refused.returncode, "none only retrieved, and F1 scores answers" in refused.stderr) == (2, True)
        for judge, words in (("extractive", "judges nothing"), ("anthropc:x", "Did you mean 'anthropic:x'?")):
            wrong = ragkit(*run, "s.toml", "--judge", judge)
            assert (wrong.returncode, words in wrong.stderr) == (2, True), wrong.stderr
        assert not (tmp_path / ".ragkit" / "eval" / ".ragkit").exists(), "refused before any work"
        plainly = json.loads(ragkit(*run, "mixed.toml", "--json").stdout)["strategies"]
        assert "F1" not in plainly["none"]
        assert plainly["extractive"]["answers"]["asked"] == 5
        done = ragkit(*run, "s.toml", "--judge", "anthropic:judge", "--fail-if", "groundedness_judge < 0.9", "--json")
        assert done.returncode == 0, done.stderr
        row = json.loads(done.stdout)["strategies"]["asks"]
        assert set(row) >= {"nDCG@10", "F1", "contains", "groundedness", "citation_recall", "abstention", JUDGED}
        assert row["contains"] == 1.0
        assert row["answers"]["money"] == 0
        name = next(one["name"] for one in json.loads(ragkit("runs", "--json").stdout)["runs"] if one["run"] == "asks")
        compared = ragkit("compare", "q.jsonl", name, "--judge", "openai:judge", "--json")
        assert json.loads(compared.stdout)["strategies"][name]["judge"]["model"] == "openai:judge", compared.stderr
        shown = ragkit(*run, "s.toml")
        assert "What answers took" in shown.stdout
        assert max(map(len, shown.stdout.splitlines())) <= 80
