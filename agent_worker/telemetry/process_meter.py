"""Measure what a call needs of its machine: CPU time, and how late its event loop is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from agent_worker.telemetry import metrics

_INTERVAL_S = 1.0


async def measure_process(
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
    cpu_time: Callable[[], float] = time.process_time,
) -> None:
    """Add the process's CPU time and the lag of its event loop to the metrics, once a second until cancelled.

    Args:
        sleep: Waits for a number of seconds.
        clock: Seconds of a clock that only goes forward.
        cpu_time: CPU time of the process so far, all its threads, in seconds.
    """
    counted = cpu_time()
    try:
        while True:
            due = clock() + _INTERVAL_S
            await sleep(_INTERVAL_S)
            metrics.EVENT_LOOP_LAG.observe(max(clock() - due, 0.0))
            now = cpu_time()
            metrics.CALL_CPU.inc(max(now - counted, 0.0))
            counted = now
    finally:
        metrics.CALL_CPU.inc(max(cpu_time() - counted, 0.0))
