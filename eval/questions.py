"""A QuestionSet: questions with what a right answer rests on, as documents or as ranges of them.

Gold is written as a quote, not as an offset or a chunk: it survives another chunker, and an edit of the document.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field


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

    def __iter__(self) -> Iterator[Question]:
        return iter(self.questions)

    def __len__(self) -> int:
        return len(self.questions)
