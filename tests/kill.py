"""Stops a writer at many moments, and sees what is there afterwards: `make kill`.

A folder of files is changed, and a sync of it is killed (`kill -9`) at some call that writes, or at some time, or its
disk gets full, or an fsync fails. Then a new process must find each document in its old or its new version, and the
next sync must end as a fresh ingest would. Calls are counted by tests/faults.c, which needs gcc and Linux.
"""

import argparse
import ctypes
import json
import multiprocessing
import os
import pickle
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import EmailMessage
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import ragkit
from ragkit.connectors.document import Document
from ragkit.indexes import writer
from ragkit.indexes.catalog import Catalog
from ragkit.indexes.domain import Domain
from ragkit.indexes.hit import Hit
from ragkit.workspace import Workspace

State = dict[str, tuple[str, str]]
"""Text and title by uri."""
WORDS = [f"{first}{last}" for first in "bdfgklmnprst" for last in ("ano", "eli", "iru", "opa", "uma", "ay")]
QUERIES = ["bano", "keli tiru", "mopa numa say deli", "mark7 bay"]
CHUNKERS = ['{ kind = "structure", size = 64 }', '{ kind = "fixed", size = 48 }', '{ kind = "recursive", size = 40 }']
COUNT, KILL, FULL, IO_ERROR, IO_ERROR_ONCE = range(1, 6)
MOST_CHUNKS = 40
"""Of a commit in these tests, so that there are many."""
_ORPHAN = "This index file belongs to nothing"
_PATIENCE = 120.0


# What is ingested


class Files:
    """A folder of small files; every version of every text holds a word that no other has."""

    def __init__(self, root: Path, count: int, chance: random.Random) -> None:
        self.root, self.chance, self.serial = root, chance, 0
        for at in range(count):
            kind = {0: ".jsonl", 1: ".zip", 2: ".eml"}.get(at % 83) or chance.choice([".md", ".txt"])
            self.write(self.new_path(kind))

    def new_path(self, suffix: str) -> Path:
        self.serial += 1
        folder = self.root / self.chance.choice(["", "a", "b", "b/c"])
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"f{self.serial}{suffix}"

    def all(self) -> list[Path]:
        return sorted(path for path in self.root.rglob("*") if path.is_file())

    def text(self) -> str:
        self.serial += 1
        words = self.chance.choices(WORDS, k=self.chance.randrange(20, 90))
        return " ".join([f"mark{self.serial}", *words]) + "."

    def write(self, path: Path) -> None:
        if path.suffix == ".md":
            path.write_text("\n\n".join(f"# {self.chance.choice(WORDS)}\n\n{self.text()}" for _ in range(2)))
        elif path.suffix == ".jsonl":
            path.write_text("".join(json.dumps({"id": at, "text": self.text()}) + "\n" for at in range(6)))
        elif path.suffix == ".zip":
            with zipfile.ZipFile(path, "w") as archive:
                for at in range(3):
                    archive.writestr(f"m{at}.txt", self.text())
        elif path.suffix == ".eml":
            mail = EmailMessage()
            mail["Subject"] = self.chance.choice(WORDS)
            mail.set_content(self.text())
            mail.add_attachment(self.text(), filename="more.txt")
            path.write_bytes(bytes(mail))
        else:
            path.write_text(self.text())

    def edit(self, share: float) -> None:
        """Some of each: written anew, added, renamed, deleted, copied, swapped, a record taken away."""
        files = self.all()
        self.chance.shuffle(files)
        some = iter(files)
        count = max(1, int(len(files) * share))
        for _ in range(2 * count):
            self.write(next(some))
        for _ in range(count):
            self.write(self.new_path(self.chance.choice([".md", ".txt", ".jsonl"])))
            path = next(some)
            path.rename(self.new_path(path.suffix))
            next(some).unlink()
        for _ in range(max(1, count // 3)):
            path, one, other = next(some), next(some), next(some)
            shutil.copyfile(path, self.new_path(path.suffix))
            if one.suffix == other.suffix:
                between = self.root / "between"
                one.rename(between), other.rename(one), between.rename(other)
        for path in some:
            if path.suffix == ".jsonl":
                path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
                break

    def delete(self, share: float) -> None:
        for path in self.chance.sample(self.all(), int(len(self.all()) * share)):
            path.unlink()

    def fill(self, count: int) -> None:
        for _ in range(count - len(self.all())):
            self.write(self.new_path(self.chance.choice([".md", ".txt"])))

    def state(self) -> State:
        read = list(ragkit.read(self.root, workers=1))
        return {one.uri: (one.text, one.title) for one in read if isinstance(one, Document)}


def settings(folder: Path, chunker: str) -> str:
    return f'version = 1\n[domains.d]\nembedder = "hash"\nchunker = {chunker}\nsources = [{json.dumps(str(folder))}]\n'


# In other processes

forks = multiprocessing.get_context("forkserver")
forks.set_forkserver_preload(
    ["__main__", "ragkit.cli", "ragkit.indexes.doctor", "ragkit.indexes.search", "safetensors.numpy", "faiss"]
)


def library(folder: Path) -> Path | None:
    """The faults, compiled, and preloaded by the processes of this module; None without gcc."""
    if shutil.which("gcc") is None or sys.platform != "linux":
        return None
    made = folder / "faults.so"
    source = Path(__file__).with_name("faults.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl"], check=True)
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # one that another test started has no faults
    os.environ["LD_PRELOAD"] = str(made)
    forkserver.ensure_running()  # all others are its children; who is started otherwise goes without
    del os.environ["LD_PRELOAD"]
    return made


_one_at_a_time = threading.Lock()
"""Starting a process asks after all others, those of the other lane too; of two who ask at once, one is told 255."""


def _started(process: Any) -> None:
    with _one_at_a_time:
        process.start()


def _ended(process: Any, seconds: float) -> bool:
    """Whether a process ends within so many seconds."""
    until = time.monotonic() + seconds
    while True:
        with _one_at_a_time:
            if process.exitcode is not None:
                return True
        if time.monotonic() > until:
            return False
        time.sleep(0.002)


def _step(faults: Path | None, mode: int, at: int, workspace: Path, arguments: Sequence[str]) -> None:
    """A command as users give it; what it says goes into a file beside the workspace."""
    from ragkit.cli import main

    writer.MOST_CHUNKS = MOST_CHUNKS
    said = os.open(workspace.with_name("said"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    if faults:
        below, log = str(workspace / ".ragkit"), str(workspace.with_name("log"))
        ctypes.CDLL(str(faults)).faults_arm(mode, ctypes.c_long(at), below.encode(), log.encode())
    main([*arguments, "-w", str(workspace)])


def _answer(connection: Connection, function: Callable[..., Any], arguments: Sequence[Any]) -> None:
    try:
        connection.send((function(*arguments), None))
    except Exception as error:
        connection.send((None, f"{type(error).__name__}: {error}"))


class Failed(Exception):
    """What a function raised in another process."""


def problems_of(function: Callable[..., list[str]], *arguments: Any) -> list[str]:
    """What a check says; that it broke is a problem, too."""
    try:
        said: list[str] = apart(function, *arguments)
    except Failed as error:
        return [str(error)]
    return said


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns in a new process."""
    ours, theirs = forks.Pipe()
    process = forks.Process(target=_answer, args=(theirs, function, arguments))
    _started(process)
    theirs.close()
    value, error = ours.recv()
    _ended(process, _PATIENCE)
    if error:
        raise Failed(error)
    return value


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    said: str
    log: Sequence[str]
    """The calls that were counted, the last one being the one at which it was stopped."""
    seconds: float

    @property
    def moment(self) -> str:
        return self.log[-1] if self.log else "nothing written yet"


@dataclass
class Bench:
    """Where processes are started and stopped."""

    folder: Path
    faults: Path | None

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def run(self, arguments: Sequence[str], mode: int = COUNT, at: int = 0, delay: float | None = None) -> Ended:
        log = self.folder / "log"
        log.unlink(missing_ok=True)
        process = forks.Process(target=_step, args=(self.faults, mode, at, self.workspace, arguments))
        began = time.monotonic()
        _started(process)
        if delay is not None and not _ended(process, delay):
            process.kill()
        if not _ended(process, _PATIENCE):
            process.kill()
            raise TimeoutError(f"{arguments} did not end; it said: {(self.folder / 'said').read_text()}")
        assert process.exitcode is not None
        lines = log.read_text().splitlines() if log.exists() else []
        said = self.folder / "said"
        return Ended(
            process.exitcode, said.read_text() if said.exists() else "", list(map(_label, lines)),
            time.monotonic() - began,
        )  # fmt: skip


def _label(line: str) -> str:
    """`write segment`, of a call and its file."""
    call, _, path = line.partition(" ")
    name = Path(path).name
    if name.endswith(".safetensors"):
        return f"{call} segment"
    known = {"catalog.sqlite": "catalog", "lock": "lock"}
    return f"{call} {known.get(name, name.partition('.sqlite-')[2] or 'folder')}"


# What must hold


def in_catalog(workspace: Path) -> State:
    path = workspace / ".ragkit" / "domains" / "d"
    if not (path / "catalog.sqlite").exists():
        return {}
    catalog = Catalog(path)
    try:
        if catalog.empty:
            return {}
        rows = catalog.execute("SELECT uri, text, title FROM documents").fetchall()
        own = catalog.execute("SELECT own_uri FROM documents").fetchall()
    finally:
        catalog.close()
    assert len(own) == len(set(own)), "a document is there twice"
    return {uri: (text, title) for uri, text, title in rows}


def illegal(found: State, old: State, new: State) -> Iterator[str]:
    """Documents that are not in their old or their new version, or lost, or there twice."""
    for uri, version in found.items():
        if version not in (old.get(uri), new.get(uri)):
            yield f"{uri} is neither its old nor its new version"
    for uri in old.keys() & new.keys() - found.keys():
        yield f"{uri} is lost"
    for before, after in renamed(old, new):
        if (before in found) == (after in found):
            yield f"{before} became {after}, and {'both' if before in found else 'none'} of them is there"


def renamed(old: State, new: State) -> Iterator[tuple[str, str]]:
    """Documents that moved to a uri that was free, and whose text nothing else has."""
    once_old, once_new = (_once(state) for state in (old, new))
    for text, before in once_old.items():
        after = once_new.get(text)
        if after is not None and after not in old and before not in new:
            yield before, after


def _once(state: State) -> dict[str, str]:
    times = Counter(text for text, _ in state.values())
    return {text: uri for uri, (text, _) in state.items() if times[text] == 1}


def examined(workspace: Path, old: State, new: State, seed: int, repair: bool) -> list[str]:
    """What is wrong right after a stop, seen by a process that was not there before."""
    opened = ragkit.open(workspace)
    problems = [str(one) for one in opened.doctor() if not one.what.startswith(_ORPHAN)]
    found = in_catalog(workspace)
    problems += illegal(found, old, new)
    if found:
        problems += _unsearchable(opened, found, old, new, random.Random(seed))
    if repair:
        problems += [f"after a repair: {one}" for one in opened.doctor(repair=True)]
        if in_catalog(workspace) != found:
            problems.append("a repair changed documents")
    opened.close()
    return problems


def _unsearchable(opened: Workspace, found: State, old: State, new: State, chance: random.Random) -> Iterator[str]:
    """Each version is found by its own word exactly if the catalog shows it."""
    for state in (old, new):
        for uri in chance.sample(sorted(state), min(6, len(state))):
            text = state[uri][0]
            word = next((word for word in text.split() if word.startswith("mark")), None)
            if word is None:
                continue
            holders = {other for other, (held, _) in found.items() if word in held.split()}
            hits = opened.search(word, strategy="bm25", k=20)
            if {hit.uri for hit in hits} != holders:
                yield f"{word} stands in {sorted(holders)}, bm25 found {[hit.uri for hit in hits]}"
            near = opened.search(word + text.partition(word)[2][:200], strategy="vector", k=20)
            yield from _torn([*hits, *near], found)
            if len(near) < min(20, len(found)):
                yield f"only {len(near)} hits by vector"
            top = {hit.uri for hit in near if word in hit.text.split()}
            if not top <= holders or (holders and not top):
                yield f"{word} stands in {sorted(holders)}, its vector found {sorted(top)}"


def _torn(hits: Sequence[Hit], found: State) -> Iterator[str]:
    for hit in hits:
        if hit.uri not in found or found[hit.uri][0][hit.start : hit.end] != hit.text:
            yield f"a hit shows what {hit.uri} does not say"


def content(workspace: Path) -> dict[str, Any]:
    """All that a domain says, whatever its ids and files are."""
    opened = ragkit.open(workspace)
    domain = Domain(workspace / ".ragkit" / "domains" / "d", "d")
    state = domain.snapshot()
    vectors: dict[str, bytes] = {}
    for part in state.parts:
        rows = range(len(part.segment)) if part.alive is None else part.alive.nonzero()[0].tolist()
        found = domain.found([int(part.segment.ids[row]) for row in rows])
        for row in rows:
            one = found[int(part.segment.ids[row])]
            key = f"{one.uri}:{one.chunk.start}-{one.chunk.end} {one.chunk.headings} {one.chunk.header}"
            assert key not in vectors, f"{key} is there twice"
            vectors[key] = part.segment.vectors[row].tobytes()
    catalog = domain._opened()
    assert catalog is not None
    tables = {
        name: sorted(catalog.execute(statement).fetchall())
        for name, statement in {
            "documents": "SELECT uri, own_uri, title, media_type, content_hash, metadata, marks, text FROM documents",
            "items": "SELECT uri, fingerprint FROM items",
            "facts": "SELECT uri, key, value FROM facts JOIN documents ON id = document WHERE key <> ''",
            "vectors": "SELECT vector FROM vectors",
            "failures": "SELECT uri, reason FROM failures",
        }.items()
    }
    scores = {
        f"{strategy} {query}": {
            f"{hit.uri}:{hit.start}": hit.score for hit in opened.search(query, strategy=strategy, k=len(vectors))
        }
        for strategy in ("bm25", "vector", "hybrid")
        for query in QUERIES
    }
    status = opened.status("d")
    domain.close()
    opened.close()
    return {"chunks": vectors, **tables, "scores": scores, "status": status}


def differences(workspace: Path, expected: Path) -> list[str]:
    """Where a workspace is not what a fresh one would be, and what a doctor says of it."""
    wanted, got = pickle.loads(expected.read_bytes()), content(workspace)
    said = [
        f"{name} are not those of a fresh ingest" for name in wanted if name != "scores" and wanted[name] != got[name]
    ]
    for asked, scores in wanted["scores"].items():
        if scores.keys() != got["scores"][asked].keys():
            said.append(f"{asked}: other hits than in a fresh ingest")
        elif any(abs(score - got["scores"][asked][key]) > 1e-5 for key, score in scores.items()):
            said.append(f"{asked}: other scores than in a fresh ingest")
    opened = ragkit.open(workspace)
    said += [str(one) for one in opened.doctor()]
    opened.close()
    return said


# Rounds


@dataclass(frozen=True)
class Task:
    """A folder that changed, the workspace from before, and what must come out."""

    name: str
    base: Path
    arguments: Sequence[str]
    old: State
    new: State
    expected: Path
    log: Sequence[str]
    seconds: float


@dataclass
class Tally:
    """What was done and found."""

    kills: Counter[str] = field(default_factory=Counter)
    moments: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add(self, kind: str, task: str, moment: str) -> None:
        self.kills[kind] += 1
        self.moments[f"{kind}: {moment}"] += 1
        self.moments[f"{kind}: in {task}"] += 1

    def __iadd__(self, other: "Tally") -> "Tally":
        self.kills += other.kills
        self.moments += other.moments
        self.violations += other.violations
        return self


class Tasks:
    """One change after another of the same folder, each synced; where one ends, the next begins."""

    def __init__(self, bench: Bench, files: int, chance: random.Random) -> None:
        self.bench, self.count, self.chance = bench, files, chance
        self.files = Files(bench.folder / "files", files, chance)
        self.chunker = 0
        self.number = 0
        self.base = bench.folder / "base0"
        self.base.mkdir()
        (self.base / "ragkit.toml").write_text(settings(self.files.root, CHUNKERS[0]))
        self.old: State = {}

    def next(self) -> Task:
        name = ("first ingest", "edits", "deletes", "edits", "re-index", "growth")[self.number % 6]
        if name == "first ingest":
            self.old, self.base = {}, self.bench.folder / "base0"
            self.files.fill(self.count)
        elif name == "deletes":
            self.files.delete(0.4)
        elif name == "growth":
            self.files.fill(self.count)
        elif name == "re-index":
            self.chunker = (self.chunker + 1) % len(CHUNKERS)
            self.files.edit(0.01)
        else:
            self.files.edit(0.06)
        self.number += 1
        return self._task(name)

    def _task(self, name: str) -> Task:
        bench, new = self.bench, self.files.state()
        arguments = ["ingest", str(self.files.root), "-d", "d"] if name == "first ingest" else ["sync"]
        after, expected = bench.folder / f"base{self.number}", bench.folder / f"expected{self.number}"
        copy(bench.folder / "base0", bench.workspace)
        self._set_chunker()
        _done(bench.run(["sync"]))
        expected.write_bytes(pickle.dumps(apart(content, bench.workspace)))
        copy(self.base, bench.workspace)
        self._set_chunker()
        whole = _done(bench.run(arguments))
        problems = apart(differences, bench.workspace, expected)
        assert not problems, f"even without a stop: {problems}"
        copy(bench.workspace, after)
        task = Task(name, self.base, arguments, self.old, new, expected, whole.log, whole.seconds)
        self.base, self.old = after, new
        return task

    def begin(self, task: Task) -> None:
        copy(task.base, self.bench.workspace)
        self._set_chunker()

    def _set_chunker(self) -> None:
        (self.bench.workspace / "ragkit.toml").write_text(settings(self.files.root, CHUNKERS[self.chunker]))


def _done(ended: Ended) -> Ended:
    assert ended.code == 0, f"it ended with {ended.code} and said: {ended.said}"
    return ended


def copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


class Rounds:
    def __init__(self, tasks: Tasks, tally: Tally) -> None:
        self.tasks, self.bench, self.tally = tasks, tasks.bench, tally
        self.chance = tasks.chance

    def kill(self, task: Task, by_time: bool) -> None:
        """Kill it, sometimes again while it recovers, and look."""
        self.tasks.begin(task)
        old = task.old
        for again in (False, True):
            if by_time:
                ended = self.bench.run(task.arguments, delay=self.chance.uniform(0.02, task.seconds))
            else:
                ended = self.bench.run(task.arguments, KILL, self._count(task.log))
            if ended.code == -9:
                self.tally.add("kill", "the sync after a kill" if again else task.name, ended.moment)
            if not self._look(task, old, ended, f"killed at {ended.moment}"):
                return
            if self.chance.random() > 0.3:
                break
            old = {**old, **apart(in_catalog, self.bench.workspace)}
        self._recover(task, f"killed at {ended.moment}")

    def fault(self, task: Task, mode: int) -> None:
        """Let the disk fail from some call on. The command says so in a line, or was done."""
        self.tasks.begin(task)
        kind = "full disk" if mode == FULL else "fsync error"
        at = self._count([one for one in task.log if mode == FULL or one.startswith("fsync")])
        ended = self.bench.run(task.arguments, mode, at)
        calls = [one for one in ended.log if mode == FULL or one.startswith("fsync")]
        moment = calls[at - 1] if at <= len(calls) else "no call"
        what = f"{kind} at {moment}"
        if ended.code == 1:
            self.tally.add(kind, task.name, moment)
            if not _is_told(ended.said):
                self._violated(task, what, f"it said {ended.said[-400:]}")
        elif ended.code != 0:
            self._violated(task, what, f"it ended with {ended.code} and said {ended.said[-400:]}")
        elif apart(in_catalog, self.bench.workspace) != task.new:
            self._violated(task, what, "it says that all is done, and it is not")
        if self._look(task, task.old, ended, what):
            self._recover(task, what)

    def _count(self, log: Sequence[str]) -> int:
        """A random call, or a random one of a random kind, so that the rare ones are met, too."""
        kinds = [self.chance.choice(sorted(set(log)))] if self.chance.random() < 0.5 else log
        return self.chance.choice([at for at, one in enumerate(log, 1) if one in kinds])

    def _look(self, task: Task, old: State, ended: Ended, what: str) -> bool:
        seed, repair = self.chance.randrange(2**31), self.chance.random() < 0.4
        problems = problems_of(examined, self.bench.workspace, old, task.new, seed, repair)
        for one in problems:
            self._violated(task, what, one)
        return not problems

    def _recover(self, task: Task, what: str) -> None:
        ended = self.bench.run(["sync"])
        if ended.code != 0:
            self._violated(task, what, f"the next sync ended with {ended.code}: {ended.said[-400:]}")
            return
        for one in problems_of(differences, self.bench.workspace, task.expected):
            self._violated(task, what, f"after the next sync: {one}")

    def _violated(self, task: Task, what: str, problem: str) -> None:
        self.tally.violations.append(f"{task.name}, {what}: {problem}")


def _is_told(said: str) -> bool:
    """A sentence and a hint, and nothing that only programmers read."""
    lines = [line for line in said.splitlines() if line.startswith("ragkit: ")]
    return len(lines) == 1 and "Traceback" not in said and "Error" not in said


def play(
    bench: Bench, *, files: int, tasks: int, kills: int, faults: int, seed: int, tell: Callable[[str], None] = print
) -> Tally:
    """So many tasks, each with so many kills, full disks and failed fsyncs."""
    tally = Tally()
    series = Tasks(bench, files, random.Random(seed))
    rounds = Rounds(series, tally)
    for _ in range(tasks):
        began, task = time.monotonic(), series.next()
        for at in range(kills):
            rounds.kill(task, by_time=bench.faults is None or at % 4 == 0)
        for at in range(faults if bench.faults else 0):
            rounds.fault(task, FULL)
            rounds.fault(task, IO_ERROR if at % 2 else IO_ERROR_ONCE)
        done = ", ".join(f"{count} {kind}" for kind, count in tally.kills.items())
        tell(
            f"{task.name} ({len(task.log)} calls, {time.monotonic() - began:.0f} s); so far {done}, "
            f"{len(tally.violations)} violations"
        )
    return tally


def lanes(folder: Path, count: int, given: argparse.Namespace) -> Tally:
    """Several series beside each other: each one mostly waits for its processes."""
    faults = library(folder)
    tally = Tally()
    with ThreadPoolExecutor(count) as threads:
        started = []
        for lane in range(count):
            bench = Bench(folder / str(lane), faults)
            bench.folder.mkdir()
            tasks = given.rounds // count + (lane < given.rounds % count)
            started.append(
                threads.submit(
                    play, bench, files=given.files, tasks=tasks, kills=given.kills, faults=given.faults,
                    seed=given.seed + lane,
                )
            )  # fmt: skip
        for one in started:
            tally += one.result()
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description="Stop a writer at many moments, and see what is there afterwards.")
    parser.add_argument("--rounds", type=int, default=24, help="changes of the folder")
    parser.add_argument("--kills", type=int, default=8, help="kills a round")
    parser.add_argument("--faults", type=int, default=4, help="full disks a round, and failed fsyncs")
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally = lanes(Path(folder).resolve(), 2, given)
    for what, count in sorted(tally.moments.items()):
        print(f"{count:5} {what}")
    for violation in tally.violations:
        print(f"VIOLATED {violation}")
    print(
        f"{tally.kills['kill']} kills, {tally.kills['full disk']} full disks, {tally.kills['fsync error']} fsync "
        f"errors: {len(tally.violations)} violations ({time.monotonic() - began:.0f} s, seed {given.seed})"
    )
    sys.exit(bool(tally.violations))


if __name__ == "__main__":
    main()
