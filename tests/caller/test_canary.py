"""The canary: how it judges a call, what it tells Prometheus, and that its calls are not counted."""

from __future__ import annotations

import asyncio
import math
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from livekit import api
from pydantic import SecretStr

from agent_worker.core.page_room import is_canary_room, is_page_room
from caller.canary.__main__ import describe, tell
from caller.canary.gateway import earlier_failures
from caller.canary.metrics import CanaryMetrics
from caller.canary.settings import CanarySettings
from caller.canary.trial import OUTCOMES, Trial, judged
from caller.errors import InputError, NoAgentError, RoomError
from caller.options import CallOptions, Wav
from caller.report import CallReport, Turn

SECRET = "a secret of a test, 32 characters"


def settings(**values: Any) -> CanarySettings:
    keys = {"livekit_url": "ws://livekit:7880", "livekit_api_key": "key", "livekit_api_secret": SecretStr(SECRET)}
    return CanarySettings(**{**keys, **values})


class FakeRooms:
    """LiveKit's API for rooms."""

    def __init__(self, error: Exception | None = None) -> None:
        self.made: list[api.CreateRoomRequest] = []
        self.closed: list[str] = []
        self._error = error

    async def create_room(self, create: api.CreateRoomRequest) -> api.Room:
        if self._error:
            raise self._error
        self.made.append(create)
        return api.Room(name=create.name)

    async def delete_room(self, delete: api.DeleteRoomRequest) -> api.DeleteRoomResponse:
        self.closed.append(delete.room)
        return api.DeleteRoomResponse()


class Placed:
    """A call that ends in a given way."""

    def __init__(self, result: Exception | float | None) -> None:
        self.options: list[CallOptions] = []
        self._result = result

    async def __call__(self, options: CallOptions) -> CallReport:
        self.options.append(options)
        if isinstance(self._result, Exception):
            raise self._result
        turn = Turn("hello", first_sent=1.0, last_sent=2.0, response_gap=self._result)
        return CallReport(options.room, options.identity, "agent", 0.0, turns=[turn])


# --- one call ---


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (0.8, "answered"),
        (None, "silent"),
        (NoAgentError("no agent"), "no_agent"),
        (RoomError("the connection was lost"), "no_room"),
    ],
)
async def test_call_is_judged_and_its_room_is_closed(result: Any, outcome: str) -> None:
    rooms, placed = FakeRooms(), Placed(result)
    trial = await judged(rooms, settings(), placed, 60)
    assert trial.outcome == outcome
    assert trial.is_success is (outcome == "answered")
    assert trial.answer_s == (result if outcome == "answered" else None)
    assert rooms.closed == [room.name for room in rooms.made] == [options.room for options in placed.options]
    assert describe(trial)


async def test_call_that_does_not_end_has_failed() -> None:
    rooms = FakeRooms()
    trial = await judged(rooms, settings(), hanging, 0.0)
    assert (trial.outcome, "was not over" in trial.detail) == ("silent", True)
    assert len(rooms.closed) == 1


async def hanging(_: CallOptions) -> CallReport:
    await asyncio.Event().wait()
    raise AssertionError


async def test_livekit_that_makes_no_room_is_told_apart() -> None:
    refused = api.TwirpError("unauthenticated", "invalid token", status=401)
    trial = await judged(FakeRooms(refused), settings(), Placed(0.8), 60)
    assert (trial.outcome, trial.detail) == ("no_room", "the room could not be made: HTTP 401, unauthenticated")


async def test_wrong_question_is_no_result() -> None:
    with pytest.raises(InputError):
        await judged(FakeRooms(), settings(), Placed(InputError(["no WAV file"])), 60)


async def test_room_is_one_that_workers_for_the_page_accept_and_do_not_count() -> None:
    rooms, placed = FakeRooms(), Placed(0.8)
    await judged(rooms, settings(agent_name="museum"), placed, 60)
    (room,) = rooms.made
    assert is_page_room(room.name, int(time.time()), room.metadata, SECRET)
    assert is_canary_room(room.metadata)
    assert [agent.agent_name for agent in room.agents] == ["museum"]


async def test_limits_are_those_of_the_settings() -> None:
    placed = Placed(0.8)
    await judged(FakeRooms(), settings(canary_agent_timeout=3, canary_answer_timeout=4), placed, 60)
    (options,) = placed.options
    assert (options.agent_timeout, options.reply_timeout) == (3, 4)
    (question,) = options.utterances
    assert isinstance(question, Wav)
    assert settings().question.is_file()
    assert options.problems() == []


# --- what it tells ---


class Gateway:
    """A Pushgateway, as far as the canary needs it: it keeps what was pushed last, in the text format."""

    def __init__(self) -> None:
        self.pushed: list[str] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(re.sub("(?m)^canary_failures_in_a_row ", SERIES, "".join(gateway.pushed[-1:])))

            def do_PUT(self) -> None:
                assert self.path == "/metrics/job/canary"
                gateway.pushed.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self._answer("")

            def _answer(self, page: str) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


#: The gateway adds the labels of the group, and an empty instance.
SERIES = 'canary_failures_in_a_row{instance="",job="canary"} '


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    gateway = Gateway()
    yield gateway
    gateway.close()


def test_failures_in_a_row_are_counted_over_processes(gateway: Gateway) -> None:
    failed, answered = Trial("silent"), Trial("answered", 0.8)
    counts = []
    for trial in (failed, failed, answered, failed):
        assert tell(gateway.url, CanaryMetrics(), trial)  # each as a process of its own
        counts.append(earlier_failures(gateway.url))
    assert counts == [1, 2, 0, 1]


def test_only_the_canarys_own_failures_count(gateway: Gateway) -> None:
    gateway.pushed.append('canary_failures_in_a_row{job="another"} 7\n')
    assert earlier_failures(gateway.url) == 0


def test_every_outcome_has_a_series_and_one_of_them_is_true() -> None:
    metrics = CanaryMetrics()
    for outcome in OUTCOMES:
        metrics.record(Trial(outcome, 0.8 if outcome == "answered" else None), 3)
        values = {other: metrics.registry.get_sample_value("canary_outcome", {"outcome": other}) for other in OUTCOMES}
        assert values == {other: float(other == outcome) for other in OUTCOMES}
        gap = metrics.registry.get_sample_value("canary_answer_seconds")
        assert gap == 0.8 if outcome == "answered" else math.isnan(gap or 0.0)
        failures = metrics.registry.get_sample_value("canary_failures_in_a_row")
        assert failures == (0 if outcome == "answered" else 4)


def test_gateway_that_does_not_answer_is_reported_without_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert not tell("http://127.0.0.1:9", CanaryMetrics(), Trial("answered", 0.8))
    assert "could not be pushed" in capsys.readouterr().err


def test_without_a_gateway_nothing_is_pushed() -> None:
    assert tell(None, CanaryMetrics(), Trial("silent"))
