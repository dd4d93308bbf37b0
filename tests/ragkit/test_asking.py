"""What asks share must never make one of them wrong, or late."""

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

import ragkit
from ragkit import asking, weather
from ragkit.answer import Answer
from ragkit.asking import Asking, Search
from ragkit.budget import Allowance
from ragkit.cache import SqliteCache
from ragkit.chain import Chain
from ragkit.deadline import Deadline
from ragkit.events import Found, Piece
from ragkit.model import Message, ModelError, Reply, Request
from ragkit.modelsettings import CacheSettings, ModelSettings
from ragkit.providers import providers
from ragkit.scripted import Line, ScriptedModel
from ragkit.settings import Settings
from ragkit.trace import Step, Trace
from ragkit.tracestore import FILE, TraceStore
from ragkit.weather import Weather
from tests import asks
from tests.ragkit import semconv
from tests.wire import Turn, WireServer

QUESTION = "How high is the tower of Delft?"
NEARLY = "How high is the tower of Delft"
SAID = "It is 43 metres high. [1]"
OTHER = "It is 44 metres high. [1]"
REQUEST = Request((Message("user", QUESTION),))
SEMANTIC = "[cache]\nexact = false\nsemantic = 0.8\n"
SECONDS = 2.0
HANGS, LATE = 60.0, 20.0
"""Seconds that something hangs, and by which an ask may miss its deadline where all else is slow, too."""


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weather, "BASE", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", "test-key-openai")


Named = Callable[..., ScriptedModel]
Slow = Callable[[Callable[..., Any]], Callable[..., Any]]


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Named:
    """A model that is asked by its name, as those of providers are: `mine:NAME`."""

    def make(name: str, *lines: Line) -> ScriptedModel:
        model = made[name] = ScriptedModel(lines, f"mine:{name}")
        return model

    made: dict[str, ScriptedModel] = {}
    monkeypatch.setitem(providers, "mine", lambda name, _: made[name])
    return make


@contextmanager
def opened(folder: Path, settings: str) -> Iterator[ragkit.Workspace]:
    place = asks.workspace(folder, settings)
    try:
        yield place
    finally:
        place.close()


# What is remembered


@pytest.mark.parametrize("more", ["", SEMANTIC])
def test_a_model_that_is_an_object_shares_nothing_with_another_of_its_name(tmp_path: Path, more: str) -> None:
    with opened(tmp_path, more) as place:
        for said in (SAID, OTHER):
            answer = place.ask(QUESTION, model=ScriptedModel([said]))
            assert (answer.text, answer.cached) == (said, False)
            assert place.reply(REQUEST, ScriptedModel([said])).text == said


@pytest.mark.parametrize("more", ["", SEMANTIC])
def test_another_server_is_another_model_wherever_its_address_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    with WireServer([Turn(SAID)]) as one, WireServer([Turn(OTHER)]) as two:
        asks.workspace(tmp_path, f'model = "openai:test"\n{more}').close()
        for server, said in ((one, SAID), (two, OTHER)):
            monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
            with closing(ragkit.open(tmp_path)) as place:
                answers = [place.ask(QUESTION) for _ in range(2)]
            assert [(answer.text, answer.cached) for answer in answers] == [(said, False), (said, True)]


@dataclass
class Somewhere(ScriptedModel):
    name: str
    server: str


def _unfiltered(query: str, domains: Sequence[str] | None) -> list[Any]:
    return []


def _nothing(query: str, domains: Sequence[str] | None, part: bool) -> list[Any]:
    return []


def test_all_that_decides_an_answer_is_in_the_scope_of_its_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scope(
        name: str = "mine:a", server: str = "x", form: str = "", settings: str = "bm25", question: str = ""
    ) -> str:
        member = Weather(Somewhere(name, server), ModelSettings.model_validate({"form": form}))
        search = Search(_nothing, _unfiltered, None, place._indexed(None), {}, (), False, (), settings)
        return asking._placed(question, search, [Chain([member])])[0]

    with opened(tmp_path, "") as place:
        assert scope() == scope(question=QUESTION)
        scopes = {scope(), scope("mine:b"), scope(server="y"), scope(form="object"), scope(settings="hybrid")}
        monkeypatch.setattr(asking, "FORM", asking.FORM + 1)
        scopes.add(scope())
    assert len(scopes) == 6


def test_how_it_is_searched_is_in_the_scope(tmp_path: Path, named: Named) -> None:
    with opened(tmp_path, f'model = "mine:a"\n{SEMANTIC}') as place:
        named("a", *[SAID] * 9)
        ways: list[dict[str, Any]] = [
            {}, {"k": 3}, {"strategy": "bm25"}, {"where": {"uri": "Delft.md"}}, {"domains": ["towns"], "k": 4}
        ]  # fmt: skip
        for way in ways:
            assert [place.ask(QUESTION, **way).cached for _ in range(2)] == [False, True], way


def test_what_a_fallback_said_in_an_outage_is_not_said_after_it(tmp_path: Path, named: Named) -> None:
    settings = f'model = ["mine:first", "mine:second"]\n[models."mine:first"]\ntries = 1\n{SEMANTIC}'
    with opened(tmp_path, settings) as place:
        named("first", ModelError("It is ill.", kind="server"), SAID)
        named("second", OTHER)
        assert place.ask(QUESTION).model == "mine:second"
        answers = [place.ask(QUESTION) for _ in range(2)]
        assert [(one.text, one.model, one.cached) for one in answers] == [
            (SAID, "mine:first", False), (SAID, "mine:first", True),
        ]  # fmt: skip


@pytest.mark.parametrize(
    "line", [Reply("It is 43", "mine:a", "length"), "NOT IN THE PASSAGES", Reply("I cannot.", "mine:a", "refusal")]
)
def test_what_is_no_whole_answer_is_not_remembered(tmp_path: Path, named: Named, line: Line) -> None:
    with opened(tmp_path, f'model = "mine:a"\n{SEMANTIC}') as place:
        named("a", line, SAID)
        first, second = place.ask(QUESTION), place.ask(QUESTION)
        assert first.partial or first.abstained
        assert (second.text, second.cached) == (SAID, False)


def test_a_reply_that_was_asked_for_in_another_form_is_another(tmp_path: Path) -> None:
    model = ScriptedModel([SAID, OTHER])
    with closing(SqliteCache(tmp_path / "replies.sqlite", CacheSettings())) as cache:
        for form in ("schema", "prompt"):
            member = Weather(model, ModelSettings.model_validate({"form": form}))
            assert not asyncio.run(Chain([member], cache).areply(REQUEST)).cached


class Form(BaseModel):
    n: int


class Stricter(BaseModel):
    n: int

    @field_validator("n")
    @classmethod
    def _not_three(cls, n: int) -> int:
        if n == 3:
            raise ValueError("three is out")
        return n


Stricter.__name__ = "Form"


def test_a_kept_reply_that_is_not_of_the_form_any_more_is_asked_for_anew(tmp_path: Path) -> None:
    Stricter.model_config["title"] = "Form"
    Stricter.model_rebuild(force=True)
    assert Form.model_json_schema() == Stricter.model_json_schema()
    model = ScriptedModel(['{"n": 3}', '{"n": 4}'])
    with closing(SqliteCache(tmp_path / "replies.sqlite", CacheSettings())) as cache:
        chain = Chain([Weather(model, ModelSettings())], cache)

        async def ask(form: type[BaseModel]) -> Reply:
            return await chain.areply(Request(REQUEST.messages, schema=form))

        assert asyncio.run(ask(Form)).data == Form(n=3)
        assert asyncio.run(ask(Stricter)).data == Stricter(n=4)
        again = asyncio.run(ask(Stricter))
        assert (again.cached, again.data) == (True, Stricter(n=4))
    assert len(model.requests) == 2


def test_an_answer_from_memory_is_told_to_who_streams(tmp_path: Path, named: Named) -> None:
    async def events(place: ragkit.Workspace) -> list[object]:
        return [one async for one in place.astream(NEARLY)]

    with opened(tmp_path, f'model = "mine:a"\n{SEMANTIC}') as place:
        named("a", SAID)
        assert [one for one in place.stream(QUESTION) if isinstance(one, Found)]
        for piece, answer in (list(place.stream(NEARLY)), asyncio.run(events(place))):
            assert piece == Piece(SAID)
            assert isinstance(answer, Answer)
            assert (answer.cached, answer.text) == (True, SAID)


# Time


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds + LATE, f"not the {HANGS} that it hangs"


@pytest.fixture
def slow() -> Iterator[Slow]:
    """Makes something hang, until the test is over at the latest."""
    over = threading.Event()

    def slow(work: Callable[..., Any]) -> Callable[..., Any]:
        def slowly(*arguments: Any) -> Any:
            over.wait(HANGS)
            return work(*arguments)

        return slowly

    yield slow
    over.set()


def test_a_cache_that_hangs_takes_no_more_than_its_part_of_the_time(tmp_path: Path, named: Named, slow: Slow) -> None:
    with opened(tmp_path, 'model = "mine:a"\n') as place:
        named("a", *[SAID] * 3)
        place.ask("Warm?")
        cache = place._asking.models.cache
        assert cache is not None
        get, put = cache.get, cache.put
        cache.get = slow(get)  # type: ignore[method-assign]
        with within(SECONDS):
            answer = place.ask(QUESTION, seconds=SECONDS)
        assert (answer.text, answer.missing) == (SAID, ()), "and the model is asked in what is left"
        cache.get, cache.put = get, slow(put)  # type: ignore[method-assign]
        with within(SECONDS):
            assert place.ask(NEARLY, seconds=SECONDS).missing == ()


def test_an_embedder_that_hangs_takes_no_more_than_its_part_of_the_time(
    tmp_path: Path, named: Named, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, f'model = "mine:a"\n{SEMANTIC}') as place:
        named("a", *[SAID] * 3)
        place.ask("Warm?")
        placed = asking._placed
        monkeypatch.setattr(asking, "_placed", slow(placed))
        with within(SECONDS):
            assert place.ask(QUESTION, seconds=SECONDS).missing == ()
        monkeypatch.setattr(asking, "_placed", placed)
        remembered = place._asking._remembered
        monkeypatch.setattr(remembered, "put", slow(remembered.put))
        with within(SECONDS):
            assert place.ask(QUESTION, seconds=SECONDS).text == SAID


@pytest.mark.parametrize("file", ["traces", "replies", "answers"])
def test_a_file_that_another_holds_does_not_make_an_ask_late(tmp_path: Path, named: Named, file: str) -> None:
    with opened(tmp_path, 'model = "mine:a"\n[cache]\nsemantic = 0.8\n') as place:
        named("a", *[SAID] * 3)
        place.ask("Warm?")
        with closing(sqlite3.connect(tmp_path / ".ragkit" / f"{file}.sqlite", isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            with within(SECONDS):
                answer = place.ask(QUESTION, seconds=SECONDS)
            assert (answer.text, answer.missing) == (SAID, ())
            holder.execute("ROLLBACK")


def test_the_event_loop_goes_on_while_a_trace_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path, "") as place:
        place.ask("Warm?")
        save, threads = TraceStore.save, []

        def saved(store: TraceStore, trace: Trace) -> None:
            threads.append(threading.current_thread().name)
            save(store, trace)

        monkeypatch.setattr(TraceStore, "save", saved)
        place.ask(QUESTION)
        step = Step("1" * 16, None, "root", "internal", 0, 1)

        async def late() -> None:
            asking._late(place._asking._traces, Trace("1" * 32, 1.0, 1.0, spans=(step,)))

        place._asking.engine.run(late)
    assert len(threads) == 2
    assert not any(name.startswith("ragkit") for name in threads)


def test_the_trace_of_an_ask_whose_time_is_over_is_kept(tmp_path: Path, slow: Slow) -> None:
    with opened(tmp_path, "") as place:

        @slow
        def hang(query: str, domains: Sequence[str] | None, part: bool) -> list[Any]:
            return []

        work = place._asking.work(QUESTION, Search(hang, _unfiltered, None, [], {}, (), False, (), ""), None, 0.2)
        with within(0.2), pytest.raises(ModelError, match=r"The time of 0\.2 s was over"):
            place._asking.engine.run(lambda: work(None))
        assert TraceStore(tmp_path / ".ragkit" / FILE).get("last").status == "error"


def test_the_trace_of_an_ask_that_was_cancelled_is_kept(tmp_path: Path, named: Named) -> None:
    async def cancelled(place: ragkit.Workspace) -> None:
        task = asyncio.create_task(place.aask(QUESTION))
        await asyncio.to_thread(server.wait, lambda now: now.open == 1)
        task.cancel()
        await asyncio.wait([task])

    with WireServer([Turn(delay=30)]) as server:
        settings = f'model = "openai:test"\n[models."openai:test"]\nbase_url = "{server.url}/v1"\n'
        with opened(tmp_path, settings) as place:
            place.ask("Warm?", model="extractive")
            asyncio.run(cancelled(place))
        assert TraceStore(tmp_path / ".ragkit" / FILE).get("last").status == "cancelled"


class Shares(Weather):
    """Notes how many are left when it is asked."""

    def __init__(self, *lines: Line) -> None:
        super().__init__(ScriptedModel(lines), ModelSettings(tries=1))
        self.of: list[int] = []

    async def areply(self, request: Request, *rest: Any, of: int = 1) -> Reply:
        self.of.append(of)
        return await super().areply(request, *rest, of=of)


def test_each_model_of_a_chain_gets_its_share_of_the_time_and_the_deadline_is_that_of_all() -> None:
    def failing(kind: Any) -> Shares:
        return Shares(ModelError("Too late.", kind=kind))

    members = failing("timeout"), failing("timeout"), Shares(SAID)
    assert asyncio.run(Chain(members).areply(REQUEST, Allowance(Deadline(5)))).text == SAID
    assert [one.of for one in members] == [[3], [2], [1]]
    members = failing("deadline"), Shares(SAID), Shares(SAID)
    with pytest.raises(ModelError, match="Too late"):
        asyncio.run(Chain(members).areply(REQUEST))
    assert members[1].of == []


# Who listens, and what is kept


class Heard:
    def __init__(self) -> None:
        self.names: list[str] = []
        self.texts: list[str] = []

    def started(self, span: object) -> None:
        pass

    def ended(self, span: Any, texts: Mapping[str, str]) -> None:
        self.names.append(span.name)
        self.texts.extend(texts.values())


def test_listeners_are_those_of_who_made_it_and_outlive_it(tmp_path: Path) -> None:
    listeners: list[Any] = []
    for _ in range(2):
        one = Asking(tmp_path, Settings(), listeners=listeners)
        if not listeners:
            listeners.append(Heard())
        one.engine.run(lambda one=one: one.reply(REQUEST, ScriptedModel([SAID]), None))  # type: ignore[misc]
        one.close()
    assert listeners[0].names.count("invoke_workflow reply") == 2


@pytest.mark.parametrize("keep", ["true", "false"])
@pytest.mark.parametrize("texts", ["true", "false"])
def test_a_listener_gets_texts_where_they_are_wished(tmp_path: Path, keep: str, texts: str) -> None:
    with opened(tmp_path, f"[trace]\ntexts = {texts}\nkeep = {keep}\n") as place:
        heard = Heard()
        place.listen(heard)
        place.ask(QUESTION, model=ScriptedModel([SAID]))
        place.reply(REQUEST, ScriptedModel([SAID]))
    assert {"invoke_workflow ask", "invoke_workflow reply", "chat test"} <= set(heard.names)
    assert any(QUESTION in text for text in heard.texts) == (texts == "true")
    assert bool(heard.texts) == (texts == "true")


def test_a_reply_is_kept_as_an_ask_is(tmp_path: Path) -> None:
    with opened(tmp_path, "") as place:
        place.reply(REQUEST, ScriptedModel([SAID]))
        with pytest.raises(ModelError):
            place.reply(REQUEST, ScriptedModel([ModelError("No.", kind="request")]))
    kept = TraceStore(tmp_path / ".ragkit" / FILE)
    failed, well = (kept.get(one.id) for one in kept.list())
    assert [step.name for step in well.spans] == ["invoke_workflow reply", "chat test"]
    assert (well.question, well.model, well.status, failed.status) == (QUESTION, "scripted:test", "ok", "error")
    assert well.spans[0].texts["ragkit.answer"] == SAID
    assert semconv.of_trace(well) == semconv.of_trace(failed) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_process_leaves_the_asking_of_its_parent_alone(tmp_path: Path) -> None:
    one = Asking(tmp_path, Settings())
    one.engine.run(lambda: one.reply(REQUEST, ScriptedModel([SAID]), None))
    child = os.fork()
    if child == 0:
        try:
            one.close()
        finally:
            os._exit(0)
    until = time.monotonic() + 10
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < until:
        time.sleep(0.01)
    if ended == (0, 0):
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert ended == (child, 0)
    assert one.engine.run(lambda: one.reply(REQUEST, ScriptedModel([SAID]), None)).text == SAID
    one.close()
