"""See the checks fail: `make planted` plants one mistake at a time in a copy of the project and runs its check."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TYPE_ERROR = '\n\ndef planted() -> int:\n    return "no number"\n'
MISTAKES = [
    *((f"a type error in {folder}/", file, TYPE_ERROR, "types") for folder, file in (
        ("ragkit", "ragkit/workspace.py"), ("connectors", "connectors/folder.py"), ("indexes", "indexes/__init__.py"),
        ("eval", "eval/__init__.py"), ("tests", "tests/words.py"),
    )),
    ("an import that looks up from floor 1", "connectors/source.py", "\nimport ragkit.workspace  # noqa\n", "floors"),
    ("an import that looks up from floor 2", "indexes/__init__.py", "\nimport ragkit.settings  # noqa\n", "floors"),
    ("an import that looks up from floor 3", "ragkit/workspace.py", "\nimport ragkit.eval  # noqa\n", "floors"),
    ("a module with no place in the house", "ragkit/attic.py", '"""Nobody knows."""\n', "floors"),
    ("a bare folder name as an import", "ragkit/workspace.py", "\nimport connectors  # type: ignore\n", "lint"),
    ("a line that is not formatted", "connectors/text.py", "\nx   =  1\n", "lint"),
]  # fmt: skip


def main() -> None:
    missed = []
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "project"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv", ".git", ".types", "__pycache__"))
        (copy / ".venv").symlink_to(ROOT / ".venv")
        for check in ("lint", "types", "floors"):
            if make(copy, check) != 0:
                sys.exit(f"make {check} fails on the project as it is; nothing can be told from planted mistakes")
        for what, file, text, check in MISTAKES:
            path = copy / file
            before = path.read_text() if path.exists() else None
            path.write_text((before or "") + text)
            caught = make(copy, check) != 0
            print(f"{'caught' if caught else 'MISSED'}: {what} (make {check})", flush=True)
            missed += [what] * (not caught)
            if before is None:
                path.unlink()
            else:
                path.write_text(before)
    sys.exit(f"missed: {missed}" if missed else 0)


def make(project: Path, target: str) -> int:
    return subprocess.run(["make", target], cwd=project, capture_output=True, check=False).returncode


if __name__ == "__main__":
    main()
