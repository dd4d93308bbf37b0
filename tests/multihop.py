"""Questions in two steps and more: do all their documents come back? `python -m tests.multihop [FOLDER]`.

Beside `hybrid` and `linked` stands what needs no index of its own either: a second query, of the question with title
and capitalised names of each of the first four hits, whose hits take the places from the sixth on. Then the sets on
which each question has its answer in one step, and must lose nothing. FOLDER keeps the indexes (a first run takes
minutes).
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import ragkit
from ragkit.eval.statistics import bootstrap_interval, randomisation_test
from ragkit.indexes.hit import Hit
from tests.quality import SETS, gold_of, ndcg

MULTI_HOP = "musique-100"
SIMPLE = ("squad-articles", "cranfield", "cacm", "medline", "time", "doc2dial")
FIRST, KEPT, FETCHED = 4, 5, 30
_NAME = re.compile(r"[A-Z][\w'’.-]*(?:\s+(?:of|the|de)?\s*[A-Z][\w'’.-]*)*")

Search = Callable[[str, int], list[Hit]]
Question = dict[str, Any]


def second_query(search: Search, further: Search | None = None) -> Search:
    """The first five, then what the second queries find; `further` asks these."""

    def found(query: str, k: int) -> list[Hit]:
        hits = search(query, k)
        queries = [f"{query} {hit.title} {' '.join(_NAME.findall(hit.text))}"[:10_000] for hit in hits[:FIRST]]
        more = [hit for one in queries for hit in (further or search)(one, 10)]
        more.sort(key=lambda hit: (hit.rank, -hit.score))
        return _different([*hits[:KEPT], *more, *hits[KEPT:]])[:k]

    return found


def _different(hits: Iterable[Hit]) -> list[Hit]:
    first: dict[tuple[str, int], Hit] = {}
    for hit in hits:
        first.setdefault((hit.uri, hit.start), hit)
    return list(first.values())


def documents(hits: Sequence[Hit]) -> list[str]:
    return [hit.uri.partition("#")[2] for hit in hits]


def interval(values: Sequence[float]) -> str:
    low, high = bootstrap_interval(values) if len(set(values)) > 1 else (values[0], values[0])
    return f"{low:+.4f} to {high:+.4f}" if min(values) < 0 or low < 0 else f"{low:.4f} to {high:.4f}"


def opened(place: Path, name: str) -> tuple[ragkit.Workspace, list[Question], dict[str, dict[str, int]]]:
    workspace = ragkit.open(place / name)
    workspace.ingest(SETS / name / "corpus.jsonl", name)
    gold = gold_of(SETS / name)
    with (SETS / name / "queries.jsonl").open(encoding="utf-8") as lines:
        questions = [row for row in map(json.loads, lines) if row["id"] in gold]
    return workspace, questions, gold


def multi_hop(place: Path, name: str) -> None:
    workspace, questions, gold = opened(place, name)

    def by(strategy: str) -> Search:
        return lambda query, k: workspace.search(query, [name], strategy, k=k)

    ways = {
        "hybrid": by("hybrid"),
        "second query": second_query(by("hybrid")),
        "linked": by("linked"),
        "linked, second query": second_query(by("linked")),
        "linked, second by hybrid": second_query(by("linked"), by("hybrid")),
    }
    print(f"{name} ({len(questions)} questions): share with all documents in the first 5 and 10 hits; nDCG@10")
    before: dict[str, list[float]] = {}
    for way, search in ways.items():
        now: dict[str, list[float]] = {"all@5": [], "all@10": [], "nDCG@10": []}
        for question in questions:
            wanted, found = gold[question["id"]], documents(search(question["text"], FETCHED))
            now["all@5"].append(float(set(wanted) <= set(found[:5])))
            now["all@10"].append(float(set(wanted) <= set(found[:10])))
            now["nDCG@10"].append(ndcg(list(dict.fromkeys(found)), wanted))
        before = before or now
        for metric, values in now.items():
            told(way, metric, before[metric], values)


def simple(place: Path, name: str) -> None:
    workspace, questions, gold = opened(place, name)
    scores: dict[str, list[float]] = {"hybrid": [], "linked": []}
    for question in questions:
        found = {}
        try:
            for strategy in scores:
                found[strategy] = documents(workspace.search(question["text"], [name], strategy, k=FETCHED))
        except ragkit.RagkitError:  # no word to search for
            continue
        for strategy, ranked in found.items():
            scores[strategy].append(ndcg(list(dict.fromkeys(ranked)), gold[question["id"]]))
    print(f"{name} ({len(scores['hybrid'])} questions)")
    for strategy, values in scores.items():
        told(strategy, "nDCG@10", scores["hybrid"], values)


def told(way: str, metric: str, before: Sequence[float], now: Sequence[float]) -> None:
    change = np.subtract(now, before)
    better, worse = int((change > 1e-9).sum()), int((change < -1e-9).sum())
    line = f"  {way:25} {metric:8} {np.mean(now):.4f} ({interval(now)})"
    if before is not now:
        line += f", {change.mean():+.4f} ({interval(change.tolist())}), p {randomisation_test(change):.4f}"
        line += f", better {better}, worse {worse}"
    print(line, flush=True)


if __name__ == "__main__":
    if not SETS.is_dir():
        sys.exit("SKIPPED FOR WANT OF DATA: ../shared/datasets is not here")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/multihop")
    folder.mkdir(parents=True, exist_ok=True)
    multi_hop(folder, MULTI_HOP)
    for name in SIMPLE:
        simple(folder, name)
