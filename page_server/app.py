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

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from agent_worker.core.settings import StrategyName
from http_service.basic_auth import BasicAuthBackend, Verify, basic_auth_middleware
from http_service.health import HEALTH_PATH, answer_ok
from http_service.networks import client_address
from http_service.rate_limit import NetworkRateLimiter
from http_service.worker_slots import WorkerAddresses, WorkerSlots
from page_server.audit import Audit
from page_server.headers import SecurityHeaders
from page_server.metrics import PageMetrics, RefusalReason
from page_server.open_calls import OpenCalls
from page_server.origin import OwnAddress
from page_server.rooms import LiveKitRooms, Rooms, RoomsUnavailableError
from page_server.sessions import Session, create_session, new_room_name
from page_server.settings import PageSettings

MAX_BODY_BYTES = 1024
WRONG_PASSWORDS_PER_MINUTE = 10
TOTAL_WRONG_PASSWORDS_PER_MINUTE = 1000
_OPEN_CALLS_RETRY_S = 30
_UNAVAILABLE_RETRY_S = 5
_BUSY_RETRY_S = 10
_MIN_GZIP_BYTES = 2048


def create_app(
    settings: PageSettings,
    rooms: Rooms | None = None,
    clock: Callable[[], float] = time.monotonic,
    slots: WorkerSlots | None = None,
    metrics: PageMetrics | None = None,
) -> Starlette:
    """Return the web application of the page server.

    Args:
        settings: The settings of the page server.
        rooms: Creates the rooms of calls. By default those of the LiveKit server in the settings.
        clock: Returns a monotonic time in seconds, for the rate limits.
        slots: The workers' free slots. By default those of ``WORKER_URLS``.
        metrics: Counts sessions and refusals.
    """
    if slots is None and settings.worker_urls:
        slots = WorkerSlots(WorkerAddresses(settings.worker_urls), settings.agent_name)
    own_address = OwnAddress(settings)
    audit = Audit(metrics or PageMetrics(), clock)
    calls = _Calls(settings, rooms or LiveKitRooms(settings), clock, slots, audit)

    async def config(_: Request) -> Response:
        return JSONResponse({"strategies": get_args(StrategyName), "text_input": True})

    async def session(request: Request) -> Response:
        if not own_address.is_own_origin(request):
            response: Response = _refuse_address()
        else:
            response = await _refuse_bad_body(request) or await calls.start(client_address(request))
        if isinstance(response, _Refusal):
            audit.refused(response.reason)
        return response

    return Starlette(
        routes=[
            Route(HEALTH_PATH, answer_ok),
            Route("/api/config", config),
            Route("/api/session", session, methods=["POST"]),
            Mount("/", StaticFiles(directory=settings.folder, html=True)),
        ],
        middleware=_middleware(settings, own_address, clock, audit),
    )


class _Calls:
    """Starts calls, within the limits of the client's address, of its networks and of all clients."""

    def __init__(
        self,
        settings: PageSettings,
        rooms: Rooms,
        clock: Callable[[], float],
        slots: WorkerSlots | None,
        audit: Audit,
    ) -> None:
        self._settings = settings
        self._rooms = rooms
        self._slots = slots
        self._audit = audit
        per_minute, total_per_minute = settings.page_calls_per_minute, settings.page_total_calls_per_minute
        self._starts = NetworkRateLimiter(per_minute, max(per_minute, total_per_minute), clock)
        self._open = OpenCalls(rooms, settings.page_open_calls)

    async def start(self, address: str) -> Response:
        """Return a new session, or the reason why there is none."""
        if wait_s := self._starts.wait_s(address):
            message = "Too many calls from your address. Wait a minute and try again."
            return _Refusal(429, "rate_limited", message, {"Retry-After": str(math.ceil(wait_s))})
        self._starts.record(address)
        if self._slots and not await self._slots.take(self._settings.page_reserved_slots):
            message = "All lines are busy. Try again in a moment."
            return _Refusal(503, "all_lines_busy", message, {"Retry-After": str(_BUSY_RETRY_S)})
        try:
            session = await self._create_session(address)
        except RoomsUnavailableError:
            message = "The voice server does not answer. Try again in a moment."
            return _Refusal(503, "rooms_unavailable", message, {"Retry-After": str(_UNAVAILABLE_RETRY_S)})
        if session is None:
            message = "Too many calls from your address are open. Wait until one has ended and try again."
            return _Refusal(429, "too_many_open_calls", message, {"Retry-After": str(_OPEN_CALLS_RETRY_S)})
        self._audit.granted(session.room)
        return JSONResponse(dataclasses.asdict(session))

    async def _create_session(self, address: str) -> Session | None:
        room = new_room_name()
        if not await self._open.reserve(address, room):
            return None
        try:
            await self._rooms.create(room)
        except RoomsUnavailableError:
            self._open.forget(address, room)
            raise
        finally:
            self._open.created(room)
        return create_session(self._settings, room)


def _middleware(
    settings: PageSettings, own_address: OwnAddress, clock: Callable[[], float], audit: Audit
) -> list[Middleware]:
    """Return the middleware, outermost first: a refused request gets the security headers as well."""
    is_https = str(settings.page_origin).startswith("https:")
    middleware = [
        Middleware(SecurityHeaders, livekit_url=settings.browser_livekit_url, is_https=is_https),
        Middleware(_HostCheck, own_address=own_address, audit=audit),
    ]
    if settings.page_password:
        verify = _verify_password(settings.page_password.get_secret_value(), audit)
        failures = NetworkRateLimiter(WRONG_PASSWORDS_PER_MINUTE, TOTAL_WRONG_PASSWORDS_PER_MINUTE, clock)
        middleware.append(basic_auth_middleware(BasicAuthBackend(verify, failures)))
    return [*middleware, Middleware(GZipMiddleware, minimum_size=_MIN_GZIP_BYTES)]


class _HostCheck:
    """ASGI middleware that refuses requests for another host, except those of health checks."""

    def __init__(self, app: ASGIApp, own_address: OwnAddress, audit: Audit) -> None:
        self._app = app
        self._own_address = own_address
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, or answer 403."""
        is_checked = scope["type"] == "http" and scope["path"] != HEALTH_PATH
        if is_checked and not self._own_address.is_own_host(Request(scope)):
            self._audit.refused("wrong_origin")
            await _refuse_address()(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _verify_password(expected: str, audit: Audit) -> Verify:
    """Return a check for one password, under any name, whose duration does not depend on the password."""

    def digest(password: bytes) -> bytes:
        return hashlib.sha256(password).digest()

    expected_digest = digest(expected.encode())

    async def verify(_: str, password: bytes) -> bool:
        is_right = secrets.compare_digest(digest(password), expected_digest)
        if not is_right:
            audit.refused("wrong_password")
        return is_right

    return verify


class _Refusal(JSONResponse):
    """An error response.

    Attributes:
        reason: Its code.
    """

    def __init__(
        self, status: int, reason: RefusalReason, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__({"error": {"code": reason, "message": message}}, status, headers)
        self.reason = reason


def _refuse_address() -> Response:
    return _Refusal(
        403,
        "wrong_origin",
        "This page can only be used at its own address. Open it by its usual address. "
        "(Operator: if this is it, set PAGE_ORIGIN to this address.)",
    )


async def _refuse_bad_body(request: Request) -> Response | None:
    """Refuse a body that is not a small JSON object. A form of another site cannot send JSON."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _Refusal(400, "bad_request", "The request has to be JSON (Content-Type: application/json).")
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                message = f"The request is longer than {MAX_BODY_BYTES} bytes."
                return _Refusal(413, "bad_request", message, {"Connection": "close"})
    except ClientDisconnect:
        return _Refusal(400, "bad_request", "The request is incomplete.")  # to nobody
    if _is_json_object(body):
        return None
    return _Refusal(400, "bad_request", "The request has to be a JSON object: {}.")


def _is_json_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False
