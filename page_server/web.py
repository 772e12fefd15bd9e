"""What is served under which address?"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import secrets
from typing import get_args
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from agent_metrics.basic_auth import BasicAuth
from agent_worker.core.settings import StrategyName
from page_server.headers import SecurityHeaders
from page_server.limiter import Limiter, client_of
from page_server.sessions import new_session
from page_server.settings import PageSettings, is_loopback

MAX_BODY = 1024
WRONG_PASSWORDS_PER_MINUTE = 10


def create_app(settings: PageSettings) -> Starlette:
    """The web application: the page's files, and what they ask of us."""
    visits = Limiter(settings.page_calls_per_minute)

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def config(_: Request) -> Response:
        return JSONResponse({"strategies": get_args(StrategyName), "text_input": True})

    async def session(request: Request) -> Response:
        problem = _foreign(request, settings) or await _malformed(request)
        if problem:
            return problem
        if wait := visits.wait(client_of(request)):
            return _error(
                429,
                "rate_limited",
                "Too many calls from your address. Wait a minute and try again.",
                _retry_after(wait),
            )
        visits.take(client_of(request))
        return JSONResponse(dataclasses.asdict(new_session(settings)))

    middleware = [Middleware(SecurityHeaders, livekit_url=settings.callers_livekit_url)]
    if settings.page_password:
        middleware.append(Middleware(PasswordGate, password=settings.page_password.get_secret_value()))
    return Starlette(
        routes=[
            Route("/healthz", health),
            Route("/api/config", config),
            Route("/api/session", session, methods=["POST"]),
            Mount("/", StaticFiles(directory=settings.folder, html=True)),
        ],
        middleware=[*middleware, Middleware(GZipMiddleware, minimum_size=2048)],
    )


class PasswordGate(BasicAuth):
    """Lets in who knows the one password, under any name. Who guesses too often has to wait."""

    def __init__(self, app: ASGIApp, password: str) -> None:
        super().__init__(app, self._is_the_password)
        self._password = _digest(password.encode())
        self._wrong = Limiter(WRONG_PASSWORDS_PER_MINUTE)

    async def refusal(self, connection: HTTPConnection) -> Response | None:
        client = client_of(connection)
        if wait := self._wrong.wait(client):
            return PlainTextResponse("Too many wrong passwords\n", 429, _retry_after(wait))
        refusal = await super().refusal(connection)
        if refusal and "authorization" in connection.headers:
            self._wrong.take(client)
        return refusal

    async def _is_the_password(self, _: str, password: bytes) -> bool:
        return secrets.compare_digest(_digest(password), self._password)  # both as long, whatever the password


def _digest(password: bytes) -> bytes:
    return hashlib.sha256(password).digest()


def _foreign(request: Request, settings: PageSettings) -> Response | None:
    """Another site must not use a visitor's browser to call; nor one that made its own name point to this machine."""
    if request.headers.get("sec-fetch-site", "same-origin") == "same-origin":
        origin = request.headers.get("origin", "")
        if settings.page_origin and origin == str(settings.page_origin):
            return None
        here = f"{request.url.scheme}://{request.headers.get('host', '')}"
        if origin == here and not (is_loopback(settings.page_host) and not is_loopback(_host(origin))):
            return None
    return _error(
        403,
        "wrong_origin",
        "Calls can only be made from this server's own page. Open it by its usual address "
        "(who runs it: behind a proxy, PAGE_ORIGIN has to be that address).",
    )


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


async def _malformed(request: Request) -> Response | None:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _error(400, "bad_request", "The request has to be JSON (Content-Type: application/json).")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return _error(413, "bad_request", f"The request is longer than {MAX_BODY} bytes.", {"Connection": "close"})
    try:
        is_object = isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        is_object = False
    return None if is_object else _error(400, "bad_request", "The request has to be a JSON object: {}.")


def _retry_after(wait: float) -> dict[str, str]:
    return {"Retry-After": str(math.ceil(wait))}


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)
