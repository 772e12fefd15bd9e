from __future__ import annotations

import asyncio
import threading

import pytest

from agent_metrics.server.passwords import PasswordVerifier
from http_service.basic_auth import TooManyAttemptsError
from tests.waiting import until

RIGHT = b"the right password"
HASHES = {"prometheus": RIGHT}


class BlockedCheck:
    """Compares without a hash, once it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.released.set()

    def __call__(self, password: bytes, hashed: bytes) -> bool:
        self.released.wait()
        return password == hashed


async def test_password_that_was_right_before_passes_while_others_guess() -> None:
    check = BlockedCheck()
    verifier = PasswordVerifier(HASHES, check)
    assert await verifier.verify("prometheus", RIGHT)
    check.released.clear()
    guesses = [asyncio.create_task(verifier.verify("prometheus", b"guess %d" % number)) for number in range(50)]
    try:
        await until(lambda: sum(guess.done() for guess in guesses) == 30)
        assert await verifier.verify("prometheus", RIGHT)
    finally:
        check.released.set()
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert results.count(False) == 20
    assert sum(isinstance(result, TooManyAttemptsError) for result in results) == 30


async def test_wrong_passwords_do_not_push_out_a_right_one() -> None:
    checked: list[bytes] = []

    def check(password: bytes, hashed: bytes) -> bool:
        checked.append(password)
        return password == hashed

    verifier = PasswordVerifier(HASHES, check)
    assert await verifier.verify("prometheus", RIGHT)
    for number in range(1_000):
        assert not await verifier.verify("prometheus", b"guess %d" % number)
    assert await verifier.verify("prometheus", RIGHT)
    assert checked.count(RIGHT) == 1


@pytest.mark.parametrize(("name", "password"), [("unknown", RIGHT), ("prometheus", b""), ("", RIGHT)])
async def test_wrong_name_or_password_is_wrong_each_time(name: str, password: bytes) -> None:
    verifier = PasswordVerifier(HASHES, BlockedCheck())
    for _ in range(3):
        assert not await verifier.verify(name, password)
