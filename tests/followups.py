"""How well follow-ups find their document, on doc2dial: `python -m tests.followups [a folder to keep the index in]`.

The last question is asked as it was typed, with the question before it in front of it, and as rules put it. A question
without a word to search for finds nothing, and scores 0. Documents rank by their best chunk; a span's recall is the
share of its characters that stand in the first k chunks. Intervals of 95 %; differences are paired, a conversation is
drawn as a whole. The rules were written for the list in `tests/ragkit/test_chat_followups.py`; this set was looked at
to find their mistakes.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import ragkit
from ragkit.followup import Exchange, stand_alone
from ragkit.indexes.hit import Hit
from tests.quality import SETS, ndcg

NAME = "doc2dial"
_CHUNKS = 30
_ROUNDS = 2000
METRICS = ("document Recall@5", "document Recall@10", "nDCG@10", "span Recall@5", "span Recall@10")
Row = Mapping[str, Any]
Floats = np.ndarray[Any, np.dtype[np.float64]]


def typed(row: Row) -> list[str]:
    """What the user said before, the oldest first."""
    return [one["text"] for one in row["history"] if one["role"] == "user"]


def raw(row: Row) -> str:
    return str(row["text"])


def with_last(row: Row) -> str:
    return " ".join([*typed(row)[-1:], raw(row)])


def by_rules(row: Row) -> str:
    before: list[Exchange] = []
    for question in typed(row):
        before.append(Exchange(question, stand_alone(question, before)))
    return stand_alone(raw(row), before)


WAYS: dict[str, Callable[[Row], str]] = {"as typed": raw, "with the last": with_last, "rules": by_rules}


def scored(row: Row, hits: Sequence[Hit]) -> list[float]:
    gold = row["doc_id"]
    found = [(hit.uri.partition("#")[2], hit.start, hit.end) for hit in hits]
    documents = list(dict.fromkeys(name for name, _, _ in found))
    places = [(start, end) for name, start, end in found if name == gold]
    first = [name == gold for name, _, _ in found]
    spans = [_covered(row["spans"], places[: sum(first[:k])]) for k in (5, 10)]
    return [float(gold in documents[:5]), float(gold in documents[:10]), ndcg(documents, {gold: 1}), *spans]


def _covered(spans: Sequence[Row], places: Sequence[tuple[int, int]]) -> float:
    got = 0
    for span in spans:
        inside = np.zeros(span["end"] - span["start"], dtype=bool)
        for start, end in places:
            inside[max(0, start - span["start"]) : max(0, end - span["start"])] = True
        got += int(inside.sum())
    return float(got / max(1, sum(span["end"] - span["start"] for span in spans)))


def interval(scores: Floats, talks: Sequence[str]) -> tuple[Floats, Floats]:
    """Of the mean of each column, from resampling conversations: turns of one are alike."""
    names, at = np.unique(np.array(talks), return_inverse=True)
    sums = np.zeros((len(names), scores.shape[1]))
    np.add.at(sums, at, scores)
    counts = np.bincount(at)
    random = np.random.default_rng(0)
    drawn = random.integers(0, len(names), (_ROUNDS, len(names)))
    means = np.stack([sums[one].sum(0) / counts[one].sum() for one in drawn])
    return np.quantile(means, 0.025, axis=0), np.quantile(means, 0.975, axis=0)


def measure(place: Path) -> None:
    workspace = ragkit.open(place)
    workspace.ingest(SETS / NAME / "corpus.jsonl", NAME)
    rows = [row for row in map(json.loads, (SETS / NAME / "queries.jsonl").open()) if row["turn"] > 1]
    talks = [row["id"].rpartition("_")[0] for row in rows]
    scores: dict[str, Floats] = {}
    print(
        f"{len(rows)} follow-ups of {len(set(talks))} conversations\n{'':28}{''.join(f'{one:>24}' for one in METRICS)}"
    )
    for name, way in WAYS.items():
        scores[name] = np.array([scored(row, _found(workspace, way(row))) for row in rows])
        _print(name, scores[name], talks)
    for name in ("as typed", "with the last"):
        _print(f"rules - {name}", scores["rules"] - scores[name], talks)
    untouched = np.mean([by_rules(row) == raw(row) for row in rows])
    print(f"left as they were typed: {untouched:.1%}")
    workspace.close()


def _found(workspace: ragkit.Workspace, query: str) -> list[Hit]:
    try:
        return workspace.search(query, [NAME], k=_CHUNKS)
    except ragkit.InvalidInput:  # no word to search for
        return []


def _print(name: str, scores: Floats, talks: Sequence[str]) -> None:
    low, high = interval(scores, talks)
    cells = [f"{mean:8.4f} [{a:.4f}, {b:.4f}]" for mean, a, b in zip(scores.mean(0), low, high, strict=True)]
    print(f"{name:28}{''.join(f'{cell:>26}' for cell in cells)}", flush=True)


if __name__ == "__main__":
    if not (SETS / NAME).is_dir():
        sys.exit("SKIPPED FOR WANT OF DATA: ../shared/datasets/doc2dial is not here")
    if len(sys.argv) > 1:
        measure(Path(sys.argv[1]) / NAME)
    else:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder))
