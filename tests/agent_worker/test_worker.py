from __future__ import annotations

from unittest.mock import AsyncMock, Mock

import pytest
from livekit.api import Room

from agent_worker.app.worker import build_server, settings_of_command_line
from agent_worker.core.settings import CloudSettings, load
from agent_worker.telemetry.pricing import Prices

#: LiveKit server's `agents.target_load`: it gives no call to a worker whose load is this or more.
TARGET_LOAD = 0.7


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "GROQ_API_KEY", "DEEPGRAM_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "given")
    monkeypatch.setenv("LIVEKIT_URL", "ws://localhost:7880")


@pytest.mark.parametrize("max_calls", [1, 2, 3, 4, 10, 25])
def test_load_reaches_the_target_with_the_last_call_allowed(max_calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_MAX_CALLS", str(max_calls))
    server = build_server(load(CloudSettings), Mock(), Prices.load())
    assert server.load_fnc is not None
    loads = [server.load_fnc(Mock(active_jobs=[None] * calls)) for calls in range(max_calls + 2)]
    assert all(load < TARGET_LOAD for load in loads[:max_calls])
    assert all(load >= TARGET_LOAD for load in loads[max_calls:])


def test_console_takes_any_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_PORT", "8081")
    assert load(CloudSettings, settings_of_command_line(["start"])).worker_port == 8081
    assert load(CloudSettings, settings_of_command_line(["console"])).worker_port == 0


@pytest.mark.parametrize(("setting", "is_accepted"), [("", True), ("0", True), ("1", False)])
async def test_rooms_of_others_are_refused_only_with_the_setting(
    setting: str, is_accepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKER_PAGE_ROOMS_ONLY", setting)
    server = build_server(load(CloudSettings), Mock(), Prices.load())
    request = AsyncMock(room=Room(name="made-by-another-service", creation_time=1_790_000_000), agent_name="")
    assert server._request_fnc is not None
    await server._request_fnc(request)
    assert (request.accept.await_count, request.reject.await_count) == ((1, 0) if is_accepted else (0, 1))
