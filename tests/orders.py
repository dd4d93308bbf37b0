"""How often honest passages look like instructions: `python -m tests.orders [SET …]` over the shared corpora.

None of them was written against a model, so whatever is flagged is a false alarm.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ragkit.orders import planted

DATASETS = Path(__file__).resolve().parents[2] / "shared" / "datasets"
LENGTH = 1200
"""Characters of a passage, about what chunks have."""


def sets() -> dict[str, Path]:
    found = {path.parent.name: path for path in sorted(DATASETS.glob("*/corpus.jsonl"))}
    return found | {path.stem: path for path in sorted(DATASETS.glob("chroma-chunking/corpora/*"))}


def passages(path: Path) -> Iterator[str]:
    if path.suffix == ".jsonl":
        rows = map(json.loads, path.read_text("utf-8").splitlines())
        texts: Iterator[str] = (f"{row.get('title') or ''}\n{row['text']}" for row in rows)
    else:
        texts = iter([path.read_text("utf-8")])
    for text in texts:
        for start in range(0, len(text), LENGTH):
            yield text[start : start + LENGTH]


def main(names: list[str]) -> None:
    whole = flagged = 0
    for name, path in sets().items():
        if names and name not in names:
            continue
        began, count, found = time.perf_counter(), 0, []
        for text in passages(path):
            count += 1
            found += [(one, text) for one in planted(text)[:1]]
        took = (time.perf_counter() - began) / max(count, 1) * 1e6
        print(f"{name:20} {len(found):4} of {count:7,} = {len(found) / max(count, 1):.4%}  {took:5.0f} µs a passage")
        for one, text in found[:8]:
            print(f"    {one.reason}: {' '.join(text[max(0, one.start - 20) : one.end + 20].split())!r}")
        whole, flagged = whole + count, flagged + len(found)
    print(f"{'all':20} {flagged:4} of {whole:7,} = {flagged / max(whole, 1):.4%}")


if __name__ == "__main__":
    main(sys.argv[1:])
