import os
import subprocess
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ragkit.connectors.connector import Item
from ragkit.connectors.failure import Failure
from ragkit.connectors.folder import Folder
from ragkit.errors import InvalidInput, NotFound, Unreadable

Tree = Callable[[dict[str, str | bytes]], Path]


def uris(folder: Folder) -> list[str]:
    return sorted(found.uri for found in folder.scan())


def item(folder: Folder, uri: str) -> Item:
    return next(found for found in folder.scan() if isinstance(found, Item) and found.uri == uri)


def test_uris_are_relative_with_forward_slashes_and_stable(tree: Tree) -> None:
    root = tree({"a.txt": "1", "deep/er/b.md": "2", "Größe ä.txt": "3"})
    assert uris(Folder(root)) == ["Größe ä.txt", "a.txt", "deep/er/b.md"]
    (root / "a.txt").write_text("changed")
    assert uris(Folder(str(root) + "/")) == ["Größe ä.txt", "a.txt", "deep/er/b.md"]


def test_a_single_file_is_a_folder_of_one(tree: Tree) -> None:
    root = tree({"a.txt": "one", "b.txt": "two", ".hidden.txt": "three"})
    assert uris(Folder(root / "a.txt")) == ["a.txt"]
    hidden = Folder(root / ".hidden.txt")  # named by its user, so wanted
    assert hidden.read(item(hidden, ".hidden.txt")).text == "three"


def test_a_place_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no file or folder"):
        Folder(tmp_path / "nowhere")


def test_ignore_files_work_as_in_git(tree: Tree) -> None:
    root = tree(
        {
            ".gitignore": "*.log\nbuild/\n/only-top.txt\n!keep.log\n",
            "a.log": "", "keep.log": "", "only-top.txt": "", "build/x.txt": "", "deep/only-top.txt": "",
            "deep/b.log": "",
            "deep/.gitignore": "!b.log\nsecret.txt\n", "deep/secret.txt": "", "deep/deeper/secret.txt": "",
            "other/secret.txt": "", ".ragkitignore": "drafts\n", "drafts/d.md": "", "other/drafts": "a file",
        }
    )  # fmt: skip
    folder = Folder(root)
    assert uris(folder) == ["deep/b.log", "deep/only-top.txt", "keep.log", "other/secret.txt"]
    assert folder.skipped["ignored"] == 7
    assert folder.skipped["hidden"] == 3


def test_what_git_would_pass_over_in_an_ignore_file_is_passed_over(tree: Tree) -> None:
    root = tree({".gitignore": "!\n\\\n[z-a]\n*.log\n", "a.log": "", "b.txt": "", "c/.gitignore/x": "", "c/d.txt": ""})
    assert uris(Folder(root)) == ["b.txt", "c/d.txt"]
    with pytest.raises(InvalidInput, match="holds a pattern that is none"):
        Folder(root, include=["!"])


def test_a_folder_nested_a_thousand_deep_is_scanned(tmp_path: Path) -> None:
    deep = "/".join(["d"] * 1100)
    subprocess.run(["mkdir", "-p", deep], cwd=tmp_path, check=True)
    try:
        (tmp_path / deep / "a.txt").touch()
        assert uris(Folder(tmp_path)) == [f"{deep}/a.txt"]
    finally:
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)


def test_ragkitignore_has_the_last_word(tree: Tree) -> None:
    root = tree({".gitignore": "*.txt\n", ".ragkitignore": "!wanted.txt\n", "wanted.txt": "", "other.txt": ""})
    assert uris(Folder(root)) == ["wanted.txt"]


def test_include_and_exclude(tree: Tree) -> None:
    root = tree({"a.md": "", "b.txt": "", "drafts/c.md": "", "x/d.md": ""})
    assert uris(Folder(root, include=["*.md"], exclude=["drafts/"])) == ["a.md", "x/d.md"]
    assert uris(Folder(root, include=["/x/**"])) == ["x/d.md"]


def test_hidden_files_pictures_and_links_out_are_skipped_and_counted(
    tree: Tree, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "passwords.txt").write_text("secret")
    root = tree({"a.txt": "", ".env": "", ".git/config": "", "logo.png": b"\x89PNG", "sub/b.txt": ""})
    (root / "out.txt").symlink_to(outside / "passwords.txt")
    (root / "out").symlink_to(outside)
    (root / "in.txt").symlink_to(root / "a.txt")
    (root / "loop").symlink_to(root)
    (root / "nothing.txt").symlink_to(root / "gone.txt")
    os.mkfifo(root / "pipe.txt")
    folder = Folder(root)
    found = list(folder.scan())
    assert sorted(one.uri for one in found if isinstance(one, Item)) == ["a.txt", "in.txt", "sub/b.txt"]
    assert [one.uri for one in found if isinstance(one, Failure)] == ["nothing.txt"]
    assert folder.skipped == {
        "hidden": 2, "no text (.png)": 1, "link out of the folder": 2, "link to a folder": 1, "no regular file": 1,
    }  # fmt: skip
    list(folder.scan())
    assert folder.skipped["hidden"] == 2, "counted anew at every scan"


def test_a_path_out_of_the_folder_is_not_read(tree: Tree) -> None:
    root = tree({"in/a.txt": "", "secret.txt": "secret"})
    folder = Folder(root / "in")
    for uri in ("../secret.txt", str(root / "secret.txt")):
        with pytest.raises(Unreadable, match="leads out of the folder"):
            folder.read(Item(uri, "", "text/plain", 1))
    (root / "in" / "b.txt").symlink_to(root / "secret.txt")
    with pytest.raises(Unreadable, match="leads out of the folder"):
        folder.read(Item("b.txt", "", "text/plain", 1))


def test_an_ignore_file_that_is_a_pipe_does_not_hang(tree: Tree) -> None:
    root = tree({"a.txt": "text"})
    os.mkfifo(root / ".gitignore")
    assert uris(Folder(root)) == ["a.txt"]


def test_what_became_a_pipe_since_the_scan_does_not_hang(tree: Tree) -> None:
    root = tree({"a.txt": "text"})
    folder = Folder(root)
    found = item(folder, "a.txt")
    (root / "a.txt").unlink()
    os.mkfifo(root / "a.txt")
    with pytest.raises(Unreadable, match="no regular file"):
        folder.read(found)


def test_a_file_over_the_size_limit_is_refused_unread(tree: Tree) -> None:
    root = tree({"big.txt": "x" * 2_000_000})
    folder = Folder(root, max_bytes=1_000_000)
    with pytest.raises(Unreadable, match=r"has 2.0 MB; the limit for one file is 1.0 MB"):
        folder.read(item(folder, "big.txt"))


def test_the_fingerprint_changes_with_the_file(tree: Tree) -> None:
    root = tree({"a.txt": "one"})
    folder = Folder(root)
    before = item(folder, "a.txt").fingerprint
    assert item(folder, "a.txt").fingerprint == before
    status = (root / "a.txt").stat()
    (root / "b").write_text("two")
    os.utime(root / "b", ns=(status.st_atime_ns, status.st_mtime_ns))
    (root / "b").rename(root / "a.txt")  # same size, same date: another file all the same
    assert item(folder, "a.txt").fingerprint != before


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """Root may not be denied anything, so for a while be an ordinary user."""
    if os.getuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_an_unreadable_file_and_folder_fail_in_words() -> None:
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        (root / "closed").mkdir()
        (root / "closed" / "a.txt").write_text("a")
        (root / "b.txt").write_text("b")
        (root / "b.txt").chmod(0)
        (root / "closed").chmod(0)
        root.chmod(0o755)
        with as_somebody_else():
            folder = Folder(root)
            found = {one.uri: one for one in folder.scan()}
            assert found["closed"] == Failure(
                "closed", "You may not read it.", "Give yourself read permission, or exclude it."
            )
            with pytest.raises(PermissionError):
                folder.read(Item("b.txt", "", "", 1))
            with pytest.raises(NotFound, match="or none that you may see"):
                Folder(root / "closed" / "a.txt")
        (root / "closed").chmod(0o755)


def test_a_scan_streams(tmp_path: Path) -> None:
    for at in range(3000):
        (tmp_path / f"{at}-{'long-name' * 10}.txt").touch()
    tracemalloc.start()
    try:
        count = sum(1 for _ in Folder(tmp_path).scan())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 3000
    assert peak < 1_000_000, "a list of all paths takes more than this"
