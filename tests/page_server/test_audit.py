"""What the page server counts and logs of sessions and refusals."""

from __future__ import annotations

import logging

import pytest
from starlette.testclient import TestClient

from agent_worker.core.settings import load
from http_service.worker_slots import WorkerSlots
from page_server.app import create_app
from page_server.audit import Audit
from page_server.metrics import REFUSAL_REASONS, PageMetrics
from page_server.settings import PageSettings
from tests.page_server.conftest import FakeRooms
from tests.page_server.test_app import ORIGIN, SAME_ORIGIN, Workers, stopped_clock

ADDRESS = "192.0.2.77"
PASSWORD = "correct horse battery"


class Page:
    """A page, its metrics and its rooms."""

    def __init__(self, workers: Workers | None = None) -> None:
        self.metrics = PageMetrics()
        self.rooms = FakeRooms()
        slots = WorkerSlots(workers, clock=stopped_clock) if workers else None
        app = create_app(load(PageSettings), self.rooms, clock=stopped_clock, slots=slots, metrics=self.metrics)
        self.client = TestClient(app, base_url=ORIGIN, client=(ADDRESS, 50000))

    def call(self, origin: str = ORIGIN, body: object = None) -> None:
        self.client.post("/api/session", json={} if body is None else body, headers={**SAME_ORIGIN, "Origin": origin})

    def refusals(self) -> dict[str, float]:
        values = {
            reason: self.metrics.registry.get_sample_value("page_refusals_total", {"reason": reason})
            for reason in REFUSAL_REASONS
        }
        return {reason: value for reason, value in values.items() if value}

    def sessions(self) -> float | None:
        return self.metrics.registry.get_sample_value("page_sessions_total")


@pytest.fixture(autouse=True)
def _log_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "page_server")


def test_session_is_counted_and_logged_by_the_call_id_that_the_page_shows(caplog: pytest.LogCaptureFixture) -> None:
    page = Page()
    page.call()
    (room,) = page.rooms.names
    assert caplog.messages == [f"session granted: {room}"]
    assert page.sessions() == 1
    assert page.refusals() == {}


@pytest.mark.parametrize(
    ("reason", "settings"),
    [("rate_limited", {"PAGE_CALLS_PER_MINUTE": "1"}), ("too_many_open_calls", {"PAGE_OPEN_CALLS": "1"})],
)
def test_call_over_a_limit_is_counted_and_logged_with_the_limit(
    reason: str, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    page = Page()
    page.call()
    page.call()
    assert (page.sessions(), page.refusals()) == (1, {reason: 1})
    assert caplog.messages[1:] == [f"request refused: {reason}"]


def test_call_is_refused_for_busy_workers_or_for_livekit(caplog: pytest.LogCaptureFixture) -> None:
    busy = Page(Workers(0))
    busy.call()
    assert (busy.sessions(), busy.refusals()) == (0, {"all_lines_busy": 1})
    without_livekit = Page()
    without_livekit.rooms.is_available = False
    without_livekit.call()
    assert (without_livekit.sessions(), without_livekit.refusals()) == (0, {"rooms_unavailable": 1})
    assert caplog.messages == ["request refused: all_lines_busy", "request refused: rooms_unavailable"]


def test_requests_of_others_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_PASSWORD", PASSWORD)
    page = Page()
    page.client.get("/")  # without a password, as a browser's first request
    assert page.refusals() == {}
    page.client.auth = ("any", "wrong")
    page.client.get("/")
    page.client.auth = ("any", PASSWORD)
    page.call(origin="https://evil.example")
    page.client.get("/", headers={"Host": "evil.example"})
    page.call(body=[])
    assert page.refusals() == {"wrong_password": 1, "wrong_origin": 2, "bad_request": 1}


def test_log_has_no_address_no_token_and_no_password(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PAGE_PASSWORD", PASSWORD)
    page = Page()
    page.client.auth = ("any", PASSWORD)
    page.call()
    page.call(origin="https://evil.example")
    page.client.auth = ("any", "wrong password")
    page.call()
    assert len(caplog.messages) == 3
    assert not [word for word in (ADDRESS, PASSWORD, "wrong password", "eyJ", "evil") if word in caplog.text]


def test_refusals_for_the_same_reason_share_a_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    audit = Audit(PageMetrics(), clock=lambda: now)
    for _ in range(500):
        audit.refused("rate_limited")
    audit.refused("wrong_origin")
    now = 60.0
    audit.refused("rate_limited")
    audit.refused("rate_limited")
    assert caplog.messages == [
        "request refused: rate_limited",
        "request refused: wrong_origin",
        "request refused: rate_limited, and 499 times since the last such line",
    ]
