"""How well a workspace routes, as `ragkit eval route` says it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import ragkit
from ragkit.cli import app
from ragkit.errors import InvalidInput
from ragkit.eval.routed import Placed, check_known, placed, routed

TEXTS = {"ships": "The ferry leaves the harbour at noon.", "bread": "Bake the dough of rye for an hour."}
LINES = [
    {"id": "1", "question": "When does the ferry leave the harbour?", "domain": "ships"},
    {"id": "2", "question": "How long is dough of rye baked?", "domain": "bread"},
    {"id": "3", "question": "Where is the harbour of the ferry?", "domain": "bread"},
    {"id": "4", "question": "Does the ferry of the harbour sing?", "domain": None},
    {"id": "5", "question": "What is it?"},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("routed")
    (place / "ragkit.toml").write_text("version = 1\n")
    ws = ragkit.open(place)
    for name, text in TEXTS.items():
        (place / f"{name}.md").write_text(f"# {name}\n\n{text}\n")
        ws.add_domain(name, embedder="hash")
        ws.ingest(place / f"{name}.md", name)
    ws.close()
    (place / "questions.jsonl").write_text("\n".join(map(json.dumps, LINES)))
    return place


def test_questions_that_say_where_they_belong_are_read(folder: Path) -> None:
    found, silent = placed(folder / "questions.jsonl")
    assert [one.domain for one in found] == ["ships", "bread", "bread", ""]
    assert silent == 1


@pytest.mark.parametrize("line", ['{"question": 3, "domain": "ships"}', '{"domain": "x"}', '{"question": "What?"}'])
def test_what_says_not_where_a_question_belongs_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "q.jsonl").write_text(line)
    with pytest.raises(InvalidInput):
        placed(tmp_path / "q.jsonl")


def test_a_gold_domain_that_nobody_has_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'shops', which is no domain"):
        check_known([Placed("What?", "shops")], list(TEXTS))


def test_routes_are_scored_by_hand(folder: Path) -> None:
    with_gold, _ = placed(folder / "questions.jsonl")
    ws = ragkit.open(folder)
    said = routed(ws, with_gold, "keyword")
    ws.close()
    assert said.accuracy == 2 / 4  # the third is said to belong elsewhere, and the fourth nowhere
    assert said.among == 2 / 3
    assert said.outside == 0.0
    assert said.domains["ships"].recall == 1.0
    assert said.domains["ships"].precision == 1 / 3
    assert said.domains["bread"].recall == 1 / 2


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["eval", "route", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_command_shows_each_selector_and_each_domain(folder: Path) -> None:
    given = [str(folder / "questions.jsonl"), "--by", "cascade,keyword", "-w", str(folder)]
    told = json.loads(run(*given, "--json"))
    assert (told["questions"], told["outside"]) == (4, 1)
    assert set(told["selectors"]) == {"cascade", "keyword"}
    assert {"accuracy", "accuracy@90%", "out_of_scope_recall", "sure", "domains", "p50_ms"} <= set(
        told["selectors"]["cascade"]
    )
    shown = run(*given)
    assert "if sure" in shown
    assert "66.7%" in shown
    assert "Precision" in shown
