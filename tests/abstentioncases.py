"""Questions with passages that hold their answer, or do not, from the shared sets.

What does not hold it is made in three ways beside what people marked: the gold passages are taken out of what was found
(removed), a name or a year of the question is another one (swapped), and the question is put to another collection
(wrong).
"""

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import ragkit
from ragkit.collection import Collection, collection_of
from ragkit.errors import RagkitError
from ragkit.indexes.domain import Domain
from ragkit.indexes.hit import Hit
from ragkit.looked import look
from ragkit.signs import signs
from ragkit.sought import seek

SHARED = Path(__file__).resolve().parents[2] / "shared"
SETS = SHARED / "datasets"
K, DEPTH = 8, 40
CORPORA = {
    "dragonball": "datasets/dragonball-finance/corpus.jsonl", "doc2dial": "datasets/doc2dial/corpus.jsonl",
    "medline": "datasets/medline/corpus.jsonl", "time": "datasets/time/corpus.jsonl",
    "cranfield": "datasets/cranfield/corpus.jsonl", "musique": "datasets/musique-100/corpus.jsonl",
    "sec10q": "files/pdf-10q", "aragog": "files/pdf-aragog", "cacm": "datasets/cacm/corpus.jsonl",
    "chroma": "datasets/chroma-chunking/corpora", "squad": "datasets/squad-articles/corpus.jsonl",
}  # fmt: skip
MIX = {
    "aerodynamics": "cranfield", "computing": "cacm", "finance-reports": "dragonball", "gov-dmv-va": "doc2dial",
    "medicine": "medline", "news-1963": "time",
}  # fmt: skip
TRAIN = {
    "musique": "MuSiQue-Ans, CC BY 4.0", "doc2dial": "Doc2Dial 1.0.1, CC BY 3.0",
    "sec10q": "Docugami KG-RAG SEC 10-Q, MIT", "aragog": "ARAGOG questions, Apache-2.0",
}  # fmt: skip
"""What weights that ship are learnt from, with its licence. No other set is: neither its questions nor its texts."""

Kind = Literal["own", "removed", "swapped", "wrong"]
Holds = Callable[[Hit], bool]


@dataclass(frozen=True)
class Question:
    id: str
    text: str
    holds: Holds
    """Whether a passage is of the gold."""
    answerable: bool = True
    documents: tuple[str, ...] = ()
    """That are all needed."""


@dataclass(frozen=True)
class Case:
    set: str
    kind: Kind
    domain: str
    question: str
    answerable: bool
    held: float | None
    """How much of the gold is among the passages; None where only people know."""
    signs: Mapping[str, float]

    @property
    def label(self) -> bool | None:
        """Whether the passages hold the answer; None where they hold a part of it."""
        if self.kind != "own" or not self.answerable or self.held == 0:
            return False
        return True if self.held == 1 else None


def opened(folder: Path) -> ragkit.Workspace:
    """The corpora, each a domain; indexed when it is run for the first time (about ten minutes)."""
    workspace = ragkit.open(folder)
    for name, place in CORPORA.items():
        if name not in workspace.domains:
            workspace.ingest(SHARED / place, name)
            print(f"indexed {name}", flush=True)
    return workspace


class Maker:
    """Makes cases of questions. The same seed makes the same cases."""

    def __init__(self, workspace: ragkit.Workspace, seed: int = 5) -> None:
        self._workspace = workspace
        self._random = random.Random(seed)
        self._domains = {
            name: Domain(workspace.path / ".ragkit" / "domains" / name, name) for name in workspace.domains
        }

    def asked(self, set: str, domain: str, questions: Sequence[Question], others: Sequence[str]) -> Iterator[Case]:
        """`others`: the collections that each question is put to, two of them by chance."""
        for one in questions:
            hits = self._found(one.text, domain, DEPTH)
            yield self._case(set, "own", domain, one, hits[:K], _held(one, hits[:K]))
            if not one.answerable:
                continue
            gold, rest = [hit for hit in hits if one.holds(hit)], [hit for hit in hits if not one.holds(hit)]
            if gold and len(rest) >= K:
                yield self._case(set, "removed", domain, one, rest[:K], 0, gold)
            for other in self._random.sample(others, min(2, len(others))):
                yield self._case(set, "wrong", other, one, self._found(one.text, other, K), 0)

    def swapped(self, set: str, domain: str, questions: Sequence[Question], names: Sequence[str]) -> Iterator[Case]:
        """Each question three times with another name, and three times with other years."""
        for one in [*questions] * 3:
            sought = seek(one.text)
            name = max((name.text for name in sought.names), key=len, default="")
            if name and name in one.text:
                other = self._random.choice([other for other in names if other != name and other not in one.text])
                yield self._changed(set, domain, one, one.text.replace(name, other))
            years = {date.year for date in sought.dates if date.year}
            if years:
                text = one.text
                for year in years:
                    text = text.replace(str(year), str(year - self._random.choice([5, 7, 9, 12])))
                yield self._changed(set, domain, one, text)

    def put(self, set: str, domain: str, question: Question, own: bool) -> Case:
        hits = self._found(question.text, domain, K)
        return self._case(set, "own" if own else "wrong", domain, question, hits, _held(question, hits) if own else 0)

    def _changed(self, set: str, domain: str, question: Question, text: str) -> Case:
        changed = replace(question, text=text)
        return self._case(set, "swapped", domain, changed, self._found(text, domain, K), 0)

    def _found(self, text: str, domain: str, k: int) -> list[Hit]:
        try:
            return self._workspace.search(text, [domain], k=k)
        except RagkitError:  # "Yes." holds no word to search for
            return []

    def _case(
        self, set: str, kind: Kind, domain: str, one: Question, hits: Sequence[Hit], held: float | None,
        removed: Sequence[Hit] = (),
    ) -> Case:  # fmt: skip
        collection = _without(collection_of([self._domains[domain]], one.text), removed)
        found = signs(look(one.text, hits, collection), collection)
        return Case(set, kind, domain, one.text, one.answerable, held, found)


def _held(question: Question, hits: Sequence[Hit]) -> float:
    if question.documents:
        there = {_document(hit) for hit in hits}
        return sum(one in there for one in question.documents) / len(question.documents)
    return float(any(map(question.holds, hits)))


def _without(collection: Collection, removed: Sequence[Hit]) -> Collection:
    """As if these passages were not in the collection."""
    frequency = dict(collection.frequency)
    for hit in removed:
        for term in set(collection.analyzer.terms(" ".join((hit.title, *hit.headings, hit.text)))):
            if term in frequency:
                frequency[term] = max(0, frequency[term] - 1)
    return replace(collection, frequency=frequency)


def questions_of(set: str) -> list[Question]:
    return _LOADERS[set]()


def names_of(set: str, questions: Sequence[Question]) -> list[str]:
    """What a name may be swapped for: titles of the collection, and for reports companies that it has none of."""
    if set == "musique":
        titles = [row["title"] for row in lines("musique-100/corpus.jsonl")]
        return sorted({re.sub(r" \(.*", "", title) for title in titles})
    if set == "sec10q":
        return ["Tesla", "Boeing", "Pfizer", "Netflix"]
    return sorted({name.text for one in questions for name in seek(one.text).names if len(name.text) > 2})


def lines(path: str) -> list[dict[str, Any]]:
    with (SETS / path).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def mixed() -> list[tuple[str, Question]]:
    """routing-mix-a: each question with the collection that it belongs to."""
    gold: dict[tuple[str, str], set[str]] = {}
    for name in MIX.values():
        for line in (SETS / Path(CORPORA[name]).parent.name / "qrels.tsv").read_text().splitlines():
            query, document, grade = line.split("\t")
            if grade.strip().isdigit() and int(grade):
                gold.setdefault((name, query), set()).add(document)
    asked = []
    for row in lines("routing-mix-a/queries.jsonl"):
        name = MIX[row["label"]]
        documents = gold.get((name, row["id"].partition(":")[2]), set())
        asked.append((name, Question(row["id"], row["text"], _in_documents(documents))))
    return asked


def later_turns(count: int = 500) -> list[Question]:
    """Turns of a conversation that are not its first, without what was said before."""
    rows = [row for row in lines("doc2dial/queries.jsonl") if row["turn"] > 1]
    return [_turn(row) for row in random.Random(5).sample(rows, count)]


def _document(hit: Hit) -> str:
    return hit.uri.partition("#")[2]


def _in_documents(documents: set[str]) -> Holds:
    return lambda hit: _document(hit) in documents


def _in_file(names: Sequence[str]) -> Holds:
    return lambda hit: any(name in hit.uri for name in names)


def _in_spans(spans: Sequence[Mapping[str, Any]], of: Callable[[Hit], str] = _document) -> Holds:
    known = [one for one in spans if one["start"] is not None]
    return lambda hit: any(
        of(hit) == one["doc_id"] and hit.start < one["end"] and one["start"] < hit.end for one in known
    )


def _turn(row: Mapping[str, Any]) -> Question:
    spans = [{**span, "doc_id": row["doc_id"]} for span in row["spans"]]
    return Question(row["id"], row["text"], _in_spans(spans))


def _dragonball() -> list[Question]:
    rows = lines("dragonball-finance/queries.jsonl")
    return [Question(row["id"], row["text"], _in_spans(row["spans"]), row["answerable"]) for row in rows]


def _musique() -> list[Question]:
    """The questions, and those of their parts that can be asked alone."""
    asked = []
    for row in lines("musique-100/queries.jsonl"):
        needed = tuple(dict.fromkeys(sub["doc_id"] for sub in row["sub_questions"]))
        asked.append(Question(row["id"], row["text"], _in_documents(set(needed)), documents=needed))
        for sub in row["sub_questions"]:
            if "#" not in sub["question"] and ">>" not in sub["question"]:
                asked.append(Question(f"{row['id']}/1", sub["question"], _in_documents({sub["doc_id"]})))
    return asked


def _sec10q() -> list[Question]:
    rows = [row for row in lines("sec-10q/questions.jsonl") if row["all_docs_here"]]
    files = [[one.replace(" ", "_").removesuffix(".pdf") for one in row["docs"]] for row in rows]
    return [Question(row["id"], row["question"], _in_file(own)) for row, own in zip(rows, files, strict=True)]


def _aragog() -> list[Question]:
    rows = [row for row in lines("aragog/questions.jsonl") if row.get("file") and (SHARED / row["file"]).exists()]
    return [Question(f"ar{at}", row["question"], _in_file([row["doc"]])) for at, row in enumerate(rows)]


def _chroma() -> list[Question]:
    asked = []
    for row in lines("chroma-chunking/questions.jsonl"):
        spans = [{**span, "doc_id": row["corpus"]} for span in row["references"]]
        asked.append(Question(row["id"], row["question"], _in_spans(spans, lambda hit: Path(hit.uri).stem)))
    return asked


def _squad() -> list[Question]:
    articles = {row["id"]: row["text"].split("\n") for row in lines("squad-articles/corpus.jsonl")}
    asked = []
    for row in lines("squad-articles/queries.jsonl"):
        paragraphs, at = articles[row["doc_id"]], row["paragraph"]
        start = sum(len(one) + 1 for one in paragraphs[:at])
        span = {"doc_id": row["doc_id"], "start": start, "end": start + len(paragraphs[at])}
        asked.append(Question(row["id"], row["text"], _in_spans([span])))
    return asked


_LOADERS: dict[str, Callable[[], list[Question]]] = {
    "dragonball": _dragonball, "musique": _musique, "sec10q": _sec10q, "aragog": _aragog, "chroma": _chroma,
    "squad": _squad,
    "doc2dial": lambda: [_turn(row) for row in lines("doc2dial/queries.jsonl") if row["turn"] == 1],
}  # fmt: skip
