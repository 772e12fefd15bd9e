"""HTTP basic auth for Starlette's ``AuthenticationMiddleware``. The caller decides which passwords are right."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Awaitable, Callable

from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, BaseUser, SimpleUser
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response

from http_service.health import HEALTH_PATH
from http_service.rate_limit import RateLimiter, client_address

#: Answers whether a name and a password are right.
Verify = Callable[[str, bytes], Awaitable[bool]]


class TooManyAttemptsError(AuthenticationError):
    """A client has tried too many wrong passwords.

    Attributes:
        retry_after_s: Seconds until the client may try again.
    """

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("Too many wrong passwords")
        self.retry_after_s = retry_after_s


class BasicAuthBackend(AuthenticationBackend):
    """Authenticates requests by name and password. ``/healthz`` is exempt: health checks have no password.

    Args:
        verify: Answers whether a name and a password are right.
        attempts: Limits the wrong passwords of each client, if given.
    """

    def __init__(self, verify: Verify, attempts: RateLimiter | None = None) -> None:
        self._verify = verify
        self._attempts = attempts

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        """Return the user, or None for a path that needs none.

        Raises:
            TooManyAttemptsError: If the client has to wait, whatever it sends.
            AuthenticationError: If credentials are missing or wrong.
        """
        if conn.scope["path"] == HEALTH_PATH:
            return None
        client = client_address(conn)
        if self._attempts is not None and (wait_s := self._attempts.wait_s(client)):
            raise TooManyAttemptsError(wait_s)
        credentials = parse_credentials(conn.headers.get("authorization", ""))
        if credentials is not None and await self._verify(*credentials):
            return AuthCredentials(["authenticated"]), SimpleUser(credentials[0])
        # A browser sends its first request without credentials: that is no attempt.
        if self._attempts is not None and "authorization" in conn.headers:
            self._attempts.record(client)
        raise AuthenticationError("Unauthorized")


def basic_auth_middleware(backend: BasicAuthBackend) -> Middleware:
    """Return the middleware that refuses requests which ``backend`` does not authenticate, with 401 or 429."""
    return Middleware(AuthenticationMiddleware, backend=backend, on_error=_refuse)


def _refuse(_: HTTPConnection, error: AuthenticationError) -> Response:
    if isinstance(error, TooManyAttemptsError):
        return PlainTextResponse(f"{error}\n", 429, {"Retry-After": str(math.ceil(error.retry_after_s))})
    return PlainTextResponse(f"{error}\n", 401, {"WWW-Authenticate": 'Basic realm="agent-worker"'})


def parse_credentials(header: str) -> tuple[str, bytes] | None:
    """Return name and password of an ``Authorization`` header (RFC 7617), or None if it holds none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).partition(b":")
        return (name.decode(), password) if colon else None
    except (binascii.Error, ValueError):
        return None
