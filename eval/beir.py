"""A folder as BEIR has them (Thakur et al., 2021): `corpus.jsonl`, `queries.jsonl`, and judgements in `qrels.tsv` or
`qrels/test.tsv`.

A judgement makes a document gold. Where a query names `spans` of that document, these are gold in its place, with the
document's grade. A grade of 0 or less is a judgement that the document does not help: no gold.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ragkit.errors import InvalidInput, NotFound
from ragkit.eval.questions import Gold, Question, QuestionSet, read_lines, read_text

UNJUDGED = "unjudged"
"""The tag of a query that nobody looked for documents for: it cannot be scored, and is kept to be counted."""
INCOMPLETE = "gold incomplete"
"""The tag of a query with a span that does not say which of several documents it is from."""
_SPLITS = ("test", "dev", "train")
_TAGS = ("type", "tags", "split")
_NUMBERED_TAGS = ("hops", "turn")

Judgements = dict[str, dict[str, int]]
"""Grades by query and document."""


def load(folder: Path, corpus: str = "corpus.jsonl") -> QuestionSet:
    """All queries of a folder with one `qrels.tsv`; of one with splits, those that the split judges.

    `corpus` is what documents' uris begin with, as the corpus is called where it was ingested.
    """
    qrels = find_qrels(folder)
    judged = read_judgements(qrels) if qrels else {}
    queries = {_id(folder / "queries.jsonl", number, row): row for number, row in _rows(folder / "queries.jsonl")}
    for query in judged:
        if query not in queries:
            raise InvalidInput(f"{qrels} judges a query {query!r}, which queries.jsonl does not have.", "Mend it.")
    of_split = qrels is not None and qrels.parent != folder
    questions = tuple(
        _question(query, row, _grades(row) if qrels is None else judged.get(query), corpus)
        for query, row in queries.items()
        if query in judged or not of_split
    )
    if all(UNJUDGED in question.tags for question in questions):
        raise NotFound(
            f"{folder} judges none of its queries.", "Put judgements into qrels.tsv: query, document, grade."
        )
    return QuestionSet(folder.resolve().name, questions)


def find_qrels(folder: Path) -> Path | None:
    """The one file, or of several splits the one that results are published for."""
    names = ["qrels.tsv", *(f"qrels/{split}.tsv" for split in _SPLITS)]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def read_judgements(path: Path) -> Judgements:
    """Query, document and grade, apart by tabs, with a header line or without. Of two grades the higher counts."""
    judged: Judgements = {}
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        cells = line.rstrip("\r").split("\t")
        if number == 1 and not _is_grade(cells[-1]):
            continue
        if len(cells) != 3 or not _is_grade(cells[2]):
            raise InvalidInput(
                f"{path}, line {number} is not a query, a document and a grade apart by tabs: {line[:80]!r}.",
                "Mend that line.",
            )
        query, document, grade = cells
        grades = judged.setdefault(query, {})
        grades[document] = max(int(grade), grades.get(document, int(grade)))
    return judged


def _is_grade(cell: str) -> bool:
    return cell.strip().removeprefix("-").isdecimal()


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    seen: dict[str, int] = {}
    for number, row in read_lines(path):
        query = _id(path, number, row)
        if query in seen:
            raise InvalidInput(
                f"{path}, line {number}: the id {query!r} is also that of line {seen[query]}.", "Make ids unique."
            )
        seen[query] = number
        yield number, row


def _id(path: Path, number: int, row: Mapping[str, Any]) -> str:
    given = row.get("id", row.get("_id"))
    if given is None or not _text(row):
        raise InvalidInput(f"{path}, line {number} has no id or no text.", 'A line is {"id": …, "text": …}.')
    return str(given)


def _text(row: Mapping[str, Any]) -> str:
    return str(row.get("text") or row.get("question") or row.get("query") or "")


def _question(query: str, row: Mapping[str, Any], grades: Mapping[str, int] | None, corpus: str) -> Question:
    domain = str(row.get("domain") or row.get("label") or "")
    unanswerable = row.get("answerable") is False or row.get("unanswerable") is True
    gold = tuple(_gold(row, grades or {}, corpus))
    unjudged = not (gold or unanswerable or domain) and grades is None
    lacking = any(not _document(span, row) for span in row.get("spans") or ())
    return Question(
        id=query,
        question=_text(row),
        answers=tuple(_strings(row, "answers", "answer", "answer_aliases")),
        gold=gold,
        domain=domain,
        sub_questions=tuple(
            _text(one) if isinstance(one, dict) else str(one) for one in row.get("sub_questions") or ()
        ),
        unanswerable=unanswerable,
        tags=(*_tags(row), *([UNJUDGED] if unjudged else []), *([INCOMPLETE] if gold and lacking else [])),
    )


def _grades(row: Mapping[str, Any]) -> dict[str, int] | None:
    """Of a folder without judgements: the documents that the query itself names."""
    return dict.fromkeys(_documents(row), 1) or None


def _gold(row: Mapping[str, Any], grades: Mapping[str, int], corpus: str) -> Iterator[Gold]:
    helping = {document: grade for document, grade in grades.items() if grade > 0}
    spans = [(_document(span, row), span) for span in row.get("spans") or ()]
    in_spans = {document for document, _ in spans}
    for document, grade in helping.items():
        if document not in in_spans:
            yield Gold(uri=f"{corpus}#{document}", grade=grade)
    for document, span in spans:
        if document in helping:
            yield Gold(uri=f"{corpus}#{document}", quote=span["text"], start=span.get("start"), grade=helping[document])


def _document(span: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Whose span it is. One that does not say is of the query's document, if there is just one."""
    given = span.get("doc_id")
    documents = _documents(row)
    if given is not None:
        return str(given)
    return documents[0] if len(documents) == 1 else ""


def _documents(row: Mapping[str, Any]) -> list[str]:
    return _strings(row, "doc_id", "doc_ids")


def _strings(row: Mapping[str, Any], *fields: str) -> list[str]:
    found: dict[str, None] = {}
    for field in fields:
        value = row.get(field)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str | int | float) and str(one):
                found.setdefault(str(one))
    return list(found)


def _tags(row: Mapping[str, Any]) -> list[str]:
    numbered = [f"{field} {row[field]}" for field in _NUMBERED_TAGS if isinstance(row.get(field), int)]
    return [*_strings(row, *_TAGS), *numbered]
