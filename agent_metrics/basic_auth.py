"""Basic auth for our HTTP services: who has no right password is refused, whatever judges the password."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send


class BasicAuth:
    """Lets in whose name and password are right. ``/healthz`` is for everybody: health checks have no passwords."""

    def __init__(self, app: ASGIApp, is_right: Callable[[str, bytes], Awaitable[bool]]) -> None:
        self._app = app
        self._is_right = is_right

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/healthz":
            refusal = await self.refusal(HTTPConnection(scope))
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def refusal(self, connection: HTTPConnection) -> Response | None:
        """What to answer instead, or ``None`` to let it pass."""
        given = credentials(connection.headers.get("authorization", ""))
        if given is not None and await self._is_right(*given):
            return None
        return PlainTextResponse("Unauthorized\n", 401, {"WWW-Authenticate": 'Basic realm="agent-worker"'})


def credentials(header: str) -> tuple[str, bytes] | None:
    """Name and password of an ``Authorization`` header, if it has them."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).partition(b":")
        return (name.decode(), password) if colon else None
    except (binascii.Error, ValueError):
        return None
