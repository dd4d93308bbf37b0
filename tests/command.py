"""Runs `ragkit …`, or a script, in a process of its own that was forked from one in which all is imported already.

Most of what a short command costs is its imports, and the tests run hundreds of them. What is about imports, signals
or several commands at once starts Python anew instead.
"""

import atexit
import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import traceback
import types
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_KNOWN = (
    "anyio", "faiss", "ir_measures", "numpy", "opentelemetry.sdk.trace", "openvino", "pytrec_eval", "tenacity",
    "tokenizers", "ragkit.cli", "ragkit.asking", "ragkit.eval.cli", "ragkit.extractive", "ragkit.workspace",
)  # fmt: skip
Done = subprocess.CompletedProcess[str]


def ragkit(*arguments: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> Done:
    """`python -m ragkit …`."""
    return _server().run({"arguments": arguments}, cwd, environment)


def python(code: str, cwd: Path | None = None) -> Done:
    """`python -c …`."""
    return _server().run({"code": code}, cwd, None)


class _Server:
    def __init__(self) -> None:
        self._one = threading.Lock()
        surroundings = {name: value for name, value in os.environ.items() if name != "COLUMNS"}  # that of each child
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.command"],
            cwd=ROOT, env=surroundings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        atexit.register(self._stop)

    def run(self, what: dict[str, Any], cwd: Path | None, environment: Mapping[str, str] | None) -> Done:
        assert self._process.stdin
        assert self._process.stdout
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            asked = {
                **what,
                "cwd": str(cwd or Path.cwd()),
                "environment": dict(os.environ if environment is None else environment),
                "out": str(out),
                "err": str(err),
            }
            with self._one:
                self._process.stdin.write(json.dumps(asked) + "\n")
                self._process.stdin.flush()
                code = int(self._process.stdout.readline())
            return subprocess.CompletedProcess(what.get("arguments", ()), code, out.read_text(), err.read_text())

    def _stop(self) -> None:
        self._process.communicate()


@cache
def _server() -> _Server:
    return _Server()


def _serve() -> dict[str, Any] | None:
    """Answer with exit codes until nobody asks any more. Returns what to do in each child."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            asked: dict[str, Any] = json.loads(line)
            return asked
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    return None


def _become(asked: Mapping[str, Any]) -> None:
    """As if Python had been started so."""
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["cwd"])
    for path, flags, number in (
        (os.devnull, os.O_RDONLY, 0), (asked["out"], os.O_WRONLY | os.O_CREAT, 1),
        (asked["err"], os.O_WRONLY | os.O_CREAT, 2),
    ):  # fmt: skip
        os.dup2(os.open(path, flags, 0o600), number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.path[0] = ""


def _do(asked: Mapping[str, Any]) -> None:
    sys.modules["__main__"] = module = types.ModuleType("__main__")
    sys.argv = ["-c"] if "code" in asked else ["ragkit", *asked["arguments"]]
    exec(compile(asked.get("code", "from ragkit.cli import main; main()"), "<string>", "exec"), module.__dict__)


def _main() -> None:
    for name in _KNOWN:
        import_module(name)
    gc.freeze()  # or each child would go through all of it when it ends
    asked = _serve()
    if asked is None:
        return
    _become(asked)
    try:
        _do(asked)
    except Exception:
        traceback.print_exc()
        sys.exit(1)


if __name__ == "__main__":
    _main()
