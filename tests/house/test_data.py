"""The demo company is what its sources say, byte for byte, and its questions ask for what its documents hold."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import ragkit
from ragkit.eval.gold import resolve
from ragkit.eval.loading import load_any
from ragkit.eval.questions import QuestionSet

DATA = Path(__file__).resolve().parents[2] / "data"
DEMO = DATA / "demo"
DOMAINS = ("finance", "engineering", "marketing")


def build(data: Path, *target: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(data / "build.py"), *target],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The folder `data`, to be changed."""
    return Path(shutil.copytree(DATA, tmp_path / "data"))


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    read = list(ragkit.read(DEMO))
    assert not [one for one in read if isinstance(one, ragkit.Failure)]
    return {one.uri: one.text for one in read if isinstance(one, ragkit.Document)}


@pytest.fixture(scope="module")
def questions() -> QuestionSet:
    return load_any(DATA / "questions.jsonl", [DEMO])


def test_the_demo_is_what_its_sources_make_wherever_and_whenever(tmp_path: Path) -> None:
    done = build(DATA, str(tmp_path), TZ="Asia/Tokyo", PYTHONHASHSEED="7")
    assert done.returncode == 0, done.stderr
    made, kept = files(tmp_path), files(DEMO)
    assert set(made) == set(kept)
    assert not [name for name in made if made[name] != kept[name]], "run make data"


def test_a_file_without_a_source_is_removed_from_the_demo_and_from_nowhere_else(copied: Path, tmp_path: Path) -> None:
    for source in (copied / "sources").rglob("*.*.md"):
        if "policy" not in source.name:
            source.unlink()  # a few are enough here
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for folder in (copied / "demo", elsewhere):
        (folder / "stray.md").write_text("I have no source.")
    assert build(copied).returncode == 0
    assert build(copied, str(elsewhere)).returncode == 0
    assert set(files(copied / "demo")) == set(files(elsewhere)) - {"stray.md"}
    assert len(files(copied / "demo")) >= 4
    assert (elsewhere / "stray.md").exists()


@pytest.mark.parametrize(
    ("figure", "wrong", "said"),
    [
        ('"Nordics"                = [6.6,', '"Nordics"                = [6.7,', "regions and revenue of 2024-Q1"),
        ('"Quality"   = [ 5,', '"Quality"   = [ 6,', "teams and engineering of 2024-Q1"),
        ('"Trade fairs"         = [255, 272, 268, 271, 262', '"Trade fairs"         = [255, 272, 268, 271, 263',
         "marketing's spend in 2025"),
    ],
)  # fmt: skip
def test_figures_that_contradict_each_other_are_refused(copied: Path, figure: str, wrong: str, said: str) -> None:
    facts = copied / "facts.toml"
    text = facts.read_text()
    assert figure in text
    facts.write_text(text.replace(figure, wrong))
    before = files(copied / "demo")
    done = build(copied)
    assert done.returncode != 0
    assert said in done.stderr
    assert files(copied / "demo") == before


def test_each_domain_has_documents_in_many_formats_and_all_of_it_is_small(texts: dict[str, str]) -> None:
    kept = files(DEMO)
    assert sum(map(len, kept.values())) < 2_000_000
    assert {Path(name).suffix for name in kept} == {
        ".md", ".pdf", ".docx", ".xlsx", ".pptx", ".html", ".csv", ".eml",
    }  # fmt: skip
    counted = Counter(uri.split("/")[0] for uri in texts)
    assert set(counted) == set(DOMAINS)
    assert all(count >= 12 for count in counted.values())


def test_several_pdfs_have_pages_and_their_furniture_is_not_text() -> None:
    pages: dict[str, int] = {}
    for document in ragkit.read(DEMO):
        if isinstance(document, ragkit.Document) and document.media_type == "application/pdf":
            pages[document.uri] = sum(mark.kind == "page" for mark in document.marks)
            assert "Page 2" not in document.text
            assert any(mark.kind == "table" for mark in document.marks), document.uri
    assert len([uri for uri, count in pages.items() if count >= 3]) >= 6


def test_all_gold_stands_word_for_word_and_once(texts: dict[str, str], questions: QuestionSet) -> None:
    found = resolve(questions, texts.get)
    assert not [one for one in found.reports if one.status != "exact" or one.places != 1]


def test_no_remark_and_no_unfilled_figure_is_shown(texts: dict[str, str]) -> None:
    assert not [uri for uri, text in texts.items() if "conflict:" in text or "{{" in text or "<!--" in text]


def test_questions_are_of_many_kinds(questions: QuestionSet) -> None:
    tags = Counter(tag for question in questions for tag in question.tags)
    least = {
        "paraphrase": 35, "table": 20, "multi-hop": 10, "comparison": 8, "conflict": 5, "superseded": 10, "why": 10,
        "yes-no": 10, "list": 5, "definition": 3, "date": 5, "simple": 10,
    }  # fmt: skip
    assert len(questions) >= 120
    assert not {tag: tags[tag] for tag, count in least.items() if tags[tag] < count}
    assert {question.domain for question in questions} == {*DOMAINS, ""}
    assert sum(bool(question.sub_questions) for question in questions) >= 10


def test_what_has_no_answer_has_no_gold_and_everything_else_has_both(questions: QuestionSet) -> None:
    without = [question for question in questions if question.unanswerable]
    assert len(without) >= 15
    assert sum("near-topic" in question.tags for question in without) * 2 >= len(without)
    for question in questions:
        assert bool(question.gold) == bool(question.answers) == (not question.unanswerable), question.id


def test_every_document_is_asked_for(texts: dict[str, str], questions: QuestionSet) -> None:
    asked = {gold.uri for question in questions for gold in question.gold}
    assert not set(texts) - asked
    assert asked <= set(texts)


def test_every_conflict_of_the_sources_is_asked_for_with_both_sides(questions: QuestionSet) -> None:
    sides = [{gold.uri for gold in question.gold} for question in questions if "conflict" in question.tags]
    assert all(len(side) >= 2 for side in sides)
    sources = [path for path in (DATA / "sources").rglob("*.md") if "conflict:" in path.read_text()]
    assert len(sources) >= 4
    for path in sources:
        assert any(str(path.relative_to(DATA / "sources").with_suffix("")) in side for side in sides), path


def test_the_comparison_of_the_demo_has_its_evidence_in_each_domain(tmp_path: Path, questions: QuestionSet) -> None:
    (asked,) = (question for question in questions if question.id == "x01")
    assert {gold.uri.split("/")[0] for gold in asked.gold} == set(DOMAINS)
    ws = ragkit.open(tmp_path)
    for domain in DOMAINS:
        ws.add_domain(domain, embedder="hash")
        ws.ingest(DEMO / domain, domain=domain)
    for part, gold in zip(asked.sub_questions, asked.gold, strict=True):
        domain, _, uri = gold.uri.partition("/")
        found = ws.search(part, domains=[domain], strategy="bm25", k=5)
        assert any(hit.uri == uri for hit in found), part
