"""The health endpoint: its path, and the answer of a service that is healthy as soon as it answers."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

HEALTH_PATH = "/healthz"


async def answer_ok(_: Request) -> Response:
    """Answer 200: a service that can answer at all is healthy."""
    return PlainTextResponse("ok\n")
