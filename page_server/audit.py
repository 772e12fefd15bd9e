"""The audit log: which sessions were granted, which requests were refused and why. It has no addresses."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable

from page_server.metrics import PageMetrics, RefusalReason

#: Refusals for the same reason share a line for so long: nobody can fill the log with them.
_REPEAT_S = 60.0

_logger = logging.getLogger(__name__)


class Audit:
    """Counts and logs what becomes of requests.

    Args:
        metrics: Counts them.
        clock: Returns a monotonic time in seconds.
    """

    def __init__(self, metrics: PageMetrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._clock = clock
        self._logged_at: dict[RefusalReason, float] = {}
        self._unlogged: Counter[RefusalReason] = Counter()

    def granted(self, room: str) -> None:
        """Note a session; its room is the call ID that the page shows and the worker logs."""
        self._metrics.sessions.inc()
        _logger.info("session granted: %s", room)

    def refused(self, reason: RefusalReason) -> None:
        """Note a request that is refused."""
        self._metrics.refusals.labels(reason).inc()
        now = self._clock()
        if reason in self._logged_at and now - self._logged_at[reason] < _REPEAT_S:
            self._unlogged[reason] += 1
            return
        self._logged_at[reason] = now
        more = self._unlogged.pop(reason, 0)
        _logger.info("request refused: %s%s", reason, f", and {more} times since the last such line" if more else "")
