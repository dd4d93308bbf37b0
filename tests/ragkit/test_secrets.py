"""A key is in no error, no trace, no answer and no file, also when the server says it back."""

import json
from pathlib import Path

import pytest

from ragkit import weather
from ragkit.model import ModelError
from ragkit.settings import Settings
from ragkit.trace import as_json
from ragkit.tracestore import FILE, TraceStore
from tests import asks
from tests.wire import Seen, Turn, WireServer

KEYS = {"ANTHROPIC_API_KEY": "sk-ant-a1B2c3D4e5F6g7H8", "OPENAI_API_KEY": "sk-proj-i9J0k1L2m3N4o5P6"}
QUESTION = "How high is the tower of Delft?"


def test_no_key_is_kept_or_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setattr(weather, "BASE", 0.01)
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)

    def complaint(seen: Seen) -> Turn:
        key = seen.headers.get("x-api-key") or seen.headers["authorization"].removeprefix("Bearer ")
        assert key in KEYS.values()
        return Turn(fault="raw", status=403, body=json.dumps({"error": {"type": "x", "message": f"Not for {key}."}}))

    with WireServer(complaint) as server:
        place = asks.workspace(tmp_path, asks.models(server.url))
        with pytest.raises(ModelError) as failed:
            place.ask(QUESTION)
        assert len(server.seen) == 2
    answer = place.ask(QUESTION, model="extractive")
    place.close()
    store = TraceStore(tmp_path / ".ragkit" / FILE, Settings().trace)
    traces = [as_json(store.get(one.id)) for one in store.list(10)]
    store.close()
    assert len(traces) == 2
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    told = [str(failed.value), repr(failed.value.__cause__), repr(answer), json.dumps(traces, default=str), caplog.text]
    for key in KEYS.values():
        assert not [text for text in told if key in text]
        assert not [data for data in files if key.encode() in data]
