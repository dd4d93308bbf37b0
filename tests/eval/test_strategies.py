"""Strategies may name a reranker, and a grid may compare it with none."""

from pathlib import Path

import pytest

from ragkit.errors import InvalidInput
from ragkit.eval import strategies
from ragkit.indexes.recipe import Recipe


def test_a_reranker_is_part_of_a_strategy_and_not_of_the_index(tmp_path: Path) -> None:
    file = tmp_path / "strategies.toml"
    file.write_text(
        """
        [base]
        embedder = "hash"
        [variants.words]
        retriever = "bm25"
        [variants.again]
        reranker = "cross-encoder:/models/minilm"
        [grid]
        reranker = ["none", "cross-encoder:owner/small"]
        """
    )
    found = strategies.load(file)
    assert {one.name: one.reranker for one in found} == {
        "words": None,
        "again": "cross-encoder:/models/minilm",
        "none": None,
        "cross-encoder:owner/small": "cross-encoder:owner/small",
    }
    assert {one.recipe for one in found} == {Recipe.model_validate({"embedder": "hash"})}
    assert len({one.model_dump_json(exclude={"name"}) for one in found}) == 4, "each is a run of its own"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("reranker = 'cross-encodr:x'", "no reranker 'cross-encodr:x'. Did you mean 'cross-encoder'"),
        ("reranker = 'cross-encoder'", "no reranker 'cross-encoder'"),
        ("reranker = 3", "reranker: Input should be a valid string"),
        ("rerankr = 'x'", "Did you mean 'reranker'"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "s.toml").write_text(f"[variants.a]\n{text}\n")
    with pytest.raises(InvalidInput) as caught:
        strategies.load(tmp_path / "s.toml")
    assert words in str(caught.value)
