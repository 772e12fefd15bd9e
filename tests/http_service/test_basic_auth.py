from __future__ import annotations

import base64

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from http_service.basic_auth import BasicAuthBackend, basic_auth_middleware, parse_credentials
from http_service.health import HEALTH_PATH, answer_ok
from http_service.rate_limit import NetworkRateLimiter


async def is_correct(name: str, password: bytes) -> bool:
    return (name, password) == ("ada", b"correct")


async def whoami(request: Request) -> Response:
    return PlainTextResponse(request.user.display_name)


def client(failures: NetworkRateLimiter | None = None) -> TestClient:
    backend = BasicAuthBackend(is_correct, failures)
    routes = [Route("/", whoami), Route(HEALTH_PATH, answer_ok)]
    return TestClient(Starlette(routes=routes, middleware=[basic_auth_middleware(backend)]))


def header(credentials: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}


def test_right_credentials_name_the_user() -> None:
    response = client().get("/", headers=header("ada:correct"))
    assert (response.status_code, response.text) == (200, "ada")


@pytest.mark.parametrize("headers", [{}, header("ada:wrong"), header("bob:correct"), header("ada"), header("")])
def test_missing_or_wrong_credentials_are_asked_for_again(headers: dict[str, str]) -> None:
    response = client().get("/", headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Basic realm="agent-worker"'


def limit_of_failures(per_minute: int) -> NetworkRateLimiter:
    return NetworkRateLimiter(per_minute, 1000, clock=lambda: 1000.0)


def test_health_needs_no_credentials_even_after_too_many_attempts() -> None:
    limited = client(limit_of_failures(1))
    limited.get("/", headers=header("ada:wrong"))
    assert limited.get("/", headers=header("ada:wrong")).status_code == 429
    assert limited.get(HEALTH_PATH).text == "ok\n"


def test_right_password_passes_after_any_number_of_wrong_ones_from_the_same_address() -> None:
    limited = client(limit_of_failures(1))
    for _ in range(20):
        limited.get("/", headers=header("ada:wrong"))
    assert limited.get("/", headers=header("ada:correct")).status_code == 200


def test_wrong_passwords_are_limited_and_requests_without_one_are_not() -> None:
    limited = client(limit_of_failures(2))
    assert [limited.get("/").status_code for _ in range(5)] == [401] * 5
    attempts = [limited.get("/", headers=header("ada:wrong")) for _ in range(3)]
    assert [response.status_code for response in attempts] == [401, 401, 429]
    assert attempts[-1].headers["retry-after"] == "30"
    assert attempts[-1].headers["connection"] == "close"
    assert limited.get("/").status_code == 401


@pytest.mark.parametrize("value", ["", "Basic", "Basic ?", "Basic bWU=", "Basic é", "Bearer bWU6", "Basic //86"])
def test_headers_without_credentials_are_recognised(value: str) -> None:
    assert parse_credentials(value) is None


def test_a_password_may_hold_colons_and_bytes_of_any_encoding() -> None:
    value = base64.b64encode(b"ada:a:b\xff").decode()
    assert parse_credentials(f"basic {value}") == ("ada", b"a:b\xff")
