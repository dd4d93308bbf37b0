"""`python -m tests.faulttable`: what goes wrong with a model, what a user then sees, and how many calls were made.

The real SDKs speak to a server on the loopback, which fails as providers do: once, or always. No second model is named,
so that what is seen is what the weather makes of one.
"""

import re
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import anthropic  # noqa: F401 - here, so that no case waits for it
import openai  # noqa: F401
import pytest
from pydantic import BaseModel, ConfigDict

import ragkit
from ragkit import weather
from ragkit.answer import Answer
from ragkit.events import Piece
from ragkit.model import Message, ModelError, Reply, Request, ToolSpec
from tests import asks
from tests.wire import Seen, Turn, WireServer
from tests.wire.turn import Provider

Way = Literal["whole", "streamed", "form", "tools"]
Times = Literal["–", "once", "always"]

PROVIDERS: tuple[Provider, ...] = ("anthropic", "openai")
ASKED: tuple[Way, ...] = ("whole", "streamed")
QUESTION = "How high is the tower of Delft?"
WELL = Turn("It is 43 metres high, as the sign at its door says. [1]")
LATER = 0.05
"""Seconds of `Retry-After`: longer than the first wait would be by itself, with this base."""
BASE = 0.001
PATIENCE = 0.5
"""Seconds that a call may take where the first byte comes too late."""
KEY = "test-key-"
"""And the provider, as `asks.environment` has it."""

FAULTS: dict[str, Turn] = {
    "429, Retry-After 0.05 s": Turn(fault="rate", retry_after=str(LATER)),
    "429, Retry-After 600 s": Turn(fault="rate", retry_after="600"),
    "429": Turn(fault="rate"),
    "no money left": Turn(fault="quota"),
    "500": Turn(fault="error"),
    "overloaded (529, 503)": Turn(fault="overloaded"),
    "a gateway's page (502)": Turn(fault="html"),
    "the first byte is late, in time": Turn(WELL.text, delay=0.1),
    "the first byte is too late": Turn(delay=60),
    "reset before the first byte": Turn(fault="reset"),
    "reset in the middle": Turn(WELL.text, fault="reset_midway"),
    "closed in the middle": Turn(WELL.text, fault="truncated"),
    "ended in the middle": Turn(WELL.text, fault="half"),
    "invalid JSON": Turn(WELL.text, fault="invalid_json"),
    "an error instead of the rest": Turn(WELL.text, fault="error_in_stream"),
    "an answer without content": Turn(fault="empty"),
    "no choices": Turn(fault="no_choices"),
    "the limit of tokens": Turn("It is 43", stop="length"),
    "refusal": Turn("I cannot help with that.", stop="refusal"),
    "content filter": Turn("I can", stop="filtered"),
    "context length": Turn(fault="context"),
    "400": Turn(fault="bad_request"),
    "400 that quotes the key": Turn(fault="raw", status=400, body='{"error": {"message": "Not with KEY"}}'),
    "401": Turn(fault="auth"),
    "404": Turn(fault="raw", status=404, body='{"error": {"message": "No model has this name"}}'),
}  # fmt: skip


class Tower(BaseModel):
    model_config = ConfigDict(extra="forbid")

    town: str
    metres: int


_RIGHT = '{"town": "Delft", "metres": 43}'
_OTHER = '{"town": "Delft", "height": "43 m"}'
FORMS: dict[str, tuple[Turn, ...]] = {
    "none": (Turn(_RIGHT),),
    "another form, then the right one": (Turn(_OTHER), Turn(_RIGHT)),
    "another form, twice": (Turn(_OTHER), Turn(_OTHER)),
    "no JSON, then the right form": (Turn("It is 43 metres high."), Turn(_RIGHT)),
    "cut off at the limit of tokens, then whole": (Turn(_RIGHT[:12], stop="length"), Turn(_RIGHT)),
    "invalid JSON as the body, then the right form": (Turn(_RIGHT, fault="invalid_json"), Turn(_RIGHT)),
    "500, another form, 429, the right form": (
        Turn(fault="error"), Turn(_OTHER), Turn(fault="rate", retry_after=str(LATER)), Turn(_RIGHT),
    ),
    "refusal": (Turn("I cannot help with that.", stop="refusal"),),
    "context length": (Turn(fault="context"),),
    "a server that knows no schema, then the right form": (Turn(fault="no_schema"), Turn(_RIGHT)),
}  # fmt: skip

READ = ToolSpec(
    "read",
    "Read a document.",
    {
        "type": "object",
        "properties": {"uri": {"type": "string"}},
        "required": ["uri"],
        "additionalProperties": False,
    },
)
RESULT = "The tower of Delft is 43 metres high."
_CALL = Turn("", calls=(("read", {"uri": "Delft.md"}),))
_HALF = Turn("", calls=(("read", '{"uri": "Del'),))
TOOLS: dict[str, tuple[Turn, ...]] = {
    "none: a call, its result, an answer": (_CALL, WELL),
    "500 before the call, reset before the answer": (Turn(fault="error"), _CALL, Turn(fault="reset"), WELL),
    "arguments that are no JSON, then a call": (_HALF, _CALL, WELL),
    "context length, at the result": (_CALL, Turn(fault="context")),
}


@dataclass(frozen=True)
class Case:
    fault: str
    way: Way
    times: Times
    provider: Provider
    turns: tuple[Turn, ...]
    then: Turn | None = None
    """None: whoever asks more often than there are turns has made a call too many."""

    @property
    def model(self) -> str:
        return f"{self.provider}:{'hasty' if any(turn.delay > PATIENCE for turn in self.turns) else 'test'}"

    def __str__(self) -> str:
        return "-".join((self.provider, self.way, self.times, self.fault)).replace("-–", "")


def cases() -> Iterator[Case]:
    for provider in PROVIDERS:
        for way in ASKED:
            yield Case("none", way, "–", provider, (WELL,))
            for fault, turn in FAULTS.items():
                sent = replace(turn, body=turn.body.replace("KEY", KEY + provider))
                yield Case(fault, way, "once", provider, (sent,), WELL)
                yield Case(fault, way, "always", provider, (sent,), sent)
        for fault, turns in FORMS.items():
            yield Case(fault, "form", "–", provider, turns)
        for fault, turns in TOOLS.items():
            if not (_HALF in turns and provider == "anthropic"):  # whose API sends arguments as JSON within JSON
                yield Case(fault, "tools", "–", provider, turns)


@dataclass
class Outcome:
    """What the user saw of one case, and what the server did."""

    end: str
    """`answer`, `partial`, `abstained`, or the kind of the error."""
    sentence: str
    seen: Sequence[Seen]
    gaps: Sequence[float]
    """Seconds from each call to the next."""
    seconds: float
    pieces: str = ""
    """What was read of a stream before its end."""
    answer: Answer | None = None
    reply: Reply | None = None
    error: ModelError | None = None

    @property
    def calls(self) -> int:
        return len(self.seen)


@dataclass
class _Ending:
    end: str
    sentence: str
    answer: Answer | None = None
    reply: Reply | None = None


@dataclass
class Stage:
    """A server and a workspace, on which one case after the other is played."""

    place: ragkit.Workspace
    _turns: list[Turn] = field(default_factory=list)
    _then: Turn | None = None
    _seen: list[Seen] = field(default_factory=list)
    _times: list[float] = field(default_factory=list)

    def turn(self, seen: Seen) -> Turn:
        self._seen.append(seen)
        self._times.append(time.monotonic())
        if self._turns:
            return self._turns.pop(0)
        if self._then is None:
            raise LookupError("nobody planned this call")
        return self._then

    def play(self, case: Case) -> Outcome:
        self._turns, self._then = list(case.turns), case.then
        self._seen, self._times = [], []
        pieces: list[str] = []
        ending, error, began = _Ending("", ""), None, time.monotonic()
        try:
            if case.way == "form":
                ending = self._form(case)
            elif case.way == "tools":
                ending = self._tools(case)
            else:
                ending = self._asked(case, pieces)
        except ModelError as caught:
            error, ending = caught, _Ending(caught.kind, str(caught))
        seconds = time.monotonic() - began
        self.place.close()  # the next case must not find the breaker as this one left it
        gaps = [after - before for before, after in zip(self._times, self._times[1:], strict=False)]
        return Outcome(
            ending.end, ending.sentence, list(self._seen), gaps, seconds, "".join(pieces), ending.answer, ending.reply,
            error,
        )  # fmt: skip

    def _asked(self, case: Case, pieces: list[str]) -> _Ending:
        answer: Answer | None = None
        if case.way == "whole":
            answer = self.place.ask(QUESTION, model=case.model)
        else:
            for event in self.place.stream(QUESTION, model=case.model):
                if isinstance(event, Piece):
                    pieces.append(event.text)
                answer = event if isinstance(event, Answer) else None
        assert answer is not None
        if answer.abstained:
            return _Ending("abstained", answer.reason, answer)
        if answer.partial:
            return _Ending("partial", f"{answer.text} … Missing: {' '.join(answer.missing)}", answer)
        return _Ending("answer", answer.text, answer)

    def _form(self, case: Case) -> _Ending:
        reply = self.place.reply(Request((Message("user", QUESTION),), schema=Tower), case.model)
        if reply.stop == "refusal":
            return _Ending("refusal", reply.text, reply=reply)
        return _Ending("answer", repr(reply.data), reply=reply)

    def _tools(self, case: Case) -> _Ending:
        said: tuple[Message, ...] = (Message("user", QUESTION),)
        asked = self.place.reply(Request(said, tools=(READ,)), case.model)
        (call,) = asked.calls
        assert (asked.stop, call.name, call.arguments) == ("tools", "read", {"uri": "Delft.md"})
        said += (Message("assistant", asked.text, asked.calls), Message("tool", RESULT, answers=call.id))
        reply = self.place.reply(Request(said, tools=(READ,)), case.model)
        return _Ending("answer", reply.text, reply=reply)


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    made: list[Stage] = []
    with (
        asks.environment(),
        pytest.MonkeyPatch.context() as patch,
        WireServer(lambda seen: made[0].turn(seen)) as server,
    ):
        patch.setattr(weather, "BASE", BASE)
        hasty = f"""
[models."anthropic:hasty"]
base_url = "{server.url}"
timeout = {PATIENCE}
[models."openai:hasty"]
base_url = "{server.url}/v1"
timeout = {PATIENCE}
[cache]
exact = false
"""
        made.append(Stage(asks.workspace(folder, asks.models(server.url, timeout=10) + hasty)))
        yield made[0]


_HEADS: dict[Way, str] = {
    "whole": "`ask`",
    "streamed": "`stream`",
    "form": "`reply` of a form",
    "tools": "`reply` with tools",
}
Shown = tuple[str, int]
"""What the user sees, in words that are the same where providers say the same, and the calls."""
Rows = dict[tuple[tuple[Times, ...], tuple[Way, ...], tuple[Provider, ...]], Shown]


def table(played: Sequence[tuple[Case, Outcome]]) -> str:
    """As Markdown. What is the same for both providers, both ways of asking, or both once and always, is one line."""
    rows: dict[tuple[str, bool], Rows] = defaultdict(dict)
    for case, outcome in played:
        shown = f"{_word(outcome.end)}: {_plain(outcome.sentence, case.model)}", outcome.calls
        rows[case.fault, case.way in ASKED][(case.times,), (case.way,), (case.provider,)] = shown
    lines = ["| fault | when | asked with | provider | what the user sees | calls |", "|---|---|---|---|---|---:|"]
    for (fault, _), each in rows.items():
        for (times, ways, providers), (sees, calls) in _merged(each).items():
            heads = ", ".join(_HEADS[way] for way in ways)
            whom = providers[0] if len(providers) == 1 else "both"
            lines.append(f"| {fault} | {', '.join(times)} | {heads} | {whom} | {sees} | {calls} |")
    return "\n".join(lines)


def _merged(rows: Rows) -> Rows:
    """Rows that show the same and differ in one column only become one: providers first, then ways, then times."""
    for column in (2, 1, 0):
        alike: dict[object, list[tuple[Any, ...]]] = defaultdict(list)
        for key, shown in rows.items():
            alike[*key[:column], *key[column + 1 :], shown].append(key)
        rows = {
            (*keys[0][:column], tuple(one for key in keys for one in key[column]), *keys[0][column + 1 :]): rows[
                keys[0]
            ]
            for keys in alike.values()
        }
    return rows


def _word(end: str) -> str:
    return end if end in ("answer", "partial", "abstained", "refusal") else f"error {end}"


def _plain(sentence: str, model: str) -> str:
    """Without the model's name and the port, which differ from case to case."""
    return re.sub(r"127\.0\.0\.1:\d+", "HOST", sentence.replace(model, "MODEL")).replace("|", r"\|")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder)) as here:
        played = [(case, here.play(case)) for case in cases()]
    print(table(played))
    ends = Counter(_word(outcome.end).split()[0] for _, outcome in played)
    print(f"\n{len(played)} cases: {', '.join(f'{count} {end}' for end, count in ends.most_common())}.")


if __name__ == "__main__":
    main()
