import pytest

from ragkit.connectors.document import Document, Mark


def document(*marks: Mark, text: str = "0123456789") -> Document:
    return Document("a.txt", text, marks=marks)


def test_marks_may_nest_and_follow_each_other() -> None:
    marks = (Mark("page", 0, 6), Mark("heading", 0, 3), Mark("table", 3, 6), Mark("page", 6, 10), Mark("page", 10, 10))
    assert document(*marks).marks == marks


@pytest.mark.parametrize(
    ("marks", "complaint"),
    [
        ((Mark("page", 0, 11),), "outside the text"),
        ((Mark("page", 5, 4),), "outside the text"),
        ((Mark("page", -1, 4),), "outside the text"),
        ((Mark("page", 5, 6), Mark("page", 0, 4)), "out of order"),
        ((Mark("heading", 0, 3), Mark("page", 0, 6)), "out of order"),
        ((Mark("page", 0, 6), Mark("table", 4, 8)), "may nest, never cross"),
        ((Mark("page", 0, 9), Mark("page", 0, 4), Mark("list", 2, 5)), "may nest, never cross"),
    ],
)
def test_marks_that_are_no_exact_nest_are_refused(marks: tuple[Mark, ...], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        document(*marks)


def test_the_hash_is_of_what_is_said_not_of_where() -> None:
    one = Document("a.txt", "text", title="a", marks=(Mark("page", 0, 4, number=1),), metadata={"year": 2026})
    assert (
        Document("b/c.txt", "text", title="c", marks=one.marks, metadata={"year": 2026}).content_hash
        == one.content_hash
    )
    for other in (
        Document("a.txt", "text.", marks=one.marks, metadata={"year": 2026}),
        Document("a.txt", "text", metadata={"year": 2026}),
        Document("a.txt", "text", marks=one.marks, metadata={"year": 2025}),
    ):
        assert other.content_hash != one.content_hash
