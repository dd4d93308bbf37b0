import asyncio
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import ragkit
from ragkit import weather
from ragkit.calculator import calculator
from ragkit.calibration import Scale
from ragkit.cascade import Cascade, Scales
from ragkit.errors import InvalidInput, NotFound
from ragkit.model import ModelError, Reply, Request
from ragkit.modelselector import MOST_CHARACTERS
from ragkit.route import Inquiry, Selection, as_json, choose
from ragkit.scripted import ScriptedModel
from ragkit.tools import Tool, tool
from tests.wire import Turn, WireServer

TEXTS = {
    "kitchen": ["The kettle boils water for tea.", "Bake the bread in a hot oven.", "Soup needs salt and onions."],
    "garage": ["Change the tyre before the winter.", "The engine needs oil.", "The brakes of the car squeak."],
    "office": ["The meeting is on Monday.", "File the invoice in the folder.", "The printer has no paper."],
}


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("indexed")
    with ragkit.open(place) as made:
        for name, texts in TEXTS.items():
            made.add_domain(name, embedder="hash")
            folder = place / name
            folder.mkdir()
            for at, text in enumerate(texts):
                (folder / f"{at}.md").write_text(text)
            made.ingest(folder, name)
    return place


@pytest.fixture
def place(tmp_path: Path, indexed: Path) -> Iterator[ragkit.Workspace]:
    shutil.copytree(indexed, tmp_path / "w")  # with its documents
    with ragkit.open(tmp_path / "w") as made:
        yield made


@pytest.mark.parametrize("by", ["cascade", "keyword", "semantic", "evidence"])
@pytest.mark.parametrize(
    ("question", "domain"),
    [("How long does bread bake in the oven?", "kitchen"), ("Which oil does the engine need?", "garage"),
     ("Where is the printer paper?", "office")],
)  # fmt: skip
def test_each_selector_finds_the_domain(place: ragkit.Workspace, by: str, question: str, domain: str) -> None:
    route = place.route(question, by=by)
    assert route.tools[0][0] == domain
    assert domain in route.chosen
    assert route.reason
    assert route.margin > 0
    assert [score for _, score in route.tools] == sorted((score for _, score in route.tools), reverse=True)
    assert json.loads(json.dumps(as_json(route)))["tools"][0]["name"] == domain
    assert asyncio.run(place.aroute(question, by=by)) == route


def test_nothing_is_never_the_first_or_the_last_one() -> None:
    flat = Selection("x", {"b": 0.5, "a": 0.5}, "")
    assert (flat.best, choose(flat, ["b", "a"]).chosen) == ("", ())
    assert choose(Selection("x", {}, ""), []).none


def test_declared_keywords_and_examples_need_no_documents(tmp_path: Path) -> None:
    place = ragkit.open(tmp_path)
    place.add_domain("money", description="Revenue, budgets", keywords=["EBITDA"], embedder="hash")
    place.add_domain("people", description="Staff", examples=["Who was hired in May?"], embedder="hash")
    assert place.route("What was the ebitda last year?", by="keyword").chosen == ("money",)
    assert place.route("Who was hired in June?").tools[0][0] == "people"
    assert "holds nothing yet" in place.route("Who was hired in June?").reason


def test_no_domain_at_all_is_a_route_to_nowhere(tmp_path: Path) -> None:
    route = ragkit.open(tmp_path).route("Is there anybody?")
    assert (route.none, route.tools, route.confident) == (True, (), False)
    assert "no domain" in route.reason


def test_an_empty_and_a_damaged_domain_are_left_out_and_named(place: ragkit.Workspace) -> None:
    question = "Which oil does the engine need?"
    place.add_domain("attic", description="engine oil", embedder="hash")
    assert place.route(question).chosen == ("garage",) or place.route(question).tools[0][0] == "garage"
    place.close()
    catalog = place.path / ".ragkit" / "domains" / "office" / "catalog.sqlite"
    for path in catalog.parent.glob("catalog.sqlite*"):
        path.unlink()
    catalog.write_bytes(b"no database" * 1000)
    fresh = ragkit.open(place.path)
    for by in ("cascade", "keyword", "semantic", "evidence"):
        route = fresh.route(question, by=by)
        assert route.tools[0][0] == "garage"
        assert {name for name, _ in route.tools} == {"kitchen", "garage"}
        assert "attic holds nothing yet" in route.reason
        assert "office cannot be searched" in route.reason


def test_a_new_and_a_changed_domain_are_seen_at_once(place: ragkit.Workspace, tmp_path: Path) -> None:
    question = "Which planets have rings?"
    assert place.route(question, by="keyword").tools[0][1] <= 1
    (place.path / "garage" / "new.md").write_text("Planets with rings are Saturn and Uranus. Rings of planets.")
    place.sync(["garage"])
    assert place.route(question).tools[0][0] == "garage"
    (tmp_path / "sky").mkdir()
    (tmp_path / "sky" / "a.md").write_text("Which planets have rings? Saturn, of all planets, has the brightest rings.")
    place.add_domain("sky", embedder="hash")
    place.ingest(tmp_path / "sky", "sky")
    assert place.route(question).tools[0][0] == "sky"
    assert place.route(question, ["kitchen", "garage"]).tools[0][0] == "garage"


def test_tools_stand_beside_domains(place: ragkit.Workspace) -> None:
    @tool(description="Weather: rain, sun, wind, temperature", examples=["Will it rain tomorrow?"])
    def rain(town: str) -> str:
        return town

    place.add_tool(calculator)
    assert place.route("What is the square root of 81?", by="keyword").chosen == ("calculator",)
    assert place.route("Will it rain in May?", tools=[rain]).tools[0][0] == "rain"
    assert "rain" not in dict(place.route("Will it rain in May?").tools)
    assert place.route("Will it rain?", domains=[], tools=[rain]).tools[0][0] == "rain"
    with pytest.raises(InvalidInput, match="Two things are called"):
        place.route("Will it rain?", tools=[rain, rain])
    with pytest.raises(InvalidInput, match="a domain 'office'"):
        place.add_tool(tool(name="office", description="x")(lambda: 1))


def examples(count: int = 60) -> list[dict[str, str | None]]:
    words = {
        "kitchen": ["bread", "oven", "soup", "salt", "tea", "kettle"],
        "garage": ["oil", "tyre", "brakes", "engine", "car"],
    }
    rows: list[dict[str, str | None]] = []
    for name, own in words.items():
        for at in range(count):
            rows.append(
                {"question": f"What about the {own[at % len(own)]} and {own[at // 3 % len(own)]} {at}?", "domain": name}
            )
    return [*rows, *({"question": f"Sing song {at} of the sea", "domain": None} for at in range(20))]


def test_what_is_fitted_is_kept_and_turns_strangers_away(place: ragkit.Workspace, tmp_path: Path) -> None:
    path = tmp_path / "examples.jsonl"
    path.write_text("\n".join(map(json.dumps, examples())))
    scale = place.fit_routes(path).cascade.scales.cheap
    assert scale is not None
    assert scale.questions == 44
    for one in (place, ragkit.open(place.path)):
        sure = one.route("What about the bread and salt?")
        assert (sure.chosen, sure.confident) == (("kitchen",), True)
        assert sum(score for _, score in sure.tools) > 0.5
    strange = place.route("Sing song 99 of the sea", ["kitchen", "garage"])
    assert sum(score for _, score in strange.tools) < 0.5


@pytest.mark.parametrize(
    ("line", "said"),
    [('{"question": "x"}', "line 1"), ("nonsense", "line 1"), ('{"question": "x", "domain": "nowhere"}', "nowhere"),
     ("", "no examples"), ('{"question": 3, "domain": null}', "line 1")],
)  # fmt: skip
def test_a_wrong_file_of_examples_says_where(place: ragkit.Workspace, tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "examples.jsonl"
    path.write_text(line)
    with pytest.raises((InvalidInput, NotFound), match=said):
        place.fit_routes(path)


def test_what_was_kept_and_is_damaged_is_made_anew(place: ragkit.Workspace) -> None:
    place.add_domain("garage", description="Cars, tyres")
    before = place.route("Which oil does the engine need?")
    kept = list((place.path / ".ragkit" / "routing").iterdir())
    assert kept
    for path in kept:
        path.write_bytes(b"damaged")
    assert ragkit.open(place.path).route("Which oil does the engine need?") == before


@pytest.mark.parametrize("question", ["", "   ", "x" * 20_000])
def test_what_is_no_question_is_refused(place: ragkit.Workspace, question: str) -> None:
    with pytest.raises(InvalidInput):
        place.route(question)


def test_questions_without_a_word_and_strange_ones_are_routed(place: ragkit.Workspace) -> None:
    for question in ("?!", "日本語の質問", "\ud800", "a\x00b", "SELECT * FROM x"):
        assert place.route(question).tools


def test_one_vector_serves_all_selectors(place: ragkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from ragkit.indexes.hashing import HashEmbedder

    place.route("warm up")
    asked: list[str] = []
    query = HashEmbedder.query

    def counted(self: HashEmbedder, text: str) -> object:
        asked.append(text)
        return query(self, text)

    monkeypatch.setattr(HashEmbedder, "query", counted)
    place.route("Which oil does the engine need?")
    assert len(asked) == 1
    inquiry = Inquiry("x")
    assert inquiry.terms("english") is inquiry.terms("english")


def many(count: int = 100) -> list[Tool]:
    def made(number: int) -> Tool:
        return tool(name=f"tool-{number:03}", description=f"Answers what concerns subject {number}. " * 10)(
            lambda: number
        )

    return [made(number) for number in range(count)]


def test_a_hundred_tools_are_shown_in_parts(tmp_path: Path) -> None:
    place = ragkit.open(tmp_path)

    def answer(request: Request) -> str:
        assert len(request.system) + sum(len(one.text) for one in request.messages) <= MOST_CHARACTERS
        assert "Question: Subject 73?" in request.messages[0].text
        return json.dumps(
            {"tools": ["tool-073"] if "tool-073:" in request.messages[0].text else [], "reason": "It says so."}
        )

    model = ScriptedModel(answer)
    route = place.route("Subject 73?", tools=many(), by="model", model=model)
    assert (route.chosen, route.by, len(route.tools)) == (("tool-073",), "model", 100)
    assert 3 <= len(model.requests) <= 6


def test_a_model_that_names_everything_comes_to_an_end(tmp_path: Path) -> None:
    def answer(request: Request) -> str:
        shown = request.messages[0].text.split("\n\nQuestion")[0].splitlines()[1:]
        return json.dumps({"tools": [line.partition(":")[0] for line in shown]})

    route = ragkit.open(tmp_path).route("x?", tools=many(), by="model", model=ScriptedModel(answer))
    assert len(route.chosen) == 3


def test_an_invented_name_is_refused_and_asked_for_once_more(place: ragkit.Workspace) -> None:
    model = ScriptedModel(['{"tools": ["cellar"]}', '{"tools": ["Garage"], "reason": "cars"}'])
    assert place.route("x?", by="model", model=model).chosen == ("garage",)
    assert "There is no 'cellar'" in model.requests[1].messages[-1].text
    with pytest.raises(ModelError, match="named tools that there are not: 'attic'"):
        place.route("y?", by="model", model=ScriptedModel(['{"tools": ["cellar"]}', '{"tools": ["attic"]}']))
    assert place.route("z?", by="model", model=ScriptedModel(['{"tools": []}'])).none


UNSURE = "Tell me about things"


@pytest.mark.parametrize("said", ["I would say the garage.", '{"tools": ["cel', '{"tools": ["cellar"]}', '{"tool": 0}'])
def test_without_a_usable_word_of_a_model_the_cascade_has_it(place: ragkit.Workspace, said: str) -> None:
    route = place.route(UNSURE, model=ScriptedModel([said, said, said]))
    assert "No model could help" in route.reason
    assert route.chosen == place.route(UNSURE).chosen


def test_a_model_is_asked_only_when_the_rest_is_not_sure(place: ragkit.Workspace, tmp_path: Path) -> None:
    path = tmp_path / "examples.jsonl"
    path.write_text("\n".join(map(json.dumps, examples())))
    place.fit_routes(path)
    model = ScriptedModel(['{"tools": ["office"], "reason": "things"}'])
    assert place.route("What about the bread and salt?", model=model).by == "semantic"
    assert not model.requests
    route = place.route(UNSURE, model=model)
    assert (route.chosen, route.by, route.tools[0][0]) == (("office",), "model", "office")


def test_over_the_wire(place: ragkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weather, "BASE", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    turns = [Turn('{"tools": ["loft"], "reason": ""}'), Turn('{"tools": ["office"], "reason": "paper"}')]
    with WireServer(turns, lenient=True) as server:
        with (place.path / "ragkit.toml").open("a") as file:
            file.write(f'\n[models."openai:test"]\nbase_url = "{server.url}/v1"\n')
        fresh = ragkit.open(place.path)
        route = fresh.route(UNSURE, model="openai:test")
        fresh.close()
        assert route.chosen == ("office",)
        assert "openai:test chose office" in route.reason
        assert len(server.seen) == 2
        assert "garage" in json.dumps(server.seen[0].body)


def test_routing_is_a_step_of_the_trace(place: ragkit.Workspace) -> None:
    from ragkit import telemetry

    seen: list[tuple[str, object]] = []

    class Listener:
        def started(self, span: object) -> None: ...

        def ended(self, span: "object", texts: object) -> None:
            seen.append((span.name, dict(span.attributes)["ragkit.route.chosen"]))  # type: ignore[attr-defined]

    with telemetry.recording(Listener(), False):
        place.route("Which oil does the engine need?")
    assert [name for name, _ in seen] == ["route"]


def test_where_only_documents_are_known_a_route_is_sure_of_what_surely_belongs(place: ragkit.Workspace) -> None:
    router, (places, tools, _) = place._router, place._routed(None, None, "extractive", None)
    cascade = Cascade(router.ready(places, tools).profiles)
    question = Inquiry("Which oil does the engine need?")
    top = float(cascade.full(question, *cascade.cheap(question)).max())

    def learnt(below: float) -> Scale:
        return Scale(temperature=0.001, sure=0.6, inside=top - below, width=0.1)

    known = {}
    for below in (0.01, 0.5):
        cascade.scales = Scales(None, learnt(below))
        known[below] = cascade.decide(question)
    assert [one.confident for one in known.values()] == [False, True]
    assert known[0.01].chosen == known[0.5].chosen
    assert "not clear that it belongs" in known[0.01].reason
    cascade.scales = Scales(learnt(0.01), learnt(0.01))  # from questions, which say it better
    assert cascade.decide(question).chosen == ("garage",)
    assert cascade.decide(question).confident


def test_many_threads_route_at_once(place: ragkit.Workspace) -> None:
    wrong: list[object] = []

    def work() -> None:
        for _ in range(5):
            route = place.route("Which oil does the engine need?")
            if route.tools[0][0] != "garage":
                wrong.append(route)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not wrong


def test_a_reply_is_read_without_its_data_too() -> None:
    async def ask(request: Request) -> Reply:
        return Reply('{"tools": ["a"]}', "x:y")

    from ragkit.modelselector import ModelSelector
    from ragkit.profile import Profiles

    assert Profiles(Path("/nowhere")).of([]) == []
    assert asyncio.run(ModelSelector([], ask).select("x?")).scores == {}
