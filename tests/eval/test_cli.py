"""`ragkit eval` as its users meet it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import Done, ragkit

TOPICS = ("anchor", "beacon", "cable", "dock", "engine", "ferry", "gangway", "harbour", "island", "jetty")


def run(*arguments: str, cwd: Path) -> Done:
    return ragkit("eval", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace folder with a small set of BEIR's form, `ships`."""
    place = tmp_path_factory.mktemp("eval")
    (place / "ships").mkdir()
    corpus = [
        {"id": f"{word}-{at}", "title": word, "text": f"The {word} of berth {at} is looked after by crew {at}."}
        for word in TOPICS
        for at in range(3)
    ]
    (place / "ships" / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    queries = [{"id": word, "text": f"Who looks after the {word} of berth 1?"} for word in TOPICS]
    (place / "ships" / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (place / "ships" / "qrels.tsv").write_text("".join(f"{word}\t{word}-1\t1\n" for word in TOPICS))
    return place


def beir(folder: Path, *more: str) -> Done:
    return run("beir", "ships", "--embedder", "hash", *more, cwd=folder)


def test_beir_compares_in_one_command(folder: Path) -> None:
    done = beir(folder, "--strategies", "bm25,vector", "--json", "--html", "r.html", "--markdown", "r.md")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["dataset"], found["queries"]) == ("ships", 10)
    for name in ("bm25", "vector"):
        assert {"nDCG@10", "Recall@10", "Recall@100", "MRR@10", "p50_ms"} <= set(found["strategies"][name])
    assert found["strategies"]["bm25"]["nDCG@10"] > 0.9
    assert {"a", "b", "metric", "difference", "low", "high", "p"} <= set(found["comparisons"][0])
    assert "bm25" in (folder / "r.html").read_text()
    assert "| bm25 |" in (folder / "r.md").read_text()
    shown = beir(folder, "--strategies", "bm25,vector")
    assert "nDCG@10" in shown.stdout
    assert "ships" in shown.stdout


def test_kept_runs_are_listed_and_compared(folder: Path) -> None:
    beir(folder, "--strategies", "bm25,rrf")
    names = [row["name"] for row in json.loads(run("runs", "--json", cwd=folder).stdout)["runs"]]
    pair = [next(name for name in names if name.startswith(start)) for start in ("bm25-", "rrf-")]
    done = run("compare", "ships", *pair, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["strategies"]) == set(pair)
    gone = run("compare", "ships", "none", cwd=folder)
    assert gone.returncode == 1
    assert "There is no run 'none'" in gone.stderr


def test_a_gate_fails_the_command_and_says_why(folder: Path) -> None:
    (folder / "s.toml").write_text('[base]\nembedder = "hash"\n[variants.words]\nretriever = "bm25"\n')
    (folder / "w.toml").write_text('[base]\nembedder = "hash"\nk = 1\n[variants.blind]\nretriever = "vector"\n')
    command = ["run", "ships", "--source", "ships/corpus.jsonl", "--strategies", "s.toml"]
    assert run(*command, "--fail-if", "nDCG@10 < 0.5", cwd=folder).returncode == 0
    failed = run(*command, "--fail-if", "nDCG@10 < 0.9999", "--fail-if", "P@5 > 0.1", cwd=folder)
    assert failed.returncode == 1
    assert "words: P@5 is" in failed.stderr
    names = [row["name"] for row in json.loads(run("runs", "--json", cwd=folder).stdout)["runs"]]
    words = next(name for name in names if name.startswith("words-"))
    against = [*command[:-1], "w.toml", "--baseline", words]
    worse = run(*against, "--fail-if-worse", "--metrics", "Recall@10", cwd=folder)
    assert "blind" in worse.stdout
    same = run(*command, "--baseline", words, "--fail-if-worse", cwd=folder)
    assert same.returncode == 0, same.stderr
    assert run(*command, "--fail-if-worse", cwd=folder).returncode == 2
    assert "is no condition" in run(*command, "--fail-if", "nDCG 0.7", cwd=folder).stderr


def test_questions_are_drafted_from_a_domain_and_never_written_over(folder: Path) -> None:
    (folder / "docs").mkdir(exist_ok=True)
    text = (
        "# Lighthouse\n\n## Keeper\n\nThe keeper of the lighthouse is Ada Lind since 1987.\n\n"
        "## Lamp\n\nA Fresnel lens is a lens of rings. It weighs 320 kilograms."
    )
    (folder / "docs" / "light.md").write_text(text)
    (folder / "w").mkdir(exist_ok=True)
    (folder / "w" / "ragkit.toml").write_text('[domains.light]\nembedder = "hash"\n')
    assert ragkit("ingest", "docs", "--domain", "light", "-w", "w", cwd=folder).returncode == 0
    done = run("questions", "--domain", "light", "--to", "q.jsonl", "-w", "w", cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (folder / "q.jsonl").read_text().splitlines()]
    assert rows
    assert all("draft" in row["tags"] and row["gold"][0]["quote"] in text for row in rows)
    again = run("questions", "--domain", "light", "--to", "q.jsonl", "-w", "w", cwd=folder)
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    scored = run(
        "run", "q.jsonl", "--source", "docs", "--strategies", "bm25", "-m", "range_recall@5", "--json", cwd=folder
    )
    assert json.loads(scored.stdout)["strategies"]["bm25"]["range_recall@5"] > 0.5


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["beir", "nowhere"], 1, "nowhere"),
        (["beir", "ships", "--strategies", "bm52"], 2, "Did you mean 'bm25'"),
        (["beir", "ships", "--metrics", "nGCD@10", "--strategies", "bm25", "--embedder", "hash"], 2, "nDCG"),
        (["run", "ships", "--source", "none"], 1, "There is no file or folder"),
        (["run", "q.xyz", "--source", "ships"], 1, "q.xyz"),
        (["beir", "ships", "--strategies", "bm25,bm25"], 2, "Two strategies are called 'bm25'"),
        (["run", "ships", "--fail-if", "nGCD@10 < 1", "--strategies", "bm25"], 2, "There is no metric"),
        (["run", "ships", "--baseline", "bm52-0", "--strategies", "bm25"], 1, "There is no run 'bm52-0'"),
        (["run", "nowhere"], 1, "There is no nowhere"),
        (["run", "odd/q.jsonl"], 2, "has no documents beside it"),
        (["compare", "ships", "a", "a"], 2, "Two runs are called 'a'"),
        (["compare", "ships", "a", "-w", "none"], 2, "is no workspace"),
        (["runs", "-w", "none"], 2, "is no workspace"),
        (["prune", "-w", "none"], 2, "is no workspace"),
        (["prune", "none"], 1, "There is no run 'none'"),
        (["questions", "--domain", "d", "--to", "x.jsonl", "-w", "none"], 2, "is no workspace"),
    ],
)
def test_mistakes_are_sentences(folder: Path, arguments: list[str], code: int, words: str) -> None:
    (folder / "odd").mkdir(exist_ok=True)
    (folder / "odd" / "q.jsonl").write_text('{"id": "q", "question": "Who?"}\n')
    done = run(*arguments, cwd=folder)
    assert done.returncode == code, done.stderr
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (folder / "none").exists()


def write_questions(path: Path, words: dict[str, str]) -> None:
    rows = [
        {"id": id, "question": f"Who looks after the {word} of berth 1?", "gold": [{"uri": f"corpus.jsonl#{word}-1"}]}
        for id, word in words.items()
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_runs_of_other_questions_are_not_compared(folder: Path) -> None:
    write_questions(folder / "one" / "q.jsonl", {"q1": "dock", "q2": "ferry"})
    write_questions(folder / "other" / "q.jsonl", {"q1": "jetty", "q3": "cable"})
    command = ["--source", "ships/corpus.jsonl", "--strategies", "bm25"]
    assert run("run", "one/q.jsonl", *command, "--json", cwd=folder).returncode == 0
    rows = json.loads(run("runs", "--json", cwd=folder).stdout)["runs"]
    name = next(row["name"] for row in rows if row["question_set"] == "q")
    done = run("run", "other/q.jsonl", *command, "--baseline", name, "--fail-if-worse", cwd=folder)
    assert done.returncode == 2
    assert "answers other questions" in done.stderr
    copied = (folder / "one" / "q.jsonl").read_text()
    (folder / "copy.jsonl").write_text(copied)
    again = run("run", "copy.jsonl", "--source", "ships/corpus.jsonl", "--strategies", "bm25,rrf", "--json", cwd=folder)
    assert json.loads(again.stdout)["dataset"] == "copy"


def test_a_gate_that_cannot_be_judged_fails(folder: Path) -> None:
    lost = {"id": "q", "question": "Who?", "gold": [{"uri": "corpus.jsonl#dock-1", "quote": "This was never written."}]}
    (folder / "lost.jsonl").write_text(json.dumps({**lost, "question": "Who looks after the dock?"}))
    command = ["--source", "ships/corpus.jsonl", "--strategies", "bm25"]
    done = run("run", "lost.jsonl", *command, "-m", "range_recall@5", "--fail-if", "RANGE_recall@5 < 0.1", cwd=folder)
    assert done.returncode == 1
    assert "no question could be scored by range_recall@5" in done.stderr
    (folder / "empty.jsonl").write_text("")
    empty = run("run", "empty.jsonl", *command, cwd=folder)
    assert (empty.returncode, "holds no question" in empty.stderr) == (2, True)


def test_damaged_runs_are_told_and_made_again(folder: Path) -> None:
    command = ["run", "ships", "--source", "ships/corpus.jsonl", "--strategies", "bm25", "--json"]
    before = json.loads(run(*command, cwd=folder).stdout)["strategies"]["bm25"]["nDCG@10"]
    for place in (folder / ".ragkit" / "eval" / "runs").glob("bm25-*"):
        lines = (place / "results.jsonl").read_text().splitlines(keepends=True)
        (place / "results.jsonl").write_text("".join(lines[:1]))
    told = run("runs", cwd=folder)
    assert (told.returncode, "is damaged" in told.stderr) == (0, True)
    assert json.loads(run(*command, cwd=folder).stdout)["strategies"]["bm25"]["nDCG@10"] == before


def test_two_at_once_make_one_run(folder: Path) -> None:
    command = [sys.executable, "-m", "ragkit", "eval", "run", "ships", "--source", "ships/corpus.jsonl", "-s", "vector"]
    (folder / "together").mkdir()
    first = subprocess.run([*command, "-w", "together"], cwd=folder, capture_output=True, check=False)
    for place in (folder / "together" / ".ragkit" / "eval" / "runs").iterdir():
        shutil.rmtree(place)
    running = [
        subprocess.Popen([*command, "-w", "together"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [process.communicate()[1].decode() for process in running]
    codes = [process.returncode for process in running]
    assert first.returncode == 0
    assert all(code == 0 or "is being written by process" in words for code, words in zip(codes, said, strict=True))
    assert 0 in codes
    names = [path.name for path in (folder / "together" / ".ragkit" / "eval" / "runs").iterdir()]
    assert len(names) == 1
    assert names[0].startswith("vector-")


def test_a_page_that_cannot_be_written_is_told(folder: Path) -> None:
    done = beir(folder, "--strategies", "bm25", "--html", "/proc/page.html")
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        ["beir", "ships", "--metrics", "nGCD@10"],
        ["beir", "ships", "--strategies", "bm25,bm25"],
        ["beir", "ships", "--strategies", "s.toml", "--embedder", "hash"],
        ["run", "ships", "--fail-if", "nDCG 0.7"],
        ["run", "ships", "--baseline", "none"],
        ["run", "ships", "--source", "nowhere"],
    ],
)
def test_what_is_wrong_is_refused_before_any_work(folder: Path, tmp_path: Path, wrong: list[str]) -> None:
    (folder / "s.toml").write_text('[base]\nembedder = "hash"\n[variants.words]\nretriever = "bm25"\n')
    (tmp_path / "w").mkdir()
    done = run(*wrong, "-w", str(tmp_path / "w"), cwd=folder)
    assert done.returncode in (1, 2), done.stderr
    assert not list((tmp_path / "w").iterdir())


def test_a_baseline_is_refused_before_any_work(folder: Path) -> None:
    write_questions(folder / "few" / "q.jsonl", {"q1": "dock"})
    assert (
        run("run", "few/q.jsonl", "--source", "ships/corpus.jsonl", "-s", "bm25", "-w", "few", cwd=folder).returncode
        == 0
    )
    kept = json.loads(run("runs", "--json", "-w", "few", cwd=folder).stdout)["runs"][0]["name"]
    (folder / "b.toml").write_text('[variants.baseline]\nembedder = "hash"\n')
    other = run("run", "ships", "-s", "vector", "--baseline", kept, "-w", "few", cwd=folder)
    assert (other.returncode, "answers other questions" in other.stderr) == (2, True)
    twice = run(
        "run",
        "few/q.jsonl",
        "--source",
        "ships/corpus.jsonl",
        "-s",
        "b.toml",
        "--baseline",
        kept,
        "-w",
        "few",
        cwd=folder,
    )
    assert (twice.returncode, "Two strategies are called 'baseline'" in twice.stderr) == (2, True)
    assert len(list((folder / "few" / ".ragkit" / "eval" / ".ragkit" / "domains").iterdir())) == 1
    (folder / "few" / "q.jsonl").rename(folder / "few" / "renamed.jsonl")
    command = ["run", "few/renamed.jsonl", "--source", "ships/corpus.jsonl", "-s", "bm25,rrf", "-w", "few", "--json"]
    same = run(*command, "--baseline", kept, "--fail-if-worse", cwd=folder)
    assert same.returncode == 0, same.stderr
    assert {row["a"] for row in json.loads(same.stdout)["comparisons"]} == {"baseline"}


def test_an_embedder_beside_a_file_of_strategies_is_refused(folder: Path) -> None:
    (folder / "s.toml").write_text('[base]\nembedder = "hash"\n[variants.words]\nretriever = "bm25"\n')
    refused = beir(folder, "--strategies", "s.toml")
    assert (refused.returncode, "--embedder says nothing to s.toml" in refused.stderr) == (2, True)
    assert run("beir", "ships", "--strategies", "s.toml", cwd=folder).returncode == 0


def test_a_metric_that_looks_deeper_than_a_strategy_is_told(folder: Path) -> None:
    (folder / "k.toml").write_text(
        '[base]\nembedder = "hash"\nretriever = "bm25"\n[variants.low]\nk = 10\n[variants.deep]\nk = 100\n'
    )
    done = run("beir", "ships", "-s", "k.toml", "-m", "nDCG@10,Recall@100,MAP", cwd=folder)
    (told,) = [line for line in done.stderr.splitlines() if "passages at most" in line]
    assert "low finds 10" in told
    assert "Recall@100" in told
    assert "nDCG@10" not in told
    names = [row["name"] for row in json.loads(run("runs", "--json", cwd=folder).stdout)["runs"]]
    low = next(name for name in names if name.startswith("low-"))
    assert f"{low} finds 10 passages" in run("compare", "ships", low, cwd=folder).stderr


@pytest.mark.parametrize(
    "more", [[], ["--source", "ships"], ["--source", "ships/corpus.jsonl"], ["--source", "d.jsonl"]]
)
def test_of_a_beir_folder_only_the_corpus_is_searched(folder: Path, more: list[str]) -> None:
    (folder / "d.jsonl").write_text((folder / "ships" / "corpus.jsonl").read_text())
    done = run("run", "ships", *more, "-s", "bm25", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert json.loads(done.stdout)["strategies"]["bm25"]["nDCG@10"] > 0.9
    rows = json.loads(run("runs", "--json", cwd=folder).stdout)["runs"]
    compared = run("compare", "ships", rows[-1]["name"], "--json", cwd=folder)
    assert json.loads(compared.stdout)["strategies"][rows[-1]["name"]]["nDCG@10"] > 0.9
    found = folder / ".ragkit" / "eval" / "runs" / rows[-1]["name"] / "run.trec"
    assert "queries.jsonl" not in found.read_text()


def test_gold_that_is_not_searched_is_told_loudly(folder: Path) -> None:
    (folder / "part").mkdir(exist_ok=True)
    lines = (folder / "ships" / "corpus.jsonl").read_text().splitlines(keepends=True)
    (folder / "part" / "corpus.jsonl").write_text("".join(lines[:15]))
    done = run("run", "ships", "--source", "part", "-s", "bm25", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "5 of 10 gold documents are not among the 15 that were searched" in done.stderr
    (folder / "part" / "corpus.jsonl").rename(folder / "part" / "other.jsonl")
    none = run("run", "ships", "--source", "part", "-s", "bm25", "--json", cwd=folder)
    assert (none.returncode, none.stdout) == (2, "")
    assert "10 of 10 gold documents are not among the 15" in none.stderr
    assert "called like 'other.jsonl#" in none.stderr


def test_questions_among_the_documents_are_told(folder: Path) -> None:
    (folder / "both").mkdir()
    (folder / "both" / "corpus.jsonl").write_text((folder / "ships" / "corpus.jsonl").read_text())
    write_questions(folder / "both" / "q.jsonl", {"q1": "dock"})
    done = run("run", "both/q.jsonl", "--source", "both", "-s", "bm25", cwd=folder)
    assert "both/q.jsonl lies in both" in done.stderr
    write_questions(folder / "apart" / "q.jsonl", {"q1": "dock"})
    assert "lies in" not in run("run", "apart/q.jsonl", "--source", "both", "-s", "bm25", cwd=folder).stderr


def test_runs_can_be_told_apart(folder: Path) -> None:
    (folder / "apart").mkdir(exist_ok=True)
    (folder / "apart" / "ragkit.toml").write_text("version = 1\n")
    empty = run("runs", "-w", "apart", cwd=folder)
    assert (empty.returncode, empty.stdout) == (0, "")
    assert "No runs yet" in empty.stderr
    assert not (folder / "apart" / ".ragkit").exists()
    (folder / "g.toml").write_text(
        '[base]\nembedder = "hash"\n[variants.one]\nretriever = "bm25"\nchunker = { kind = "fixed", size = 64 }\n'
    )
    run("beir", "ships", "-s", "g.toml", "-w", "apart", cwd=folder)
    (folder / "g.toml").write_text((folder / "g.toml").read_text().replace("64", "128"))
    run("beir", "ships", "-s", "g.toml", "-w", "apart", cwd=folder)
    lines = run("runs", "-w", "apart", cwd=folder).stdout.splitlines()
    assert len(lines) == 2
    assert all("ships" in line and "10 questions" in line and "k 100" in line for line in lines)
    assert sorted(line.split("10 questions")[1].strip() for line in lines) == ["chunker.size 128", "chunker.size 64"]
    assert all(re.search(r" \d{4}-\d\d-\d\d \d\d:\d\d ", line) for line in lines)


def test_what_no_run_needs_is_pruned(folder: Path) -> None:
    (folder / "p").mkdir()
    for source in ("ships/corpus.jsonl", "ships"):
        (folder / "p.toml").write_text('[variants.words]\nembedder = "hash"\nretriever = "bm25"\n')
        run("run", "ships", "--source", source, "-s", "p.toml", "-w", "p", cwd=folder)
    (folder / "p.toml").write_text('[variants.other]\nembedder = "hash"\nchunker = "fixed"\nretriever = "bm25"\n')
    run("run", "ships", "-s", "p.toml", "-w", "p", cwd=folder)
    indexes = folder / "p" / ".ragkit" / "eval" / ".ragkit" / "domains"
    runs = folder / "p" / ".ragkit" / "eval" / "runs"
    (runs / "gone-0.partial").write_text("")
    before = sorted(path.name for path in runs.iterdir())
    other = next(name for name in before if name.startswith("other-"))
    assert (len(list(indexes.iterdir())), len(before)) == (2, 3)
    pruned = json.loads(run("prune", "-w", "p", "--json", cwd=folder).stdout)
    assert (pruned["runs"], pruned["unfinished"], pruned["indexes"]) == ([], ["gone-0"], [])
    pruned = json.loads(run("prune", other, "-w", "p", "--json", cwd=folder).stdout)
    assert (pruned["runs"], len(pruned["indexes"])) == ([other], 1)
    assert (len(list(indexes.iterdir())), len(list(runs.iterdir()))) == (1, 1)
    again = run("run", "ships", "-s", "p.toml", "-w", "p", "--json", cwd=folder)
    assert json.loads(again.stdout)["strategies"]["other"]["nDCG@10"] > 0.9


def test_ranges_of_documents_that_changed_are_not_compared(folder: Path) -> None:
    (folder / "c").mkdir()
    (folder / "c" / "corpus.jsonl").write_text((folder / "ships" / "corpus.jsonl").read_text())
    command = ["run", "ships", "--source", "c/corpus.jsonl", "-s", "bm25", "-w", "c"]
    run(*command, cwd=folder)
    (old,) = [row["name"] for row in json.loads(run("runs", "--json", "-w", "c", cwd=folder).stdout)["runs"]]
    with (folder / "c" / "corpus.jsonl").open("a") as file:
        file.write('\n{"id": "new", "text": "A new one."}')
    assert run("compare", "ships", old, "-m", "range_recall@5", "-w", "c", cwd=folder).returncode == 0
    run(*command, cwd=folder)
    refused = run("compare", "ships", old, "-m", "range_recall@5", "-w", "c", cwd=folder)
    assert (refused.returncode, "no longer those that these runs searched" in refused.stderr) == (2, True)
    told = run("compare", "ships", old, "-w", "c", cwd=folder)
    assert (told.returncode, "no longer those that these runs searched" in told.stderr) == (0, True)
