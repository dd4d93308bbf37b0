"""nDCG@10 on sets with document gold: `make quality`. A document's place is that of its best chunk."""

import json
import math
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import ragkit

SETS = Path(__file__).resolve().parents[2] / "shared" / "datasets"
_CHUNKS = 30


def ndcg(ranked: Sequence[str], gold: Mapping[str, int]) -> float:
    def gain(grades: Sequence[int]) -> float:
        return sum(grade / math.log2(at + 2) for at, grade in enumerate(grades[:10]))

    return gain([gold.get(one, 0) for one in ranked]) / gain(sorted(gold.values(), reverse=True))


def gold_of(folder: Path) -> dict[str, dict[str, int]]:
    gold: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (folder / "qrels.tsv").read_text().splitlines():
        query, document, grade = line.split("\t")
        if grade.strip().isdigit() and int(grade) > 0:
            gold[query][document] = int(grade)
    return gold


def measure(name: str, place: Path) -> None:
    workspace = ragkit.open(place)
    workspace.ingest(SETS / name / "corpus.jsonl", name)
    gold = gold_of(SETS / name)
    questions = [row for row in map(json.loads, (SETS / name / "queries.jsonl").open()) if row["id"] in gold]
    means = []
    for strategy in ("bm25", "vector", "rrf", "hybrid"):
        total = 0.0
        for question in questions:
            hits = workspace.search(question["text"], [name], strategy, k=_CHUNKS)
            total += ndcg(list(dict.fromkeys(hit.uri.partition("#")[2] for hit in hits)), gold[question["id"]])
        means.append(f"{strategy} {total / len(questions):.4f}")
    print(f"{name} ({len(questions)} questions): {', '.join(means)}", flush=True)


if __name__ == "__main__":
    if not SETS.is_dir():
        sys.exit("SKIPPED FOR WANT OF DATA: ../shared/datasets is not here")
    for name in sys.argv[2:] or ("cacm", "cranfield", "medline", "time"):
        measure(name, Path(sys.argv[1]) / name)
