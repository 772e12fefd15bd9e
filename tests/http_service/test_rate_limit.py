from __future__ import annotations

import pytest
from starlette.requests import HTTPConnection

from http_service.rate_limit import RateLimiter, client_address


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def count_allowed(limiter: RateLimiter, client: str, attempts: int) -> int:
    allowed = 0
    for _ in range(attempts):
        if not limiter.wait_s(client):
            limiter.record(client)
            allowed += 1
    return allowed


def test_a_burst_is_allowed_and_then_one_event_per_interval() -> None:
    clock = Clock()
    limiter = RateLimiter(6, clock=clock)
    assert count_allowed(limiter, "a", 100) == 6
    assert limiter.wait_s("a") == pytest.approx(10)
    assert count_allowed(limiter, "b", 1) == 1
    clock.now += 10
    assert count_allowed(limiter, "a", 100) == 1
    clock.now += 3600
    assert count_allowed(limiter, "a", 100) == 6


def test_a_full_table_forgets_the_client_with_the_oldest_last_event() -> None:
    clock = Clock()
    limiter = RateLimiter(1, max_clients=3, clock=clock)
    for client in "abcad":
        limiter.record(client)
        clock.now += 1
    assert [client for client in "abcd" if limiter.wait_s(client)] == ["a", "c", "d"]
    for number in range(1000):
        limiter.record(str(number))
    assert limiter.client_count == 3


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),  # one customer's network
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("", "testclient", False),
    ],
)
def test_addresses_of_one_ipv6_network_are_one_client(first: str, second: str, same: bool) -> None:
    def client(host: str) -> str:
        return client_address(HTTPConnection({"type": "http", "headers": [], "client": (host, 1)}))

    assert (client(first) == client(second)) is same
