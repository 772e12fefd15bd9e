"""LiveKit's webhooks, and those of others; the metrics."""

from __future__ import annotations

import base64
import hashlib
import json
import warnings
from typing import Any

import pytest
from livekit import api
from starlette.testclient import TestClient

from call_guard.app import MAX_BODY_BYTES, WEBHOOK_PATH, create_app
from call_guard.metrics import GuardMetrics
from tests.call_guard.conftest import LIVEKIT

KEY, SECRET = LIVEKIT["LIVEKIT_API_KEY"], LIVEKIT["LIVEKIT_API_SECRET"]


class Webhooks:
    """A guard's web application, and a LiveKit server that sends to it."""

    def __init__(self) -> None:
        self.rooms: list[str] = []
        self.metrics = GuardMetrics()
        receiver = api.WebhookReceiver(api.TokenVerifier(KEY, SECRET))
        self.client = TestClient(create_app(receiver, self.rooms.append, self.metrics))

    def send(self, event: str, room: str = "museum", *, secret: str = SECRET, changed: str = "") -> int:
        body = json.dumps({"event": event, "room": {"name": room, "sid": "RM_1"}})
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyJWT warns of short secrets
            token = api.AccessToken(KEY, secret).with_sha256(digest).to_jwt()
            return self.post(body + changed, {"Authorization": token})

    def post(self, body: str, headers: dict[str, str] | None = None) -> int:
        response = self.client.post(WEBHOOK_PATH, content=body, headers=headers)
        return int(response.status_code)

    def count(self, result: str) -> float | None:
        return self.metrics.registry.get_sample_value("call_guard_webhooks_total", {"result": result})


@pytest.fixture
def webhooks() -> Webhooks:
    return Webhooks()


@pytest.mark.parametrize("event", ["participant_joined", "participant_left", "participant_connection_aborted"])
def test_room_is_looked_at_when_somebody_comes_or_leaves(webhooks: Webhooks, event: str) -> None:
    assert webhooks.send(event) == 200
    assert webhooks.rooms == ["museum"]
    assert webhooks.count("used") == 1


@pytest.mark.parametrize(("event", "room"), [("track_published", "museum"), ("egress_ended", ""), ("future", "museum")])
def test_other_webhooks_are_accepted_and_ignored(webhooks: Webhooks, event: str, room: str) -> None:
    assert webhooks.send(event, room) == 200
    assert webhooks.rooms == []
    assert webhooks.count("ignored") == 1


def test_webhook_with_another_secret_is_refused(webhooks: Webhooks) -> None:
    assert webhooks.send("participant_joined", secret="another") == 401
    assert webhooks.rooms == []


def test_webhook_with_a_changed_body_is_refused(webhooks: Webhooks) -> None:
    assert webhooks.send("participant_joined", changed=" ") == 401
    assert webhooks.rooms == []


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "é"}])
def test_webhook_without_a_token_is_refused(webhooks: Webhooks, headers: dict[str, Any]) -> None:
    coded = {name: value.encode("latin-1") for name, value in headers.items()}
    assert webhooks.post('{"event": "participant_joined"}', coded) == 401
    assert webhooks.count("refused") == 1


def test_long_body_is_refused(webhooks: Webhooks) -> None:
    assert webhooks.post("x" * (MAX_BODY_BYTES + 1)) == 413


def test_metrics_are_there_before_their_first_event(webhooks: Webhooks) -> None:
    response = webhooks.client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    for line in ('call_guard_rooms{state="waiting"} 0.0', 'call_guard_webhooks_total{result="used"} 0.0'):
        assert line in response.text
    assert "python_info" not in response.text
    assert webhooks.client.get("/healthz").text == "ok\n"
