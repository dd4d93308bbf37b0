"""SQuAD's JSON, v1.1 and v2 (Rajpurkar et al., 2016 and 2018): articles of paragraphs, each with questions.

Gold is the sentence that holds the answer: an answer alone ("1985") stands in many places that do not answer.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ragkit.errors import InvalidInput
from ragkit.eval.questions import Gold, Question, QuestionSet, read_text
from ragkit.indexes.sentences import sentences


def load(path: Path, uri: str = "{title}") -> QuestionSet:
    """`uri` is how an article's document is called, such as `corpus.jsonl#{title}`."""
    return QuestionSet(
        path.stem,
        tuple(
            _question(row, paragraph["context"], uri.replace("{title}", title), path)
            for title, paragraph in _paragraphs(path)
            for row in paragraph["qas"]
        ),
    )


def articles(path: Path) -> dict[str, str]:
    """The text of each article by title, its paragraphs apart by an empty line: what the questions are about."""
    parts: dict[str, list[str]] = {}
    for title, paragraph in _paragraphs(path):
        parts.setdefault(title, []).append(paragraph["context"])
    return {title: "\n\n".join(contexts) for title, contexts in parts.items()}


def _paragraphs(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        for article in json.loads(read_text(path))["data"]:
            for paragraph in article["paragraphs"]:
                yield article.get("title", ""), {"context": paragraph["context"], "qas": paragraph["qas"]}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"{path} is not in SQuAD's form: {type(error).__name__}: {error}.",
            'It is {"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers"}]}]}]}.',
        ) from error


def _question(row: Mapping[str, Any], context: str, uri: str, path: Path) -> Question:
    unanswerable = bool(row.get("is_impossible"))
    try:
        answers = [] if unanswerable else [(str(one["text"]), one.get("answer_start")) for one in row["answers"]]
        quotes = dict.fromkeys(_quote(context, text, start) for text, start in answers)
        return Question(
            id=str(row["id"]),
            question=str(row["question"]).strip(),
            answers=tuple(dict.fromkeys(text for text, _ in answers)),
            gold=() if unanswerable else tuple(Gold(uri=uri, quote=one) for one in quotes or [context]),
            unanswerable=unanswerable,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"{path}: a question has no {error}: {json.dumps(row)[:120]}.", "It has an id, a question and answers."
        ) from error


def _quote(context: str, answer: str, start: int | None) -> str:
    """The sentences that an answer stands in; the paragraph, when it does not stand where it should."""
    at = start if start is not None else context.find(answer)
    if at < 0 or not context.startswith(answer, at):
        return context
    holding = [one for one in sentences(context, 0, len(context)) if one[0] < at + len(answer) and at < one[1]]
    return context[holding[0][0] : holding[-1][1]] if holding else context
