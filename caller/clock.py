"""The one clock of a call."""

import time


class Clock:
    """Seconds since the call began to join, on the machine's monotonic clock."""

    def __init__(self) -> None:
        self.zero = time.monotonic()
        self.wall_clock_start = time.time()

    def now(self) -> float:
        return time.monotonic() - self.zero
