"""Run a session on a clock that jumps: its time passes only when nothing is left to do, and threads take none.

So a call of many seconds is computed in a moment, and how busy the machine is does not change what happens in it.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar
from unittest import mock

T = TypeVar("T")

_EPOCH_S = 1_700_000_000.0
#: How long to wait for threads before the loop looks again.
_POLL_S = 0.05
#: The clock of the wall, which stays what it is.
wall_clock = time.perf_counter


class SimulatedTimeLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own.

    Attributes:
        moved_at: When, by the clock of the wall, its time moved last.
    """

    def __init__(self) -> None:
        self._now_s = 0.0
        self._jobs = 0
        self.moved_at = wall_clock()
        super().__init__(_Selector(self))

    def time(self) -> float:
        """Return the simulated time, seconds."""
        return self._now_s

    def wall_time(self) -> float:
        """Return the simulated time as seconds of an epoch."""
        return _EPOCH_S + self._now_s

    def busy_s(self) -> float:
        """Return how long, by the clock of the wall, the loop has worked since its time moved last."""
        return wall_clock() - self.moved_at

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run a function in a thread; time stands still until its result is there."""
        future: asyncio.Future[T] = super().run_in_executor(executor, func, *args)
        self._jobs += 1
        future.add_done_callback(self._on_job_done)
        return future

    def is_waiting_for_threads(self) -> bool:
        """Whether a thread works for it."""
        return self._jobs > 0

    def advance(self, seconds: float) -> None:
        """Move the time."""
        self._now_s += seconds
        self.moved_at = wall_clock()

    def _on_job_done(self, _: asyncio.Future[Any]) -> None:
        self._jobs -= 1


class _Selector(selectors.DefaultSelector):
    """Lets the loop's time pass instead of waiting."""

    def __init__(self, loop: SimulatedTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; if nothing is, the time has passed by ``timeout``."""
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self._loop.is_waiting_for_threads():
            return super().select(_POLL_S)
        self._loop.advance(timeout)
        return []


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine on simulated time, which the clocks of the module ``time`` show too.

    A default argument such as ``clock=time.monotonic`` is bound before, so such clocks have to be given.
    """
    loop = SimulatedTimeLoop()
    with (
        mock.patch("time.time", loop.wall_time),
        mock.patch("time.monotonic", loop.time),
        mock.patch("time.perf_counter", loop.time),
    ):
        try:
            return loop.run_until_complete(main())
        finally:
            _cancel_all(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks))
