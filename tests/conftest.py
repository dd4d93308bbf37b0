import signal
from collections.abc import Callable
from pathlib import Path

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a script's background job is started
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests press Ctrl-C, and their children inherit this

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_files() -> Path:
    """Public test files that lie beside the checkout; where they do not, what needs them is skipped, loudly."""
    files = SHARED / "files"
    if not files.is_dir():
        pytest.skip("SKIPPED FOR WANT OF DATA: ../shared/files is not here")
    return files


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[dict[str, str | bytes]], Path]:
    """Make a folder of files: `tree({"a/b.txt": "words"})`."""

    def make(files: dict[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path

    return make
