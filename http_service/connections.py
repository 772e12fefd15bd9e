"""Limits of connections: how many a client may have, and how long it may take over a request.

uvicorn limits how many connections there are (``limit_concurrency``) and how long one may idle after a response, but
not how long it may idle before its first request. So one client could take all connections and keep them.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Iterable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from http_service.networks import networks

#: From the connection, or the first byte after a response, to the end of a request's headers.
HEADERS_TIMEOUT_S = 10.0
#: From there to the end of the response. The page's largest file is 1 MB: at 8 KB/s it takes as long.
REQUEST_TIMEOUT_S = 120.0
_MAX_CONNECTIONS = 500
_SHUTDOWN_TIMEOUT_S = 1


class ConnectionLimit:
    """Counts the open connections of each client address and of its networks.

    Args:
        max_per_client: Connections of an IPv4 address or IPv6 /64; for larger networks see
            :mod:`http_service.networks`.
        exempt: Networks without a limit, such as those of proxies, whose connections are those of many clients.
    """

    def __init__(self, max_per_client: int, exempt: Iterable[str] = ()) -> None:
        self._max_per_client = max_per_client
        self._exempt = [ipaddress.ip_network(one) for one in exempt]
        self._open: Counter[str] = Counter()

    def acquire(self, address: str) -> bool:
        """Count a new connection; return False if the client has too many."""
        if self._is_exempt(address):
            return True
        own = networks(address)
        if any(self._open[network] >= self._max_per_client * factor for network, factor in own):
            return False
        self._open.update(network for network, _ in own)
        return True

    def release(self, address: str) -> None:
        """Count the end of a connection that :meth:`acquire` has counted."""
        if self._is_exempt(address):
            return
        for network, _ in networks(address):
            self._open[network] -= 1
            if not self._open[network]:
                del self._open[network]

    def _is_exempt(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._exempt)


class LimitedProtocol(H11Protocol):
    """uvicorn's HTTP protocol with a :class:`ConnectionLimit` and timeouts. Use :func:`limited_protocol`."""

    limit: ConnectionLimit
    headers_timeout_s: float
    request_timeout_s: float

    _address: str | None = None
    _timer: asyncio.TimerHandle | None = None
    _timed: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, or close it if its client has too many."""
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        if not self.limit.acquire(address):
            transport.abort()
            return
        self._address = address
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Handle data, and watch what it begins or continues."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Stop the timer of the request; uvicorn's own closes an idle connection."""
        super().on_response_complete()
        self._stop_timer()
        if not self.cycle.response_complete:  # the next request was there already
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Release the connection."""
        super().connection_lost(exc)
        self._stop_timer()
        if self._address is not None:
            self.limit.release(self._address)
            self._address = None

    def _should_upgrade_to_ws(self) -> bool:
        return False  # another protocol would take the connection, and not release it

    def _watch(self) -> None:
        """Start the timer of what the connection is in: headers, or a request. It goes on if it runs already."""
        in_request = self.cycle is not None and not self.cycle.response_complete
        current = self.cycle if in_request else None
        if self._timer is not None and self._timed is current:
            return
        self._stop_timer()
        self._timed = current
        timeout_s = self.request_timeout_s if in_request else self.headers_timeout_s
        self._timer = self.loop.call_later(timeout_s, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def limited_protocol(
    limit: ConnectionLimit,
    headers_timeout_s: float = HEADERS_TIMEOUT_S,
    request_timeout_s: float = REQUEST_TIMEOUT_S,
) -> type[asyncio.Protocol]:
    """Return the protocol for uvicorn's ``http`` option.

    Args:
        limit: Of the connections of each client.
        headers_timeout_s: From the connection, or the first byte after a response, to the end of a request's headers.
        request_timeout_s: From the end of the headers to the end of the response.
    """
    attributes = {
        "limit": limit,
        "headers_timeout_s": headers_timeout_s,
        "request_timeout_s": request_timeout_s,
        "__doc__": LimitedProtocol.__doc__,
    }
    return type("LimitedProtocol", (LimitedProtocol,), attributes)


def limited_config(app: Any, max_per_client: int, exempt: Iterable[str] = (), **options: Any) -> uvicorn.Config:
    """Return the configuration of a uvicorn server whose connections are limited, and whose log has warnings only.

    Args:
        app: The ASGI application.
        max_per_client: See :class:`ConnectionLimit`.
        exempt: See :class:`ConnectionLimit`.
        options: More options of uvicorn.
    """
    return uvicorn.Config(
        app,
        http=limited_protocol(ConnectionLimit(max_per_client, exempt)),
        log_level="warning",
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=_SHUTDOWN_TIMEOUT_S,
        **options,
    )
