"""Recall, precision and IoU of the chunkers on ../shared/datasets/chroma-chunking: `make chunking`.

As in Chroma's report (Evaluating Chunking Strategies for Retrieval, 2024): the first five chunks from one collection of
all corpora, compared with the gold excerpts by tokens; here with MiniLM, and gold found by its quotes in the texts.
"""

import statistics
import sys
from pathlib import Path

from ragkit.eval.excerpts import load
from ragkit.eval.gold import resolve
from ragkit.eval.metrics import metric
from ragkit.eval.running import Bench
from ragkit.eval.strategies import Strategy

SET = Path(__file__).resolve().parents[2] / "shared" / "datasets" / "chroma-chunking"
CHUNKERS: dict[str, dict[str, object]] = {
    "structure (default)": {},
    "structure, no overlap": {"overlap": 0},
    "structure 128": {"size": 128},
    "fixed 256": {"kind": "fixed"},
    "fixed 256, overlap 128": {"kind": "fixed", "overlap": 128},
    "recursive 256": {"kind": "recursive"},
    "recursive 128": {"kind": "recursive", "size": 128},
    "sentence-window": {"kind": "sentence-window"},
    "parent-child 128 / 256": {"kind": "parent-child", "size": 128, "parent": 256},
}
PARTS = ("recall", "precision", "IoU")


def main(place: Path) -> None:
    bench, asked = Bench(place), load(SET)
    for retriever in ("vector", "hybrid"):
        print(f"\n{retriever}, first 5    recall ± sd      precision ± sd   IoU ± sd")
        for name, chunker in CHUNKERS.items():
            strategy = Strategy.model_validate({"name": name, "chunker": chunker, "retriever": retriever, "k": 5})
            run = bench.run(strategy, asked, [SET / "corpora"])
            text_of = bench.texts(run)
            resolved = resolve(asked, text_of)
            texts = {f"{corpus}.md": text_of(f"{corpus}.md") or "" for corpus in {q.tags[0] for q in asked}}
            cells = []
            for part in PARTS:
                scores = metric(f"range_{part}_tokens@5", resolved.ranges, texts).score(run, asked).values()
                cells.append(f"{statistics.mean(scores):5.1%} ± {statistics.stdev(scores):5.1%}")
            print(f"{name:24} {'   '.join(cells)}", flush=True)
    print(f"\ngold of {len(asked)} questions: {resolved.count()}")


if __name__ == "__main__":
    if not SET.is_dir():
        sys.exit("SKIPPED FOR WANT OF DATA: ../shared/datasets/chroma-chunking is not here")
    main(Path(sys.argv[1]))
