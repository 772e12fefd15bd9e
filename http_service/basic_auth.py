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
from http_service.networks import client_address
from http_service.rate_limit import NetworkRateLimiter

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

    A right password always passes, however many wrong ones came from the same address: otherwise one client could lock
    out all others behind its proxy. So the limit of wrong passwords does not stop a guess that is right: only a long
    password does.

    Args:
        verify: Answers whether a name and a password are right.
        failures: Limits the wrong passwords that are answered as such, if given.
    """

    def __init__(self, verify: Verify, failures: NetworkRateLimiter | None = None) -> None:
        self._verify = verify
        self._failures = failures

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        """Return the user, or None for a path that needs none.

        Raises:
            TooManyAttemptsError: If the password is wrong, as too many before it.
            AuthenticationError: If credentials are missing or wrong.
        """
        if conn.scope["path"] == HEALTH_PATH:
            return None
        credentials = parse_credentials(conn.headers.get("authorization", ""))
        if credentials is not None and await self._verify(*credentials):
            return AuthCredentials(["authenticated"]), SimpleUser(credentials[0])
        # A browser sends its first request without credentials: that is no attempt.
        if "authorization" in conn.headers:
            self._count_failure(client_address(conn))
        raise AuthenticationError("Unauthorized")

    def _count_failure(self, address: str) -> None:
        if self._failures is None:
            return
        if wait_s := self._failures.wait_s(address):
            raise TooManyAttemptsError(wait_s)
        self._failures.record(address)


def basic_auth_middleware(backend: BasicAuthBackend) -> Middleware:
    """Return the middleware that refuses requests which ``backend`` does not authenticate, with 401 or 429."""
    return Middleware(AuthenticationMiddleware, backend=backend, on_error=_refuse)


def _refuse(_: HTTPConnection, error: AuthenticationError) -> Response:
    if isinstance(error, TooManyAttemptsError):
        headers = {"Retry-After": str(math.ceil(error.retry_after_s)), "Connection": "close"}
        return PlainTextResponse(f"{error}\n", 429, headers)
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
