from __future__ import annotations

import pytest
from starlette.requests import HTTPConnection

from page_server.limiter import Limiter, client_of


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def take(limiter: Limiter, client: str, times: int) -> int:
    """How many of so many tries were allowed."""
    allowed = 0
    for _ in range(times):
        if not limiter.wait(client):
            limiter.take(client)
            allowed += 1
    return allowed


def test_so_many_at_once_and_then_one_in_each_interval() -> None:
    clock = Clock()
    limiter = Limiter(6, clock=clock)
    assert take(limiter, "a", 100) == 6
    assert limiter.wait("a") == pytest.approx(10)
    assert take(limiter, "b", 1) == 1
    clock.now += 10
    assert take(limiter, "a", 100) == 1
    clock.now += 3600
    assert take(limiter, "a", 100) == 6


def test_table_holds_so_many_clients_and_forgets_who_did_least_lately() -> None:
    clock = Clock()
    limiter = Limiter(1, size=3, clock=clock)
    for client in "abcad":
        limiter.take(client)
        clock.now += 1
    assert [client for client in "abcd" if limiter.wait(client)] == ["a", "c", "d"]
    for number in range(10_000):
        limiter.take(str(number))
    assert len(limiter._spread_until) == 3


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),  # one customer's network
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("", "testclient", False),
    ],
)
def test_who_is_the_same_client(one: str, other: str, same: bool) -> None:
    def client(host: str) -> str:
        return client_of(HTTPConnection({"type": "http", "headers": [], "client": (host, 1)}))

    assert (client(one) == client(other)) is same
