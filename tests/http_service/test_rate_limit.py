from __future__ import annotations

import pytest

from http_service.rate_limit import NetworkRateLimiter, RateLimiter


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def count_allowed(limiter: RateLimiter | NetworkRateLimiter, client: str, attempts: int) -> int:
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
    ("first", "second", "are_one_client"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),  # one customer's network
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("", "testclient", False),
    ],
)
def test_one_address_or_ipv6_network_is_one_client(first: str, second: str, are_one_client: bool) -> None:
    limiter = NetworkRateLimiter(2, 1000, clock=Clock())
    assert count_allowed(limiter, first, 3) == 2
    assert count_allowed(limiter, second, 3) == (0 if are_one_client else 2)


@pytest.mark.parametrize(
    ("addresses", "factor"),
    [
        ([f"2001:db8:0:{number:x}::1" for number in range(256)], 4),  # of one /56
        ([f"2001:db8:0:{number:x}::1" for number in range(0, 65536, 64)], 16),  # of one /48
        ([f"2001:db8:{number:x}::1" for number in range(2000)], 64),  # of one /32
        ([f"192.0.2.{number}" for number in range(256)], 8),
        ([f"192.0.{number}.7" for number in range(256)], 64),
    ],
)
def test_many_addresses_of_one_network_have_a_multiple_of_one_clients_limit(addresses: list[str], factor: int) -> None:
    limiter = NetworkRateLimiter(3, 1_000_000, clock=Clock())
    assert sum(count_allowed(limiter, address, 3) for address in addresses) == 3 * factor


def test_all_clients_together_are_limited() -> None:
    limiter = NetworkRateLimiter(5, 12, clock=Clock())
    assert [count_allowed(limiter, f"{number}.0.2.1", 9) for number in range(1, 5)] == [5, 5, 2, 0]
