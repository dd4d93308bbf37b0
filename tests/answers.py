"""Answers without a model beside the obvious ones, by gold answers and gold ranges: `make answers`.

Each question is asked of the passages that `search` finds (k = 8, ragkit's defaults), by `extract`, and answered by the
first sentence, the first three sentences, and the whole of the best passage. F1 and containment are those of SQuAD's
scorer. A quote is right when it has some of a gold range; where a set only knows gold documents, when it is of one.
The weights were fitted on every second question; the last row is the others, seen while thresholds were chosen.
"""

import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ragkit
from ragkit.eval.answers import contains, normalised, token_f1
from ragkit.eval.claims import bare
from ragkit.eval.statistics import bootstrap_interval
from ragkit.extractive import extract
from ragkit.indexes.hit import Hit
from ragkit.indexes.sentences import sentences
from ragkit.model import Passage, Quote, Reply
from ragkit.source import passages, sources

SHARED = Path(__file__).resolve().parents[2] / "shared"
SETS = SHARED / "datasets"
K = 8
OTHERS = 60
"""Articles of squad-articles without a question that are indexed too; with all 490 it takes ten minutes more."""
Writer = Callable[[str, Sequence[Passage]], Reply]
Place = tuple[str, int, int]
"""A document's name, and a range of it."""


@dataclass(frozen=True)
class Asked:
    text: str
    answers: tuple[str, ...]
    gold: tuple[Place, ...]
    answer_in_gold: bool = False
    """Of the gold range, only the sentence with the answer counts."""


def first_sentences(count: int) -> Writer:
    def written(question: str, given: Sequence[Passage]) -> Reply:
        best = given[0]
        ranges = sentences(best.text, 0, len(best.text))[:count]
        text = " ".join(best.text[start:end] for start, end in ranges)
        return Reply(text, "first", quotes=(Quote(best.number, ranges[0][0], ranges[-1][1]),))

    return written


def whole(question: str, given: Sequence[Passage]) -> Reply:
    return Reply(given[0].text, "whole", quotes=(Quote(given[0].number, 0, len(given[0].text)),))


WRITERS: dict[str, Writer] = {
    "first sentence": first_sentences(1),
    "first three": first_sentences(3),
    "whole passage": whole,
    "extractive": extract,
}
MEASURES = ("F1", "contains", "words recalled", "cited gold", "gold cited", "words")


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def musique(place: Path) -> tuple[Path, list[Asked]]:
    folder = SETS / "musique-100"
    asked = [
        Asked(one["text"], (one["answer"], *one["answer_aliases"]),
              tuple((sub["doc_id"], 0, 10**9) for sub in one["sub_questions"]))
        for one in rows(folder / "queries.jsonl")
    ]  # fmt: skip
    return folder / "corpus.jsonl", asked


def squad(place: Path) -> tuple[Path, list[Asked]]:
    folder = SETS / "squad-articles"
    questions = list(rows(folder / "queries.jsonl"))
    named = {one["doc_id"] for one in questions}
    texts: dict[str, str] = {}
    corpus = place / "corpus.jsonl"
    with corpus.open("w", encoding="utf-8") as out:
        others = 0
        for row in rows(folder / "corpus.jsonl"):
            others += row["id"] not in named
            if row["id"] in named or others <= OTHERS:
                texts[row["id"]] = row["text"]
                out.write(json.dumps(row) + "\n")
    asked = []
    for one in questions:
        text, paragraph = texts[one["doc_id"]], one["paragraph"]
        start = sum(len(line) for line in text.splitlines(keepends=True)[:paragraph])
        end = start + len(text.splitlines(keepends=True)[paragraph])
        gold = [
            (one["doc_id"], first, last)
            for first, last in sentences(text, start, end)
            if f" {normalised(one['answer'])} " in f" {normalised(text[first:last])} "
        ]
        asked.append(Asked(one["text"], (one["answer"],), tuple(gold or [(one["doc_id"], start, end)])))
    return corpus, asked


def dragonball(place: Path) -> tuple[Path, list[Asked]]:
    folder = SETS / "dragonball-finance"
    asked = [
        Asked(one["text"], (one["answer"],),
              tuple((span["doc_id"], span["start"], span["end"]) for span in one["spans"] if span["start"] is not None))
        for one in rows(folder / "queries.jsonl")
        if one["answerable"]
    ]  # fmt: skip
    return folder / "corpus.jsonl", asked


def sec(place: Path) -> tuple[Path, list[Asked]]:
    asked = [
        Asked(one["question"], (_without_sources(one["answer"]),),
              tuple((name.replace(" ", "_"), 0, 10**9) for name in one["docs"]))
        for one in rows(SETS / "sec-10q" / "questions.jsonl")
        if one["all_docs_here"]
    ]  # fmt: skip
    return SHARED / "files" / "pdf-10q", asked


def aragog(place: Path) -> tuple[Path, list[Asked]]:
    asked = [
        Asked(one["question"], (one["answer"],), ((one["doc"], 0, 10**9),))
        for one in rows(SETS / "aragog" / "questions.jsonl")
        if one.get("file")
    ]
    return SHARED / "files" / "pdf-aragog", asked


def _without_sources(answer: str) -> str:
    return re.sub(r"\(?SOURCE(?:\(S\))?:[^)\n]*\)?", "", answer).strip()


LOADERS = {
    "musique-100": musique, "squad-articles": squad, "dragonball-finance": dragonball, "sec-10q": sec, "aragog": aragog,
}  # fmt: skip


def scores(asked: Asked, reply: Reply, hits: Sequence[Hit]) -> dict[str, float]:
    text = bare(reply.text)
    places = [
        (_name(hit.uri), hit.start + quote.start, hit.start + quote.end)
        for quote in reply.quotes
        if quote is not None
        for hit in [hits[quote.number - 1]]
    ]
    right = [any(_touch(one, gold) for gold in asked.gold) for one in places]
    found = [any(_touch(one, gold) for one in places) for gold in asked.gold]
    said = set(normalised(text).split())
    wanted = [set(normalised(answer).split()) for answer in asked.answers]
    return {
        "F1": token_f1(text, asked.answers),
        "contains": contains(text, asked.answers),
        "words recalled": max((len(said & words) / len(words) for words in wanted if words), default=0.0),
        "cited gold": sum(right) / len(right) if right else 0.0,
        "gold cited": sum(found) / len(found) if found else 0.0,
        "words": float(len(text.split())),
    }


def _name(uri: str) -> str:
    return uri.partition("#")[2] or uri


def _touch(one: Place, other: Place) -> bool:
    return one[0] == other[0] and one[1] < other[2] and other[1] < one[2]


def measure(name: str, place: Path, writers: dict[str, Writer]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    source, questions = LOADERS[name](place)
    with closing(ragkit.open(place)) as workspace:
        workspace.ingest(source, "set")
        found = [(asked, workspace.search(asked.text, ["set"], k=K)) for asked in questions]
    found = [(asked, hits) for asked, hits in found if hits]
    print(f"\n{name}, {len(found)} questions")
    print(f"| {'':15} | {' | '.join(f'{one:22}' for one in MEASURES)} | ms |\n|---|{'---:|' * (len(MEASURES) + 1)}")
    for writer, write in writers.items():
        results, times = [], []
        for asked, hits in found:
            began = time.perf_counter()
            reply = write(asked.text, passages(sources(hits)))
            times.append((time.perf_counter() - began) * 1000)
            results.append(scores(asked, reply, hits))
        _print(writer, results, times)
    _print("  other half", results[1::2], times[1::2])


def _print(name: str, results: Sequence[dict[str, float]], times: Sequence[float]) -> None:
    cells = [_cell([one[measure] for one in results]) for measure in MEASURES]
    print(f"| {name:15} | {' | '.join(f'{one:22}' for one in cells)} | {statistics.median(times):.1f} |", flush=True)


def _cell(values: Sequence[float]) -> str:
    mean = statistics.mean(values)
    low, high = bootstrap_interval(values) if len(set(values)) > 1 else (mean, mean)
    return f"{mean:.1f}" if high > 2 else f"{mean:.3f} ({low:.3f}–{high:.3f})"


def main(place: Path, names: Sequence[str]) -> None:
    for name in names or LOADERS:
        measure(name, place / name, WRITERS)


if __name__ == "__main__":
    if not SETS.is_dir():
        sys.exit("SKIPPED FOR WANT OF DATA: ../shared/datasets is not here")
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/answers"), sys.argv[2:])
