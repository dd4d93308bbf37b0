"""Questions with excerpts of whole corpora, as Chroma's chunking evaluation has them (Smith and Troynikov, 2024).

`questions.jsonl` names for each question a corpus, which is a file of the folder `corpora`, and ranges of its text.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ragkit.errors import InvalidInput, NotFound
from ragkit.eval.questions import Gold, Question, QuestionSet, read_lines


def load(folder: Path) -> QuestionSet:
    """A question's uris are the names of the files in `corpora`; its corpus is a tag too."""
    names = {path.stem: path.name for path in sorted((folder / "corpora").iterdir())}
    path = folder / "questions.jsonl"
    return QuestionSet(
        folder.resolve().name, tuple(_question(path, number, row, names) for number, row in read_lines(path))
    )


def _question(path: Path, number: int, row: Mapping[str, Any], names: Mapping[str, str]) -> Question:
    corpus = str(row.get("corpus"))
    if corpus not in names:
        raise NotFound(
            f"{path}, line {number} is about the corpus {corpus!r}, which is not in {path.parent / 'corpora'}.",
            f"There are: {', '.join(names)}.",
        )
    try:
        return Question(
            id=str(row["id"]),
            question=row["question"],
            gold=tuple(Gold(uri=names[corpus], quote=one["text"], start=one["start"]) for one in row["references"]),
            tags=(corpus,),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            f"{path}, line {number}: {error}.",
            'A line is {"id", "corpus", "question", "references": [{"start", "end", "text"}]}.',
        ) from error
