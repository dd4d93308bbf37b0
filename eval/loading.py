"""The loader for whatever a path holds."""

from pathlib import Path

from ragkit.errors import InvalidInput, NotFound
from ragkit.eval import beir, csvquestions, excerpts, questions, squad, trec
from ragkit.eval.questions import QuestionSet

_FORMS = "A folder has queries.jsonl and qrels.tsv, or topics.* and qrels.*; a file is .jsonl, .csv, or SQuAD's .json."


def load_any(path: Path) -> QuestionSet:
    """A question set from a folder or a file in one of the forms that ragkit knows. An empty one is an error."""
    found = _loaded(path)
    if not len(found):
        raise InvalidInput(f"{path} holds no question.", "Write some, or draft them with: ragkit eval questions")
    return found


def _loaded(path: Path) -> QuestionSet:
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise NotFound(f"There is no {path}.", _FORMS)
    ending = path.suffix.lower()
    if ending == ".json":
        return squad.load(path)
    if ending in (".csv", ".tsv"):
        return csvquestions.load(path)
    if ending == ".jsonl":
        return questions.load(path)
    raise InvalidInput(f"{path} is no question set that ragkit knows.", _FORMS)


def _folder(folder: Path) -> QuestionSet:
    if (folder / "queries.jsonl").is_file():
        return beir.load(folder)
    if (folder / "questions.jsonl").is_file():
        return excerpts.load(folder) if (folder / "corpora").is_dir() else questions.load(folder / "questions.jsonl")
    topics = [path for path in sorted(folder.glob("topics*")) if path.is_file()]
    qrels = [path for path in sorted(folder.glob("qrels*")) if path.is_file()]
    if len(topics) == 1 and len(qrels) == 1:
        prefix = "corpus.jsonl#" if (folder / "corpus.jsonl").is_file() else ""
        return trec.load(topics[0], qrels[0], prefix=prefix)
    if topics or qrels:
        raise InvalidInput(
            f"{folder} has {len(topics)} files of topics and {len(qrels)} of qrels.", "It has one of each."
        )
    raise NotFound(f"{folder} holds no question set that ragkit knows.", _FORMS)
