import asyncio
import time
from decimal import Decimal

import pytest
from pydantic import BaseModel

from ragkit import weather
from ragkit.breaker import Breaker
from ragkit.budget import Allowance, Budget
from ragkit.chain import Chain
from ragkit.deadline import Deadline
from ragkit.errors import InvalidInput
from ragkit.limiter import Limiter
from ragkit.model import Kind, Message, ModelError, Reply, Request, Usage
from ragkit.modelsettings import BudgetSettings, ModelSettings, Price
from ragkit.scripted import Line, ScriptedModel
from ragkit.weather import Weather

ASKED = Request((Message("user", "How high is it?"),))
PRICE = Price(input=Decimal(2), output=Decimal(10))


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weather, "BASE", 0.002)


def failing(kind: Kind, retry_after: float | None = None, usage: Usage | None = None) -> ModelError:
    return ModelError(f"It is {kind}.", "Wait.", kind, model="scripted:a", retry_after=retry_after, usage=usage)


def chain(*models: ScriptedModel, **settings: object) -> Chain:
    return Chain([Weather(model, ModelSettings.model_validate(settings)) for model in models])


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


def test_the_servers_wish_to_wait_is_honoured() -> None:
    model = ScriptedModel([failing("rate", retry_after=0.3), "512 m"])
    began = time.monotonic()
    ask(chain(model))
    assert time.monotonic() - began >= 0.3


def test_a_wait_beyond_the_deadline_or_the_cap_is_not_begun() -> None:
    for wait, seconds in ((5.0, 0.5), (weather.CAP + 1, 300.0)):
        model = ScriptedModel([failing("rate", retry_after=wait), "512 m"])
        began = time.monotonic()
        with pytest.raises(ModelError, match="It is rate"):
            ask(chain(model), Allowance(Deadline(seconds)))
        assert time.monotonic() - began < 0.4
        assert len(model.requests) == 1


def test_the_next_model_answers_when_one_does_not_and_the_reply_says_which() -> None:
    first, second = ScriptedModel([failing("key")], "scripted:a"), ScriptedModel(["512 m"], "scripted:b")
    assert ask(chain(first, second)).model == "scripted:b"


def test_when_none_answers_all_reasons_are_said() -> None:
    first, second = ScriptedModel([failing("key")], "scripted:a"), ScriptedModel([failing("context")], "scripted:b")
    with pytest.raises(ModelError, match=r"No model answered\. It is key\. It is context\."):
        ask(chain(first, second))


def test_a_model_that_failed_in_a_row_is_left_alone_until_one_call_finds_it_well() -> None:
    clock = [0.0]
    breaker = Breaker(failures=2, cooldown=30, clock=lambda: clock[0])
    for _ in range(2):
        assert breaker.enter()
        breaker.leave(failing("server"))
    assert not breaker.enter()
    assert breaker.left == 30
    clock[0] = 30
    assert breaker.enter()
    assert not breaker.enter()  # one at a time finds out
    breaker.leave(failing("server"))
    assert not breaker.enter()
    clock[0] = 60
    assert breaker.enter()
    breaker.leave(asyncio.CancelledError())  # which is no news
    assert breaker.enter()
    breaker.leave(None)
    assert breaker.enter()
    assert breaker.enter()


def test_errors_of_the_question_do_not_open_the_breaker_and_success_closes_the_row() -> None:
    breaker = Breaker(failures=2, cooldown=30)
    for error in (failing("context"), failing("key"), failing("rate"), failing("server"), None, failing("server")):
        assert breaker.enter()
        breaker.leave(error)
    assert breaker.enter()


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
    async def areply(self, request: Request) -> Reply:
        await asyncio.sleep(30)
        return await super().areply(request)


def test_the_deadline_of_the_ask_ends_a_call_and_all_tries() -> None:
    began = time.monotonic()
    with pytest.raises(ModelError, match=r"The time of 0\.2 s was over") as caught:
        ask(chain(Slow([]), ScriptedModel(["late"])), Allowance(Deadline(0.2)))
    assert caught.value.kind == "deadline"
    assert time.monotonic() - began < 0.4


def test_a_call_has_its_own_time_and_the_next_model_what_is_left() -> None:
    asked = chain(Slow([], "scripted:slow"), ScriptedModel(["512 m"], "scripted:b"), timeout=0.1, tries=1)
    assert ask(asked, Allowance(Deadline(2))).model == "scripted:b"


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
            async with asyncio.timeout(0.1):
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
