"""Tell callers who wait for an agent that they do, until one is there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from call_guard.metrics import AnnouncementEnd, GuardMetrics
from call_guard.rooms import Rooms, end_waiting_call
from call_guard.sentences import Audio, SentenceBook, Sentences
from call_guard.snapshot import Role

#: From the end of a sentence to its next beginning.
_PAUSE_S = 12.0
#: Before joining: of two guards that see the same, one is faster, and the other sees its announcer. Joining takes a
#: second where many callers wait.
_JITTER_S = 1.0
#: How many rooms a guard joins at the same moment. Joining costs more than all that follows: with many callers at once,
#: most attempts would fail, and two guards would drive each other's announcers out.
_JOIN_TOGETHER = 5

_logger = logging.getLogger(__name__)


class Line(Protocol):
    """An announcer's connection to a room.

    Attributes:
        over: Done when nobody is to be told any more: an agent is there, no caller is, or the connection is lost.
    """

    over: asyncio.Future[AnnouncementEnd]

    @property
    def language(self) -> str:
        """The caller's language tag; empty if it is not known."""

    async def play(self, audio: Audio) -> None:
        """Return when the audio has been heard."""


#: Joins a room, and leaves it at the end.
Dial = Callable[[str], AbstractAsyncContextManager[Line]]


async def attend(
    line: Line,
    sentences: Sentences,
    limit_s: float,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> AnnouncementEnd:
    """Say again and again that the caller waits; say goodbye after ``limit_s`` seconds.

    Returns:
        What ended it. An agent that joins is not talked over: the sentence stops.
    """
    ends_at = clock() + limit_s
    while clock() + sentences.waiting.duration <= ends_at:
        if not await _until(line, line.play(sentences.waiting)):
            return line.over.result()
        if not await _until(line, sleep(min(_PAUSE_S, max(ends_at - clock(), 0.0)))):
            return line.over.result()
    return "limit" if await _until(line, line.play(sentences.farewell)) else line.over.result()


async def _until(line: Line, step: Awaitable[None]) -> bool:
    """Wait for a step; return False if the line was over first."""
    task = asyncio.ensure_future(step)
    try:
        futures: set[asyncio.Future[Any]] = {task, line.over}
        await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
        if line.over.done():
            return False
        task.result()
        return True
    finally:
        task.cancel()


class Announcers:
    """The announcers of one guard, at most one a room.

    Args:
        dial: Joins a room.
        rooms: Tells whether another guard's announcer is there, and closes rooms.
        book: What is said.
        metrics: Counts how announcements end.
        limit_s: How long a caller may wait.
        sleep: Waits for so many seconds.
        jitter: Returns a random number from 0 to 1.
    """

    def __init__(
        self,
        dial: Dial,
        rooms: Rooms,
        book: SentenceBook,
        metrics: GuardMetrics,
        limit_s: float,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._dial = dial
        self._rooms = rooms
        self._book = book
        self._metrics = metrics
        self._limit_s = limit_s
        self._sleep = sleep
        self._jitter = jitter
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._joining = asyncio.Semaphore(_JOIN_TOGETHER)

    def announce(self, room: str) -> None:
        """Tell the callers of a room that they wait, unless this guard does so already."""
        if room not in self._tasks:
            self._tasks[room] = task = asyncio.create_task(self._announce(room), name="announce")
            task.add_done_callback(lambda _: self._tasks.pop(room))

    async def aclose(self) -> None:
        """Leave all rooms: the other guard sees it, and goes on there."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _join(self, room: str, stack: contextlib.AsyncExitStack) -> Line | None:
        """Join a room, unless another guard's announcer has come, or all have left, meanwhile."""
        async with self._joining:
            found = await self._rooms.read(room, with_dispatches=False)
            if found is None or found.members(Role.ANNOUNCER):
                return None
            return await stack.enter_async_context(self._dial(room))

    async def _announce(self, room: str) -> None:
        try:
            await self._sleep(self._jitter() * _JITTER_S)
            async with contextlib.AsyncExitStack() as stack:
                if (line := await self._join(room, stack)) is None:
                    return
                sentences = self._book.of(line.language)
                end = await attend(line, sentences, self._limit_s) if sentences else "failed"
            if end == "limit":
                await end_waiting_call(self._rooms, room, self._metrics)
        except Exception as error:  # the room may be closing; the next look tries again
            _logger.warning("a caller who waits could not be told: %s", type(error).__name__)
            end = "failed"
        self._metrics.announcements.labels(end).inc()
