"""Look at the rooms, and do what each needs: all of them every few seconds, one at once when LiveKit says so."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from livekit import api

from call_guard.decision import (
    START_TIMEOUT_S,
    Action,
    Announce,
    CloseRoom,
    CreateDispatch,
    DeleteDispatch,
    Policy,
    RemoveAgent,
    decide,
    is_guarded,
    wants_agent,
)
from call_guard.history import History, RoomHistory
from call_guard.metrics import GuardMetrics
from call_guard.rooms import Rooms, end_waiting_call
from call_guard.snapshot import Role, Room
from call_guard.waits import WaitMeter

#: Before a request for an agent: of two guards that see the same, one is faster, and the other sees its request.
_JITTER_S = 0.4
#: A room is read in some 5 ms. Where it takes longer than this, LiveKit server or the way to it is overloaded.
_QUICK_S = 0.2
#: The event loop's clock may be a trifle before this one.
_CLOCK_SLACK_S = 0.01
#: How many rooms are read at the same time.
_CONCURRENCY = 20

_logger = logging.getLogger(__name__)


class Announcing(Protocol):
    """Sends announcers into rooms."""

    def announce(self, room: str) -> None:
        """Tell the callers of a room that they wait, unless this guard does so already."""


class NoAnnouncing:
    """Leaves callers who wait in silence."""

    def announce(self, room: str) -> None:
        """Do nothing."""


class FreeSlots(Protocol):
    """Knows how many more calls the workers can take."""

    async def free(self) -> int | None:
        """Return the number; ``None`` if it is not known."""


class SignsOfLife(Protocol):
    """Knows whether an agent is alive."""

    async def answers(self, room: str, identity: str) -> bool | None:
        """Return whether it answers in time; ``None`` if that cannot be told."""


class Guard:
    """Keeps every caller with exactly one agent.

    Args:
        rooms: The rooms of the LiveKit server.
        policy: The settings that decide.
        metrics: Counts what is done.
        announcing: Sends announcers; by default, callers who wait hear nothing.
        slots: Knows the workers' capacity. Without it, or while it is not known, an agent is requested for every room.
        heartbeat: Asks agents for a sign of life. Without it, a dead one counts until LiveKit removes it.
        clock: Seconds, monotonic.
        sleep: Waits for so many seconds.
        later: Calls something after so many seconds; by default, the running event loop's.
        jitter: Returns a random number from 0 to 1.
    """

    def __init__(
        self,
        rooms: Rooms,
        policy: Policy,
        metrics: GuardMetrics,
        announcing: Announcing | None = None,
        slots: FreeSlots | None = None,
        heartbeat: SignsOfLife | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        later: Callable[[float, Callable[[], None]], Any] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._rooms = rooms
        self._policy = policy
        self._metrics = metrics
        self._announcing = announcing or NoAnnouncing()
        self._slots = slots
        self._heartbeat = heartbeat
        self._clock = clock
        self._sleep = sleep
        self._later = later
        self._jitter = jitter
        self._history = History()
        self._waits = WaitMeter(metrics, clock)
        self._at_work: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()

    async def run(self, interval_s: float) -> None:
        """Look at all rooms every ``interval_s`` seconds. Returns only when it is cancelled."""
        while True:
            try:
                await self.sweep()
            except Exception as error:  # whatever it is, the next look may succeed
                self._failed(error)
            await self._sleep(interval_s)

    async def sweep(self) -> None:
        """Look at every room in which somebody is, those first that have waited longest.

        Raises:
            Exception: If LiveKit does not list its rooms.
        """
        started = self._clock()
        known = self._history.sids
        rooms = await self._rooms.all()
        for history in self._history.forget(known - {room.sid for room in rooms}):
            self._waits.leave(history)
        listed = [room for room in rooms if room.num_participants or self._is_waiting(room)]
        slots = _Allowance(await self._slots.free() if self._slots else None)
        queue = asyncio.Semaphore(_CONCURRENCY)

        async def look(room: api.Room) -> None:
            async with queue:
                await self._check(room.name, room, slots)

        await asyncio.gather(*map(look, sorted(listed, key=self._waiting_since)))
        self._waits.count_served_rooms()
        self._report(listed, started)

    def check_soon(self, room: str) -> None:
        """Look at one room now: LiveKit says that something has changed there. Doubled calls do no harm."""
        if room in self._at_work:
            self._again.add(room)
            return
        task = asyncio.create_task(self._check(room, None, _Allowance(None)), name="check room")
        self._at_work[room] = task
        task.add_done_callback(lambda _: self._checked(room))

    async def idle(self) -> None:
        """Wait until no room is being looked at because of :meth:`check_soon`."""
        while self._at_work:
            await asyncio.gather(*self._at_work.values())

    def _checked(self, room: str) -> None:
        del self._at_work[room]
        if room in self._again:
            self._again.discard(room)
            self.check_soon(room)

    def _is_waiting(self, room: api.Room) -> bool:
        """Whether callers were there without an agent. LiveKit lists a room as empty for up to 3 s after they join."""
        history = self._history.find(room.sid)
        return history is not None and history.waiting_since is not None

    async def _check(self, name: str, listed: api.Room | None, slots: _Allowance) -> None:
        try:
            room = await self._read(name, listed)
            if room is not None and await self._remove_silent_agents(room):
                room = await self._read(name)
            if room is not None:
                await self._serve(room, slots)
        except Exception as error:  # one room must not cost the others their agent
            self._failed(error)

    async def _read(self, name: str, listed: api.Room | None = None) -> Room | None:
        """Return a room, noted in its history. The requests for agents are read only where they matter."""
        history = self._history.find(listed.sid) if listed else None
        is_settled = history is not None and history.is_served_for(START_TIMEOUT_S, self._clock())
        room = await self._rooms.read(name, listed, with_dispatches=not is_settled)
        if room is not None and is_settled and not room.members(Role.AGENT):
            room = await self._rooms.read(name, listed)
        if room is None:
            return None
        history = self._history.of(room)
        history.is_guarded = history.is_guarded or is_guarded(room, self._policy)
        self._waits.look(room, history, self._policy.agent_name)
        return room

    async def _remove_silent_agents(self, room: Room) -> bool:
        """Remove agents that have answered before and do not any more; return whether there were any."""
        if not room.members(Role.CALLER):
            return False
        agents = room.agents(self._policy.agent_name)
        silent = [one.identity for one in agents if await self._is_silent(room, one.identity)]
        for identity in silent:
            await self._rooms.remove(room.name, identity)
            self._metrics.removed_agents.labels("silent").inc()
            _logger.warning("%s: an agent no longer answers: it was removed", room.call_id)
        return bool(silent)

    async def _is_silent(self, room: Room, identity: str) -> bool:
        """Whether an agent that has answered before stays silent twice running."""
        if self._heartbeat is None:
            return False
        answered = self._history.of(room).agents_answered
        answers = await self._heartbeat.answers(room.name, identity)
        if answers:
            answered.add(identity)
        if answers is not False or identity not in answered:
            return False
        return await self._heartbeat.answers(room.name, identity) is False and await self._livekit_is_quick(room.name)

    async def _livekit_is_quick(self, room: str) -> bool:
        """Whether LiveKit has the time to tell what an agent answers: if not, silence says nothing."""
        started = self._clock()
        await self._rooms.read(room, with_dispatches=False)
        return self._clock() - started <= _QUICK_S

    def _decide(self, room: Room, *, may_dispatch: bool = True) -> list[Action]:
        return decide(room, self._history.of(room), self._policy, self._clock(), may_dispatch=may_dispatch)

    async def _serve(self, room: Room, slots: _Allowance) -> None:
        actions = self._decide(room)
        if wants_agent(actions):
            actions = self._decide(room, may_dispatch=slots.take())
        for action in actions:
            if isinstance(action, Announce):
                self._announcing.announce(room.name)
        self._plan_announcement(room, self._history.of(room))
        if wants_agent(actions):
            await self._request_agent(room.name)
        else:
            await self._do(room.name, actions)

    def _plan_announcement(self, room: Room, history: RoomHistory) -> None:
        """Look again when callers are to be told that they wait: the next sweep may come seconds later."""
        since = history.waiting_since
        if since is None or since == history.planned_for or not self._policy.with_announcer:
            return
        history.planned_for = since
        later = self._later or asyncio.get_running_loop().call_later
        due_s = since + self._policy.announce_after_s - self._clock()
        later(max(due_s, 0.0) + _CLOCK_SLACK_S, lambda: self.check_soon(room.name))

    async def _request_agent(self, name: str) -> None:
        """Request an agent, unless the other guard has done it meanwhile; then take a double back."""
        await self._sleep(self._jitter() * _JITTER_S)
        room = await self._read(name)
        if room is None:
            return
        actions = self._decide(room)
        await self._do(name, actions)
        if not wants_agent(actions):
            return
        _logger.info("%s: an agent was requested", room.call_id)
        # At once: a double is taken back before a worker has accepted it.
        if (room := await self._read(name)) is not None:
            await self._do(name, [one for one in self._decide(room) if isinstance(one, DeleteDispatch)])

    async def _do(self, room: str, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, CreateDispatch):
                await self._rooms.create_dispatch(room, self._policy.agent_name)
                self._metrics.dispatches.inc()
            elif isinstance(action, DeleteDispatch):
                await self._rooms.delete_dispatch(room, action.dispatch_id)
                self._metrics.deleted_dispatches.labels(action.reason).inc()
            elif isinstance(action, RemoveAgent):
                await self._rooms.remove(room, action.identity)
                self._metrics.removed_agents.labels("double").inc()
                _logger.warning("two agents were in a room: the later one was removed")
            elif isinstance(action, CloseRoom):
                await end_waiting_call(self._rooms, room, self._metrics)

    def _waiting_since(self, room: api.Room) -> float:
        history = self._history.find(room.sid)
        since = history.waiting_since if history else None
        return self._clock() if since is None else since

    def _report(self, listed: list[api.Room], started: float) -> None:
        now = self._clock()
        histories = [found for room in listed if (found := self._history.find(room.sid))]
        waits = [now - one.waiting_since for one in histories if one.waiting_since is not None]
        self._metrics.rooms.labels("waiting").set(len(waits))
        self._metrics.rooms.labels("served").set(sum(one.served_since is not None for one in histories))
        self._metrics.longest_wait.set(max(waits, default=0))
        self._metrics.sweep.observe(now - started)
        self._metrics.last_sweep.set_to_current_time()

    def _failed(self, error: Exception) -> None:
        self._metrics.errors.inc()
        reason = f"HTTP {error.status}, {error.code}" if isinstance(error, api.ServerError) else type(error).__name__
        _logger.warning("a room could not be looked at (%s): it is tried again", reason)


class _Allowance:
    """How many agents may be requested in a sweep, the longest waiting first.

    One may always be: the workers' own report may be late, and LiveKit then refuses it.
    """

    def __init__(self, free: int | None) -> None:
        self._left = None if free is None else max(free, 1)

    def take(self) -> bool:
        """Take one; return False if none is left."""
        if self._left is None:
            return True
        self._left -= 1
        return self._left >= 0
