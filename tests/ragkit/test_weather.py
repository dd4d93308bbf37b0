import asyncio
import gc
import weakref
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from pydantic import BaseModel

from ragkit import telemetry, weather
from ragkit.breaker import Breaker, Entry
from ragkit.budget import Allowance, Budget
from ragkit.chain import Chain
from ragkit.deadline import Deadline
from ragkit.errors import InvalidInput
from ragkit.limiter import Limiter
from ragkit.model import Kind, Message, ModelError, Reply, Request, Usage
from ragkit.models import Models
from ragkit.modelsettings import BudgetSettings, ModelSettings, Price
from ragkit.scripted import Line, ScriptedModel
from ragkit.settings import Settings
from ragkit.weather import Weather
from tests.clock import Clock

ASKED = Request((Message("user", "How high is it?"),))
PRICE = Price(input=Decimal(2), output=Decimal(10))


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """All loops of these tests run by it."""
    clock = Clock(monkeypatch)
    monkeypatch.setattr(asyncio, "run", clock.run)
    return clock


def failing(kind: Kind, retry_after: float | None = None, usage: Usage | None = None) -> ModelError:
    return ModelError(f"It is {kind}.", "Wait.", kind, model="scripted:a", retry_after=retry_after, usage=usage)


def chain(*models: ScriptedModel, **settings: object) -> Chain:
    return Chain([weathered(model, **settings) for model in models])


def weathered(model: ScriptedModel, **settings: object) -> Weather:
    return Weather(model, ModelSettings.model_validate(settings))


def ask(asked: Chain, allowance: Allowance | None = None, request: Request = ASKED) -> Reply:
    return asyncio.run(asked.areply(request, allowance))


@pytest.mark.parametrize("kind", ["rate", "overloaded", "server", "timeout", "connection", "broken"])
def test_what_may_pass_is_tried_again(kind: Kind) -> None:
    model = ScriptedModel([failing(kind), failing(kind), "512 m"])
    assert ask(chain(model)).text == "512 m"
    assert len(model.requests) == 3


@pytest.mark.parametrize("kind", ["key", "context", "request"])
def test_what_cannot_pass_is_not_tried_again(kind: Kind) -> None:
    model = ScriptedModel([failing(kind), "512 m"])
    with pytest.raises(ModelError, match=f"It is {kind}") as caught:
        ask(chain(model))
    assert caught.value.kind == kind
    assert len(model.requests) == 1


def test_tries_end() -> None:
    model = ScriptedModel([failing("server")] * 9)
    with pytest.raises(ModelError, match="It is server"):
        ask(chain(model, tries=3))
    assert len(model.requests) == 3


def test_waits_grow_to_the_cap_with_jitter(clock: Clock) -> None:
    asked: list[float] = []

    def fails(_: Request) -> Line:
        asked.append(clock.now)
        return failing("server")

    with pytest.raises(ModelError, match="It is server"):
        ask(chain(ScriptedModel(fails), tries=9, failures=99))
    waits = [round(later - sooner, 9) for sooner, later in pairwise(asked)]
    for number, wait in enumerate(waits):
        assert min(2.0**number, weather.CAP) <= wait <= min(2.0**number + 1, weather.CAP), waits
    assert waits[-1] == weather.CAP
    assert any(wait % 1 for wait in waits)


def test_the_servers_wish_to_wait_is_honoured(clock: Clock) -> None:
    ask(chain(ScriptedModel([failing("rate", retry_after=17.5), "512 m"])))
    assert clock.now == 17.5


def test_a_wait_beyond_the_deadline_or_the_cap_is_not_begun(clock: Clock) -> None:
    for wait, seconds in ((5.0, 0.5), (weather.CAP + 1, 300.0)):
        model = ScriptedModel([failing("rate", retry_after=wait), "512 m"])
        with pytest.raises(ModelError, match="It is rate"):
            ask(chain(model), Allowance(Deadline(seconds)))
        assert clock.now == 0
        assert len(model.requests) == 1


def test_the_next_model_answers_when_one_does_not_and_the_reply_says_which() -> None:
    first, second = ScriptedModel([failing("key")], "scripted:a"), ScriptedModel(["512 m"], "scripted:b")
    assert ask(chain(first, second)).model == "scripted:b"


def test_when_none_answers_all_reasons_are_said() -> None:
    first, second = ScriptedModel([failing("key")], "scripted:a"), ScriptedModel([failing("context")], "scripted:b")
    with pytest.raises(ModelError, match=r"No model answered\. It is key\. It is context\."):
        ask(chain(first, second))


def entered(breaker: Breaker) -> Entry:
    entry = breaker.enter()
    assert entry is not None
    entry.started = True
    return entry


def fail(breaker: Breaker, *errors: BaseException | None) -> None:
    for error in errors:
        breaker.leave(entered(breaker), error)


def test_a_model_that_failed_in_a_row_is_left_alone_until_one_call_finds_it_well() -> None:
    clock = [0.0]
    breaker = Breaker(failures=2, cooldown=30, clock=lambda: clock[0])
    fail(breaker, failing("server"), failing("server"))
    assert breaker.enter() is None
    assert breaker.left == 30
    clock[0] = 30
    trial = entered(breaker)
    assert breaker.enter() is None  # one at a time finds out
    breaker.leave(trial, failing("server"))
    assert breaker.enter() is None
    clock[0] = 60
    breaker.leave(entered(breaker), asyncio.CancelledError())  # which is no news
    trial = entered(breaker)
    assert breaker.enter() is None
    breaker.leave(trial, None)
    entered(breaker)
    entered(breaker)


@pytest.mark.parametrize("end", [None, failing("server"), asyncio.CancelledError()])
def test_the_end_of_a_call_that_was_begun_before_decides_nothing(end: BaseException | None) -> None:
    clock = [0.0]
    breaker = Breaker(failures=2, cooldown=30, clock=lambda: clock[0])
    late, later = entered(breaker), entered(breaker)
    fail(breaker, failing("server"), failing("server"))
    clock[0] = 20
    breaker.leave(late, end)
    assert breaker.left == 10, "neither closed nor open for longer"
    clock[0] = 30
    trial = entered(breaker)
    breaker.leave(later, end)
    assert breaker.enter() is None, "the trial is still under way"
    breaker.leave(trial, None)
    assert breaker.enter() is not None


@pytest.mark.parametrize("kind", ["rate", "key", "context", "request", "learnt"])
def test_whoever_answers_the_trial_is_well_whatever_is_answered(kind: Kind) -> None:
    clock = [0.0]
    breaker = Breaker(failures=1, cooldown=30, clock=lambda: clock[0])
    fail(breaker, failing("server"))
    clock[0] = 30
    fail(breaker, failing(kind))
    assert breaker.enter() is not None
    assert breaker.enter() is not None, "it is closed, not on trial"


def test_errors_of_the_question_do_not_open_the_breaker_and_success_closes_the_row() -> None:
    breaker = Breaker(failures=2, cooldown=30)
    fail(breaker, failing("context"), failing("key"), failing("rate"), failing("server"), None, failing("server"))
    assert breaker.enter() is not None


def test_who_was_not_asked_is_not_ill() -> None:
    breaker = Breaker(failures=1, cooldown=30)
    waiting = breaker.enter()
    assert waiting is not None
    breaker.leave(waiting, failing("timeout"))
    assert breaker.enter() is not None


def test_a_model_is_not_tried_again_once_its_breaker_is_open() -> None:
    model = ScriptedModel([failing("server")] * 9)
    with pytest.raises(ModelError, match="It is server"):
        ask(chain(model, tries=4, failures=2))
    assert len(model.requests) == 2


def test_a_dead_model_costs_no_time_once_its_breaker_is_open() -> None:
    dead = ScriptedModel(lambda _: failing("connection"), "scripted:dead")
    asked = chain(dead, ScriptedModel(lambda _: "512 m", "scripted:b"), failures=3)

    async def several() -> None:
        for _ in range(10):
            assert (await asked.areply(ASKED)).model == "scripted:b"

    asyncio.run(several())
    assert len(dead.requests) == 3


def test_a_model_that_is_left_alone_says_so() -> None:
    asked = chain(ScriptedModel(lambda _: failing("server")), failures=1, tries=1)

    async def twice() -> None:
        with pytest.raises(ModelError, match="It is server"):
            await asked.areply(ASKED)
        with pytest.raises(ModelError, match="failed 1 times in a row and is left alone for 30 s") as caught:
            await asked.areply(ASKED)
        assert caught.value.kind == "open"

    asyncio.run(twice())


class Slow(ScriptedModel):
    begun = 0

    async def areply(self, request: Request) -> Reply:
        self.begun += 1
        await asyncio.sleep(30)
        return await super().areply(request)


def test_the_deadline_of_the_ask_ends_a_call_and_all_tries(clock: Clock) -> None:
    with pytest.raises(ModelError, match=r"The time of 0\.2 s was over") as caught:
        ask(chain(Slow([])), Allowance(Deadline(0.2)))
    assert caught.value.kind == "deadline"
    assert clock.now == pytest.approx(0.2)


def test_a_call_has_its_own_time_and_the_next_model_what_is_left() -> None:
    asked = chain(Slow([], "scripted:slow"), ScriptedModel(["512 m"], "scripted:b"), timeout=0.1, tries=1)
    assert ask(asked, Allowance(Deadline(2))).model == "scripted:b"


def test_who_hangs_leaves_time_to_the_next_and_is_left_alone_after_a_while() -> None:
    hung, well = Slow([], "scripted:hung"), ScriptedModel(lambda _: "512 m", "scripted:b")
    asked = chain(hung, well, failures=2)

    async def several() -> list[int]:
        calls = []
        for _ in range(4):
            assert (await asked.areply(ASKED, Allowance(Deadline(1)))).model == "scripted:b"
            calls.append(hung.begun)
        return calls

    first, second, third, fourth = asyncio.run(several())
    assert first < second == third == fourth


def test_a_share_of_the_time_is_that_of_all_tries(clock: Clock) -> None:
    hung = Slow([], "scripted:hung")
    with pytest.raises(ModelError, match="did not answer within") as caught:
        asyncio.run(weathered(hung, timeout=0.5, tries=99).areply(ASKED, Allowance(Deadline(9)), of=9))
    assert caught.value.kind == "timeout"
    assert clock.now <= 1
    assert 1 <= hung.begun < 99


def test_who_waited_for_a_place_knows_nothing_of_the_models_health() -> None:
    asked = chain(Slow([]), concurrency=1, failures=2, tries=1)

    async def three() -> None:
        results = await asyncio.gather(
            *(asked.areply(ASKED, Allowance(Deadline(0.2))) for _ in range(3)), return_exceptions=True
        )
        assert [one.kind for one in results if isinstance(one, ModelError)] == ["deadline"] * 3

    asyncio.run(three())
    assert asked.members[0].breaker.left == 0


def test_who_is_asked_and_silent_until_the_deadline_is_ill() -> None:
    asked = chain(Slow([]), failures=1)
    with pytest.raises(ModelError, match="The time of"):
        ask(asked, Allowance(Deadline(0.1)))
    assert asked.members[0].breaker.left > 0


def test_a_stream_that_is_cut_off_by_the_deadline_is_slow_and_not_ill() -> None:
    class Endless(ScriptedModel):
        async def astream(self, request: Request):  # type: ignore[no-untyped-def]
            yield "It is "
            await asyncio.sleep(30)

    asked = chain(Endless([]), failures=1)
    with pytest.raises(ModelError) as caught:
        asyncio.run(asked.areply(ASKED, Allowance(Deadline(0.1)), tell=lambda _: None))
    assert caught.value.kind == "deadline"
    assert asked.members[0].breaker.left == 0


def test_a_text_that_was_begun_may_take_all_the_time() -> None:
    class Steady(ScriptedModel):
        async def astream(self, request: Request):  # type: ignore[no-untyped-def]
            yield "It is"
            await asyncio.sleep(0.3)
            yield Reply("It is 512 m", self.name)

    asked = chain(Steady([]), ScriptedModel(["late"]))
    assert asyncio.run(asked.areply(ASKED, Allowance(Deadline(0.45)), lambda _: None)).text == "It is 512 m"


class Keyless(ScriptedModel):
    async def aopen(self) -> None:
        raise failing("key")


def test_without_a_key_there_is_no_call_and_no_span() -> None:
    names: list[str] = []

    class Listener:
        def started(self, span: ReadableSpan) -> None:
            names.append(span.name)

        def ended(self, span: ReadableSpan, texts: Mapping[str, str]) -> None:
            pass

    budget = Budget(BudgetSettings(calls=1))
    with telemetry.recording(Listener(), True):
        reply = ask(chain(Keyless([], "scripted:a"), ScriptedModel(["512 m"], "scripted:b")), Allowance(budget=budget))
    assert reply.model == "scripted:b"
    assert budget.spent.calls == 1
    assert names == ["chat b"]


def test_to_make_ready_takes_of_the_time_of_the_ask() -> None:
    class Cold(ScriptedModel):
        async def aopen(self) -> None:
            await asyncio.sleep(30)

    asked, budget = chain(Cold(["512 m"]), failures=1), Budget()
    with pytest.raises(ModelError) as caught:
        ask(asked, Allowance(Deadline(0.1), budget))
    assert caught.value.kind == "deadline"
    assert budget.spent.calls == 0
    assert asked.members[0].breaker.left == 0


def test_a_wait_is_drawn_once_and_ends_with_the_deadline(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter((0.0, 5.0, 5.0, 5.0))
    monkeypatch.setattr("random.uniform", lambda low, high: next(draws) * high)
    model = ScriptedModel([failing("server"), "512 m"])
    assert ask(chain(model), Allowance(Deadline(4))).text == "512 m"
    assert clock.now == 1


def test_what_a_server_teaches_costs_neither_a_try_nor_a_wait_but_a_call(clock: Clock) -> None:
    model, budget = ScriptedModel([*[failing("learnt")] * 4, "512 m"]), Budget()
    assert ask(chain(model, tries=1, price=PRICE.model_dump()), Allowance(Deadline(2), budget)).text == "512 m"
    assert (budget.spent.calls, budget.spent.unknown) == (5, 0)
    assert clock.now == 0


def test_who_never_stops_teaching_is_not_asked_for_ever() -> None:
    model = ScriptedModel(lambda _: failing("learnt"))
    with pytest.raises(ModelError, match="It is learnt"):
        ask(chain(model, tries=3))
    assert len(model.requests) == 5


def test_no_more_calls_run_at_a_time_than_are_allowed() -> None:
    now, most = 0, 0

    class Counting(ScriptedModel):
        async def areply(self, request: Request) -> Reply:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.01)
            now -= 1
            return await super().areply(request)

    asked = chain(Counting(lambda _: "x"), concurrency=3)

    async def many() -> None:
        await asyncio.gather(*(asked.areply(ASKED) for _ in range(12)))

    asyncio.run(many())
    assert most == 3


def test_requests_and_tokens_of_a_minute_are_limited() -> None:
    async def started(settings: ModelSettings) -> int:
        limiter, count = Limiter(settings), 0

        async def one() -> None:
            nonlocal count
            async with limiter.turn(ASKED):
                count += 1

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(11):
                await asyncio.gather(*(one() for _ in range(9)))
        return count

    assert asyncio.run(started(ModelSettings(requests_per_minute=5))) == 5
    assert asyncio.run(started(ModelSettings(tokens_per_minute=3 * (1024 + 3)))) == 3
    assert asyncio.run(started(ModelSettings(tokens_per_minute=10))) == 1  # waits for a whole minute, not for ever


@pytest.mark.parametrize(
    ("limits", "allowed"),
    [({"calls": 2}, 2), ({"tokens": 9}, 2), ({"money": "0.00003"}, 2), ({"calls": 0}, 0)],
)
def test_a_budget_ends_the_calls(limits: dict[str, object], allowed: int) -> None:
    asked = chain(ScriptedModel(lambda _: Reply("x", "scripted:a", usage=Usage(4, 1))), price=PRICE.model_dump())
    budget = Budget(BudgetSettings.model_validate(limits))

    async def several() -> None:
        for _ in range(allowed):
            await asked.areply(ASKED, Allowance(budget=budget))
        with pytest.raises(ModelError, match="budget") as caught:
            await asked.areply(ASKED, Allowance(budget=budget))
        assert caught.value.kind == "budget"

    asyncio.run(several())
    assert budget.spent.calls == allowed
    assert budget.spent.money == allowed * Decimal("0.000018")


def test_a_limit_of_money_needs_a_price() -> None:
    with pytest.raises(InvalidInput, match=r"the price of scripted:test is unknown"):
        ask(chain(ScriptedModel(["x"])), Allowance(budget=Budget(BudgetSettings(money=Decimal(1)))))


def test_failed_tries_are_paid_for_and_what_is_unknown_is_counted_as_unknown() -> None:
    model = ScriptedModel(
        [failing("broken", usage=Usage(10, 2)), failing("connection"), Reply("x", "a", usage=Usage(10, 3))]
    )
    budget = Budget()
    ask(chain(model, price=PRICE.model_dump()), Allowance(budget=budget))
    assert (budget.spent.calls, budget.spent.tokens, budget.spent.unknown) == (3, 25, 1)
    assert budget.spent.money == Decimal("0.00009")


class Height(BaseModel):
    metres: int


FORM = Request(ASKED.messages, schema=Height)


def test_a_reply_of_the_form_is_data() -> None:
    assert ask(chain(ScriptedModel(['{"metres": 512}'])), request=FORM).data == Height(metres=512)


def test_a_wrong_form_is_asked_for_once_more_with_the_error() -> None:
    model = ScriptedModel(['{"metres": "high"}', '{"metres": 512}'])
    reply = ask(chain(model), request=FORM)
    assert reply.data == Height(metres=512)
    first, second = model.requests
    assert second.messages[:1] == first.messages
    assert second.messages[1].text == '{"metres": "high"}'
    assert "metres: Input should be a valid integer" in second.messages[2].text
    assert reply.usage is not None
    assert reply.usage.output == 4


@pytest.mark.parametrize("wrong", ["512", "It is 512 m high.", '{"feet": 1680}', ""])
def test_a_form_that_is_wrong_twice_is_an_error(wrong: Line) -> None:
    with pytest.raises(ModelError, match="answered twice in another form than Height") as caught:
        ask(chain(ScriptedModel([wrong, wrong])), request=FORM)
    assert caught.value.kind == "schema"


def test_a_refusal_is_no_wrong_form() -> None:
    model = ScriptedModel([Reply("I cannot.", "scripted:a", "refusal")])
    assert ask(chain(model), request=FORM).stop == "refusal"


def test_what_a_reader_has_seen_is_not_said_again() -> None:
    class Breaking(ScriptedModel):
        async def astream(self, request: Request):  # type: ignore[no-untyped-def]
            self.requests.append(request)
            yield "It is "
            raise failing("broken")

    first, second, said = Breaking([]), ScriptedModel(["512 m"]), list[str]()
    with pytest.raises(ModelError, match="It is broken"):
        asyncio.run(chain(first, second).areply(ASKED, tell=said.append))
    assert said == ["It is "]
    assert (len(first.requests), len(second.requests)) == (1, 0)


def test_a_stream_that_failed_before_its_first_piece_is_tried_again() -> None:
    model, said = ScriptedModel([failing("overloaded"), "It is 512 m"]), list[str]()
    asyncio.run(chain(model).areply(ASKED, tell=said.append))
    assert said == ["It", " is", " 512", " m"]


def models(folder: Path, **settings: object) -> Models:
    return Models(folder, Settings.model_validate(settings))


def test_models_that_were_made_by_hand_keep_their_limits_and_their_health(tmp_path: Path) -> None:
    now, most = 0, 0

    class Ill(ScriptedModel):
        async def areply(self, request: Request) -> Reply:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.01)
            now -= 1
            self.requests.append(request)
            raise failing("server")

    model = Ill([], "mine:x")
    known = models(tmp_path, models={"mine:x": {"concurrency": 1, "tries": 1, "failures": 3}})

    async def many() -> None:
        asked = (known.chain(model).areply(ASKED) for _ in range(8))
        await asyncio.gather(*asked, return_exceptions=True)
        with pytest.raises(ModelError, match="is left alone"):
            await known.chain(model).areply(ASKED)
        other = Ill([], "mine:x")
        with pytest.raises(ModelError, match="It is server"):  # another, though it has the same name
            await known.chain(other).areply(ASKED)

    asyncio.run(many())
    assert most == 1


def test_models_that_were_made_by_hand_are_forgotten_with_who_made_them(tmp_path: Path) -> None:
    known, model = models(tmp_path), ScriptedModel([])
    known.chain(model)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
    assert not known._given


def test_what_models_that_were_made_by_hand_said_is_not_remembered_in_their_name(tmp_path: Path) -> None:
    known = models(tmp_path)
    first, second = (known.chain([ScriptedModel([]), "openai:test"]).members[at] for at in (0, 1))
    assert (first.remembers, second.remembers) == (False, True)


def test_a_table_that_is_almost_of_the_model_is_not_passed_over(tmp_path: Path) -> None:
    known = models(tmp_path, models={"openai:llama3": {}})
    with pytest.raises(InvalidInput, match=r'no table \[models."openai:lama3"\].*there is \[models."openai:llama3"'):
        known.chain("openai:lama3")


@pytest.mark.parametrize(
    "asked", ["openai:gpt-4", "openai:gpt-4.1", "openai:gpt-4o-mini", "openai:gpt-5o", "openai:o3"]
)
def test_models_of_one_family_are_no_typing_errors(tmp_path: Path, asked: str) -> None:
    assert models(tmp_path, models={"openai:gpt-4o": {}}).chain(asked).members[0].settings == ModelSettings()


def test_a_model_that_is_meant_may_be_near_another(tmp_path: Path) -> None:
    tables = {"openai:mistral": {"tries": 1}}
    known = models(tmp_path, model=["openai:mistral"], models=tables)
    assert known.chain("openai:ministral").members[0].settings.tries == 4
    known = models(tmp_path, models={**tables, "openai:ministral": {}})
    assert known.chain("openai:ministral").members[0].settings.tries == 4


def test_a_table_of_no_provider_is_refused_unless_a_model_made_by_hand_has_its_name(tmp_path: Path) -> None:
    known = models(tmp_path, models={"anthropc:t": {}})
    with pytest.raises(InvalidInput, match=r"'anthropc' is no provider\. Did you mean 'anthropic'"):
        known.chain("openai:t")
    known.chain("extractive")
    known = models(tmp_path, models={"mine:x": {}})
    known.chain(ScriptedModel([], "mine:x"))
    known.chain("openai:t")
