"""The web application of the guard: LiveKit's webhooks, the metrics, health."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

from livekit import api
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from agent_metrics.compat.prometheus import choose_page_encoder
from call_guard.metrics import GuardMetrics, WebhookResult
from http_service.health import HEALTH_PATH, answer_ok

WEBHOOK_PATH: Final = "/webhook"
#: A webhook has a room, a participant and its tracks; room metadata of 64 KB, in JSON.
MAX_BODY_BYTES = 512 * 1024
#: What may leave a caller without an agent, or with two.
_EVENTS: Final = {"room_started", "participant_joined", "participant_left", "participant_connection_aborted"}

_logger = logging.getLogger(__name__)


def create_app(
    receiver: api.WebhookReceiver,
    on_change: Callable[[str], None],
    metrics: GuardMetrics,
    running: Callable[[], AbstractAsyncContextManager[object]] = contextlib.nullcontext,
) -> Starlette:
    """Return the web application.

    Args:
        receiver: Checks the signature of webhooks.
        on_change: Gets the name of a room in which something has changed.
        metrics: Served, and counts the webhooks.
        running: What runs as long as the application does.
    """

    async def webhook(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return _answer(metrics, "refused", 413, f"more than {MAX_BODY_BYTES} bytes\n")
        try:
            event = receiver.receive(body, request.headers.get("authorization", ""))
        except Exception:  # a bad token, a wrong hash or no JSON; each library raises what it likes
            _logger.warning("a webhook was refused: its signature is not of LIVEKIT_API_KEY and LIVEKIT_API_SECRET")
            return _answer(metrics, "refused", 401, "signature of LiveKit needed\n")
        if event.event not in _EVENTS or not event.room.name:
            return _answer(metrics, "ignored")
        on_change(event.room.name)
        return _answer(metrics, "used")

    async def serve_metrics(request: Request) -> Response:
        encode, content_type = choose_page_encoder(request.headers.get("accept", ""))
        return Response(encode(metrics.registry), headers={"Content-Type": content_type})

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with running():
            yield

    return Starlette(
        routes=[
            Route(HEALTH_PATH, answer_ok),
            Route("/metrics", serve_metrics),
            Route(WEBHOOK_PATH, webhook, methods=["POST"]),
        ],
        lifespan=lifespan,
    )


async def _body(request: Request) -> str | None:
    """Return the body, or ``None`` if it is too long."""
    body = b""
    with contextlib.suppress(ClientDisconnect):
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return None
    return body.decode(errors="replace")


def _answer(metrics: GuardMetrics, result: WebhookResult, status: int = 200, text: str = "ok\n") -> Response:
    metrics.webhooks.labels(result).inc()
    return PlainTextResponse(text, status)
