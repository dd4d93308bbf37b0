"""The loader for whatever a path holds, and the documents that lie beside it."""

from collections.abc import Sequence
from pathlib import Path

from ragkit.errors import InvalidInput, NotFound
from ragkit.eval import beir, csvquestions, excerpts, questions, squad, trec
from ragkit.eval.questions import QuestionSet

_CORPUS = "corpus.jsonl"
_FORMS = "A folder has queries.jsonl and qrels.tsv, or topics.* and qrels.*; a file is .jsonl, .csv, or SQuAD's .json."


def load_any(path: Path, sources: Sequence[Path] = ()) -> QuestionSet:
    """A question set from a folder or a file in one of the forms that ragkit knows. An empty one is an error.

    Folders of BEIR and TREC judge ids. They are those of `corpus.jsonl`, or of the one JSONL file that is searched.
    """
    corpus = sources[0].name if len(sources) == 1 and sources[0].suffix == ".jsonl" else _CORPUS
    found = _loaded(path, corpus)
    if not len(found):
        raise InvalidInput(f"{path} holds no question.", "Write some, or draft them with: ragkit eval questions")
    return found


def sources_of(path: Path, given: Sequence[Path]) -> list[Path]:
    """What is searched: what is given, or else the documents that lie beside a folder's questions.

    Who gives the folder itself means these, too: its questions and its judgements are no documents.
    """
    beside = next((path / name for name in (_CORPUS, "corpora") if (path / name).exists()), None)
    if not path.exists():
        raise NotFound(f"There is no {path}.", _FORMS)
    if not given and beside is None:
        raise InvalidInput(f"{path} has no documents beside it.", "Name them with: --source FOLDER")
    return [beside if beside and one.resolve() == path.resolve() else one for one in given or [path]]


def _loaded(path: Path, corpus: str) -> QuestionSet:
    if path.is_dir():
        return _folder(path, corpus)
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


def _folder(folder: Path, corpus: str) -> QuestionSet:
    if (folder / "queries.jsonl").is_file():
        return beir.load(folder, corpus)
    if (folder / "questions.jsonl").is_file():
        return excerpts.load(folder) if (folder / "corpora").is_dir() else questions.load(folder / "questions.jsonl")
    topics = [path for path in sorted(folder.glob("topics*")) if path.is_file()]
    qrels = [path for path in sorted(folder.glob("qrels*")) if path.is_file()]
    if len(topics) == 1 and len(qrels) == 1:
        prefix = f"{corpus}#" if (folder / _CORPUS).is_file() or corpus != _CORPUS else ""
        return trec.load(topics[0], qrels[0], prefix=prefix)
    if topics or qrels:
        raise InvalidInput(
            f"{folder} has {len(topics)} files of topics and {len(qrels)} of qrels.", "It has one of each."
        )
    raise NotFound(f"{folder} holds no question set that ragkit knows.", _FORMS)
