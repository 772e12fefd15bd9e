"""Rate limit per client: a burst of requests at once, then one in each interval."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import HTTPConnection

_IPV6_CUSTOMER_PREFIX_BITS = 64


class RateLimiter:
    """Generic cell rate algorithm (GCRA): ``per_minute`` events at once, then one every ``60 / per_minute`` seconds.

    Per client it keeps one number: the time until which its events so far are spread out at the allowed rate.

    Args:
        per_minute: Allowed events of one client.
        max_clients: Size of the table; the client with the oldest last event is forgotten first.
        clock: Returns a monotonic time in seconds.
    """

    def __init__(self, per_minute: int, max_clients: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s = 60 / per_minute
        self._burst_s = 60 - self._interval_s
        self._max_clients = max_clients
        self._clock = clock
        self._spread_until: OrderedDict[str, float] = OrderedDict()

    def wait_s(self, client: str) -> float:
        """Return the seconds until the client's next event is allowed; 0 if it is allowed now."""
        return max(self._spread_until.get(client, 0) - self._burst_s - self._clock(), 0)

    def record(self, client: str) -> None:
        """Count one event of the client."""
        self._spread_until[client] = max(self._spread_until.get(client, 0), self._clock()) + self._interval_s
        self._spread_until.move_to_end(client)
        if len(self._spread_until) > self._max_clients:
            self._spread_until.popitem(last=False)

    @property
    def client_count(self) -> int:
        """The number of clients in the table."""
        return len(self._spread_until)


def client_address(connection: HTTPConnection) -> str:
    """Return the client's IP address; of IPv6 its /64 network, since one customer has all addresses of it."""
    host = connection.client.host if connection.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and not address.ipv4_mapped:
        return str(ipaddress.ip_network((address, _IPV6_CUSTOMER_PREFIX_BITS), strict=False))
    return str(address)
