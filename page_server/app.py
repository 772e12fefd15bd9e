"""The web application of the page server: the page's files, its configuration, and new sessions."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import secrets
import time
from collections.abc import Callable, Mapping
from typing import get_args
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from agent_worker.core.settings import StrategyName
from http_service.basic_auth import BasicAuthBackend, Verify, basic_auth_middleware
from http_service.health import HEALTH_PATH, answer_ok
from http_service.rate_limit import RateLimiter, client_address
from page_server.headers import SecurityHeaders
from page_server.sessions import create_session
from page_server.settings import PageSettings, is_loopback

MAX_BODY_BYTES = 1024
WRONG_PASSWORDS_PER_MINUTE = 10
_MIN_GZIP_BYTES = 2048


def create_app(settings: PageSettings, clock: Callable[[], float] = time.monotonic) -> Starlette:
    """Return the web application of the page server.

    Args:
        settings: The settings of the page server.
        clock: Returns a monotonic time in seconds, for the rate limits.
    """
    calls = RateLimiter(settings.page_calls_per_minute, clock=clock)

    async def config(_: Request) -> Response:
        return JSONResponse({"strategies": get_args(StrategyName), "text_input": True})

    async def session(request: Request) -> Response:
        refusal = _refuse_foreign_origin(request, settings) or await _refuse_bad_body(request)
        if refusal:
            return refusal
        client = client_address(request)
        if wait_s := calls.wait_s(client):
            message = "Too many calls from your address. Wait a minute and try again."
            return _error(429, "rate_limited", message, {"Retry-After": str(math.ceil(wait_s))})
        calls.record(client)
        return JSONResponse(dataclasses.asdict(create_session(settings)))

    return Starlette(
        routes=[
            Route(HEALTH_PATH, answer_ok),
            Route("/api/config", config),
            Route("/api/session", session, methods=["POST"]),
            Mount("/", StaticFiles(directory=settings.folder, html=True)),
        ],
        middleware=_middleware(settings, clock),
    )


def _middleware(settings: PageSettings, clock: Callable[[], float]) -> list[Middleware]:
    """Return the middleware, outermost first: a refused request gets the security headers as well."""
    middleware = [Middleware(SecurityHeaders, livekit_url=settings.browser_livekit_url)]
    if settings.page_password:
        verify = _verify_password(settings.page_password.get_secret_value())
        backend = BasicAuthBackend(verify, RateLimiter(WRONG_PASSWORDS_PER_MINUTE, clock=clock))
        middleware.append(basic_auth_middleware(backend))
    return [*middleware, Middleware(GZipMiddleware, minimum_size=_MIN_GZIP_BYTES)]


def _verify_password(expected: str) -> Verify:
    """Return a check for one password, under any name, whose duration does not depend on the password."""

    def digest(password: bytes) -> bytes:
        return hashlib.sha256(password).digest()

    expected_digest = digest(expected.encode())

    async def verify(_: str, password: bytes) -> bool:
        return secrets.compare_digest(digest(password), expected_digest)

    return verify


def _refuse_foreign_origin(request: Request, settings: PageSettings) -> Response | None:
    """Refuse requests that another site makes with a visitor's browser.

    On loopback a host name other than this machine's is refused too: a site may have its own name resolve to
    127.0.0.1 (DNS rebinding).
    """
    if request.headers.get("sec-fetch-site", "same-origin") == "same-origin":
        origin = request.headers.get("origin", "")
        if settings.page_origin and origin == str(settings.page_origin):
            return None
        own_origin = f"{request.url.scheme}://{request.headers.get('host', '')}"
        if origin == own_origin and not (is_loopback(settings.page_host) and not is_loopback(_hostname(origin))):
            return None
    return _error(
        403,
        "wrong_origin",
        "Calls can only be made from this server's own page. Open it by its usual address. "
        "(Operator: behind a proxy, set PAGE_ORIGIN to that address.)",
    )


def _hostname(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


async def _refuse_bad_body(request: Request) -> Response | None:
    """Refuse a body that is not a small JSON object. A form of another site cannot send JSON."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _error(400, "bad_request", "The request has to be JSON (Content-Type: application/json).")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            message = f"The request is longer than {MAX_BODY_BYTES} bytes."
            return _error(413, "bad_request", message, {"Connection": "close"})
    if _is_json_object(body):
        return None
    return _error(400, "bad_request", "The request has to be a JSON object: {}.")


def _is_json_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)
