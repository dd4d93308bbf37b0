"""Questions in a plain CSV with a header line, as they come out of a spreadsheet.

Rows that share an id, or without ids a question, are one question with several golds. Columns may be called in many
ways (`_COLUMNS`); others are passed over, but one that is nearly a known word is taken for a slip of the pen.
Several answers or tags in a cell are apart by "|", tags by ";" too.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from ragkit.connectors.encoding import decode
from ragkit.errors import InvalidInput, NotFound, RagkitError
from ragkit.eval.questions import Gold, Question, QuestionSet

_COLUMNS = {
    "id": "id qid questionid queryid nr no",
    "question": "question query q prompt userinput",
    "answers": "answers answer reference referenceanswer expected expectedanswer groundtruth response",
    "uri": "uri document doc documentid docid source file filename path url",
    "quote": "quote gold context evidence passage excerpt span referencecontext",
    "start": "start offset",
    "grade": "grade relevance",
    "domain": "domain collection",
    "sub_questions": "subquestions subquestion",
    "unanswerable": "unanswerable impossible isimpossible",
    "tags": "tags tag category type labels label",
}
_MEANING = {name: field for field, names in _COLUMNS.items() for name in names.split()}
_TRUE = frozenset(("1", "true", "yes", "y", "x"))
_SLIP = 0.8
"""How like a word is which was mistyped: "evidnce" is, "note" for "quote" is not."""
_DELIMITERS = ",;\t|"


def load(path: Path) -> QuestionSet:
    """The questions of a CSV file, whatever it is written in and its columns are apart by."""
    text = _read(path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    header = next(reader, [])
    fields = [_field(name, path) for name in header]
    if "question" not in fields:
        raise InvalidInput(f"{path} has no column 'question': {', '.join(header)}.", "Name its columns in line 1.")
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    for cells in reader:
        row = {field: cell.strip() for field, cell in zip(fields, cells, strict=False) if field}
        if not any(row.values()):
            continue
        if not row.get("question"):
            raise InvalidInput(f"{path}, line {reader.line_num} asks nothing.", "Write a question, or remove the line.")
        rows[row.get("id") or row["question"]].append({**row, "line": str(reader.line_num)})
    return QuestionSet(path.stem, tuple(_question(same, at, path) for at, same in enumerate(rows.values(), 1)))


def is_header(line: str) -> bool:
    """Whether this line names a column for questions."""
    return any(
        _MEANING.get(_bare(name)) == "question" for name in next(csv.reader([line], delimiter=_delimiter(line)), [])
    )


def _read(path: Path) -> str:
    try:
        return decode(path.read_bytes()).text
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.", "Check its name.") from error
    except OSError as error:
        raise RagkitError(f"{path} cannot be read: {error.strerror}.", "It must be a file you may read.") from error


def _delimiter(text: str) -> str:
    """The sign that cuts the header into most columns that mean something."""
    header = text.partition("\n")[0].rstrip("\r")

    def known(delimiter: str) -> int:
        return sum(_bare(name) in _MEANING for name in next(csv.reader([header], delimiter=delimiter), []))

    return max(_DELIMITERS, key=known)


def _bare(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _field(name: str, path: Path) -> str:
    """What a column means; nothing for one that is none of ours."""
    field = _MEANING.get(_bare(name), "")
    meant = [] if field else get_close_matches(_bare(name), _MEANING, 1, _SLIP)
    if meant and len(meant[0]) > 4:
        raise InvalidInput(f"{path} has a column {name!r}. Did you mean {meant[0]!r}?", "Rename it.")
    return field


def _question(rows: Sequence[Mapping[str, str]], number: int, path: Path) -> Question:
    first = rows[0]
    for row in rows:
        if row["question"] != first["question"]:
            raise InvalidInput(
                f"{path}, line {row['line']}: the id {first['id']!r} is also that of another question, "
                f"in line {first['line']}.",
                "Make ids unique.",
            )
        if row.get("quote") and not row.get("uri"):
            raise InvalidInput(
                f"{path}, line {row['line']} quotes {row['quote'][:60]!r}, and does not say from which document.",
                "Name it in a column 'uri'. If these are no quotes of documents, give their column another name.",
            )
    gold = [_gold(row, path) for row in rows if row.get("uri")]
    return Question(
        id=first.get("id") or str(number),
        question=first["question"],
        answers=_several(rows, "answers", "|"),
        gold=tuple(dict.fromkeys(gold)),
        domain=first.get("domain", ""),
        sub_questions=_several(rows, "sub_questions", "|"),
        unanswerable=any(row.get("unanswerable", "").lower() in _TRUE for row in rows),
        tags=_several(rows, "tags", "|;"),
    )


def _gold(row: Mapping[str, str], path: Path) -> Gold:
    given = {field: row[field] for field in ("uri", "quote", "start", "grade") if row.get(field)}
    try:
        return Gold.model_validate(given)
    except ValidationError as error:
        said = " ".join(f"{one['loc'][0]}: {one['msg']}." for one in error.errors())
        raise InvalidInput(f"{path}, line {row['line']}, {said}", "Mend it.") from error


def _several(rows: Sequence[Mapping[str, str]], field: str, signs: str) -> tuple[str, ...]:
    parts = (part.strip() for row in rows for part in re.split(f"[{signs}]", row.get(field, "")))
    return tuple(dict.fromkeys(part for part in parts if part))
