"""What is served under which address?"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping

import bcrypt
from prometheus_client.exposition import gzip_accepted
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from agent_metrics.service import Service
from http_service.basic_auth import BasicAuthBackend, basic_auth_middleware

_INDEX = """<!doctype html><html lang="en"><title>agent-metrics</title>
<h1>agent-metrics</h1><p><a href="metrics">Metrics</a> · <a href="healthz">Health</a></p></html>
"""
_STARTING = "starting: what ended processes left is being counted. The metrics are here when they are complete.\n"
_RETRY = {"Retry-After": "1"}
_MAX_VERDICTS = 100


def create_app(service: Service, users: Mapping[str, bytes]) -> Starlette:
    """The web application.

    Args:
        service: Does the work.
        users: Names and bcrypt hashes; if there are none, everybody may look.
    """

    async def index(_: Request) -> Response:
        return HTMLResponse(_INDEX)

    def starting() -> Response:
        paused = service.paused_because
        return PlainTextResponse(_STARTING + (f"folding is paused: {paused}\n" if paused else ""), 503, _RETRY)

    async def health(_: Request) -> Response:
        if not service.is_ready:
            return starting()
        paused = service.paused_because
        return PlainTextResponse(f"ok, but folding is paused: {paused}\n" if paused else "ok\n")

    async def metrics(request: Request) -> Response:
        # Not what is known so far: a counter that is smaller than before has started anew, for Prometheus.
        if not service.is_ready:
            return starting()
        compress = gzip_accepted(request.headers.get("Accept-Encoding", ""))
        page, content_type = await service.scrape(request.headers.get("Accept", ""), compress=compress)
        headers = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding"}
        if compress:
            headers["Content-Encoding"] = "gzip"
        return Response(page, headers=headers)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with service:
            yield

    return Starlette(
        routes=[Route("/", index), Route("/healthz", health), Route("/metrics", metrics)],
        middleware=[basic_auth_middleware(BasicAuthBackend(Passwords(users).is_right))] if users else [],
        lifespan=lifespan,
    )


class Passwords:
    """Judges passwords by their bcrypt hashes.

    bcrypt takes its time, by intention. It has a thread for that, one password at a time, and verdicts are kept.
    """

    def __init__(self, users: Mapping[str, bytes]) -> None:
        self._users = users
        # A name that nobody has takes as long as one with a wrong password.
        self._nobody = next(iter(users.values()))
        self._salt = secrets.token_bytes(16)
        self._verdicts: dict[bytes, bool] = {}
        self._one_at_a_time = asyncio.Lock()

    async def is_right(self, name: str, password: bytes) -> bool:
        question = hashlib.sha256(self._salt + name.encode() + b"\0" + password).digest()
        if question not in self._verdicts:
            async with self._one_at_a_time:
                verdict = await asyncio.to_thread(_matches, password, self._users.get(name, self._nobody))
            if len(self._verdicts) >= _MAX_VERDICTS:
                del self._verdicts[secrets.choice(list(self._verdicts))]
            self._verdicts[question] = verdict and name in self._users
        return self._verdicts[question]


def _matches(password: bytes, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(password, hashed)
    except ValueError:  # longer than bcrypt takes
        return False
