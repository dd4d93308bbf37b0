"""A QuestionSet: questions with what a right answer rests on, as documents or as ranges of them.

Gold is written as a quote, not as an offset or a chunk: it survives another chunker, and an edit of the document.
A question file is JSONL, a Question a line.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ragkit import files
from ragkit.errors import InvalidInput, NotFound, RagkitError, nearest_of


class Gold(BaseModel):
    """What a question should find: a whole document, or what `quote` says in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uri: str
    quote: str = Field(default="", description="None: the whole document.")
    start: int | None = Field(default=None, ge=0, description="Where the quote stood when it was written.")
    grade: int = Field(default=1, ge=1, description="How much it helps; more is better.")


class Question(BaseModel):
    """One line of a question file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    question: str
    answers: tuple[str, ...] = Field(default=(), description="Reference answers, any of which is right.")
    gold: tuple[Gold, ...] = ()
    domain: str = Field(default="", description="Where it should be sent to.")
    sub_questions: tuple[str, ...] = ()
    unanswerable: bool = Field(default=False, description="The documents do not say.")
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class QuestionSet:
    name: str
    questions: tuple[Question, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for question in self.questions:
            if question.id in seen:
                raise InvalidInput(f"{self.name} has two questions with the id {question.id!r}.", "Make ids unique.")
            seen.add(question.id)

    def __iter__(self) -> Iterator[Question]:
        return iter(self.questions)

    def __len__(self) -> int:
        return len(self.questions)


def load(path: Path) -> QuestionSet:
    """The questions in a file. The set is called what the file is called."""
    questions: list[Question] = []
    lines: dict[str, int] = {}
    for number, value in read_lines(path):
        question = _question(path, number, value)
        if question.id in lines:
            raise InvalidInput(
                f"{path}, line {number}: the id {question.id!r} is also that of line {lines[question.id]}.",
                "Make ids unique.",
            )
        lines[question.id] = number
        questions.append(question)
    return QuestionSet(path.stem, tuple(questions))


def save(path: Path, questions: QuestionSet) -> None:
    """Write a question file, whole or not at all. What is as by default is left out."""
    lines = (
        json.dumps(one.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False) + "\n" for one in questions
    )
    write_whole(path, "".join(lines))


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSONL file, each with the number of its line. Empty lines are passed over."""
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise InvalidInput(f"{path}, line {number} is no valid JSON: {error}.", "Mend that line.") from error
        if not isinstance(value, dict):
            raise InvalidInput(f"{path}, line {number} is no JSON object.", 'A line is {"id": …, "question": …}.')
        yield number, value


def read_text(path: Path) -> str:
    """What a file says in UTF-8, or an error that says why not."""
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.", "Check its name.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not in UTF-8.", "Save it as UTF-8.") from error
    except OSError as error:
        raise RagkitError(f"{path} cannot be read: {error.strerror}.", "It must be a file you may read.") from error


def write_whole(path: Path, text: str) -> None:
    """A file that appears whole or not at all, with its folder; what is in the way is told."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_whole(path, text)
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{path} was not written: its text has half a character in it.", "Mend it.") from error
    except OSError as error:
        raise RagkitError(
            f"{path} cannot be written ({error.strerror or error}).", "Check its disk, and that you may write there."
        ) from error


def _question(path: Path, number: int, value: dict[str, Any]) -> Question:
    try:
        return Question.model_validate(value)
    except ValidationError as error:
        said = " ".join(
            f"{_place(one['loc'])}: {one['msg']}.{_meant(one['loc'], one['type'])}" for one in error.errors()
        )
        raise InvalidInput(f"{path}, line {number}, {said}", "Mend or remove it.") from error


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location))


def _meant(location: tuple[int | str, ...], kind: str) -> str:
    """The nearest field that would be known there, when the one given is not."""
    model: type[BaseModel] = Gold if location[0] == "gold" and len(location) > 1 else Question
    return nearest_of(str(location[-1]), model.model_fields) if kind == "extra_forbidden" else ""
