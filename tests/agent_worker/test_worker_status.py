"""What a worker says of its free slots."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit.protocol.agent import WorkerStatus as WorkerState

from agent_worker.core.settings import CloudSettings, load
from agent_worker.lifecycle import worker_status as module
from agent_worker.lifecycle.worker_status import WorkerStatus, count_status, worker_status
from agent_worker.telemetry import metrics

FULL_LOAD = 0.7


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "GROQ_API_KEY", "DEEPGRAM_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "given")
    monkeypatch.setenv("LIVEKIT_URL", "ws://localhost:7880")
    monkeypatch.setenv("AGENT_NAME", "guide")
    monkeypatch.delenv("WORKER_MAX_CALLS", raising=False)


def server(calls: int = 0, accepted: int = 0, load: float = 0.0, **more: Any) -> Any:
    state = {"id": "AW_1", "_connecting": False, "_closed": False, "draining": False, **more}
    return cast(
        "Any", SimpleNamespace(active_jobs=[None] * calls, _reserved_slots=accepted, _worker_load=load, **state)
    )


def status(of: Any) -> WorkerStatus:
    return worker_status(of, load(CloudSettings), FULL_LOAD)


def test_free_slots_are_those_that_no_call_has_and_none_has_been_accepted_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_MAX_CALLS", "8")
    assert status(server(calls=3, accepted=1)) == WorkerStatus("guide", 8, 4, 4, 0.0, registered=True, draining=False)
    assert status(server(calls=9)).free == 0


@pytest.mark.parametrize("state", [{"draining": True}, {"id": "unregistered"}, {"_connecting": True}])
def test_worker_that_gets_no_calls_has_no_free_slot(state: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("8", ""):
        monkeypatch.setenv("WORKER_MAX_CALLS", limit)
        assert status(server(**state)).free == 0


def test_slot_of_a_call_that_has_ended_is_free_when_livekit_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, free in (("8", 5), ("", None)):
        monkeypatch.setenv("WORKER_MAX_CALLS", limit)
        assert status(server(calls=3, _previous_status=WorkerState.WS_FULL)).free == 0
        assert status(server(calls=3, _previous_status=WorkerState.WS_AVAILABLE)).free == free


def test_without_a_limit_of_calls_the_number_is_unknown_until_the_load_is_too_high() -> None:
    assert status(server(calls=3, load=0.69)).free is None
    assert status(server(calls=3, load=FULL_LOAD)).free == 0


def test_metrics_show_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: dict[str, float] = {}
    for name in ("WORKER_SLOTS", "WORKER_FREE_SLOTS", "WORKER_LOAD", "WORKERS_REGISTERED", "WORKERS_DRAINING"):
        gauge = SimpleNamespace(set=lambda value, name=name: shown.update({name: value}))
        monkeypatch.setattr(metrics, name, gauge)
    assert module.metrics is metrics
    count_status(WorkerStatus("guide", 8, 3, 5, 0.4, registered=True, draining=False))
    assert shown == {
        "WORKER_SLOTS": 8,
        "WORKER_FREE_SLOTS": 5,
        "WORKER_LOAD": 0.4,
        "WORKERS_REGISTERED": True,
        "WORKERS_DRAINING": False,
    }
