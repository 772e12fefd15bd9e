"""Passwords of the web config: checked against bcrypt hashes, in a thread, with a cache."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Mapping

import bcrypt

from http_service.basic_auth import TooManyAttemptsError

_MAX_CACHED_RESULTS = 100
#: Passwords that wait for their check. A check takes about 0.1 s: more would only delay a right one.
_MAX_WAITING = 20
_RETRY_AFTER_S = 2.0


class PasswordVerifier:
    """Checks passwords against bcrypt hashes.

    bcrypt is slow by design: it runs in a thread, one password at a time, and results are cached, right ones apart from
    wrong ones. So who has scraped once does not wait, and is not locked out, while someone else guesses.

    Args:
        hashes: bcrypt hashes by user name; at least one.
        check: Returns whether a password matches a hash. It may block.
    """

    def __init__(self, hashes: Mapping[str, bytes], check: Callable[[bytes, bytes], bool] | None = None) -> None:
        self._hashes = hashes
        self._check = check or _matches
        # An unknown name takes as long as a wrong password.
        self._hash_for_unknown_names = next(iter(hashes.values()))
        self._salt = secrets.token_bytes(16)
        self._right: set[bytes] = set()
        self._wrong: set[bytes] = set()
        self._waiting = 0
        self._one_at_a_time = asyncio.Lock()

    async def verify(self, name: str, password: bytes) -> bool:
        """Return whether the password is the user's.

        Raises:
            TooManyAttemptsError: If too many passwords wait to be checked.
        """
        cache_key = hashlib.sha256(self._salt + name.encode() + b"\0" + password).digest()
        if cache_key in self._right:
            return True
        if cache_key in self._wrong:
            return False
        if self._waiting >= _MAX_WAITING:
            raise TooManyAttemptsError(_RETRY_AFTER_S)
        self._waiting += 1
        try:
            hashed = self._hashes.get(name, self._hash_for_unknown_names)
            async with self._one_at_a_time:
                is_match = await asyncio.to_thread(self._check, password, hashed)
        finally:
            self._waiting -= 1
        is_right = is_match and name in self._hashes
        results = self._right if is_right else self._wrong
        if len(results) >= _MAX_CACHED_RESULTS:
            results.remove(secrets.choice(list(results)))
        results.add(cache_key)
        return is_right


def _matches(password: bytes, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(password, hashed)
    except ValueError:  # longer than bcrypt accepts
        return False
