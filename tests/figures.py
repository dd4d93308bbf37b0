"""`make figures`: what the default engine, without a model, makes of the demo's questions; the table of the README."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = ROOT / "data" / "questions.jsonl"
METRICS = {
    "range_recall@8": "gold text among the 8 passages that an answer is made of",
    "contains": "answers that hold a reference answer",
    "groundedness": "claims that what they cite supports",
    "citation_precision": "citations that help to support their claim",
    "citation_recall": "claims whose citations support them",
    "citation_gold_precision": "citations with some of the gold text",
    "citation_gold_recall": "gold text that is cited",
    "abstention": "answered where there is an answer, silent where there is none",
}


def ragkit(*arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "ragkit", *arguments, "--json"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    return json.loads(done.stdout)


def main(place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    strategies = place / "strategies.toml"
    strategies.write_text('[variants.default]\nretriever = "hybrid"\nmodel = "extractive"\n')
    scores = ragkit(
        "eval", "run", str(QUESTIONS), "--source", "data/demo", "--strategies", str(strategies),
        "--metrics", ",".join(METRICS), "-w", str(place),
    )["strategies"]["default"]  # fmt: skip
    for domain in ("finance", "engineering", "marketing"):
        ragkit("ingest", f"data/demo/{domain}", "--domain", domain, "-w", str(place))
    (route,) = ragkit("eval", "route", str(QUESTIONS), "-w", str(place))["selectors"].values()
    print("| of the demo's 202 questions | |\n|---|---:|")
    for name, said in METRICS.items():
        print(f"| {said} (`{name}`) | {scores[name]:.3f} |")
    print(f"| sent first to the domain where the answer is | {route['accuracy']:.3f} |")
    print(f"| that domain is among those searched | {route['among_chosen']:.3f} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
