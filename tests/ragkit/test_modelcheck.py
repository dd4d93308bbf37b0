import json
from pathlib import Path

import pytest

import ragkit
from ragkit.model import ModelError, Reply, Request
from ragkit.providers import providers
from ragkit.scripted import ScriptedModel

SAID = "The tower is tall. [1] Its bell is made of bronze. [1]"


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """A writer, and a judge that finds fault with bronze, and what the judge was asked."""
    seen: list[Request] = []

    def judge(request: Request) -> str | Reply | ModelError:
        seen.append(request)
        if "broken" in (tmp_path / "state").read_text():
            return ModelError("It is ill.", kind="request")
        bronze = "bronze" in request.messages[-1].text
        return json.dumps({"verdict": "unsupported" if bronze else "supported", "reason": "So it stands there."})

    made = {"judge": ScriptedModel(judge, "mine:judge"), "writer": ScriptedModel(lambda _: SAID, "mine:writer")}
    monkeypatch.setitem(providers, "mine", lambda name, settings: made[name])
    (tmp_path / "state").write_text("well")
    return seen


def answer(place: Path) -> ragkit.Answer:
    (place / "ragkit.toml").write_text('version = 1\n[ask]\njudge = "mine:judge"\n[cache]\nexact = false\n')
    (place / "tower.md").write_text("The tower of Delft is 43 metres high, which is higher than all others.\n")
    ws = ragkit.open(place)
    ws.add_domain("towns", embedder="hash")
    ws.ingest(place / "tower.md", "towns")
    try:
        return ws.ask("How high is the tower of Delft?", model="mine:writer")
    finally:
        ws.close()


def test_a_model_may_check_the_claims(tmp_path: Path, asked: list[Request]) -> None:
    made = answer(tmp_path)
    assert [(one.status, one.reason) for one in made.claims] == [
        ("supported", "mine:judge: So it stands there."),
        ("unsupported", "mine:judge: So it stands there."),
    ]
    assert made.text.endswith("Its bell is made of bronze. [1] [?]")
    assert all(one.passages[0].text for one in asked)
    assert made.usage.calls == 2 + len(asked)


def test_without_its_verdict_claims_are_checked_as_without_it(tmp_path: Path, asked: list[Request]) -> None:
    (tmp_path / "state").write_text("broken")
    made = answer(tmp_path)
    assert all("mine:judge" not in one.reason for one in made.claims)
    assert made.claims[1].status == "unsupported"
