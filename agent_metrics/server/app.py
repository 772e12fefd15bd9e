"""The web application of agent-metrics: ``/metrics``, ``/healthz`` and an index page."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from agent_metrics.compat.prometheus import is_gzip_accepted
from agent_metrics.server.passwords import PasswordVerifier
from agent_metrics.server.service import Service
from agent_metrics.storage.trusted import UntrustedError
from http_service.basic_auth import BasicAuthBackend, basic_auth_middleware
from http_service.health import HEALTH_PATH

_INDEX = """<!doctype html><html lang="en"><title>agent-metrics</title>
<h1>agent-metrics</h1><p><a href="metrics">Metrics</a> · <a href="healthz">Health</a></p></html>
"""
_STARTING = "starting: what ended processes left is being counted. The metrics are here when they are complete.\n"
_RETRY_AFTER = {"Retry-After": "1"}


def create_app(service: Service, users: Mapping[str, bytes]) -> Starlette:
    """Return the web application.

    Args:
        service: Scrapes and compacts; the application runs it.
        users: bcrypt hashes of passwords by user name; if empty, no password is required.
    """

    async def index(_: Request) -> Response:
        return HTMLResponse(_INDEX)

    async def health(_: Request) -> Response:
        if service.refusal is not None:
            return _refused(service.refusal)
        if not service.is_ready:
            return _starting(service)
        return PlainTextResponse(f"ok, but {_pause_line(service)}" if service.pause_reason else "ok\n")

    async def metrics(request: Request) -> Response:
        # No partial result: Prometheus takes a counter that is smaller than before for a restart.
        if not service.is_ready:
            return _starting(service)
        compress = is_gzip_accepted(request.headers.get("Accept-Encoding", ""))
        try:
            page, content_type = await service.scrape(request.headers.get("Accept", ""), compress=compress)
        except UntrustedError as error:
            return _refused(str(error))
        headers = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding"}
        if compress:
            headers["Content-Encoding"] = "gzip"
        return Response(page, headers=headers)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with service:
            yield

    return Starlette(
        routes=[Route("/", index), Route(HEALTH_PATH, health), Route("/metrics", metrics)],
        middleware=_middleware(users),
        lifespan=lifespan,
    )


def _middleware(users: Mapping[str, bytes]) -> list[Middleware]:
    return [basic_auth_middleware(BasicAuthBackend(PasswordVerifier(users).verify))] if users else []


def _starting(service: Service) -> Response:
    return PlainTextResponse(_STARTING + _pause_line(service), 503, _RETRY_AFTER)


def _refused(reason: str) -> Response:
    return PlainTextResponse(f"nothing is served: {reason}\n", 503)


def _pause_line(service: Service) -> str:
    return f"compaction is paused: {service.pause_reason}\n" if service.pause_reason else ""
