"""Reports: complete, inert whatever documents say, self-contained, and working in a real browser."""

import io
import json
import random
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

import ragkit
from ragkit.eval import page, plot, table
from ragkit.eval.compare import compare
from ragkit.eval.gold import resolve
from ragkit.eval.metrics import metric
from ragkit.eval.passage import passage
from ragkit.eval.questions import Gold, Question, QuestionSet
from ragkit.eval.report import Report, interval
from ragkit.eval.result import Found, Result, Run
from ragkit.workspace import Workspace

HOSTILE = "</script><img src=x onerror=document.title='owned'> & <b>bold</b> [red]paint[/red] | `tick` \u202e\x1b[31m"
METRICS = ("nDCG@10", "Recall@10", "Recall@100", "MRR@10", "range_recall@5", "seconds")
STRATEGIES = ("bm25", "vector", "hybrid")
_FILES = {
    "kiln.txt": "The kiln is fired to 1240 degrees.\n\nThen the glaze cools for eleven hours in the closed kiln.",
    "bees.txt": "A hive holds one queen.\n\nWorkers feed the larvae for six days, and seal the cells with wax.",
    "tide.txt": "Spring tides follow the new moon.\n\nNeap tides follow the quarters, and differ by four metres less.",
    "evil.txt": f"The locksmith wrote: {HOSTILE} and nothing else about locks.",
}


def _questions() -> QuestionSet:
    made = (
        Question(id="q1", question="How long does the glaze cool?", tags=("long",),
                 gold=(Gold(uri="kiln.txt", quote="the glaze cools for eleven hours"),)),
        Question(id="q2", question="Who feeds the larvae?", tags=("who",), answers=("Workers",),
                 gold=(Gold(uri="bees.txt", quote="Workers feed the larvae for six days"),)),
        Question(id="q3", question="neap tides metres", tags=("long",), gold=(Gold(uri="tide.txt"),)),
        Question(id="q4", question=f"What did the locksmith write? {HOSTILE}", tags=(HOSTILE,),
                 gold=(Gold(uri="evil.txt", quote="nothing else about locks"),)),
        Question(id="q5", question="What is nowhere?", unanswerable=True),
    )  # fmt: skip
    return QuestionSet("small <set>", made)


def _run(workspace: Workspace, strategy: str, questions: QuestionSet) -> Run:
    results = {}
    for question in questions:
        began = time.perf_counter()
        hits = workspace.search(question.question, ["d"], strategy, 10)
        found = tuple(Found("d", hit.uri, hit.start, hit.end, hit.score) for hit in hits)
        results[question.id] = Result(question.id, found, time.perf_counter() - began)
    if strategy == "vector":
        results["q2"] = Result("q2", (), 0.0, f"The search broke: {HOSTILE}")
    return Run(strategy, questions.name, {"strategy": strategy, "note": HOSTILE}, results)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("report")
    files = folder / "files"
    files.mkdir()
    for name, text in _FILES.items():
        (files / name).write_text(text, "utf-8")
    with_hash = ragkit.open(folder / "workspace")
    with_hash.add_domain("d", embedder="hash", chunker={"kind": "structure", "size": 16})
    with_hash.ingest(files, domain="d")

    def text_of(uri: str) -> str | None:
        try:
            return with_hash.document(uri, "d").text
        except ragkit.NotFound:
            return None

    questions = _questions()
    resolved = resolve(questions, text_of)
    assert not resolved.count()["lost"]
    runs = [_run(with_hash, strategy, questions) for strategy in STRATEGIES]
    metrics = [metric(name, resolved.ranges) for name in METRICS]
    return Report(compare(runs, questions, metrics, rounds=500), runs, questions, resolved.ranges, text_of)


class _Parsed(HTMLParser):
    """The elements of a page, and the text outside of style and script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Mapping[str, str | None]]] = []
        self.texts: list[str] = []
        self.marked: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "input"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, tag
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self._open):
            self.texts.append(data)
            if "mark" in self._open:
                self.marked.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def named(self, tag: str) -> list[Mapping[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def parsed(report: Report) -> _Parsed:
    return _Parsed(page.html(report))


def test_the_page_is_well_formed_and_loads_nothing(report: Report, parsed: _Parsed) -> None:
    html = page.html(report)
    assert "default-src 'none'" in str(parsed.named("meta"))
    names = {name for name, _ in parsed.elements}
    assert not names & {"img", "link", "iframe", "object", "embed", "base", "form", "image", "use"}
    for name, attributes in parsed.elements:
        for key, value in attributes.items():
            assert key not in ("src", "href", "srcset", "style", "action"), (name, key)
            assert not key.startswith("on"), (name, key)
            assert "://" not in (value or ""), (name, key)
    assert len(parsed.named("script")) == len(parsed.named("style")) == 1
    own = re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", html, re.S)
    assert not any("://" in one or "url(" in one or "@import" in one for one in own)


def test_what_documents_and_questions_say_stays_text(report: Report, parsed: _Parsed) -> None:
    shown = "</script><img src=x onerror=document.title='owned'> & <b>bold</b>"
    assert shown in parsed.text
    html = page.html(report)
    assert "<img" not in html
    assert html.count("</script>") == 1
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert html.encode("utf-8")


def test_every_question_and_strategy_is_there_and_nothing_fails_in_silence(report: Report, parsed: _Parsed) -> None:
    details = [one for one in parsed.named("details") if one.get("class") == "question"]
    assert {one["id"] for one in details} == {f"question-q{number}" for number in range(1, 6)}
    assert parsed.text.count("What each strategy found") == 5
    for strategy in STRATEGIES:
        assert parsed.text.count(strategy) > 10
    assert "✗ The search failed." in parsed.text
    assert "vector: 1 search failed and scored 0." in parsed.text
    assert "1 question of 5 without gold, not scored." in parsed.text
    assert "finding nothing is right" in parsed.text
    assert "small <set>" in parsed.text


def test_the_gold_is_marked_in_the_hits_and_a_whole_document_is_not_painted(parsed: _Parsed) -> None:
    assert "the glaze cools for eleven hours" in parsed.marked
    assert "Workers feed the larvae for six days" in parsed.marked
    assert not any("Neap" in one or "Spring" in one for one in parsed.marked)
    assert any("right" in str(one.get("class")) for one in parsed.named("li"))
    assert "whole document, which begins" in parsed.text


def test_there_are_three_pictures_with_words_for_those_who_do_not_see_them(parsed: _Parsed) -> None:
    plots = [one for one in parsed.named("svg") if one.get("class") == "plot"]
    assert [one["aria-label"] for one in plots] == [
        "Quality against latency",
        "Recall by number of hits",
        "Differences by question",
    ]
    assert all(one["role"] == "img" for one in plots)


def test_the_most_changed_come_first_and_what_is_left_out_is_counted(report: Report) -> None:
    few = _Parsed(page.html(report, questions=2))
    details = [one["id"] for one in few.named("details") if one.get("class") == "question"]
    expected = sorted(
        report.scored["bm25"],
        key=lambda question: (
            min(scored[question] for scored in report.scored.values())
            - max(scored[question] for scored in report.scored.values())
        ),
    )
    assert details[0] == f"question-{expected[0]}"
    assert len(details) == 2
    assert "3 questions more, which differ less, are left out." in few.text


def test_a_question_on_which_runs_differ_is_before_one_that_all_fail() -> None:
    gold = (Gold(uri="right"),)
    scored = [Question(id=name, question=name, gold=gold) for name in ("ok", "bad", "split")]
    questions = QuestionSet("order", (Question(id="bare", question="bare"), *scored))

    def run(name: str, found: Mapping[str, str]) -> Run:
        hits = {one.id: (Found("d", found.get(one.id, "wrong"), 0, 5, 1.0),) for one in questions}
        return Run(name, "order", {}, {one.id: Result(one.id, hits[one.id], 0.1) for one in questions})

    runs = [run("a", {"ok": "right"}), run("b", {"ok": "right", "split": "right"})]
    made = Report(compare(runs, questions, [metric("nDCG@10")], rounds=100), runs, questions, {}, lambda uri: None)
    assert [question.id for question in made.most_changed()] == ["split", "bad", "ok", "bare"]


def test_a_page_of_many_questions_stays_one_that_can_be_opened(report: Report) -> None:
    long = "word " * 20_000
    many = QuestionSet("many", tuple(Question(id=f"q{at}", question=long) for at in range(300)))
    hits = tuple(Found("d", "long.txt", 0, len(long), 1.0) for _ in range(100))
    runs = [Run(f"s{number}", "many", {}, {one.id: Result(one.id, hits, 0.1) for one in many}) for number in range(12)]
    made = Report(compare(runs, many, [metric("seconds")], rounds=100), runs, many, {}, lambda uri: long)
    html = page.html(made)
    assert len(html) < 5_500_000
    assert "are left out" in html


@pytest.mark.parametrize("count", [1, 2])
def test_few_strategies_and_questions_without_any_hit_or_gold_are_shown_too(report: Report, count: int) -> None:
    questions = QuestionSet("bare", (Question(id="only", question="Anything?", gold=(Gold(uri="gone.txt"),)),))
    runs = [Run(f"s{at}", "bare", {}, {"only": Result("only", (), 0.0)}) for at in range(count)]
    made = Report(compare(runs, questions, [metric("nDCG@10")], rounds=100), runs, questions, {}, lambda uri: None)
    parsed = _Parsed(page.html(made))
    assert "✗ Nothing found." in parsed.text
    assert "Its gold was not found." in parsed.text
    assert table.markdown(made)
    assert made.plain()["strategies"]["s0"]["nDCG@10"] == 0.0


def test_markdown_tables_are_well_formed(report: Report) -> None:
    text = table.markdown(report)
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) == 3
    for block in blocks:
        widths = {len(re.split(r"(?<!\\)\|", line)) for line in block}
        assert len(widths) == 1, block[0]
        assert re.fullmatch(r"(\| --- )+\|", block[1])
    assert {line.split(" | ")[0] for line in blocks[0][2:]} == {f"| {strategy}" for strategy in STRATEGIES}
    assert "<img" not in text
    assert "\x1b" not in text


def test_the_terminal_shows_the_same_and_nothing_paints_it(report: Report) -> None:
    out = io.StringIO()
    table.show(report, Console(file=out, width=200, force_terminal=False))
    text = out.getvalue()
    for word in (*STRATEGIES, *METRICS, "bm25 → vector", "[red]paint[/red]"):
        assert word in text
    assert "\x1b" not in text
    assert any(report.verdict(one)[:30] in text for one in report.comparison.differences)


NAMES = ("bm25", "vector", "rrf", "hybrid", "fixed-128 hybrid", "structure-256 vector")


def _made(names: Sequence[str] = NAMES, count: int = 40, against: str | None = None) -> Report:
    """Of runs that find the right document further down, one after the other; one fails, finds nothing, lacks some."""
    asked = tuple(Question(id=f"q{at}", question="Which?", gold=(Gold(uri="right"),)) for at in range(count))
    questions = QuestionSet("made", asked)
    rng = random.Random(3)

    def result(question: str, run: int) -> Result:
        rank = min(int(rng.expovariate(1 / (1 + run))), 9)
        uris = ["right" if at == rank else f"wrong{at}" for at in range(10)]
        return Result(question, tuple(Found("d", uri, 0, 4, 1.0) for uri in uris), 0.01)

    runs = [Run(name, "made", {}, {one.id: result(one.id, at) for one in asked}) for at, name in enumerate(names)]
    first = dict(runs[0].results)
    first["q0"] = Result("q0", (), 0.01)
    first["q1"] = Result("q1", (), 0.01, "It broke.")
    runs[0] = Run(names[0], "made", {}, {id: one for id, one in first.items() if id != "q2"})
    metrics = [metric(name) for name in ("nDCG@10", "Recall@10", "Recall@100", "MRR@10")]
    compared = compare(runs, questions, metrics, rounds=500, against=against)
    return Report(compared, runs, questions, {}, lambda uri: "text", metrics)


def _printed(report: Report, width: int) -> str:
    out = io.StringIO()
    table.show(report, Console(file=out, width=width, force_terminal=False))
    return out.getvalue()


def test_what_failed_and_what_found_nothing_is_counted_everywhere() -> None:
    made = _made(NAMES[:4])
    row, below = (line.split() for line in _printed(made, 80).splitlines()[3:5])
    assert row[0] == "bm25"
    assert (row[-1], below[-1]) == ("1", "1")
    text = table.markdown(made)
    assert "| p50 ms · p95 ms | Failed · Empty |" in text
    assert re.search(r"^\| bm25 \|.* 1 · 1 \|$", text, re.M)
    assert re.search(r"^\| rrf \|.* 0 · 0 \|$", text, re.M)
    assert "bm25: 1 search failed and scored 0." in made.findings()
    assert "bm25: 1 question not asked, scored 0." in made.findings()


@pytest.mark.parametrize("names", [NAMES[:4], NAMES])
def test_on_80_columns_no_number_is_cut(names: Sequence[str]) -> None:
    made = _made(names)
    text = _printed(made, 80)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    for score in made.comparison.scores:
        assert interval(score.metric, score.low, score.high, between="–") in text


def test_too_few_questions_are_called_so_everywhere() -> None:
    made = _made(NAMES[:2], 3)
    assert all(one.smallest is None for one in made.comparison.differences)
    assert "too few questions" in _printed(made, 100)
    assert "3 questions are too few to show one." in table.markdown(made)
    assert "≈ too few questions to show a difference" in _Parsed(page.html(made)).text
    assert {one["smallest"] for one in made.plain()["comparisons"]} <= {None}
    assert "from" not in made.verdict(made.comparison.differences[0])


def test_what_came_out_is_told_against_the_baseline_where_there_is_one() -> None:
    made = _made(NAMES, against="hybrid")
    assert made.plain()["against"] == "hybrid"
    assert len(made.leading()) == 5
    assert all(one.a == "hybrid" for one in made.leading())
    best = _made(NAMES)
    assert all(best.ranked[0].run in (one.a, one.b) for one in best.leading())
    assert len(best.leading()) == 5


def test_json_has_the_keys_that_scripts_rely_on(report: Report) -> None:
    plain = json.loads(json.dumps(report.plain(), allow_nan=False))
    assert plain["dataset"] == "small <set>"
    assert (plain["queries"], plain["seed"], plain["rounds"]) == (5, 0, 500)
    assert set(plain["strategies"]) == set(STRATEGIES)
    for row in plain["strategies"].values():
        assert set(row) >= {"nDCG@10", "Recall@10", "Recall@100", "MRR@10", "p50_ms"}
    assert plain["strategies"]["vector"]["errors"] == 1
    assert len(plain["comparisons"]) == 3 * len(METRICS)
    for row in plain["comparisons"]:
        assert set(row) >= {"a", "b", "metric", "difference", "low", "high", "p"}


def test_a_passage_is_cut_around_the_gold() -> None:
    text = "filler " * 200 + "the answer is here" + " after" * 200
    start = text.index("the answer")
    shown = passage(text, 0, len(text), [(start, start + 18)], 300)
    assert [piece.text for piece in shown.pieces if piece.gold] == ["the answer is here"]
    assert sum(len(piece.text) for piece in shown.pieces) <= 300
    assert shown.cut_before
    assert shown.cut_after
    whole = passage(text, 0, 50, [(0, len(text))], 300)
    assert [piece.gold for piece in whole.pieces] == [False]
    apart = passage("abcdefghij", 2, 8, [(0, 3), (3, 5), (4, 6), (9, 10)])
    assert "".join(piece.text for piece in apart.pieces) == "cdefgh"
    assert "".join(piece.text for piece in apart.pieces if piece.gold) == "cdef"


def test_names_in_pictures_do_not_cover_each_other() -> None:
    points = [plot.Point(f"strategy {at}", 1.0 + at / 100, 0.5, 0.4, 0.6) for at in range(8)]
    drawn = plot.scatter(points, "x", "y", "t")
    places: dict[str, list[float]] = {}
    for y, anchor in re.findall(r'class="name" x="[\d.]+" y="([\d.]+)" text-anchor="(\w+)"', drawn):
        places.setdefault(anchor, []).append(float(y))
    assert sum(map(len, places.values())) == 8
    for heights in places.values():
        heights.sort()
        assert all(after - before >= 16.9 for before, after in pairwise(heights))


_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--hide-scrollbars",
)
_PROBE = """
<script>{
const all = pattern => Array.from(document.querySelectorAll(pattern));
const column = name => all("#scores thead button").find(one => one.textContent === name);
const order = () => all("#scores tbody tr").map(row => row.cells[0].textContent).join();
const seen = {title: document.title, images: document.images.length, before: order()};
column("nDCG@10").click(); seen.down = order();
seen.said = column("nDCG@10").closest("th").getAttribute("aria-sort");
column("nDCG@10").click(); seen.up = order();
column("Strategy").click(); column("Strategy").click(); seen.names = order();
all("[data-open=yes]")[0].click(); seen.open = all("details.question[open]").length;
seen.wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
all("[data-open=no]")[0].click(); seen.closed = all("details.question[open]").length;
const field = document.getElementById("filter"); field.value = "GLAZE"; field.dispatchEvent(new Event("input"));
seen.left = all("details.question").filter(one => one.offsetHeight > 0).length;
document.body.dataset.seen = JSON.stringify(seen);
}</script>
"""


def _browse(folder: Path, html: str, *flags: str) -> subprocess.CompletedProcess[str]:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("SKIPPED FOR WANT OF A BROWSER: install chromium to see whether the page works in one")
    (folder / "page.html").write_text(html, "utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    address = (folder / "page.html").as_uri()
    made = subprocess.run([browser, *_FLAGS, profile, *flags, address], capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr[-2000:]
    return made


def test_it_works_in_a_browser(report: Report, tmp_path: Path) -> None:
    html = page.html(report).replace("</body>", f"{_PROBE}</body>")
    made = _browse(tmp_path, html, "--dump-dom", "--virtual-time-budget=3000", "--window-size=390,800")
    assert ":CONSOLE" not in made.stderr, made.stderr[-2000:]
    attributes = dict(_Parsed(made.stdout).named("body")[0])
    seen = json.loads(attributes["data-seen"] or "")
    by_score = [score.run for score in report.ranked]
    means = [score.mean for score in report.ranked]
    assert seen["before"] == ",".join(STRATEGIES)
    assert seen["down"].split(",")[0] in [run for run, mean in zip(by_score, means, strict=True) if mean == means[0]]
    assert seen["up"].split(",")[0] in [run for run, mean in zip(by_score, means, strict=True) if mean == means[-1]]
    assert seen["said"] == "descending"
    assert seen["names"] == ",".join(sorted(STRATEGIES))
    assert (seen["open"], seen["closed"], seen["left"]) == (5, 0, 1)
    assert seen["images"] == 0
    assert seen["title"] == "small <set>: bm25, vector and hybrid compared"
    assert not seen["wide"], "on a phone, the page is as wide as the screen; tables move by themselves"


def test_the_browser_would_tell_of_an_error_and_loads_nothing(report: Report, tmp_path: Path) -> None:
    broken = page.html(report).replace("</body>", "<script>nothing.here()</script><img src='x.png'></body>")
    told = _browse(tmp_path, broken, "--dump-dom", "--virtual-time-budget=1000").stderr
    assert "nothing is not defined" in told
    assert "Content Security Policy" in told


_EDGES = """
<script>{
const cut = box => box.scrollWidth - box.clientWidth;
const table = name => cut(document.getElementById(name).parentElement);
document.body.dataset.seen = JSON.stringify(
  {differences: table("differences"), scores: table("scores"), page: cut(document.documentElement)});
}</script>
"""


@pytest.mark.parametrize("width", [1300, 800])
def test_no_table_of_six_strategies_is_cut(tmp_path: Path, width: int) -> None:
    html = page.html(_made()).replace("</body>", f"{_EDGES}</body>")
    made = _browse(tmp_path, html, "--dump-dom", "--virtual-time-budget=1000", f"--window-size={width},1000")
    seen = json.loads(dict(_Parsed(made.stdout).named("body")[0])["data-seen"] or "")
    assert seen == {"differences": 0, "scores": 0, "page": 0}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_picture_of_it_shows_something(report: Report, tmp_path: Path, scheme: str) -> None:
    from PIL import Image

    shot = tmp_path / "page.png"
    dark = ("--blink-settings=preferredColorScheme=0",) if scheme == "dark" else ()
    _browse(tmp_path, page.html(report), f"--screenshot={shot}", "--window-size=1000,1600", *dark)
    picture = Image.open(shot).convert("L")
    assert picture.size == (1000, 1600)
    shades = picture.histogram()
    paper = shades.index(max(shades))
    assert (paper < 60) == (scheme == "dark")
    assert sum(map(bool, shades)) > 100
    assert 0.02 < 1 - shades[paper] / (1000 * 1600) < 0.6
