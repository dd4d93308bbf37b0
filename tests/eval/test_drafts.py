from collections import Counter
from collections.abc import Callable

import pytest

from ragkit.connectors.builder import Builder
from ragkit.connectors.document import Document
from ragkit.eval.draftkinds import Draft, drafts_of
from ragkit.eval.drafts import LONGEST_RUN, MOST_COPIED, TAG, draft, is_copy
from ragkit.eval.gold import resolve
from ragkit.eval.questions import Question, QuestionSet

TABLE = [
    ["City", "Founded", "Population", "River", "Mayor"],
    ["Aldervale", "1204", "34,000", "Aln", "Jo Park"],
    ["Brightwick", "1381", "18,500", "Bure", "Sam Roe"],
]


def made(write: Callable[[Builder], None], uri: str = "guide.md", title: str = "The lake guide") -> Document:
    out = Builder()
    out.title = title
    write(out)
    return out.build(uri)


def guide(out: Builder) -> None:
    out.heading("Introduction", 1)
    out.block("Welcome, whoever reads this; it is a pleasure to have you here.")
    out.heading("Ferries in winter", 1)
    out.block("Boats leave twice a day from the south pier. When ice lies on the water, none of them run.")
    out.heading("History", 1)
    out.block("A weir is a low barrier across a stream that raises its level so that mills can be driven.")
    out.block("The Aldervale Mill was built in 1822 by two brothers who had lost their farm in a flood upstream.")
    out.block("It was closed in 1931. The reconstruction was completed in 2004 with money from the region's fund.")
    out.block("The Long Bridge is 340 metres long and carries the old road, two tracks and a path for walkers.")
    out.block("Aldervale has 14 schools in which children of five valleys are taught, most of them by bus.")
    out.table(TABLE)


def by_question(questions: list[Question]) -> dict[str, Question]:
    return {question.question: question for question in questions}


def test_each_kind_of_question() -> None:
    document = made(guide)
    found = by_question(draft([document], 100))
    kinds = {question: one.tags[1] for question, one in found.items()}
    assert kinds["What does The lake guide say about Ferries in winter?"] == "heading"
    assert kinds["What is a weir?"] == "definition"
    assert kinds["When was the Aldervale Mill built?"] == "number"
    assert kinds["How long is the Long Bridge?"] == "number"
    assert kinds["How many schools does Aldervale have?"] == "number"
    assert Counter(kinds.values())["table"] == 2
    assert found["When was the Aldervale Mill built?"].answers == ("1822",)
    assert found["How long is the Long Bridge?"].answers == ("340 metres",)
    assert found["How many schools does Aldervale have?"].answers == ("14",)
    assert found["What is a weir?"].answers[0].startswith("a low barrier across a stream")
    assert found["What does The lake guide say about Ferries in winter?"].gold[0].quote == (
        "Boats leave twice a day from the south pier. When ice lies on the water, none of them run."
    )
    assert all(one.tags[0] == TAG for one in found.values())


def test_rows_are_asked_by_column_and_name() -> None:
    rows = {row[0]: dict(zip(TABLE[0], row, strict=True)) for row in TABLE[1:]}
    asked = [one for one in draft([made(guide)], 100) if "table" in one.tags]
    for one in asked:
        column, _, row = one.question.removeprefix("What is ").removesuffix("?").partition(" of ")
        assert one.answers == (rows[row][column],)
        assert one.gold[0].quote == " | ".join(rows[row].values())


def test_a_table_in_markdown_and_one_with_named_cells() -> None:
    def markdown(out: Builder) -> None:
        with out.mark("table"):
            out.write("\n".join(f"| {' | '.join(row)} |" for row in [TABLE[0], ["---"] * 5, *TABLE[1:]]))

    def named(out: Builder) -> None:
        out.table(
            [TABLE[0], *([f"{name}: {cell}" for name, cell in zip(TABLE[0], row, strict=True)] for row in TABLE[1:])]
        )

    for write in (markdown, named):
        answers = {cell for one in draft([made(write)], 9) for cell in one.answers}
        assert answers
        assert answers <= {cell for row in TABLE[1:] for cell in row[1:]}


def test_what_says_nothing_alone_is_not_asked() -> None:
    questions = " ".join(by_question(draft([made(guide)], 100)))
    for word in ("Introduction", " it ", "reconstruction"):
        assert word not in questions


def test_gold_stands_where_it_says() -> None:
    documents = [made(guide), made(guide, "other.md", "Another guide")]
    questions = draft(documents[:1], 100)
    texts = {document.uri: document.text for document in documents}
    assert resolve(QuestionSet("drafts", tuple(questions)), texts.get).count()["exact"] == len(questions) > 5


def test_the_same_for_a_seed_and_others_for_another() -> None:
    documents = [
        made(guide),
        made(lambda out: out.table(TABLE * 1 + [[f"Town{i}", "1", "2", f"R{i}", "x y"] for i in range(30)]), "t"),
    ]
    assert draft(documents, 6, seed=1) == draft(documents, 6, seed=1)
    assert len({tuple(one.id for one in draft(documents, 6, seed=seed)) for seed in range(5)}) > 1
    ids = [one.id for one in draft(documents, 100)]
    assert len(set(ids)) == len(ids)
    assert draft(documents, 0) == []


def test_kinds_and_documents_take_turns() -> None:
    kinds = Counter(one.tags[1] for one in draft([made(guide)], 4))
    assert kinds == {"heading": 1, "definition": 1, "number": 1, "table": 1}

    def mills(count: int, name: str) -> Callable[[Builder], None]:
        def write(out: Builder) -> None:
            for at in range(count):
                out.block(
                    f"{name}{at} Mill was built in 18{10 + at} by people whose grandchildren sold all shares later."
                )

        return write

    many, few = made(mills(40, "Ann"), "many"), made(mills(1, "Bob"), "few")
    assert {one.gold[0].uri for one in draft([many, few], 2)} == {"many", "few"}


def test_what_stands_in_two_documents_is_not_asked() -> None:
    assert draft([made(guide), made(guide, "copy.md")], 100) == []


def test_an_answer_said_again_in_other_words_is_not_asked() -> None:
    def again(out: Builder) -> None:
        out.block("As we said, brothers built it in 1822: the Aldervale Mill was built.")

    assert "When was the Aldervale Mill built?" in by_question(draft([made(guide)], 100))
    assert "When was the Aldervale Mill built?" not in by_question(draft([made(guide), made(again, "b", "B")], 100))


def test_near_duplicates_are_asked_once() -> None:
    def twice(out: Builder) -> None:
        out.block("The Aldervale Old Town Corn Mill was built in 1822 by two brothers who had lost a farm upstream.")
        out.block(
            "The Aldervale Old Town Corn Mill was built in 1922 after fire had taken what stood there, and moved."
        )

    assert len(draft([made(twice)], 100)) == 1


@pytest.mark.parametrize(
    ("kind", "question", "answer", "quote", "copy"),
    [
        ("number", "When was the mill built?", "1822", "The mill was built in 1822.", True),
        ("number", "When was the mill built?", "1822", "The mill was built in 1822 by two poor brothers.", False),
        ("table", "What is Age of Kay?", "34", "Kay | Age: 34", True),
        ("table", "What is Age of Kay?", "34", "Kay | Age: 34 | City: Rome | Job: cook", False),
        ("definition", "What is a weir?", "a low barrier", "A weir is a low barrier", False),
        ("heading", "What does x say about red oak leaves?", "", "Red oak leaves", True),
    ],
)
def test_copies(kind: str, question: str, answer: str, quote: str, copy: bool) -> None:
    assert is_copy(Draft(kind, question, answer, "u", 0, len(quote), quote)) is copy  # type: ignore[arg-type]


def test_a_long_run_of_words_is_a_copy() -> None:
    name = " ".join(f"Name{at}" for at in range(LONGEST_RUN))
    rest = " ".join(f"word{at}" for at in range(40))
    for words, copy in ((name, True), (name.rpartition(" ")[0], False)):
        quote = f"{words} was built in 1822 {rest}"
        assert is_copy(Draft("number", f"When: {words}?", "1822", "u", 0, len(quote), quote)) is copy
    assert 0 < MOST_COPIED < 1


def test_no_document_and_an_empty_one_give_nothing() -> None:
    assert draft([], 5) == []
    assert draft([Document("a", "")], 5) == []
    assert list(drafts_of(Document("a", "— … \n\n | | \n"), 0)) == []


def test_what_points_back_is_not_asked() -> None:
    def back(out: Builder) -> None:
        out.block("This Aldervale Mill was built in 1822 by two brothers who had lost their farm in a flood upstream.")

    assert draft([made(back)], 100) == []
