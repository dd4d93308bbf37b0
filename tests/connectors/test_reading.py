"""Reading with real processes, which are really killed."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from ragkit.connectors import parser
from ragkit.connectors.builder import Builder
from ragkit.connectors.connector import Item
from ragkit.connectors.document import Document
from ragkit.connectors.failure import Failure
from ragkit.connectors.folder import Folder
from ragkit.connectors.reading import read
from ragkit.connectors.source import Source
from ragkit.errors import InvalidInput, NotFound

from . import made
from .readers import readers_of

Tree = Callable[[dict[str, str | bytes]], Path]
T = TypeVar("T")


@pytest.fixture
def own_parsers() -> Iterator[None]:
    before = list(parser.parsers)
    yield
    parser.parsers[:] = before


def outcome(path: Path, **options: float) -> tuple[dict[str, Document], dict[str, Failure]]:
    read_, failed = {}, {}
    for got in read(path, **options):  # type: ignore[arg-type]
        if isinstance(got, Failure):
            failed[got.uri] = got
        else:
            read_[got.uri] = got
    return read_, failed


def test_a_folder_is_read_whole_and_titles_fall_back_to_the_name(tree: Tree) -> None:
    documents, failed = outcome(tree({"a.md": "# Alpha\n\nText.", "b/notes.txt": "Words."}))
    assert not failed
    assert {uri: one.title for uri, one in documents.items()} == {"a.md": "Alpha", "b/notes.txt": "notes"}


def test_each_bad_file_is_a_row_and_the_rest_goes_on(tree: Tree) -> None:
    root = tree(
        {
            "good.txt": "Good.", "empty.txt": "", "blank.md": " \n\n ", "cut.docx": b"PK\x03\x04 cut",
            "odd.dat": bytes(range(256)),
            "cut.pdf": made.pdf([made.Section("Heading", ("Words.",))])[:300],
            "bomb.zip": made.zipped({f"{at}.txt": b"\0" * 20_000_000 for at in range(6)}),
            "big.jsonl": '{"text": "one"}\n{"text": \n{"text": "three", "id": "x"}\n{"text": "four", "id": "x"}',
        }
    )  # fmt: skip
    documents, failed = outcome(root)
    assert set(documents) == {"good.txt", "big.jsonl#L1", "big.jsonl#x"}
    reasons = {uri: failure.reason for uri, failure in failed.items()}
    assert set(reasons) == {
        "empty.txt", "blank.md", "cut.docx", "odd.dat", "cut.pdf", "bomb.zip", "big.jsonl#L2", "big.jsonl#L4"
    }  # fmt: skip
    assert "is empty" in reasons["empty.txt"]
    assert "is empty" in reasons["blank.md"]
    assert "cut off" in reasons["cut.docx"]
    assert "neither text nor a format" in reasons["odd.dat"]
    assert "damaged or cut off" in reasons["cut.pdf"]
    assert "ZIP bomb" in reasons["bomb.zip"]
    assert "no valid JSON" in reasons["big.jsonl#L2"]
    assert "also that of" in reasons["big.jsonl#L4"]
    for failure in failed.values():
        assert failure.reason.endswith("."), "a sentence"
        assert failure.hint, "and what to do"
        assert "Traceback" not in failure.reason


def test_a_parser_that_hangs_is_killed_and_the_rest_goes_on(tree: Tree, own_parsers: None) -> None:
    @parser.parser("text/x-slow", [".slow"])
    def slow(source: Source, out: Builder) -> None:
        while True:  # not even a signal that Python handles would stop it in C code: only a kill does
            pass

    root = tree({"a.slow": "x", **{f"{at}.txt": "Words." for at in range(6)}})
    documents, failed = outcome(root, workers=2, timeout=3)
    assert len(documents) == 6
    assert failed["a.slow"].reason == "Reading it took longer than 3 seconds and was stopped."
    assert not readers_of(os.getpid()), "no process is left"


def test_a_parser_that_eats_memory_is_stopped_and_the_rest_goes_on(tree: Tree, own_parsers: None) -> None:
    @parser.parser("text/x-hungry", [".hungry"])
    def hungry(source: Source, out: Builder) -> None:
        hoard = []
        while True:
            hoard.append(bytearray(50_000_000))

    root = tree({"a.hungry": "x", "b.txt": "Words."})
    documents, failed = outcome(root, workers=1, memory=600_000_000, timeout=30)
    assert set(documents) == {"b.txt"}
    assert "memory" in failed["a.hungry"].reason


def test_a_parser_that_crashes_the_process_is_a_row(tree: Tree, own_parsers: None) -> None:
    @parser.parser("text/x-crash", [".crash"])
    def crash(source: Source, out: Builder) -> None:
        signal.raise_signal(signal.SIGSEGV)  # to this very thread, as a crash of C code is

    @parser.parser("text/x-raise", [".raise"])
    def raise_(source: Source, out: Builder) -> None:
        raise KeyError("no such thing")

    documents, failed = outcome(tree({"a.crash": "x", "b.raise": "y", "c.txt": "Words."}), workers=1)
    assert set(documents) == {"c.txt"}
    assert "SIGSEGV" in failed["a.crash"].reason
    assert failed["b.raise"].reason == "Its parser stopped with KeyError: 'no such thing'."


def test_what_a_parser_prints_does_not_get_between_the_answers(tree: Tree, own_parsers: None) -> None:
    @parser.parser("text/x-loud", [".loud"])
    def loud(source: Source, out: Builder) -> None:
        print("noise " * 1000)
        out.block(source.text())

    documents, failed = outcome(tree({"a.loud": "Words.", "b.loud": "More."}), workers=1)
    assert not failed
    assert {one.text for one in documents.values()} == {"Words.", "More."}


def test_a_program_that_a_parser_starts_does_not_take_its_requests(tree: Tree, own_parsers: None) -> None:
    @parser.parser("text/x-cat", [".cat"])
    def cat(source: Source, out: Builder) -> None:
        subprocess.run(["cat"], check=True)
        out.block(source.text())

    documents, failed = outcome(tree({f"{at}.cat": "Words." for at in range(4)}), workers=2, timeout=10)
    assert (len(documents), failed) == (4, {})


def test_what_is_no_document_is_a_row(tree: Tree) -> None:
    class Absent:
        def scan(self) -> Iterator[Item | Failure]:
            yield Item("a", "1", "text/plain", 1)

        def read(self, item: Item) -> Document:
            return None  # type: ignore[return-value]

    (failure,) = read(Absent())
    assert isinstance(failure, Failure)
    assert "Absent.read gave NoneType, not a Document" in failure.reason


def test_a_scan_runs_in_the_thread_of_who_reads(tree: Tree) -> None:
    folder = Folder(tree({f"{at}.txt": "Words." for at in range(9)}))
    threads = set()

    def scan() -> Iterator[Item | Failure]:
        for item in folder.scan():
            threads.add(threading.get_ident())
            yield item

    assert len(list(read(folder, scan(), workers=3))) == 9
    assert threads == {threading.get_ident()}


def test_marks_that_a_parser_gets_wrong_never_come_through(tree: Tree) -> None:
    class Careless:
        def scan(self) -> Iterator[Item | Failure]:
            yield Item("a", "1", "text/plain", 1)

        def read(self, item: Item) -> Document:
            from ragkit.connectors.document import Mark

            return Document(item.uri, "short", marks=(Mark("page", 0, 50),))

    (failure,) = read(Careless())
    assert isinstance(failure, Failure)
    assert "lies outside the text" in failure.reason


def test_a_file_that_disappears_during_the_scan_is_a_row(tree: Tree) -> None:
    root = tree({f"{at}.txt": "Words." for at in range(5)})
    folder = Folder(root)

    def scan() -> Iterator[Item | Failure]:
        for item in folder.scan():
            if item.uri == "3.txt":
                (root / "3.txt").unlink()
            yield item

    results = list(read(folder, scan()))
    failed = [got for got in results if isinstance(got, Failure)]
    assert len(results) == 5
    assert [got.uri for got in failed] == ["3.txt"]
    assert "removed or renamed" in failed[0].reason


def test_a_line_of_200_mb_is_refused_or_read_within_the_limits(tree: Tree) -> None:
    root = tree({"line.txt": b"word " * 42_000_000, "b.txt": "Words."})
    documents, failed = outcome(root)
    assert set(documents) == {"b.txt"}
    assert "210 MB; the limit for one file is 100 MB" in failed["line.txt"].reason
    results = list(read(Folder(root, max_bytes=300_000_000), workers=1, memory=500_000_000))
    assert any(isinstance(got, Failure) and "memory" in got.reason for got in results)
    assert any(isinstance(got, Document) and got.uri == "b.txt" for got in results)


def test_an_error_of_the_scan_itself_is_raised_to_the_caller(tree: Tree) -> None:
    def scan() -> Iterator[Item | Failure]:
        yield Item("a.txt", "", "text/plain", 1)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(read(Folder(tree({"a.txt": "Words."})), scan()))
    with pytest.raises(NotFound):
        read("no/such/place")


def test_a_connector_that_cannot_be_handed_on_says_so(tree: Tree) -> None:
    class Locked:
        def __init__(self) -> None:
            self.lock = threading.Lock()

        def scan(self) -> Iterator[Item | Failure]:
            yield Item("a", "1", "text/plain", 1)

        def read(self, item: Item) -> Document:
            return Document(item.uri, "text")

    with pytest.raises(InvalidInput, match="Locked cannot be handed to the processes"):
        read(Locked())


def test_reading_does_not_run_far_ahead_of_who_takes_the_documents(tree: Tree) -> None:
    folder = Folder(tree({f"{at}.txt": "Words." for at in range(200)}))
    taken = 0

    def scan() -> Iterator[Item | Failure]:
        nonlocal taken
        for item in folder.scan():
            taken += 1
            yield item

    reading = read(folder, scan(), workers=2)
    next(reading)
    time.sleep(1)
    assert 2 <= taken < 20
    assert len(list(reading)) == 199


def test_stopping_early_ends_every_process(tree: Tree) -> None:
    root = tree({f"{at}.txt": "Words." for at in range(200)})
    reading = read(root, workers=2)
    next(reading)
    assert len(readers_of(os.getpid())) == 2
    reading.close()  # type: ignore[attr-defined]
    assert not readers_of(os.getpid())


def test_a_script_without_a_main_guard_can_read_with_a_parser_of_its_own(tree: Tree) -> None:
    root = tree({"in/a.poem": "Title\nLine one\nLine two"})
    script = textwrap.dedent(
        """
        import ragkit

        @ragkit.parser("text/x-poem", [".poem"])
        def poem(source, out):
            title, _, lines = source.text().partition("\\n")
            out.heading(title, level=1)
            out.block(lines)

        for document in ragkit.read("in"):
            print(document.title, document.marks[0].kind)
        """
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    assert done.stdout == "Title heading\n", done.stderr
    (root / "script.py").write_text(script)
    done = subprocess.run([sys.executable, "script.py"], cwd=root, capture_output=True, text=True, check=False)
    assert done.stdout == "Title heading\n", done.stderr


def test_when_the_parent_is_killed_its_readers_end_even_if_a_parser_is_busy(tree: Tree) -> None:
    root = tree({"in/a.slow": "x"})
    script = textwrap.dedent(
        """
        import re

        import ragkit

        @ragkit.parser("text/x-slow", [".slow"])
        def slow(source, out):
            re.match(r"(a+)+$", "a" * 60 + "b")  # holds the interpreter's lock for years

        list(ragkit.read("in", workers=1))
        """
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=root)
    try:
        readers = wait_for(lambda: readers_of(parent.pid))
        time.sleep(0.5)  # let it begin with the file
    finally:
        parent.kill()
        parent.wait()
    assert wait_for(lambda: not any(alive(pid) for pid in readers))


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(found: Callable[[], T]) -> T:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come to pass within 20 seconds")
