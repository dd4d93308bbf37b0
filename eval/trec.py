"""TREC's files: topics (SGML or tab-separated), qrels (4 columns) and runs (6 columns).

Their tools cut lines at blanks, which names of files may hold. Runs and qrels that are written here have blanks and
"%" as %20 and %25, and reading undoes it.
"""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from ragkit.errors import InvalidInput
from ragkit.eval.beir import UNJUDGED, Judgements
from ragkit.eval.questions import Gold, Question, QuestionSet, read_text, write_whole
from ragkit.eval.result import Found, Result, Run

_TOPIC = re.compile(r"<top(?:ic)?\b(?P<attributes>[^>]*)>(?P<body>.*?)</top(?:ic)?>", re.IGNORECASE | re.DOTALL)
_FIELD = re.compile(r"<(?P<name>[a-z]+)[^>]*>(?P<text>.*?)(?=<[/a-z]|\Z)", re.IGNORECASE | re.DOTALL)
_LABEL = re.compile(r"\s*(?:Number|Topic|Description|Narrative):", re.IGNORECASE)
_NUMBER = re.compile(r"\b(?:number|id)\s*=\s*[\"']?([^\s\"']+)", re.IGNORECASE)
_NAMES = {"desc": "description", "narr": "narrative", "query": "title", "number": "num"}
_UNSAFE = re.compile(r"[\s%\ufeff]")
"""U+FEFF, for at the beginning of a file it is no sign but says that this is in UTF-8."""
_WRITTEN = re.compile(r"(?:%[0-9A-F]{2})+")
_STEP = 2.0**-22
"""A difference in score that is still one for tools that keep scores in 32 bits."""


def load(topics: Path, qrels: Path, field: str = "title", prefix: str = "") -> QuestionSet:
    """The topics as questions; `field` is what is asked: title, description or narrative.

    `prefix` is what stands before a document's name in its uri, such as `corpus.jsonl#`.
    """
    asked = read_topics(topics, field)
    judged = read_qrels(qrels)
    ids = {_bare(topic): topic for topic in asked}
    grades: Judgements = {}
    for topic, documents in judged.items():
        known = topic if topic in asked else ids.get(_bare(topic))
        if known is None:
            raise InvalidInput(f"{qrels} judges a topic {topic!r}, which {topics} does not have.", "Mend one of them.")
        grades[known] = documents
    return QuestionSet(topics.stem, tuple(_question(topic, asked[topic], grades.get(topic), prefix) for topic in asked))


def read_topics(path: Path, field: str = "title") -> dict[str, str]:
    """What is asked, by number of the topic."""
    text = read_text(path)
    topics: dict[str, str] = {}
    for number, asked in _sgml(text, field) if _TOPIC.search(text) else _tabbed(path, text):
        if number in topics:
            raise InvalidInput(f"{path} has two topics {number!r}.", "Make their numbers unique.")
        if not number or not asked:
            raise InvalidInput(f"{path}: topic {number or len(topics) + 1!r} has no number or no {field}.", "Mend it.")
        topics[number] = asked
    if not topics:
        raise InvalidInput(f"{path} has no topics.", "They are <top> … </top>, or lines of a number, a tab and a text.")
    return topics


def read_qrels(path: Path) -> Judgements:
    """Grades by topic and document: lines of topic, iteration, document, grade."""
    judged: Judgements = {}
    for number, line in _lines(path):
        cells = _cells(line, 4)
        if cells is None or not cells[3].removeprefix("-").isdecimal():
            raise InvalidInput(
                f"{path}, line {number} is not a topic, an iteration, a document and a grade: {line[:80]!r}.",
                "Mend that line.",
            )
        topic, _, document, grade = cells
        judged.setdefault(_read(topic), {})[_read(document)] = int(grade)
    return judged


def write_qrels(path: Path, questions: QuestionSet) -> None:
    """The gold documents of a set, so that other tools can score its runs. A document has its best gold's grade."""
    lines: list[str] = []
    for question in questions:
        grades: dict[str, int] = {}
        for gold in question.gold:
            grades[gold.uri] = max(gold.grade, grades.get(gold.uri, 0))
        lines += [f"{_write(question.id)} 0 {_write(uri)} {grade}\n" for uri, grade in grades.items()]
    write_whole(path, "".join(lines))


def read_run(path: Path, questions: QuestionSet | None = None, domain: str = "") -> Run:
    """A run of documents; their ranges are not known, and empty. The scores say the order, as in TREC's own tool.

    With `questions`, those without a line have a result without hits.
    """
    scored: dict[str, dict[str, float]] = {} if questions is None else {question.id: {} for question in questions}
    name = path.stem
    for number, line in _lines(path):
        cells = _cells(line, 6)
        score = _score(cells[4]) if cells else None
        if cells is None or score is None:
            raise InvalidInput(
                f"{path}, line {number} is not a topic, Q0, a document, a rank, a score and a tag: {line[:80]!r}.",
                "Mend that line.",
            )
        hits, document = scored.setdefault(_read(cells[0]), {}), _read(cells[2])
        if document in hits:
            raise InvalidInput(f"{path}, line {number}: {document!r} is there a second time.", "Name it once a topic.")
        hits[document] = score
        name = _read(cells[5])
    results = {
        topic: Result(
            topic,
            tuple(Found(domain, uri, 0, 0, score) for uri, score in sorted(hits.items(), key=lambda hit: -hit[1])),
            0.0,
        )
        for topic, hits in scored.items()
    }
    return Run(name, "" if questions is None else questions.name, {}, results)


def write_run(path: Path, run: Run) -> None:
    """The documents that each question found, in their order.

    Other tools order by score, so that a score which is not below the one before it is written a trifle below it.
    """
    lines: list[str] = []
    for question in run.results:
        last = None
        for rank, (uri, score) in enumerate(run.documents(question).items(), 1):
            last = score if last is None else min(score, last - max(abs(last) * _STEP, 1e-30))
            lines.append(f"{_write(question)} Q0 {_write(uri)} {rank} {last!r} {_write(run.name) or 'run'}\n")
    write_whole(path, "".join(lines))


def _question(topic: str, asked: str, grades: dict[str, int] | None, prefix: str) -> Question:
    gold = tuple(Gold(uri=prefix + name, grade=grade) for name, grade in (grades or {}).items() if grade > 0)
    return Question(id=topic, question=asked, gold=gold, tags=() if grades is not None else (UNJUDGED,))


def _sgml(text: str, field: str) -> Iterator[tuple[str, str]]:
    for topic in _TOPIC.finditer(text):
        fields: dict[str, str] = {}
        for found in _FIELD.finditer(topic["body"]):
            name = found["name"].lower()
            said = " ".join(html.unescape(_LABEL.sub("", found["text"], count=1)).split())
            fields.setdefault(_NAMES.get(name, name), said)
        attribute = _NUMBER.search(topic["attributes"])
        yield fields.get("num") or (attribute[1] if attribute else ""), fields.get(field, "")


def _tabbed(path: Path, text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            topic, tab, asked = line.strip().partition("\t")
            if not tab:
                raise InvalidInput(
                    f"{path}, line {number} has no tab: {line[:80]!r}.", "A line is a number, a tab, a text."
                )
            yield topic.strip(), asked.strip()


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(read_text(path).split("\n"), 1) if line.strip())


def _cells(line: str, count: int) -> list[str] | None:
    """Apart by tabs if there are so many, since a name may hold blanks then, else by blanks."""
    cells = line.strip().split("\t")
    if len(cells) != count:
        cells = line.split()
    return cells if len(cells) == count else None


def _score(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _bare(topic: str) -> str:
    """Topics and qrels do not always agree in leading zeros."""
    return topic.lstrip("0")


def _write(name: str) -> str:
    return _UNSAFE.sub(lambda sign: quote(sign[0], safe=""), name)


def _read(name: str) -> str:
    """Undoes `_write`, and leaves whatever else looks like it."""

    def undone(found: re.Match[str]) -> str:
        sign = unquote(found[0], errors="replace")
        return sign if _write(sign) == found[0] else found[0]

    return _WRITTEN.sub(undone, name)
