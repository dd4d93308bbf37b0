from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragkit.errors import InvalidInput, NotFound, RagkitError
from ragkit.eval.questions import Gold, Question, QuestionSet, load, save

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
GOLD = st.builds(Gold, uri=WORDS, quote=WORDS, start=st.none() | st.integers(0, 99), grade=st.integers(1, 4))
QUESTION = st.builds(
    Question,
    id=WORDS,
    question=WORDS,
    answers=st.lists(WORDS, max_size=2).map(tuple),
    gold=st.lists(GOLD, max_size=2).map(tuple),
    domain=WORDS,
    sub_questions=st.lists(WORDS, max_size=2).map(tuple),
    unanswerable=st.booleans(),
    tags=st.lists(WORDS, max_size=2).map(tuple),
)


def write(folder: Path, *lines: str) -> Path:
    path = folder / "set.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    return path


@given(st.lists(QUESTION, max_size=5, unique_by=lambda question: question.id))
def test_what_is_saved_is_loaded(tmp_path_factory: pytest.TempPathFactory, questions: list[Question]) -> None:
    path = tmp_path_factory.mktemp("sets") / "mine.jsonl"
    questions_set = QuestionSet("mine", tuple(questions))
    save(path, questions_set)
    assert load(path) == questions_set


def test_a_line_says_only_what_is_not_as_by_default(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    save(path, QuestionSet("set", (Question(id="1", question="Où?", gold=(Gold(uri="a.md"),)),)))
    assert path.read_text("utf-8") == '{"id": "1", "question": "Où?", "gold": [{"uri": "a.md"}]}\n'


def test_blank_lines_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    path = write(tmp_path, '\ufeff{"id": "1", "question": "Who?"}', "", "  ", '{"id": "2", "question": "W\u2028hy?"}')
    assert [one.id for one in load(path)] == ["1", "2"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "2", "queston": "Who?"}', "line 2, question: Field required. queston: Extra inputs"),
        ('{"id": "2", "queston": "Who?"}', "Did you mean 'question'?"),
        ('{"id": "2", "question": "Who?", "gold": [{"uri": "a", "qoute": "b"}]}', "gold.0.qoute: "),
        ('{"id": "2", "question": "Who?", "gold": [{"uri": "a", "qoute": "b"}]}', "Did you mean 'quote'?"),
        ('{"id": "2", "question": "Who?", "gold": [{"uri": "a", "grade": 0}]}', "line 2, gold.0.grade: "),
        ('{"id": "1", "question": "Who?"}', "line 2: the id '1' is also that of line 1."),
        ('{"id": "2", ', "line 2 is no valid JSON"),
        ("[1]", "line 2 is no JSON object"),
    ],
)
def test_an_error_names_file_line_and_field(tmp_path: Path, line: str, said: str) -> None:
    path = write(tmp_path, '{"id": "1", "question": "Why?"}', line)
    with pytest.raises(InvalidInput) as error:
        load(path)
    assert error.value.reason.startswith(f"{path}, line 2")
    assert said in error.value.reason


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no file"):
        load(tmp_path / "none.jsonl")
    (tmp_path / "latin.jsonl").write_bytes('{"id": "é"}'.encode("latin-1"))
    with pytest.raises(InvalidInput, match="not in UTF-8"):
        load(tmp_path / "latin.jsonl")
    with pytest.raises(RagkitError, match="cannot be read"):
        load(tmp_path)


def test_a_set_has_no_two_questions_of_one_id() -> None:
    with pytest.raises(InvalidInput, match="two questions with the id 'a'"):
        QuestionSet("mine", (Question(id="a", question="Who?"), Question(id="a", question="Why?")))


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "set.jsonl"
    before = QuestionSet("set", (Question(id="1", question="Who?"),))
    save(path, before)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RagkitError, match="No space left"):
        save(path, QuestionSet("set", (Question(id="2", question="Why?"),)))
    assert load(path) == before
    assert [one.name for one in tmp_path.iterdir()] == ["set.jsonl"]


def test_half_a_character_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(RagkitError):
        save(tmp_path / "set.jsonl", QuestionSet("set", (Question.model_construct(id="1", question="\ud800"),)))
    assert not list(tmp_path.iterdir())
