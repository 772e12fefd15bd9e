"""Responses of the page server to browsers, and to clients that pretend to be one."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from starlette.testclient import TestClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from agent_worker.core.settings import load
from http_service.worker_slots import WorkerSlots
from page_server.app import MAX_BODY_BYTES, WRONG_PASSWORDS_PER_MINUTE, create_app
from page_server.open_calls import OpenCalls
from page_server.settings import PageSettings
from tests.page_server.conftest import LIVEKIT, FakeRooms

ORIGIN = "http://localhost:8080"
SAME_ORIGIN = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}


def stopped_clock() -> float:
    return 1000.0


def browser(at: str = ORIGIN, address: str = "192.0.2.1", headers: dict[str, str] | None = None) -> TestClient:
    app = create_app(load(PageSettings), FakeRooms(), clock=stopped_clock)
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


def test_token_has_no_room_configuration_with_which_a_room_could_be_made_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AGENT_NAME", "museum")
    token = decode_claims(browser().post("/api/session", json={}, headers=SAME_ORIGIN).json()["token"])
    assert not {"roomConfig", "roomPreset", "metadata", "attributes"} & set(token)
    assert not {"roomCreate", "roomAdmin"} & set(token["video"])


class Workers:
    """What the workers answer when they are asked for their slots."""

    def __init__(self, *free: int | None) -> None:
        self.answers = [{"agent_name": "", "free": each} for each in free]

    async def __call__(self) -> list[dict[str, object]]:
        return list(self.answers)


def page_of(workers: Workers, rooms: FakeRooms | None = None) -> TestClient:
    slots = WorkerSlots(workers, clock=stopped_clock)
    app = create_app(load(PageSettings), rooms or FakeRooms(), clock=stopped_clock, slots=slots)
    return TestClient(app, base_url=ORIGIN)


def test_without_a_free_slot_there_is_no_token_and_a_reason() -> None:
    rooms = FakeRooms()
    response = page_of(Workers(0, 0), rooms).post("/api/session", json={}, headers=SAME_ORIGIN)
    assert status_and_code(response) == (503, "all_lines_busy")
    assert "All lines are busy" in response.json()["error"]["message"]
    assert response.headers["retry-after"]
    assert "token" not in response.text
    assert not rooms.names


def test_callers_at_the_same_moment_get_no_more_tokens_than_slots_are_free() -> None:
    client = page_of(Workers(1, 2))
    statuses = [client.post("/api/session", json={}, headers=SAME_ORIGIN).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 503, 503]


def test_reserved_slots_are_not_given_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_RESERVED_SLOTS", "2")
    client = page_of(Workers(3))
    statuses = [client.post("/api/session", json={}, headers=SAME_ORIGIN).status_code for _ in range(2)]
    assert statuses == [200, 503]


@pytest.mark.parametrize("workers", [Workers(), Workers(0, None)], ids=["no worker answers", "one has no fixed number"])
def test_where_the_free_slots_are_not_known_callers_are_let_in(workers: Workers) -> None:
    assert page_of(workers).post("/api/session", json={}, headers=SAME_ORIGIN).status_code == 200


def test_without_livekit_there_is_no_session_and_a_reason() -> None:
    rooms = FakeRooms()
    rooms.is_available = False
    client = TestClient(create_app(load(PageSettings), rooms, clock=stopped_clock), base_url=ORIGIN)
    response = client.post("/api/session", json={}, headers=SAME_ORIGIN)
    assert status_and_code(response) == (503, "rooms_unavailable")
    assert response.headers["retry-after"]


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


OUTER = "https://talk.example.com"


@pytest.fixture
def outer_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_HOST", "0.0.0.0")
    monkeypatch.setenv("PAGE_ORIGIN", OUTER)
    monkeypatch.setenv("PAGE_PUBLIC", "1")


@pytest.mark.usefixtures("outer_origin")
@pytest.mark.parametrize("host", ["talk.example.com", "127.0.0.1:8080", "localhost:8080", "[::1]:8080", "10.1.2.3"])
def test_with_page_origin_calls_are_started_from_there_whatever_host_the_proxy_names(host: str) -> None:
    assert browser().post("/api/session", json={}, headers={"Origin": OUTER, "Host": host}).status_code == 200


@pytest.mark.usefixtures("outer_origin")
@pytest.mark.parametrize(
    "at", [ORIGIN, "http://talk.example.com", "http://127.0.0.1:8080", "http://10.1.2.3:8080", "http://box.local:8080"]
)
def test_with_page_origin_no_other_origin_can_start_a_call_even_if_it_is_the_host(at: str) -> None:
    assert status_and_code(browser(at).post("/api/session", json={}, headers={"Origin": at})) == (403, "wrong_origin")


@pytest.mark.parametrize("settings", [{}, {"PAGE_HOST": "0.0.0.0"}, {"PAGE_HOST": "0.0.0.0", "PAGE_ORIGIN": OUTER}])
@pytest.mark.parametrize("path", ["/", "/assets/index-4f2a.js", "/api/config", "/api/session"])
def test_site_whose_name_resolves_to_the_page_gets_nothing_of_it(
    path: str, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attack: DNS rebinding. The visitor's browser sends the attacker's name as host and as origin."""
    monkeypatch.setenv("PAGE_PUBLIC", "1")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for host in ("evil.example", "evil.example:8080", "localhost.evil.example", "", "["):
        headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        client = browser(headers=headers)
        response = client.post(path, json={}) if path == "/api/session" else client.get(path)
        assert status_and_code(response) == (403, "wrong_origin")
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("at", ["http://box.local:8080", "http://box:8080", "http://192.0.2.7:8080", ORIGIN])
def test_without_page_origin_a_reachable_page_accepts_the_names_of_its_machine_and_addresses(
    at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Box")
    monkeypatch.setenv("PAGE_HOST", "0.0.0.0")
    monkeypatch.setenv("PAGE_PUBLIC", "1")
    assert browser(at).post("/api/session", json={}, headers={"Origin": at}).status_code == 200
    other = {"Origin": "http://192.0.2.8:8080"}
    assert browser(at).post("/api/session", json={}, headers=other).status_code == 403


def test_browsers_are_told_to_stay_with_https_where_the_page_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_PUBLIC", "1")
    for origin, has_hsts in (("https://talk.example.com", True), ("http://talk.example.com", False), ("", False)):
        monkeypatch.setenv("PAGE_ORIGIN", origin)
        assert ("strict-transport-security" in browser().get("/").headers) is has_hsts


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
    app = create_app(load(PageSettings), FakeRooms(), clock=stopped_clock)
    first, second = (TestClient(app, base_url=ORIGIN, client=(address, 1)) for address in ("192.0.2.1", "192.0.2.2"))
    answers = [first.post("/api/session", json={}, headers=SAME_ORIGIN) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert status_and_code(answers[-1]) == (429, "rate_limited")
    assert answers[-1].headers["retry-after"] == "20"
    assert second.post("/api/session", json={}, headers=SAME_ORIGIN).status_code == 200


def session_statuses(app: Any, addresses: Iterable[str]) -> list[int]:
    return [
        TestClient(app, base_url=ORIGIN, client=(address, 1))
        .post("/api/session", json={}, headers=SAME_ORIGIN)
        .status_code
        for address in addresses
    ]


def test_addresses_of_one_ipv6_network_are_limited_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_CALLS_PER_MINUTE", "1")
    app = create_app(load(PageSettings), FakeRooms(), clock=stopped_clock)
    of_one_site = [f"2001:db8:7:{number:x}::1" for number in range(0, 65536, 1024)]  # of one /48
    assert session_statuses(app, of_one_site).count(200) == 16


def test_five_hundred_callers_can_start_in_a_minute_with_the_default_settings() -> None:
    app = create_app(load(PageSettings), FakeRooms(), clock=stopped_clock)
    callers = [f"{number % 250 + 1}.{number}.2.1" if number < 250 else f"2001:{number:x}::1" for number in range(500)]
    assert session_statuses(app, callers) == [200] * 500


def test_open_calls_are_limited_for_each_address_until_their_rooms_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_OPEN_CALLS", "2")
    rooms = FakeRooms()
    app = create_app(load(PageSettings), rooms, clock=stopped_clock)
    client = TestClient(app, base_url=ORIGIN, client=("192.0.2.1", 1))

    def start() -> Any:
        return client.post("/api/session", json={}, headers=SAME_ORIGIN)

    first, second, third = start(), start(), start()
    assert (first.status_code, second.status_code) == (200, 200)
    assert status_and_code(third) == (429, "too_many_open_calls")
    assert third.headers["retry-after"]
    assert session_statuses(app, ["192.0.2.2"]) == [200]
    rooms.names.remove(first.json()["room"])
    assert [start().status_code for _ in range(2)] == [200, 429]


async def test_requests_at_once_do_not_open_more_calls_than_allowed() -> None:
    calls = OpenCalls(FakeRooms(), 2)  # none of the rooms exists yet
    reserved = await asyncio.gather(*(calls.reserve("192.0.2.1", f"call-{number}") for number in range(10)))
    assert reserved.count(True) == 2


def test_call_that_could_not_be_made_is_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_OPEN_CALLS", "1")
    rooms = FakeRooms()
    app = create_app(load(PageSettings), rooms, clock=stopped_clock)
    rooms.is_available = False
    assert session_statuses(app, ["192.0.2.1"]) == [503]
    rooms.is_available = True
    assert session_statuses(app, ["192.0.2.1"]) == [200]
    assert rooms.listings == 0


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


def test_right_password_passes_after_wrong_ones_from_the_same_and_from_other_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The attack: ten wrong passwords behind a proxy that is not configured lock everybody out."""
    monkeypatch.setenv("PAGE_PASSWORD", "correct horse")
    app = create_app(load(PageSettings), FakeRooms(), clock=stopped_clock)
    guesser, other = (TestClient(app, base_url=ORIGIN, client=(address, 1)) for address in ("192.0.2.1", "192.0.2.2"))
    for _ in range(50):
        assert guesser.get("/").status_code == 401  # a browser's first request has no credentials
    guesses = [
        guesser.get("/", headers=basic_auth(f"guess {n}")).status_code for n in range(WRONG_PASSWORDS_PER_MINUTE + 5)
    ]
    assert guesses == [401] * WRONG_PASSWORDS_PER_MINUTE + [429] * 5
    assert guesser.get("/", headers=basic_auth("correct horse")).status_code == 200
    assert other.get("/", headers=basic_auth("wrong horse")).status_code == 401


@pytest.mark.parametrize(
    ("proxies", "are_told_apart"),
    [("192.0.2.0/24", True), ("192.0.2.9", True), ("192.0.2.8", False), ("", False)],
)
def test_forwarded_addresses_are_believed_from_configured_proxies_only(
    proxies: str, are_told_apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGE_HOST", "0.0.0.0")
    monkeypatch.setenv("PAGE_PUBLIC", "1")
    monkeypatch.setenv("PAGE_CALLS_PER_MINUTE", "1")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", proxies)
    settings = load(PageSettings)
    app: Any = ProxyHeadersMiddleware(create_app(settings, FakeRooms()), settings.trusted_proxies)  # type: ignore[arg-type]
    proxy = TestClient(app, base_url="http://localhost:8080", client=("192.0.2.9", 1))
    statuses = [
        proxy.post("/api/session", json={}, headers={**SAME_ORIGIN, "X-Forwarded-For": address}).status_code
        for address in ("203.0.113.1", "198.51.100.1", "::1, 203.0.113.77")
    ]
    assert statuses == ([200, 200, 200] if are_told_apart else [200, 429, 429])


def test_content_security_policy_allows_the_browsers_livekit_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_LIVEKIT_URL", "wss://livekit.example.com:7443/path")
    response = browser().get("/")
    assert "'self' wss://livekit.example.com:7443 https://livekit.example.com:7443;" in (
        response.headers["content-security-policy"] + ";"
    )
    assert urlsplit(browser().post("/api/session", json={}, headers=SAME_ORIGIN).json()["url"]).path == "/path"
