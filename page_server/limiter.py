"""How often may one client do something?"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import HTTPConnection


class Limiter:
    """So many at once for each client, then one in every ``60 / per_minute`` seconds.

    A client needs one number: until when what it took so far has been spread out at the allowed rate (GCRA). The table
    holds ``size`` clients at most; those who did least lately are forgotten first.
    """

    def __init__(self, per_minute: int, size: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 60 / per_minute
        self._burst = 60 - self._interval
        self._size = size
        self._clock = clock
        self._spread_until: OrderedDict[str, float] = OrderedDict()

    def wait(self, client: str) -> float:
        """Seconds until the client may do it again; 0 if it may now."""
        return max(self._spread_until.get(client, 0) - self._burst - self._clock(), 0)

    def take(self, client: str) -> None:
        """The client did it."""
        self._spread_until[client] = max(self._spread_until.get(client, 0), self._clock()) + self._interval
        self._spread_until.move_to_end(client)
        if len(self._spread_until) > self._size:
            self._spread_until.popitem(last=False)


def client_of(connection: HTTPConnection) -> str:
    """The address it comes from; of IPv6 the network, as one customer has 2^64 addresses in it."""
    host = connection.client.host if connection.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and not address.ipv4_mapped:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
