"""Passwords of the web config: checked against bcrypt hashes, in a thread, with a cache."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Mapping

import bcrypt

_MAX_CACHED_RESULTS = 100


class PasswordVerifier:
    """Checks passwords against bcrypt hashes.

    bcrypt is slow by design: it runs in a thread, one password at a time, and results are cached.

    Args:
        hashes: bcrypt hashes by user name; at least one.
    """

    def __init__(self, hashes: Mapping[str, bytes]) -> None:
        self._hashes = hashes
        # An unknown name takes as long as a wrong password.
        self._hash_for_unknown_names = next(iter(hashes.values()))
        self._salt = secrets.token_bytes(16)
        self._results: dict[bytes, bool] = {}
        self._one_at_a_time = asyncio.Lock()

    async def verify(self, name: str, password: bytes) -> bool:
        """Return whether the password is the user's."""
        cache_key = hashlib.sha256(self._salt + name.encode() + b"\0" + password).digest()
        if cache_key not in self._results:
            hashed = self._hashes.get(name, self._hash_for_unknown_names)
            async with self._one_at_a_time:
                is_match = await asyncio.to_thread(_matches, password, hashed)
            if len(self._results) >= _MAX_CACHED_RESULTS:
                del self._results[secrets.choice(list(self._results))]
            self._results[cache_key] = is_match and name in self._hashes
        return self._results[cache_key]


def _matches(password: bytes, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(password, hashed)
    except ValueError:  # longer than bcrypt accepts
        return False
