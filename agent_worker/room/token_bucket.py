"""A token bucket: bound the rate of events, with room for a few at once."""

from __future__ import annotations

import time
from collections.abc import Callable


class TokenBucket:
    """Tells how long each event has to wait.

    Args:
        capacity: How many events may follow each other without a wait, once as much time has passed.
        interval_s: Time after which another event may follow, in seconds.
        clock: Monotonic time in seconds.
    """

    def __init__(self, capacity: int, interval_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst_s = (capacity - 1) * interval_s
        self._interval_s = interval_s
        self._clock = clock
        self._full_at = clock()

    def take(self) -> float:
        """Take a token. Returns the seconds to wait before it may be used."""
        now = self._clock()
        wait_s = max(0.0, self._full_at - self._burst_s - now)
        self._full_at = max(self._full_at, now) + self._interval_s
        return wait_s
