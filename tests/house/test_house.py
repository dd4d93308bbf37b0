"""The house stands: folders, import names and files are what HOUSE.md says and what the wheel holds."""

import importlib
import tomllib
from pathlib import Path

import pytest

import ragkit
import ragkit.connectors
import ragkit.eval
import ragkit.indexes

ROOT = Path(__file__).resolve().parents[2]
FLOORS = {"ragkit": "ragkit", "connectors": "ragkit.connectors", "indexes": "ragkit.indexes", "eval": "ragkit.eval"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("folder", FLOORS)
def test_a_folder_is_the_package_of_its_mapped_name(folder: str) -> None:
    package = importlib.import_module(FLOORS[folder])
    assert package.__doc__
    assert Path(str(package.__file__)).parent == ROOT / folder


def test_the_wheel_names_every_package_and_folders_stay_flat() -> None:
    setuptools = PROJECT["tool"]["setuptools"]
    assert set(setuptools["packages"]) == set(FLOORS.values())
    assert {name: folder for folder, name in FLOORS.items()} == setuptools["package-dir"]
    for folder in FLOORS:
        nested = [path for path in (ROOT / folder).rglob("*.py") if path.parent != ROOT / folder]
        assert not nested, "a new subpackage would be missing from the wheel"


def test_every_module_says_what_it_is_for() -> None:
    for folder in FLOORS:
        for path in (ROOT / folder).glob("*.py"):
            assert path.read_text().startswith('"""'), path


def test_every_dependency_is_pinned() -> None:
    pinned = {
        line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().split("\n")
    }
    groups = [PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values()]
    for requirement in (requirement for group in groups for requirement in group):
        name = requirement.split(">")[0].split("[")[0].lower()
        assert name in pinned, f"{name} is not in constraints.txt: run make constraints"
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().split("\n")


def test_every_format_has_its_module() -> None:
    from ragkit.connectors.formats import FORMATS

    for format in FORMATS:
        assert callable(importlib.import_module(f"ragkit.connectors.{format.module}").parse)


def test_versions_agree() -> None:
    assert ragkit.__version__ in (ROOT / "CHANGELOG.md").read_text()
