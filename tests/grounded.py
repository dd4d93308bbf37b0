"""How well a scorer without a model tells supported claims, by human labels: `python -m tests.grounded`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ragkit.eval.agreement import agreement_with_labels
from ragkit.eval.groundedness import Claim, Scorer, WordOverlap, groundedness

SETS = Path(__file__).resolve().parents[2] / "shared" / "datasets"
REFERENCE = {
    "frank cnndm": 0.676,
    "frank bbc": 0.700,
    "begin wow": 0.938,
    "begin cmu": 0.965,
    "wice": 0.724,
    "climate-fever": 0.609,
}
"""The AUC of ../shared/datasets/REFERENCE.md: the share of a claim's content words that stand in its source."""

Labelled = tuple[str, Claim, bool]


def labelled() -> Iterator[Labelled]:
    """Every claim with its set and whether people found it fully supported."""
    for row in _rows("frank/frank.jsonl"):
        yield f"frank {row['dataset']}", Claim(row["claim"], (row["source"],)), row["factuality"] == 1
    for row in _rows("begin/begin.jsonl"):
        yield f"begin {row['data']}", Claim(row["claim"], (row["source"],)), row["label"] == "Fully attributable"
    for row in _rows("wice/claims_dev.jsonl"):
        yield "wice", Claim(row["claim"], ("\n".join(row["sentences"]),)), row["label"] == "supported"
    for row in _rows("climate-fever/claims.jsonl"):
        for evidence in row["evidences"]:
            yield "climate-fever", Claim(row["claim"], (evidence["text"],)), evidence["label"] == "SUPPORTS"


def measure(scorer: Scorer) -> None:
    sets: dict[str, list[tuple[Claim, bool]]] = {}
    for name, claim, label in labelled():
        sets.setdefault(name, []).append((claim, label))
    print(f"{'set':14} {'claims':>6} {'pos':>5} {'AUC':>6} {'reference':>9} {'equal':>6} {'kappa':>6} {'unjudged':>8}")
    for name, rows in sets.items():
        grounded = groundedness([claim for claim, _ in rows], scorer)
        found = agreement_with_labels(grounded, [label for _, label in rows])
        figures = f"{_three(found.auc):>6} {REFERENCE[name]:9.3f} {_three(found.equal):>6} {_three(found.kappa):>6}"
        print(f"{name:14} {len(rows):6} {sum(label for _, label in rows):5} {figures} {grounded.unjudged:8}")


def _rows(path: str) -> Iterator[dict[str, Any]]:
    with (SETS / path).open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _three(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.3f}"


if __name__ == "__main__":
    if not SETS.is_dir():
        sys.exit("SKIPPED FOR WANT OF DATA: ../shared/datasets is not here")
    measure(WordOverlap(float(sys.argv[1])) if len(sys.argv) > 1 else WordOverlap())
