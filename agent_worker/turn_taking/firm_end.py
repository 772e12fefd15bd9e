"""Decide when the end of the caller's turn is firm: then the model's tools may act."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable


class FirmEnd:
    """Follow the caller's last sound and last words.

    The reply is prepared, and often begins, before it is certain that the caller has finished. It can be taken back;
    what a tool has done cannot.

    Args:
        delay_s: The end is firm after so many seconds without a sound or word of the caller.
        clock: Monotonic time in seconds.
        sleep: Waits for some seconds.
    """

    def __init__(
        self, delay_s: float, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._delay_s = delay_s
        self._clock = clock
        self._sleep = sleep
        self._last_activity = -math.inf
        self._silent = asyncio.Event()
        self._silent.set()

    def on_voice_start(self) -> None:
        """The caller is heard."""
        self._silent.clear()

    def on_voice_end(self, end: float) -> None:
        """The caller's sound has ended."""
        self._last_activity = max(self._last_activity, end)
        self._silent.set()

    def on_words(self) -> None:
        """Words of the caller have arrived."""
        self._last_activity = self._clock()

    async def wait(self) -> None:
        """Return when the end of the turn is firm."""
        while True:
            await self._silent.wait()
            left_s = self._last_activity + self._delay_s - self._clock()
            if left_s <= 0:
                return
            await self._sleep(left_s)
