"""The clock of a call."""

import asyncio
import time
from collections.abc import Callable


class Clock:
    """Seconds since the call began to join, on a monotonic clock."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self.zero = monotonic()
        self.wall_clock_start = time.time()

    def now(self) -> float:
        """Return the present instant."""
        return self._monotonic() - self.zero

    async def sleep(self, seconds: float) -> None:
        """Wait on this clock."""
        await asyncio.sleep(seconds)
