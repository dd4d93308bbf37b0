"""Figures at size: `make scale`. Filters over 100,000 chunks, syncs of 10,000 files, nothing cut off anywhere.

Sizes are arguments, so that the tests can run it small: `scale.py 2000 50,200 3`.
"""

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import ragkit
from ragkit.connectors.document import Document
from ragkit.indexes.chunk import make_chunker
from ragkit.indexes.minilm import MiniLM
from ragkit.indexes.recipe import ChunkerSettings

SHARED = Path(__file__).resolve().parents[2] / "shared"
WORDS = [
    f"{first}{last}" for first in "bcdfghjklmnprstvwz" for last in ("ade", "ilo", "ura", "emy", "oki", "ant", "is")
]
RARE = 0.001


def text(chance: random.Random, words: int) -> str:
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    return " ".join(chance.choices(WORDS, weights, k=words))


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def filters(place: Path, chunks: int) -> None:
    """A filter that lets one chunk in a thousand through still gives 10, whatever the strategy."""
    chance = random.Random(1)
    (place / "docs").mkdir(parents=True)
    for file in range(20):
        lines = [
            json.dumps({"id": at, "text": text(chance, 40), "rare": at % round(1 / RARE) == 0})
            for at in range(file, chunks, 20)
        ]
        (place / "docs" / f"{file}.jsonl").write_text("\n".join(lines))
    workspace = ragkit.open(place / "w")
    workspace.add_domain("d", embedder="hash")
    report = workspace.ingest(place / "docs", "d")
    print(f"{report.chunks:,} chunks, indexed in {report.seconds:.0f} s")
    for strategy in ("bm25", "vector", "hybrid"):
        for where in (None, {"rare": True}):
            found, times = [], []
            for word in WORDS[:30]:
                began = time.perf_counter()
                found.append(len(workspace.search(f"{word} {WORDS[0]}", strategy=strategy, k=10, where=where)))
                times.append(time.perf_counter() - began)
            least = min(found)
            print(f"  {strategy:7} {where or 'no filter'!s:16} at least {least} of 10, p50 {median_ms(times)}")
            assert least == 10 or (where and chunks * RARE < 10)
    workspace.close()


def syncs(place: Path, files: int, rounds: int) -> None:
    """What a sync costs that has nothing to do, or one file, with MiniLM: loading the model is part of the first."""
    chance = random.Random(2)
    for at in range(files):
        folder = place / "docs" / str(at % 100)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{at}.txt").write_text(text(chance, 12))
    workspace = ragkit.open(place / "w")
    workspace.add_domain("d", embedder="minilm")
    report = workspace.ingest(place / "docs", "d")
    print(f"{files:,} files, {report.chunks:,} chunks: first ingest {report.seconds:.1f} s")
    again = [seconds(workspace.sync) for _ in range(rounds)]
    changed = []
    for number in range(rounds):
        (place / "docs" / "7" / "7.txt").write_text(f"{text(chance, 12)} {number}")
        time.sleep(0.06)
        changed.append(seconds(workspace.sync))
    print(f"  nothing changed: {spread(again)}; one file changed: {spread(changed)}")
    workspace.close()


def texts() -> Iterator[tuple[str, list[Document]]]:
    """All texts of the shared datasets."""
    for path in sorted((SHARED / "datasets").glob("*/corpus.jsonl")):
        rows = map(json.loads, path.read_text("utf-8").splitlines())
        documents = [Document(str(row["id"]), row["text"], metadata={"title": row.get("title", "")}) for row in rows]
        yield path.parent.name, documents
    for path in sorted((SHARED / "datasets" / "chroma-chunking" / "corpora").glob("*")):
        yield f"chroma-chunking/{path.stem}", [Document(path.name, path.read_text("utf-8"))]
    files = [read for read in ragkit.read(SHARED / "files") if isinstance(read, Document)]
    yield "../shared/files", files


def nothing_cut_off() -> None:
    """The largest chunk with its header, in MiniLM's tokens, and whether any letter is in no chunk."""
    ruler = MiniLM()
    chunker = make_chunker(ChunkerSettings())
    print("set: documents, characters, chunks, most tokens of a chunk (window 256), characters in no chunk")
    for name, documents in texts():
        chunks, most, lost, size = 0, 0, 0, 0
        for document in documents:
            found = chunker.split(document, ruler)
            chunks += len(found)
            most = max([most, *ruler.count([chunk.indexed for chunk in found])])
            at = 0
            for chunk in found:
                lost += len("".join(document.text[at : chunk.start].split()))
                at = max(at, chunk.end)
            lost += len("".join(document.text[at:].split()))
            size += len(document.text)
        print(f"  {name}: {len(documents):,}, {size:,}, {chunks:,}, {most}, {lost}", flush=True)
        assert most <= ruler.window
        assert lost == 0


def median_ms(times: Sequence[float]) -> str:
    return f"{statistics.median(times) * 1000:.2f} ms"


def spread(times: Sequence[float]) -> str:
    return f"median {statistics.median(times):.2f} s ({min(times):.2f} to {max(times):.2f})"


if __name__ == "__main__":
    chunks, sizes, rounds = sys.argv[1:4] if len(sys.argv) > 3 else ("100000", "1000,10000", "5")
    with tempfile.TemporaryDirectory() as name:
        filters(Path(name) / "filters", int(chunks))
        for files in sizes.split(","):
            syncs(Path(name) / f"sync-{files}", int(files), int(rounds))
    if (SHARED / "datasets").is_dir():
        nothing_cut_off()
    else:
        print("SKIPPED FOR WANT OF DATA: ../shared/datasets is not here")
