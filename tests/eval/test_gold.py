import json
import random
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ragkit.eval.excerpts import load as load_excerpts
from ragkit.eval.gold import Resolution, Resolved, resolve
from ragkit.eval.loading import load_any
from ragkit.eval.questions import Gold, Question, QuestionSet
from tests.conftest import SHARED

QUOTE = "The lamp of the north tower was lit for the first time in March 1887 by the keeper's daughter."
BEFORE = "Sailors had asked for it for years. The harbour was old.\n\n"
AFTER = "\n\nSince then it has burnt every night, but for two winters of the war."


def resolved(text: str | None, *gold: Gold) -> Resolved:
    return resolve(QuestionSet("s", (Question(id="q", question="?", gold=gold),)), lambda _: text)


def one(text: str | None, quote: str, start: int | None = None) -> Resolution:
    (report,) = resolved(text, Gold(uri="a", quote=quote, start=start)).reports
    if text is not None and report.status != "lost":
        assert text[report.start : report.end] == report.text
    return report


def test_a_quote_that_stands() -> None:
    text = BEFORE + QUOTE + AFTER
    found = resolved(text, Gold(uri="a", quote=QUOTE, start=len(BEFORE)), Gold(uri="a", quote="every night"))
    night = text.index("every night")
    assert found.ranges == {"q": {"a": ((len(BEFORE), len(BEFORE) + len(QUOTE)), (night, night + 11))}}
    assert found.count() == {"exact": 2, "moved": 0, "changed": 0, "lost": 0}
    assert not found.doubtful


def test_a_quote_that_moved() -> None:
    report = one("New words. " + BEFORE + QUOTE, QUOTE, len(BEFORE))
    assert (report.status, report.start, report.text) == ("moved", len(BEFORE) + 11, QUOTE)


def test_without_a_quote_the_whole_document_is_gold() -> None:
    assert resolved("All of it", Gold(uri="a")).ranges == {"q": {"a": ((0, 9),)}}


def test_a_missing_document_is_a_row() -> None:
    found = resolved(None, Gold(uri="a", quote=QUOTE), Gold(uri="b"))
    assert [(row.status, row.uri, row.quote, row.reason) for row in found.reports] == [
        ("lost", "a", QUOTE, "There is no such document."),
        ("lost", "b", "", "There is no such document."),
    ]
    assert found.ranges == {"q": {}}
    assert len(found.doubtful) == 2


def test_each_document_is_asked_for_once_and_rows_keep_their_order() -> None:
    texts, asked = {"a": "one two", "b": "three"}, []

    def text_of(uri: str) -> str | None:
        asked.append(uri)
        return texts.get(uri)

    questions = QuestionSet(
        "s",
        (
            Question(id="1", question="?", gold=(Gold(uri="a", quote="two"), Gold(uri="b", quote="three"))),
            Question(id="2", question="?", gold=(Gold(uri="a", quote="one"),)),
            Question(id="3", question="?"),
        ),
    )
    found = resolve(questions, text_of)
    assert asked == ["a", "b"]
    assert [(row.question, row.quote) for row in found.reports] == [("1", "two"), ("1", "three"), ("2", "one")]
    assert found.ranges == {"1": {"a": ((4, 7),), "b": ((0, 5),)}, "2": {"a": ((0, 3),)}, "3": {}}


@pytest.mark.parametrize(("start", "at"), [(None, 0), (0, 0), (7, 6), (10, 12), (99, 12), (3, 0)])
def test_of_several_places_the_nearest_or_the_first(start: int | None, at: int) -> None:
    report = one("a fox,a fox,a fox", "a fox", start)
    assert report.start == at
    if start != at:
        assert report.places == 3


@pytest.mark.parametrize(
    ("stands", "quote"),
    [
        ("the “north tower” — it’s lit", 'the "north tower" - it\'s lit'),
        ("The  North\n   Tower", "the north tower"),
        ("the light\u00adhouse", "the lighthouse"),
        ("the light-\nhouse keeper", "the lighthouse keeper"),
        ("the well-\nknown tower", "the well-known tower"),
        ("listed.\nIn January", "listed.In January"),
        ("the caf\u00e9 of Ren\u00e9", "the cafe\u0301 of Rene\u0301"),
        ("die STRASSE dort", "die Straße dort"),
        ("the ﬁrst oﬃce", "the first office"),
        ("see **north** tower", "see north tower"),
        ("costs $5.3 million", "costs\u00a0$5.3\u00a0million"),
        ("塔は 灯台 です", "塔は灯台です"),
        ("यह  मीनार", "यह मीनार"),
    ],
)
def test_other_typography(stands: str, quote: str) -> None:
    report = one(f"Before it 1887, {stands}\n; after it.", quote)
    assert (report.status, report.text, report.similarity) == ("changed", stands, 1.0)


def test_the_signs_around_a_quote_are_its_own() -> None:
    assert one("He said: “Now  leave.” So I left.", '"Now leave."').text == "“Now  leave.”"
    assert one("Now  leave. So I left.", "Now leave").text == "Now  leave"


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("a party", "art"),
        ("It cost 15 million.", "5 million"),
        ("It cost 2.5 million.", "5 million"),
        ("It cost 3 in 1887.5 years", "in 1887"),
        ("It grew by 35 percent", "3.5 percent"),
        ("It cost €5", "$5"),
        ("in 1..887 or so", "in 1887"),
        ("the की", "the कि"),
        ("Nothing of it", "—"),
    ],
)
def test_a_part_of_something_else_is_not_the_quote(text: str, quote: str) -> None:
    assert one(text, quote).status == "lost"
    assert one(text, quote, max(text.find(quote), 0)).status == "lost"


def test_a_long_quote_may_begin_within_a_word() -> None:
    text = BEFORE + QUOTE
    assert one(text, text[3 : len(BEFORE) + 50]).status == "exact"


def test_words_edited_within() -> None:
    text = BEFORE + QUOTE.replace("lit for", "first lit, for").replace("daughter", "eldest daughter") + AFTER
    report = one(text, QUOTE)
    assert report.status == "changed"
    assert report.text.startswith("The lamp of the north tower")
    assert "1887 by the keeper's eldest daughter" in report.text
    assert 0.8 <= report.similarity < 1


def test_another_figure_is_another_statement() -> None:
    report = one(BEFORE + QUOTE.replace("1887", "1889") + AFTER, QUOTE)
    assert report.status == "lost"
    assert "The lamp of the north tower was lit for the first time in March 1889" in report.reason


def test_of_two_passages_alike_none_is_guessed() -> None:
    north, south = (QUOTE.replace("north", side) for side in ("west", "south"))
    text = north + AFTER + "\n\n" + south
    assert one(text, QUOTE).status == "lost"
    assert one(text, QUOTE, len(text)).text in south


def test_a_quote_replaced_is_lost() -> None:
    report = one(BEFORE + AFTER, QUOTE)
    assert (report.status, report.start, report.end, report.text) == ("lost", 0, 0, "")
    assert report.reason == "The document does not say so."


LETTERS = "ab é—\n.“5,日"
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), st.text(LETTERS, max_size=30)), max_size=6)


def edited(text: str, edits: list[tuple[float, int, str]]) -> str:
    for place, length, new in edits:
        at = int(place * len(text))
        text = text[:at] + new + text[at + length :]
    return text


@given(EDITS, EDITS, st.booleans())
def test_edits_elsewhere_leave_the_quote(
    before: list[tuple[float, int, str]], after: list[tuple[float, int, str]], written: bool
) -> None:
    text = f"{edited(BEFORE * 3, before)}\n{QUOTE}\n{edited(AFTER * 3, after)}"
    report = one(text, QUOTE, len(BEFORE) * 3 if written else None)
    assert report.text == QUOTE
    assert report.status == ("moved" if written and report.start != len(BEFORE) * 3 else "exact")


@given(st.integers(0, len(QUOTE) - 1), st.integers(0, 40), st.text(LETTERS, max_size=40))
def test_edits_within_are_never_passed_over(at: int, length: int, new: str) -> None:
    changed = QUOTE[:at] + new + QUOTE[at + length :]
    assume(QUOTE not in changed)
    text = BEFORE + changed + AFTER
    report = one(text, QUOTE, len(BEFORE))
    assert report.status in ("changed", "lost")
    if report.status == "changed":
        begin, end = len(BEFORE), len(BEFORE) + len(changed)
        assert min(report.end, end) - max(report.start, begin) >= 0.7 * (report.end - report.start)
        assert ("1887" in QUOTE) == ("1887" in report.text)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60), st.data())
def test_any_range_of_any_text_is_found_or_reported(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    quote = text[start : data.draw(st.integers(start + 1, len(text)))]
    assume(quote.strip())
    report = one(text, quote, start)
    if report.status == "exact":
        assert (report.start, report.text) == (start, quote)


def test_thousands_of_quotes_of_a_large_document() -> None:
    chance = random.Random(1)
    words = [f"w{chance.randrange(20_000)}x" for _ in range(60_000)]
    text = " ".join(words)
    quotes = [" ".join(words[at : at + 12]) for at in range(0, 59_000, 59)]
    edits = [quote.replace(" ", "  ") if at % 2 else quote for at, quote in enumerate(quotes)]
    found = resolved(text, *(Gold(uri="a", quote=quote) for quote in edits))
    assert [report.text for report in found.reports] == quotes


def need(name: str) -> Path:
    folder = SHARED / "datasets" / name
    if not folder.is_dir():
        pytest.skip(f"SKIPPED FOR WANT OF DATA: ../shared/datasets/{name} is not here")
    return folder


def lines_of(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").split("\n") if line]


@pytest.mark.parametrize("name", ["doc2dial", "dragonball-finance"])
def test_spans_of_shared_sets_stand_where_they_say(name: str) -> None:
    folder = need(name)
    rows = [json.loads(line) for line in lines_of(folder / "corpus.jsonl")]
    texts = {f"corpus.jsonl#{row['id']}": row["text"] for row in rows}
    found = resolve(load_any(folder), texts.get)
    said: dict[tuple[str, str], set[tuple[int, int]]] = {}
    for line in lines_of(folder / "queries.jsonl"):
        query = json.loads(line)
        for span in query["spans"]:
            if span["start"] is not None and query.get("answerable", True):
                key = (query["id"], f"corpus.jsonl#{span.get('doc_id', query.get('doc_id'))}")
                said.setdefault(key, set()).add((span["start"], span["end"]))
    assert said
    for (question, uri), ranges in said.items():
        assert ranges <= set(found.ranges[question][uri]), (question, uri)
    exact = {
        (row.question, row.uri, row.start, row.end) for row in found.reports if row.status == "exact" and row.quote
    }
    assert exact == {(*key, *place) for key, ranges in said.items() for place in ranges}


def test_excerpts_of_chroma_stand_where_they_say() -> None:
    folder = need("chroma-chunking")
    texts = {path.name: path.read_bytes().decode() for path in (folder / "corpora").iterdir()}
    found = resolve(load_excerpts(folder), texts.get)
    rows = [json.loads(line) for line in lines_of(folder / "questions.jsonl")]
    said = {row["id"]: sorted((one["start"], one["end"]) for one in row["references"]) for row in rows}
    assert {question: sorted(*documents.values()) for question, documents in found.ranges.items()} == said
    assert found.count()["exact"] == sum(map(len, said.values()))


def test_a_passage_too_unlike_is_another_one() -> None:
    quote = "The lamp of the north tower was lit each night by the keeper and his daughter."
    other = "The lamp of the north tower was bought one autumn from a maker and his son."
    assert one(BEFORE + other + AFTER, quote).status == "lost"
