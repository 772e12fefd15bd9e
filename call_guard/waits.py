"""Measure how long callers were without an agent: until one joined, or until they gave up."""

from __future__ import annotations

import logging
from collections.abc import Callable

from call_guard.history import RoomHistory
from call_guard.metrics import GuardMetrics
from call_guard.snapshot import Role, Room

_logger = logging.getLogger(__name__)


class WaitMeter:
    """Observe each wait once, when it ends.

    Args:
        metrics: Receives the waits.
        clock: That of the histories.
    """

    def __init__(self, metrics: GuardMetrics, clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._clock = clock
        self._counts_served_rooms = False

    def look(self, room: Room, history: RoomHistory, agent_name: str) -> None:
        """Note a snapshot in the room's history, and observe a wait that has ended since the one before."""
        waited_since, was_served = history.waiting_since, history.served_since is not None
        history.observe(room, agent_name, self._clock())
        if history.served_since is not None:
            if room.is_canary:
                return
            if waited_since is not None:
                waited_s = history.served_since - waited_since
                self._metrics.wait.observe(waited_s)
                _logger.info("%s: an agent is there after %.1f s", room.call_id, waited_s)
            elif self._counts_served_rooms and not was_served and room.members(Role.CALLER):
                self._metrics.wait.observe(0)  # the agent was there before the guard looked
        elif waited_since is not None and history.waiting_since is None:
            self._give_up(history, waited_since)

    def leave(self, history: RoomHistory) -> None:
        """Observe the wait of a caller who has left, or whose room has ended."""
        if history.waiting_since is not None:
            self._give_up(history, history.waiting_since)
            history.waiting_since = None

    def count_served_rooms(self) -> None:
        """From now on, an agent in a room that was not known is a call: the calls of the guard's start are known."""
        self._counts_served_rooms = True

    def _give_up(self, history: RoomHistory, waited_since: float) -> None:
        if history.is_guarded and not history.is_canary:
            self._metrics.abandoned.observe(self._clock() - waited_since)
