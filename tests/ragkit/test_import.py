"""`import ragkit` is cheap, and everything public is there when touched."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ragkit

HEAVY = {"numpy", "torch", "faiss", "transformers", "sentence_transformers", "pydantic", "lxml", "pypdf", "pypdfium2"}


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(' '.join(sys.modules))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.split())


def test_importing_loads_nothing_heavy_and_no_floor() -> None:
    loaded = loaded_by("import ragkit")
    assert not loaded & HEAVY
    assert {name for name in loaded if name.startswith("ragkit.")} == set()


def test_what_one_touches_loads_no_more_than_it_needs() -> None:
    assert not loaded_by("import ragkit; ragkit.read, ragkit.Folder, ragkit.parser, ragkit.Document") & HEAVY
    assert not loaded_by("import ragkit; ragkit.open") & (HEAVY - {"pydantic"})


def test_a_search_loads_no_torch(tmp_path: Path) -> None:
    """Nor does an ingest: the default model is run without it."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# Kettle\n\nThe kettle boils.")
    place = repr(str(tmp_path))
    ingest = f"import ragkit; ws = ragkit.open({place}); ws.ingest({place} + '/docs', 'd')"
    search = f"import ragkit; ws = ragkit.open({place}); assert ws.search('When does it boil?')"
    for code in (ingest, search):
        loaded = loaded_by(code)
        assert "openvino" in loaded
        assert not loaded & {"torch", "transformers", "sentence_transformers", "scipy", "sklearn"}


@pytest.mark.parametrize("name", ragkit.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(ragkit, name) is getattr(ragkit, name)
    assert name in dir(ragkit)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        ragkit.nonsense  # noqa: B018


def test_what_type_checkers_see_is_what_is_there() -> None:
    tree = ast.parse(Path(ragkit.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        (alias.name, node.module) for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert seen == set(ragkit._HOME.items())
