import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ragkit.errors import InvalidInput, NotFound, RagkitError
from ragkit.eval import beir, csvquestions, squad, trec
from ragkit.eval.gold import resolve
from ragkit.eval.loading import load_any, sources_of
from ragkit.eval.questions import Gold, Question, QuestionSet, save
from ragkit.eval.result import Found, Result, Run
from tests.conftest import SHARED

Tree = Callable[[dict[str, str | bytes]], Path]
QUERIES = '{"_id": "1", "text": "Who?"}\n{"_id": "2", "text": "Why?"}\n{"_id": "3", "text": "When?"}\n'


def gold_of(questions: QuestionSet) -> dict[str, list[tuple[str, int]]]:
    return {one.id: [(gold.uri, gold.grade) for gold in one.gold] for one in questions}


@pytest.mark.parametrize("header", ["", "query-id\tcorpus-id\tscore\n"])
def test_a_beir_folder(tree: Tree, header: str) -> None:
    folder = tree({"queries.jsonl": QUERIES, "qrels.tsv": header + "1\ta b\t2\n1\tc\t0\n1\td\t-1\n2\tc\t1\n"})
    questions = load_any(folder)
    assert gold_of(questions) == {"1": [("corpus.jsonl#a b", 2)], "2": [("corpus.jsonl#c", 1)], "3": []}
    assert [one.tags for one in questions] == [(), (), (beir.UNJUDGED,)]
    assert questions.name == folder.name


def test_a_split_has_the_queries_that_it_judges(tree: Tree) -> None:
    folder = tree(
        {
            "queries.jsonl": QUERIES,
            "qrels/train.tsv": "query-id\tcorpus-id\tscore\n1\tx\t1\n",
            "qrels/test.tsv": "query-id\tcorpus-id\tscore\n3\tx\t1\n",
        }
    )
    assert gold_of(beir.load(folder, corpus="c.jsonl")) == {"3": [("c.jsonl#x", 1)]}


def test_what_shared_sets_say_beside(tree: Tree) -> None:
    rows = [
        {
            "id": "1",
            "text": "Who?",
            "answer": "Ann",
            "answer_aliases": ["Anne", "Ann"],
            "type": "fact",
            "hops": 2,
            "domain": "law",
            "doc_ids": ["a", "b"],
            "sub_questions": [{"question": "Which?", "answer": "x"}],
            "spans": [{"doc_id": "a", "start": 3, "end": 8, "text": "of it"}, {"doc_id": None, "text": "lost"}],
        },
        {"id": "2", "text": "Why?", "answerable": False, "spans": [{"doc_id": "a", "start": 0, "text": "no"}]},
        {"id": "3", "text": "How?", "doc_id": "b", "spans": [{"start": None, "text": "so"}]},
    ]
    folder = tree({"queries.jsonl": "\n".join(map(json.dumps, rows)), "qrels.tsv": "1\ta\t2\n1\tb\t1\n3\tb\t1\n"})
    assert load_any(folder).questions == (
        Question(
            id="1",
            question="Who?",
            answers=("Ann", "Anne"),
            gold=(Gold(uri="corpus.jsonl#b"), Gold(uri="corpus.jsonl#a", quote="of it", start=3, grade=2)),
            domain="law",
            sub_questions=("Which?",),
            tags=("fact", "hops 2", beir.INCOMPLETE),
        ),
        Question(id="2", question="Why?", unanswerable=True),
        Question(id="3", question="How?", gold=(Gold(uri="corpus.jsonl#b", quote="so"),)),
    )


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"queries.jsonl": QUERIES, "qrels.tsv": "9\ta\t1\n"}, "judges a query '9'"),
        ({"queries.jsonl": QUERIES, "qrels.tsv": "1\ta\t1\n1\ta\n"}, "qrels.tsv, line 2 is not"),
        ({"queries.jsonl": QUERIES, "qrels.tsv": "1\ta\t1\n1\ta\tmuch\n"}, "qrels.tsv, line 2 is not"),
        ({"queries.jsonl": QUERIES}, "judges none"),
        (
            {"queries.jsonl": QUERIES + '{"_id": "1", "text": "x"}', "qrels.tsv": "1\ta\t1"},
            "line 4: the id '1' is also",
        ),
        ({"queries.jsonl": '{"text": "Who?"}', "qrels.tsv": "1\ta\t1"}, "line 1 has no id"),
        ({"readme": "x"}, "holds no question set"),
        ({"topics": "1\tWho?", "qrels.a": "1 0 a 1", "qrels.b": "1 0 a 1"}, "1 files of topics and 2 of qrels"),
        ({"topics": "1\tWho?", "qrels": "2 0 a 1"}, "judges a topic '2'"),
        ({"topics": "1\tWho?", "qrels": "1 0 a"}, "qrels, line 1 is not"),
        ({"topics": "1 Who?", "qrels": "1 0 a 1"}, "topics, line 1 has no tab"),
        ({"topics": "1\tWho?\n1\tWhy?", "qrels": "1 0 a 1"}, "two topics '1'"),
    ],
)
def test_what_is_wrong_with_a_folder(tree: Tree, files: dict[str, str | bytes], said: str) -> None:
    with pytest.raises(RagkitError) as error:
        load_any(tree(files))
    assert said in error.value.reason


TOPICS = """<top>
<num> Number: 051
<title> Topic:  Airbus &amp;
  Subsidies
<desc> Description:
Who pays for <i>it</i>?
</top>
<top><num>2</num><title>Second</title><desc>More</desc></top>
<topic number="3"><query>Third</query></topic>
"""


def test_topics_in_sgml(tree: Tree) -> None:
    folder = tree({"topics.txt": TOPICS, "qrels.txt": "51 0 A-1 2\n51 0 A-2 0\n2 0 B 1\n2 0 C -2\n"})
    questions = load_any(folder)
    assert [(one.id, one.question) for one in questions] == [
        ("051", "Airbus & Subsidies"), ("2", "Second"), ("3", "Third"),
    ]  # fmt: skip
    assert gold_of(questions) == {"051": [("A-1", 2)], "2": [("B", 1)], "3": []}
    assert questions.questions[2].tags == (beir.UNJUDGED,)
    assert trec.read_topics(folder / "topics.txt", "title")["2"] == "Second"
    with pytest.raises(InvalidInput, match="no description"):
        trec.read_topics(folder / "topics.txt", "description")


def test_topics_apart_by_tabs(tree: Tree) -> None:
    folder = tree({"topics.tsv": "1\tWho was it?\n2\tWhy?\n", "qrels.tsv": "1\t0\ta b\t1\n", "corpus.jsonl": ""})
    questions = load_any(folder)
    assert [one.question for one in questions] == ["Who was it?", "Why?"]
    assert gold_of(questions)["1"] == [("corpus.jsonl#a b", 1)]


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.dictionaries(NAMES, st.lists(NAMES, min_size=1, max_size=4, unique=True), min_size=1, max_size=3), NAMES)
@example({"\ufeff": ["0"]}, "0")
def test_a_run_and_its_qrels_are_read_as_written(
    tmp_path_factory: pytest.TempPathFactory, found: dict[str, list[str]], name: str
) -> None:
    folder = tmp_path_factory.mktemp("run")
    results = {
        question: Result(question, tuple(Found("d", uri, 0, 9, 0.5) for uri in uris), 0.1)
        for question, uris in found.items()
    }
    trec.write_run(folder / "run.txt", Run(name, "set", {}, results))
    back = trec.read_run(folder / "run.txt")
    assert back.name == name
    assert {question: list(back.documents(question)) for question in back.results} == found

    gold = tuple(
        Question(id=question, question="?", gold=tuple(Gold(uri=uri, grade=2) for uri in uris))
        for question, uris in found.items()
    )
    trec.write_qrels(folder / "qrels.txt", QuestionSet("set", gold))
    assert trec.read_qrels(folder / "qrels.txt") == {
        question: dict.fromkeys(uris, 2) for question, uris in found.items()
    }
    for line in (folder / "run.txt").read_text("utf-8").split("\n")[:-1]:
        assert len(line.split()) == 6


def test_scores_of_a_run_fall_though_hits_tie(tmp_path: Path) -> None:
    hits = tuple(
        Found("d", uri, 0, 9, score) for uri, score in [("b", 3.0), ("a", 3.0), ("b", 2.5), ("c", 3.5), ("d", 0)]
    )
    run = Run("mine", "set", {}, {"1": Result("1", hits, 0.1), "2": Result("2", (), 0.1, "failed")})
    trec.write_run(tmp_path / "run", run)
    rows = [line.split() for line in (tmp_path / "run").read_text().splitlines()]
    assert [(row[0], row[2], row[3]) for row in rows] == [
        ("1", "b", "1"), ("1", "a", "2"), ("1", "c", "3"), ("1", "d", "4"),
    ]  # fmt: skip
    singles = [struct.unpack("f", struct.pack("f", float(row[4])))[0] for row in rows]
    assert singles == sorted(set(singles), reverse=True)


def test_a_run_of_others(tree: Tree) -> None:
    folder = tree(
        {"run": "1 Q0 a 1 0.5 tag\n1 Q0 b 2 0.9 tag\n", "bad": "1 Q0 a 1 much tag\n", "two": "1 Q0 a 1 1 t\n" * 2}
    )
    questions = QuestionSet("set", (Question(id="1", question="?"), Question(id="2", question="?")))
    run = trec.read_run(folder / "run", questions, domain="d")
    assert (run.name, run.question_set) == ("tag", "set")
    assert run.documents("1") == {"b": 0.9, "a": 0.5}
    assert list(run.documents("1")) == ["b", "a"]
    assert run.results["2"].hits == ()
    for name in ("bad", "two"):
        with pytest.raises(InvalidInput, match="line"):
            trec.read_run(folder / name)


CONTEXT = "Dr. Ann Lee was born in 1950. She studied physics in 1970. Nothing else is known."


def squad_file(path: Path, *rows: object) -> Path:
    data = [{"title": "Ann_Lee", "paragraphs": [{"context": CONTEXT, "qas": rows}, {"context": "More.", "qas": []}]}]
    path.write_text(json.dumps({"version": "v2.0", "data": data}), "utf-8")
    return path


def test_squad(tmp_path: Path) -> None:
    path = squad_file(
        tmp_path / "dev.json",
        {"id": "a", "question": " When? ", "answers": [{"text": "1950", "answer_start": 24}] * 2},
        {"id": "b", "question": "What?", "is_impossible": True, "answers": [], "plausible_answers": [{"text": "x"}]},
        {"id": "c", "question": "Where?", "answers": [{"text": "Nowhere", "answer_start": 3}]},
    )
    questions = load_any(path)
    first = "Dr. Ann Lee was born in 1950."
    assert questions.questions == (
        Question(id="a", question="When?", answers=("1950",), gold=(Gold(uri="Ann_Lee", quote=first),)),
        Question(id="b", question="What?", unanswerable=True),
        Question(id="c", question="Where?", answers=("Nowhere",), gold=(Gold(uri="Ann_Lee", quote=CONTEXT),)),
    )
    texts = squad.articles(path)
    assert texts == {"Ann_Lee": f"{CONTEXT}\n\nMore."}
    assert resolve(questions, texts.get).ranges["a"] == {"Ann_Lee": ((0, len(first)),)}
    assert squad.load(path, "c.jsonl#{title}").questions[0].gold[0].uri == "c.jsonl#Ann_Lee"


@pytest.mark.parametrize("text", ["[]", "{}", '{"data": [{"paragraphs": [{}]}]}', "{", '{"data": 5}'])
def test_what_is_not_squad(tree: Tree, text: str) -> None:
    with pytest.raises(InvalidInput, match="not in SQuAD's form"):
        load_any(tree({"a.json": text}) / "a.json")


def test_a_squad_question_without_answers(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="has no 'answers'"):
        load_any(squad_file(tmp_path / "a.json", {"id": "a", "question": "?"}))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_csv_of_a_spreadsheet(tmp_path: Path, encoding: str, sign: str) -> None:
    rows = [
        ["Question", "Ground Truth", "Document", "Evidence", "Category", "Note"],
        ["Où est-il?", "Ici|Là", "a.md", '"Il est\nici"', "fact|easy", "x"],
        ["Où est-il?", "", "b.md", "", "hard", ""],
        ["", "", "", "", "", ""],
        ["Who?", "", "", "", "", ""],
    ]
    path = tmp_path / "set.csv"
    path.write_bytes("\r\n".join(sign.join(row) for row in rows).encode(encoding))
    assert load_any(path).questions == (
        Question(
            id="1",
            question="Où est-il?",
            answers=("Ici", "Là"),
            gold=(Gold(uri="a.md", quote="Il est\nici"), Gold(uri="b.md")),
            tags=("fact", "easy", "hard"),
        ),
        Question(id="2", question="Who?"),
    )


def test_csv_with_every_field(tree: Tree) -> None:
    text = "id,question,uri,quote,start,grade,domain,unanswerable\nq1,Who?,a,b,7,2,law,no\nq2,Why?,,,,,,Yes\n"
    assert csvquestions.load(tree({"a.csv": text}) / "a.csv").questions == (
        Question(id="q1", question="Who?", domain="law", gold=(Gold(uri="a", quote="b", start=7, grade=2),)),
        Question(id="q2", question="Why?", unanswerable=True),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2", "no column 'question'"),
        ("", "no column 'question'"),
        ("question,evidnce\nWho?,x", "column 'evidnce'. Did you mean 'evidence'?"),
        ("question,uri\nWho?,a\n,b", "line 3 asks nothing"),
        ("id,question\n1,Who?\n1,Why?", "line 3: the id '1' is also that of another question, in line 2"),
        ("question,uri,grade\nWho?,a,best", "line 2, grade:"),
        ("question,quote\nWho?,It was Ann.", "line 2 quotes 'It was Ann.', and does not say from which document"),
        ("question,uri,quote\nWho?,a,x\nWhy?,,It was so.", "line 3 quotes 'It was so.'"),
    ],
)
def test_what_is_wrong_with_a_csv(tree: Tree, text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as error:
        load_any(tree({"a.csv": text}) / "a.csv")
    assert said in error.value.reason


def test_what_is_searched_for_a_question_set(tree: Tree) -> None:
    root = tree(
        {
            "b/corpus.jsonl": "", "b/queries.jsonl": QUERIES, "b/qrels.tsv": "1\ta\t1\n",
            "c/questions.jsonl": "", "c/corpora/a.md": "", "q.csv": "question\nWho?",
            "t/topics": "1\tWho?", "t/qrels": "1 0 a 1",
        }
    )  # fmt: skip
    beir_folder, docs = root / "b", root / "docs.jsonl"
    assert sources_of(beir_folder, []) == sources_of(beir_folder, [beir_folder]) == [beir_folder / "corpus.jsonl"]
    assert sources_of(root / "c", []) == [root / "c" / "corpora"]
    assert sources_of(beir_folder, [docs, root]) == [docs, root]
    assert sources_of(root / "q.csv", [docs]) == [docs]
    for path in (root / "q.csv", root / "none"):
        with pytest.raises(RagkitError):
            sources_of(path, [])
    assert gold_of(load_any(beir_folder, [docs]))["1"] == [("docs.jsonl#a", 1)]
    assert gold_of(load_any(beir_folder, [docs, docs]))["1"] == [("corpus.jsonl#a", 1)]
    assert gold_of(load_any(root / "t", [docs]))["1"] == [("docs.jsonl#a", 1)]
    assert gold_of(load_any(root / "t", [root]))["1"] == [("a", 1)]


def test_a_question_file_is_loaded_by_its_ending(tmp_path: Path) -> None:
    questions = QuestionSet("mine", (Question(id="1", question="Who?"),))
    save(tmp_path / "mine.jsonl", questions)
    assert load_any(tmp_path / "mine.jsonl") == questions
    (tmp_path / "a.docx").touch()
    with pytest.raises(InvalidInput, match="no question set"):
        load_any(tmp_path / "a.docx")
    with pytest.raises(NotFound):
        load_any(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("name", "counted"),
    [  # questions, judged as helpful, questions without gold, quotes; as the sets' own READMEs count them
        ("cranfield", (225, 1836 - 225, 0, 0)),
        ("cacm", (64, 796, 64 - 52, 0)),
        ("medline", (30, 696, 0, 0)),
        ("time", (83, 324, 0, 0)),
        ("squad-articles", (100, 100, 0, 0)),
        ("musique-100", (100, 68 * 2 + 27 * 3 + 5 * 4, 0, 0)),
        ("dragonball-finance", (350, 446, 52, 588 + 404 + 4)),
        ("doc2dial", (2159, 2159, 0, 2159)),
        ("chroma-chunking", (276, 276, 0, 452)),
        ("routing-mix-a", (465, 0, 465, 0)),
    ],
)
def test_shared_sets_count_as_their_readmes_say(name: str, counted: tuple[int, int, int, int]) -> None:
    folder = SHARED / "datasets" / name
    if not folder.is_dir():
        pytest.skip(f"SKIPPED FOR WANT OF DATA: ../shared/datasets/{name} is not here")
    questions = load_any(folder)
    gold = [(one.id, each) for one in questions for each in one.gold]
    documents = {(question, each.uri) for question, each in gold}
    without = sum(not one.gold for one in questions)
    assert (len(questions), len(documents), without, sum(bool(each.quote) for _, each in gold)) == counted
    assert sum(one.unanswerable for one in questions) == (52 if name == "dragonball-finance" else 0)
    if (folder / "corpus.jsonl").is_file():
        lines = (folder / "corpus.jsonl").read_text("utf-8").split("\n")
        known = {f"corpus.jsonl#{json.loads(line)['id']}" for line in lines if line}
        assert {uri for _, uri in documents} <= known
