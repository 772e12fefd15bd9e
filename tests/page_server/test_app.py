"""Responses of the page server to browsers, and to clients that pretend to be one."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from livekit import api
from starlette.testclient import TestClient

from agent_worker.core.settings import load
from page_server.app import MAX_BODY_BYTES, WRONG_PASSWORDS_PER_MINUTE, create_app
from page_server.settings import PageSettings
from tests.page_server.conftest import LIVEKIT

ORIGIN = "http://localhost:8080"
SAME_ORIGIN = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}


def stopped_clock() -> float:
    return 1000.0


def browser(at: str = ORIGIN, address: str = "192.0.2.1", headers: dict[str, str] | None = None) -> TestClient:
    app = create_app(load(PageSettings), clock=stopped_clock)
    return TestClient(app, base_url=at, client=(address, 50000), headers=headers or {})


def decode_claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, LIVEKIT["LIVEKIT_API_SECRET"], algorithms=["HS256"]))


def status_and_code(response: Any) -> tuple[int, str]:
    assert response.json()["error"]["message"]
    return response.status_code, response.json()["error"]["code"]


def test_page_and_assets_are_served_with_security_and_cache_headers() -> None:
    client = browser()
    page = client.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["cache-control"] == "no-cache"
    script = client.get("/assets/index-4f2a.js")
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-encoding"] == "gzip"
    missing = client.get("/assets/other.js")
    assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store")
    for response in (page, script, missing, client.get("/api/config"), client.post("/api/session")):
        policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["connect-src"] == "'self' ws://localhost:7880 http://localhost:7880"
        assert policy["frame-ancestors"] == "'none'"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert "microphone=(self)" in response.headers["permissions-policy"]


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "/assets/..%2f..%2fsecret", "/%00"])
def test_files_outside_the_page_are_not_served(path: str, page: Any) -> None:
    (page.parent / "secret").write_text("secret")
    assert browser().get(path).status_code == 404


def test_config_lists_the_strategies() -> None:
    assert browser().get("/api/config").json() == {"strategies": ["llm", "phrase", "hybrid", "off"], "text_input": True}


def test_each_session_has_a_new_room_and_a_token_with_minimal_grants() -> None:
    client = browser()
    first, second = (client.post("/api/session", json={}, headers=SAME_ORIGIN) for _ in range(2))
    assert first.status_code == 200
    assert first.headers["cache-control"] == "no-store"
    session = first.json()
    assert set(session) == {"url", "token", "room", "identity"}
    assert session["url"] == "ws://localhost:7880"
    assert LIVEKIT["LIVEKIT_API_SECRET"] not in first.text
    assert session["room"] != second.json()["room"]
    assert session["identity"] != second.json()["identity"]
    token = decode_claims(session["token"])
    assert token["sub"] == session["identity"]
    assert token["exp"] - token["nbf"] == 600
    assert token["video"] == {
        "roomJoin": True,
        "room": session["room"],
        "canPublish": True,
        "canPublishSources": ["microphone"],
        "canPublishData": True,
        "canSubscribe": True,
    }
    assert "roomConfig" not in token


def test_token_dispatches_the_named_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_NAME", "museum")
    token = browser().post("/api/session", json={}, headers=SAME_ORIGIN).json()["token"]
    verifier = api.TokenVerifier(LIVEKIT["LIVEKIT_API_KEY"], LIVEKIT["LIVEKIT_API_SECRET"])
    config = verifier.verify(token).room_config
    assert config is not None
    assert [agent.agent_name for agent in config.agents] == ["museum"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "https://localhost:8080"},
        {"Origin": "http://localhost:8080.evil.example"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example:8080", "Host": "evil.example:8080"},  # DNS rebinding
        {"Origin": "http://[", "Host": "["},
    ],
)
def test_requests_from_other_origins_are_refused(headers: dict[str, str]) -> None:
    assert status_and_code(browser().post("/api/session", json={}, headers=headers)) == (403, "wrong_origin")


@pytest.mark.parametrize("at", [ORIGIN, "http://127.0.0.1:8080", "http://[::1]:8080"])
def test_loopback_names_are_accepted_as_origin(at: str) -> None:
    assert browser(at).post("/api/session", json={}, headers={"Origin": at}).status_code == 200


def test_page_origin_setting_is_accepted_as_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    outer = "https://talk.example.com"
    assert browser().post("/api/session", json={}, headers={"Origin": outer}).status_code == 403
    monkeypatch.setenv("PAGE_ORIGIN", outer)
    monkeypatch.setenv("PAGE_PUBLIC", "1")
    assert browser().post("/api/session", json={}, headers={"Origin": outer}).status_code == 200


def test_public_host_name_is_accepted_as_origin_if_the_page_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_HOST", "0.0.0.0")
    monkeypatch.setenv("PAGE_PUBLIC", "1")
    at = "http://box.local:8080"
    assert browser(at).post("/api/session", json={}, headers={"Origin": at}).status_code == 200
    assert browser(at).post("/api/session", json={}, headers={"Origin": ORIGIN}).status_code == 403


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[" * MAX_BODY_BYTES, "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"{}", "text/plain", 400),  # as a form of another site can send
        (b"{}" + b" " * MAX_BODY_BYTES, "application/json", 413),
        (b"{}", "application/json; charset=utf-8", 200),
        (b'{"something": "new"}', "Application/JSON", 200),
    ],
)
def test_request_body_must_be_a_small_json_object(content: bytes, content_type: str, status: int) -> None:
    response = browser().post("/api/session", content=content, headers={**SAME_ORIGIN, "Content-Type": content_type})
    assert response.status_code == status
    assert status == 200 or status_and_code(response) == (status, "bad_request")


def test_session_requires_post() -> None:
    assert browser().get("/api/session", headers=SAME_ORIGIN).status_code == 404


def test_calls_are_limited_for_each_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_CALLS_PER_MINUTE", "3")
    app = create_app(load(PageSettings), clock=stopped_clock)
    first, second = (TestClient(app, base_url=ORIGIN, client=(address, 1)) for address in ("192.0.2.1", "192.0.2.2"))
    answers = [first.post("/api/session", json={}, headers=SAME_ORIGIN) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert status_and_code(answers[-1]) == (429, "rate_limited")
    assert answers[-1].headers["retry-after"] == "20"
    assert second.post("/api/session", json={}, headers=SAME_ORIGIN).status_code == 200


def test_refused_requests_do_not_count_against_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_CALLS_PER_MINUTE", "1")
    client = browser()
    for _ in range(5):
        client.post("/api/session", json={}, headers={"Origin": "http://evil.example"})
    assert client.post("/api/session", json={}, headers=SAME_ORIGIN).status_code == 200


def basic_auth(password: str, name: str = "me") -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}


def test_password_protects_everything_but_health(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_PASSWORD", "correct hörse")
    client = browser()
    assert client.get("/healthz").text == "ok\n"
    for path in ("/", "/assets/index-4f2a.js", "/api/config", "/api/session"):
        refused = client.get(path)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic")
        assert "content-security-policy" in refused.headers
    assert client.get("/", headers=basic_auth("correct horse")).status_code == 401
    for flawed in ("Basic", "Basic ?", "Basic bWU=", "Bearer bWU6"):
        assert client.get("/", headers={"Authorization": flawed}).status_code == 401
    for name in ("", "me", "you"):
        assert client.get("/", headers=basic_auth("correct hörse", name)).status_code == 200
    assert (
        client.post("/api/session", json={}, headers={**SAME_ORIGIN, **basic_auth("correct hörse")}).status_code == 200
    )


def test_wrong_passwords_are_limited_for_each_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_PASSWORD", "correct horse")
    app = create_app(load(PageSettings), clock=stopped_clock)
    guesser, other = (TestClient(app, base_url=ORIGIN, client=(address, 1)) for address in ("192.0.2.1", "192.0.2.2"))
    for _ in range(50):
        assert guesser.get("/").status_code == 401  # a browser's first request has no credentials
    guesses = [
        guesser.get("/", headers=basic_auth(f"guess {n}")).status_code for n in range(WRONG_PASSWORDS_PER_MINUTE + 1)
    ]
    assert guesses == [401] * WRONG_PASSWORDS_PER_MINUTE + [429]
    assert guesser.get("/", headers=basic_auth("correct horse")).status_code == 429
    assert other.get("/", headers=basic_auth("correct horse")).status_code == 200


def test_content_security_policy_allows_the_browsers_livekit_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_LIVEKIT_URL", "wss://livekit.example.com:7443/path")
    response = browser().get("/")
    assert "'self' wss://livekit.example.com:7443 https://livekit.example.com:7443;" in (
        response.headers["content-security-policy"] + ";"
    )
    assert urlsplit(browser().post("/api/session", json={}, headers=SAME_ORIGIN).json()["url"]).path == "/path"
