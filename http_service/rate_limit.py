"""Rate limits: of one client, of its networks, and of all clients."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from http_service.networks import networks

_ALL_CLIENTS = "all"


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


class NetworkRateLimiter:
    """Limits the events of each client, of each of its networks (see :mod:`http_service.networks`), and of all.

    Args:
        per_minute: Allowed events of one client: an IPv4 address, or an IPv6 /64.
        total_per_minute: Allowed events of all clients.
        clock: Returns a monotonic time in seconds.
    """

    def __init__(self, per_minute: int, total_per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._total = RateLimiter(total_per_minute, clock=clock)
        self._by_factor: dict[int, RateLimiter] = {}

    def wait_s(self, address: str) -> float:
        """Return the seconds until the next event of the address is allowed; 0 if it is allowed now."""
        waits = [self._limiter(factor).wait_s(network) for network, factor in networks(address)]
        return max(*waits, self._total.wait_s(_ALL_CLIENTS))

    def record(self, address: str) -> None:
        """Count one event of the address."""
        for network, factor in networks(address):
            self._limiter(factor).record(network)
        self._total.record(_ALL_CLIENTS)

    def _limiter(self, factor: int) -> RateLimiter:
        if factor not in self._by_factor:
            self._by_factor[factor] = RateLimiter(self._per_minute * factor, clock=self._clock)
        return self._by_factor[factor]
