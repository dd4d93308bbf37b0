"""Runs appear whole or not at all, go on where they were killed, and are never those of other settings."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ragkit.connectors.document import Document
from ragkit.errors import InvalidInput, RagkitError
from ragkit.eval import gate, strategies
from ragkit.eval.compare import compare
from ragkit.eval.gold import resolve
from ragkit.eval.keeping import prune
from ragkit.eval.metrics import metric
from ragkit.eval.questions import Gold, Question, QuestionSet
from ragkit.eval.report import Report
from ragkit.eval.result import Run
from ragkit.eval.running import Bench
from ragkit.eval.store import read
from ragkit.indexes import reranker

FACTS = {f"lamp {at}": f"lit at {at % 12 + 1} o'clock and put out by keeper {at}" for at in range(60)}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two documents with many facts each."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    lines = [f"The {lamp} is {fact}." for lamp, fact in FACTS.items()]
    for name, part in (("north.md", lines[:30]), ("south.md", lines[30:])):
        sections = ["\n\n".join(part[at : at + 5]) for at in range(0, len(part), 5)]
        text = "\n\n".join(f"## Row {at}\n\n{section}" for at, section in enumerate(sections))
        (folder / name).write_text(f"# {name}\n\n{text}\n")
    return folder


def questions() -> QuestionSet:
    return QuestionSet(
        "lamps",
        tuple(
            Question(
                id=f"q{at}",
                question=f"When is the {lamp} lit?",
                gold=(Gold(uri="north.md" if at < 30 else "south.md", quote=f"The {lamp} is {fact}."),),
            )
            for at, (lamp, fact) in enumerate(FACTS.items())
        ),
    )


def strategy(**settings: Any) -> strategies.Strategy:
    return strategies.Strategy.model_validate({"name": "s", "embedder": "hash", "k": 10, **settings})


def hits(run: Run) -> dict[str, Any]:
    return {question: result.hits for question, result in run.results.items()}


def test_a_run_is_kept_whole_and_used_again_only_for_the_same(tmp_path: Path, corpus: Path) -> None:
    bench = Bench(tmp_path / "bench")
    run = bench.run(strategy(), questions(), [corpus])
    (place,) = (tmp_path / "bench" / "runs").iterdir()
    assert sorted(path.name for path in place.iterdir()) == ["results.jsonl", "run.json", "run.trec"]
    assert hits(read(place)) == hits(run)
    trec = [line.split() for line in (place / "run.trec").read_text().splitlines()]
    assert {len(line) for line in trec} == {6}
    again = bench.run(strategy(), questions(), [corpus])
    assert [result.seconds for result in again.results.values()] == [result.seconds for result in run.results.values()]
    (corpus / "north.md").write_text((corpus / "north.md").read_text() + "\nOne more.")
    for changed in (strategy(), strategy(k=9), strategy(retriever="bm25"), strategy(chunker={"size": 64})):
        bench.run(changed, questions(), [corpus])
    bench.run(strategy(), QuestionSet("lamps", questions().questions[:-1]), [corpus])
    assert len(list((tmp_path / "bench" / "runs").iterdir())) == 6


SCRIPT = """
import sys
from pathlib import Path
from tests.eval.test_running import questions, strategy
from ragkit.eval.running import Bench
Bench(Path(sys.argv[1])).run(strategy(), questions(), [Path(sys.argv[2])])
"""


@pytest.mark.parametrize("lines", [1, 20, 45])
def test_a_run_that_was_killed_goes_on_and_ends_as_any(tmp_path: Path, corpus: Path, lines: int) -> None:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "killed"), str(corpus)]
    with subprocess.Popen(command, cwd=root) as process:
        while process.poll() is None:
            partial = next((tmp_path / "killed").glob("runs/*.partial"), None)
            if partial is not None and partial.read_bytes().count(b"\n") >= lines:
                os.kill(process.pid, signal.SIGKILL)
                break
            time.sleep(0.001)
    runs = tmp_path / "killed" / "runs"
    partial = next(runs.glob("*.partial"), None)
    if partial is None:
        pytest.skip("it was done before it could be killed")
    assert not list(runs.glob("*/run.json"))
    with partial.open("ab") as file:
        file.write(b'{"question": "q59", "hi')  # as when the kill came in the middle of a line
    before = {json.loads(line)["question"] for line in partial.read_text().splitlines()[:-1]}
    resumed = Bench(tmp_path / "killed").run(strategy(), questions(), [corpus])
    whole = Bench(tmp_path / "whole").run(strategy(), questions(), [corpus])
    assert before
    assert list(resumed.results) == list(whole.results)
    assert _without_domain(resumed) == _without_domain(whole)
    assert not list(runs.glob("*.partial"))


def _without_domain(run: Run) -> Any:
    return {id: [(hit.uri, hit.start, hit.end, hit.score) for hit in found] for id, found in hits(run).items()}


def test_the_same_gold_serves_every_chunker_and_an_edited_document(tmp_path: Path, corpus: Path) -> None:
    bench = Bench(tmp_path / "bench")
    kinds = ["structure", {"kind": "fixed", "size": 40}, {"kind": "recursive", "size": 40}, "sentence-window"]
    for chunker in kinds:
        run = bench.run(strategy(chunker=chunker, retriever="bm25"), questions(), [corpus])
        resolved = resolve(questions(), bench.texts(run))
        assert resolved.count() == {"exact": 60, "moved": 0, "changed": 0, "lost": 0}
        recall = metric("range_recall@10", resolved.ranges).score(run, questions())
        assert sum(recall.values()) / 60 > 0.9, chunker
    text = (corpus / "north.md").read_text()
    (corpus / "north.md").write_text(
        "# A new beginning\n\n" + text.replace("The lamp 3 is lit at 4", "Lamp three burns at 4")
    )
    run = bench.run(strategy(retriever="bm25"), questions(), [corpus])
    resolved = resolve(questions(), bench.texts(run))
    counted = resolved.count()
    assert counted["exact"] + counted["moved"] == 59
    assert [one.question for one in resolved.reports if one.status in ("changed", "lost")] == ["q3"]


def test_a_question_that_cannot_be_searched_is_a_row_and_scores_0(tmp_path: Path, corpus: Path) -> None:
    asked = QuestionSet(
        "odd", (*questions().questions[:2], Question(id="odd", question="???", gold=(Gold(uri="north.md"),)))
    )
    run = Bench(tmp_path / "bench").run(strategy(), asked, [corpus])
    assert "holds no word" in run.results["odd"].error
    assert metric("nDCG@10").score(run, asked)["odd"] == 0


def test_a_file_of_strategies(tmp_path: Path) -> None:
    file = tmp_path / "strategies.toml"
    file.write_text(
        """
        [base]
        embedder = "hash"
        k = 7
        [variants.words]
        retriever = "bm25"
        [grid]
        chunker = ["structure", { kind = "fixed", size = 64 }]
        retriever = ["hybrid", "vector"]
        """
    )
    found = strategies.load(file)
    assert [one.name for one in found] == [
        "words", "structure hybrid", "structure vector", "fixed-64 hybrid", "fixed-64 vector",
    ]  # fmt: skip
    assert {one.k for one in found} == {7}
    assert {one.embedder.name for one in found} == {"hash"}
    assert found[3].chunker.size == 64


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[variants.a]\nretriver = 'bm25'", "Did you mean 'retriever'"),
        ("[variants.a]\nretriever = 'bm52'", "Did you mean 'bm25'"),
        ("[variant.a]\nk = 3", "Did you mean 'variants'"),
        ("[base]\nk = 3", "names no strategy"),
        ("k = ", "no valid TOML"),
    ],
)
def test_mistakes_in_it_are_told(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(InvalidInput, match=words):
        strategies.load(tmp_path / "s.toml")


def test_odd_signs_in_ids_come_back_as_they_were(tmp_path: Path, corpus: Path) -> None:
    asked = QuestionSet("odd", (Question(id="q\u2028x", question="When is the lamp 3 lit?"),))
    bench = Bench(tmp_path / "bench")
    first = bench.run(strategy(), asked, [corpus])
    assert hits(bench.run(strategy(), asked, [corpus])) == hits(first)


def test_a_faster_run_is_not_worse(tmp_path: Path, corpus: Path) -> None:
    run = Bench(tmp_path / "bench").run(strategy(), questions(), [corpus])
    slow = replace(
        run, name="slow", results={id: replace(one, seconds=one.seconds + 1) for id, one in run.results.items()}
    )
    for baseline, expected in (("slow", 0), ("s", 1)):
        comparison = compare([run, slow], questions(), [metric("seconds")])
        report = Report(comparison, [run, slow], questions(), {}, lambda uri: None)
        assert len(gate.worse(report, baseline)) == expected


def test_what_killed_processes_left_is_tidied_up_but_what_can_be_resumed(tmp_path: Path, corpus: Path) -> None:
    bench = Bench(tmp_path / "bench")
    bench.run(strategy(), questions(), [corpus])
    runs = tmp_path / "bench" / "runs"
    (whole,) = runs.iterdir()
    (runs / ".run-abc").mkdir()
    (runs / ".run-abc" / "run.json").write_text("{}")
    whole.with_name(f"{whole.name}.partial").touch()
    (runs / "begun-0.partial").touch()
    with bench.store.working():  # by another one
        Bench(tmp_path / "bench")
        assert len(list(runs.iterdir())) == 4
        with pytest.raises(RagkitError, match="A run is under way"):
            prune(tmp_path / "bench")
    Bench(tmp_path / "bench")
    assert {path.name for path in runs.iterdir()} == {whole.name, "begun-0.partial"}


def test_gold_that_is_missing_is_looked_for_once(tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who misses a document is told which was meant, and that takes a tenth of a second in a large domain."""
    bench = Bench(tmp_path / "bench")
    text_of = bench.texts(bench.run(strategy(), questions(), [corpus]))
    asked: list[str] = []
    document = bench.workspace.document

    def counted(uri: str, domain: str) -> Document:
        asked.append(uri)
        return document(uri, domain)

    monkeypatch.setattr(bench.workspace, "document", counted)
    assert [text_of(f"none-{at}") for at in range(20)] == [None] * 20
    assert text_of("north.md")
    assert asked == ["none-0", "north.md"]


def test_nothing_is_pruned_under_a_run(tmp_path: Path, corpus: Path) -> None:
    refused: list[str] = []

    def tell(what: str, done: int, total: int) -> None:
        with pytest.raises(RagkitError, match="A run is under way"):
            prune(tmp_path / "bench")
        refused.append(what)

    Bench(tmp_path / "bench", tell).run(strategy(), questions(), [corpus])
    assert refused
    assert prune(tmp_path / "bench").indexes == ()


class Shortest:
    """Likes short passages, whatever the question."""

    def scores(self, question: str, passages: Sequence[str]) -> "NDArray[np.float32]":
        return np.array([-len(one) for one in passages], np.float32)


def test_a_strategy_s_reranker_has_the_last_word(tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reranker.rerankers, "shortest", lambda _: Shortest())
    bench = Bench(tmp_path / "bench")
    plainly = bench.run(strategy(), questions(), [corpus])
    again = bench.run(strategy(reranker="shortest"), questions(), [corpus])
    first = again.results["q0"].hits
    assert [hit.score for hit in first] == sorted((hit.score for hit in first), reverse=True)
    assert all(hit.score < 0 for hit in first)
    assert hits(again) != hits(plainly)
