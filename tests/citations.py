"""Whether citations are exact: `make citations`. Every one of every answer is looked up in its document.

Questions of the shared sets and of the demo are asked of the default engine, as they are, in parts, and as follow-ups
of a conversation, and of a model that cites at random: invented numbers, duplicates, groups. All of them must say what
their documents say, and every marker that a reader sees must have one.
"""

import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ragkit
from ragkit.answer import Answer, Citation
from ragkit.indexes.sentences import sentences
from ragkit.markers import marked
from ragkit.model import Request
from ragkit.scripted import ScriptedModel

HERE = Path(__file__).resolve().parents[1]
SHARED = HERE.parent / "shared"
SETS = SHARED / "datasets"
MODEL = "extractive"
_WORD = re.compile(r"\w+")
_MARK = re.compile(r"\s?\[\d{1,4}\]")


@dataclass
class Counts:
    questions: int = 0
    answered: int = 0
    in_parts: int = 0
    citations: int = 0
    markers: int = 0
    claims: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.questions:5} questions, {self.answered:5} answered, {self.in_parts:4} in parts, "
            f"{self.citations:6} citations, {self.markers:6} markers, {self.claims:6} claims, {len(self.wrong)} wrong"
        )

    def add(self, other: "Counts") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass
class Looker:
    """Looks every citation up; documents are read once."""

    place: ragkit.Workspace
    counts: Counts = field(default_factory=Counts)
    _texts: dict[tuple[str, str], str] = field(default_factory=dict)

    def look(self, answer: Answer) -> None:
        self.counts.questions += 1
        self.counts.answered += not answer.abstained
        self.counts.in_parts += bool(answer.sub_answers)
        problems = list(self.problems(answer))
        self.counts.wrong += [f"{answer.question!r}: {one}" for one in problems]

    def problems(self, answer: Answer) -> Iterator[str]:
        yield from self._of(answer)
        known = {_place(one): one.marker for one in answer.citations}
        for part in answer.sub_answers:
            yield from self._of(part)
            for one in part.citations:
                if known.setdefault(_place(one), one.marker) != one.marker:
                    yield f"{_place(one)} has two numbers, {known[_place(one)]} and {one.marker}"
        if len(set(known.values())) != len(known):
            yield "a number stands for two places"

    def _of(self, answer: Answer) -> Iterator[str]:
        self.counts.citations += len(answer.citations)
        self.counts.claims += len(answer.claims)
        shown = [number for _, number in marked(answer.text)]
        self.counts.markers += len(shown)
        numbers = [one.marker for one in answer.citations]
        if set(shown) != set(numbers) or len(numbers) != len(set(numbers)):
            yield f"markers {shown} but citations {numbers} in {answer.text!r}"
        for one in answer.citations:
            yield from self._exact(one)
        own = {one.marker: _place(one) for one in answer.citations}
        for claim in answer.claims:
            text = answer.text[claim.start : claim.end]
            if not claim.text.strip() or not 0 <= claim.start < claim.end <= len(answer.text):
                yield f"{claim} stands nowhere"
            elif (said := _WORD.findall(_MARK.sub("", text))) != _WORD.findall(claim.text):
                yield f"{claim.text!r} stands as {said}"
            for one in claim.citations:
                yield from self._exact(one)
                if own.get(one.marker) != _place(one) or f"[{one.marker}]" not in text:
                    yield f"{claim.text!r} cites {one.marker}, which is not shown"

    def _exact(self, one: Citation) -> Iterator[str]:
        key = one.domain, one.uri
        if key not in self._texts:
            self._texts[key] = self.place.document(one.uri, one.domain).text
        if self._texts[key][one.start : one.end] != one.quote:
            yield f"{one.uri} {one.start}:{one.end} is not {one.quote!r}"
        if not one.quote.strip() or one.quote != one.quote.strip():
            yield f"a blank quote, or blanks around it: {one.quote!r}"


def _place(one: Citation) -> tuple[str, str, int, int]:
    return one.domain, one.uri, one.start, one.end


class AtRandom:
    """What a careless model writes: true sentences, half ones, and markers of all kinds wherever they fall."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def __call__(self, request: Request) -> str:
        if request.schema is not None:
            return "no plan"
        chance = self._chance
        texts = [one.text for one in request.passages]
        pieces: list[str] = []
        for _ in range(chance.randint(1, 6)):
            text = chance.choice(texts) if texts else "Nothing is known."
            start, end = chance.choice(sentences(text, 0, len(text)) or [(0, len(text))])
            said = text[start:end] if chance.random() < 0.6 else text[start : start + chance.randint(5, 40)]
            words = said.split(" ")
            if chance.random() < 0.3:
                words.insert(chance.randrange(len(words) + 1), self._mark(len(texts)))
            pieces.append(" ".join(words) + self._mark(len(texts)) + chance.choice((" ", "\n", "\n\n", ". ", "\n- ")))
        return "".join(pieces)

    def _mark(self, given: int) -> str:
        one = [str(self._chance.randint(0, given + 3)) for _ in range(4)]
        return self._chance.choice((
            "", f" [{one[0]}]", f"[{one[0]}][{one[1]}]", f" [{one[0]}, {one[1]};{one[2]}]", f" [{one[0]}][{one[0]}]",
            f" [[{one[0]}]]", f"[[{one[0]}]{one[1]}]", f" [{one[0]}-{one[1]}]", f" 【{one[0]}】", f" [000{one[0]}]",
            f"[{one[0]}](http://x)", f" [passage {one[0]}]", f"\n[{one[0]}] ", f" [{one[0]}] [{one[1]}] [{one[2]}].",
        ))  # fmt: skip


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def open_over(folder: Path, sources: dict[str, Sequence[Path]]) -> ragkit.Workspace:
    """A workspace over these, kept between runs; weak evidence is answered from, too, for more citations to look at."""
    made = folder / "ragkit.toml"
    if not made.exists():
        folder.mkdir(parents=True, exist_ok=True)
        place = ragkit.open(folder)
        for name, paths in sources.items():
            place.add_domain(name)
            for path in paths:
                place.ingest(path, name)
        place.close()
        made.write_text(f"{made.read_text()}\n[ask]\nevidence = 0\n[cache]\nexact = false\n[trace]\nkeep = false\n")
    return ragkit.open(folder)


def squad(place: Path) -> tuple[dict[str, Sequence[Path]], list[str]]:
    folder = SETS / "squad-articles"
    questions = rows(folder / "queries.jsonl")
    named = {one["doc_id"] for one in questions}
    place.mkdir(parents=True, exist_ok=True)
    corpus = place / "corpus.jsonl"
    kept = [row for row in rows(folder / "corpus.jsonl") if row["id"] in named]
    corpus.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
    return {"squad": [corpus]}, [one["text"] for one in questions]


def plain(name: str) -> Callable[[Path], tuple[dict[str, Sequence[Path]], list[str]]]:
    def made(place: Path) -> tuple[dict[str, Sequence[Path]], list[str]]:
        folder = SETS / name
        return {name: [folder / "corpus.jsonl"]}, [one["text"] for one in rows(folder / "queries.jsonl")]

    return made


def papers(name: str, pdfs: str, there: Callable[[dict[str, Any]], bool], asked: str) -> Any:
    def made(place: Path) -> tuple[dict[str, Sequence[Path]], list[str]]:
        questions = rows(SETS / name / "questions.jsonl")
        return {name: [SHARED / "files" / pdfs]}, [one[asked] for one in questions if there(one)]

    return made


def demo(place: Path) -> tuple[dict[str, Sequence[Path]], list[str]]:
    sources: dict[str, Sequence[Path]] = {
        name: [HERE / "data" / "demo" / name] for name in ("finance", "engineering", "marketing")
    }
    return sources, [one["question"] for one in rows(HERE / "data" / "questions.jsonl")]


ASKED = {
    "demo": demo,
    "squad-articles": squad,
    "musique-100": plain("musique-100"),
    "dragonball-finance": plain("dragonball-finance"),
    "aragog": papers("aragog", "pdf-aragog", lambda one: True, "question"),
    "sec-10q": papers("sec-10q", "pdf-10q", lambda one: bool(one.get("all_docs_here")), "question"),
}


def followups(place: Path) -> tuple[dict[str, Sequence[Path]], list[list[str]]]:
    """Conversations: what a user says, turn after turn."""
    folder = SETS / "doc2dial"
    talks: dict[str, list[str]] = {}
    for one in rows(folder / "queries.jsonl"):
        talks.setdefault(one["id"].rpartition("_")[0], []).append(one["text"])
    return {"doc2dial": [folder / "corpus.jsonl"]}, [talk for talk in talks.values() if len(talk) > 2]


def asked(place: ragkit.Workspace, questions: Sequence[str], model: Callable[[], Any]) -> Counts:
    looker = Looker(place)
    for question in questions:
        looker.look(place.ask(question, model=model()))
    return looker.counts


def in_pairs(questions: Sequence[str]) -> list[str]:
    """Two questions in one, which is asked in parts."""
    return [f"{one} {other}" for one, other in zip(questions[::2], questions[1::2], strict=False)]


def main() -> None:
    build = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    total = Counts()

    def show(what: str, counts: Counts, began: float) -> None:
        total.add(counts)
        print(f"{what:34} {counts}  ({time.monotonic() - began:.0f} s)", flush=True)
        for wrong in counts.wrong[:5]:
            print(f"  WRONG {wrong}", flush=True)

    chance = AtRandom(17)
    for name, make in ASKED.items():
        if name != "demo" and not (SETS / name).exists():
            print(f"{name:34} SKIPPED: {SETS / name} is missing")
            continue
        sources, questions = make(build / "sources" / name)
        with closing(open_over(build / name, sources)) as place:
            for what, those, model in (
                ("", questions, lambda: MODEL),
                (", two at once", in_pairs(questions), lambda: MODEL),
                (", a careless model", questions, lambda: ScriptedModel(chance)),
                (", two at once, a careless model", in_pairs(questions), lambda: ScriptedModel(chance)),
            ):
                began = time.monotonic()
                show(f"{name}{what}", asked(place, those, model), began)
    if (SETS / "doc2dial").exists():
        sources, talks = followups(build / "sources" / "doc2dial")
        with closing(open_over(build / "doc2dial", sources)) as place:
            began, looker = time.monotonic(), Looker(place)
            for talk in talks[:60]:
                chat = place.chat()
                for said in talk:
                    looker.look(chat.ask(said))
            show("doc2dial, in conversations", looker.counts, began)
    print(f"{'together':34} {total}")
    sys.exit(bool(total.wrong))


if __name__ == "__main__":
    main()
