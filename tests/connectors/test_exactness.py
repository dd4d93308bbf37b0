"""Every mark of every parser is an exact range: in bounds, in order, nested, and the slice is what went in."""

import io
import zipfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ragkit.connectors.document import Document
from ragkit.connectors.parser import parse

from . import made

_WORD = st.text("abcdefghijklmnoprstuvwxyzABCDEFG", min_size=2, max_size=9)
_UNICODE_WORD = st.text("abcdeéüßñžабв日本語αβ", min_size=2, max_size=9)
_SETTINGS = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def _phrases(words: st.SearchStrategy[str], least: int, most: int) -> st.SearchStrategy[str]:
    return st.lists(words, min_size=least, max_size=most).map(" ".join)


def _sections(words: st.SearchStrategy[str]) -> st.SearchStrategy[list[made.Section]]:
    table = st.integers(2, 3).flatmap(
        lambda width: st.lists(st.tuples(*[words] * width), min_size=2, max_size=4).map(tuple)
    )
    section = st.builds(
        made.Section,
        heading=_phrases(words, 2, 5),
        paragraphs=st.lists(_phrases(words, 6, 20).map(lambda text: f"{text}."), min_size=1, max_size=3).map(tuple),
        table=table,
    )
    return st.lists(section, min_size=1, max_size=4)


def everything(document: Document) -> Iterator[Document]:
    yield document
    for child in document.children:
        yield from everything(child)


def assert_exact(document: Document) -> None:
    """By its own lights, not by those of the check that documents run on themselves."""
    for one in everything(document):
        starts = [mark.start for mark in one.marks]
        assert starts == sorted(starts)
        for at, mark in enumerate(one.marks):
            assert 0 <= mark.start <= mark.end <= len(one.text)
            for other in one.marks[at + 1 :]:
                apart = other.start >= mark.end
                inside = other.end <= mark.end
                assert apart or inside, (mark, other)
            if mark.kind != "page" and mark.kind != "slide" and mark.kind != "sheet":
                slice_ = one.text[mark.start : mark.end]
                assert slice_ == slice_.strip("\n")
                assert slice_.strip()
        one.text.encode()  # no lone surrogates: it can be stored


def _squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("name", made.MAKERS)
@_SETTINGS
@given(data=st.data())
def test_marks_slice_to_what_went_in(name: str, data: st.DataObject) -> None:
    outline = data.draw(_sections(_WORD if name == "a.pdf" else _UNICODE_WORD))
    document = parse(name, name, made.MAKERS[name](outline))
    assert_exact(document)
    texts = [document.text[mark.start : mark.end] for mark in document.marks if mark.kind == "heading"]
    if name in made.WITH_HEADINGS:
        wanted = [" ".join(section.heading.split()) for section in outline]
        found = [text.lstrip("# ").split("\n")[0] for text in texts]
        few = {"The outline", "Running head of the report"}  # a head that runs over two pages is no running head yet
        assert [heading for heading in found if heading not in few] == wanted
    if name in made.WITH_TABLES:
        tables = [document.text[mark.start : mark.end] for mark in document.marks if mark.kind == "table"]
        wanted_tables = [section.table for section in outline][: 1 if name == "a.csv" else None]
        assert len(tables) == len(wanted_tables)
        for text, rows in zip(tables, wanted_tables, strict=True):
            assert_in_order([cell for row in rows for cell in row], text)
    if name not in ("a.xlsx", "a.csv", "a.jsonl"):
        assert_in_order([part for section in outline for part in section.paragraphs], document.text)
    if name == "a.pdf":
        pages = [document.text[mark.start : mark.end] for mark in document.marks if mark.kind == "page"]
        assert len(pages) >= len(outline)
        assert_in_order([outline[0].heading], pages[0])
        assert len(pages) < 3 or "Running head" not in document.text
    if name == "a.pptx":
        slides = [document.text[mark.start : mark.end] for mark in document.marks if mark.kind == "slide"]
        for slide, section in zip(slides, outline, strict=True):
            assert_in_order([section.heading, *section.paragraphs], slide)
    if name == "a.jsonl":
        assert [child.title for child in document.children] == [" ".join(s.heading.split()) for s in outline]
        assert [child.text for child in document.children] == ["\n".join(s.paragraphs) for s in outline]
    if name == "a.py":
        code = [document.text[mark.start : mark.end] for mark in document.marks]
        assert [text.split("(")[0] for text in code] == [f"def section_{at}" for at in range(len(outline))]


def assert_in_order(parts: list[str], text: str) -> None:
    squeezed, at = _squeezed(text), 0
    for part in parts:
        found = squeezed.find(_squeezed(part), at)
        assert found >= 0, f"{part!r} is not in {text!r} after what came before it"
        at = found + len(_squeezed(part))


@pytest.mark.parametrize("name", made.MAKERS)
@_SETTINGS
@given(data=st.data())
def test_damaged_files_give_exact_marks_or_an_error(name: str, data: st.DataObject) -> None:
    whole = bytearray(made.MAKERS[name](data.draw(_sections(_WORD))))
    for _ in range(data.draw(st.integers(0, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    broken = bytes(whole[: data.draw(st.integers(1, len(whole)))])
    try:
        document = parse(name, name, broken)
    except MemoryError:
        raise
    except Exception:  # a damaged file may raise anything; that it becomes a row is tested in test_reading
        assume(False)
    else:
        assert_exact(document)


@_SETTINGS
@given(st.binary(max_size=400), st.sampled_from([*made.MAKERS, "a.bin", "a", "a.log"]))
def test_any_bytes_give_exact_marks_or_an_error(data: bytes, name: str) -> None:
    try:
        document = parse(name, name, data)
    except Exception:
        assume(False)
    else:
        assert_exact(document)


@_SETTINGS
@given(st.text(max_size=300))
def test_any_text_in_markdown_and_rst_keeps_marks_exact(text: str) -> None:
    for name in ("a.md", "a.rst", "a.py", "a.html", "a.csv", "a.json", "a.xml"):
        try:
            assert_exact(parse(name, name, text.encode("utf-8", "surrogatepass")))
        except AssertionError:
            raise
        except Exception:
            continue


def test_an_archive_keeps_its_members_exact() -> None:
    section = made.Section("One heading", ("A paragraph of words.",), (("name", "age"), ("Ann", "30")))
    files = {f"folder/{name}": make([section]) for name, make in made.MAKERS.items()}
    document = parse("all.zip", "all.zip", made.zipped(files))
    assert not document.failures
    assert {child.uri for child in document.children} == {f"all.zip#{name}" for name in files}
    assert_exact(document)
    with zipfile.ZipFile(io.BytesIO(made.zipped(files))) as archive:
        assert len(archive.namelist()) == len(document.children)
