"""What the guard remembers of a room: since when things are as they are.

Nothing of it is stored. A guard that has just started judges a room by what it sees from now on, so it is at most a few
seconds slower. Its own clock counts: that of the LiveKit server may differ.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from call_guard.snapshot import Role, Room


@dataclass
class RoomHistory:
    """What has been seen of a room. Times are the guard's own, in seconds.

    Attributes:
        waiting_since: When callers were first seen without an agent; ``None`` if they have one, or there are none.
        dispatch_seen_at: By dispatch: when it was first seen.
        accepted_seen_at: By dispatch: when it was first seen that a worker had accepted it.
        agents_seen_at: By agent's identity: when it was first seen in the room.
        agents_answered: Agents that have given a sign of life.
        served_since: When an agent was first seen there without an interruption; ``None`` if none is there.
        is_guarded: Whether callers there were to get an agent of ours.
        planned_for: The ``waiting_since`` for which the next look is planned; ``None`` if there was none yet.
        is_canary: Whether the caller there is the canary.
    """

    waiting_since: float | None = None
    dispatch_seen_at: dict[str, float] = field(default_factory=dict)
    accepted_seen_at: dict[str, float] = field(default_factory=dict)
    agents_seen_at: dict[str, float] = field(default_factory=dict)
    agents_answered: set[str] = field(default_factory=set)
    served_since: float | None = None
    is_guarded: bool = False
    planned_for: float | None = None
    is_canary: bool = False

    def observe(self, room: Room, agent_name: str, now: float) -> None:
        """Note what a snapshot shows.

        Args:
            room: The snapshot.
            agent_name: Of the agents that serve callers.
            now: Seconds, monotonic.
        """
        self.is_canary = room.is_canary
        for dispatch in room.dispatches:
            self.dispatch_seen_at.setdefault(dispatch.id, now)
            if dispatch.identities:
                self.accepted_seen_at.setdefault(dispatch.id, now)
        agents = room.agents(agent_name)
        for agent in agents:
            self.agents_seen_at.setdefault(agent.identity, now)
        self.served_since = _since(self.served_since, bool(agents), now)
        self.waiting_since = _since(self.waiting_since, not agents and bool(room.members(Role.CALLER)), now)

    def is_served_for(self, seconds: float, now: float) -> bool:
        """Whether an agent has been there for so long."""
        return self.served_since is not None and now - self.served_since >= seconds


def _since(before: float | None, holds: bool, now: float) -> float | None:
    """Return since when something holds; ``None`` if it does not."""
    return (now if before is None else before) if holds else None


class History:
    """The histories of all rooms."""

    def __init__(self) -> None:
        self._rooms: dict[str, RoomHistory] = {}

    def of(self, room: Room) -> RoomHistory:
        """Return what is remembered of a room."""
        return self._rooms.setdefault(room.sid, RoomHistory())

    def find(self, sid: str) -> RoomHistory | None:
        """Return what is remembered of the room with this id; ``None`` if it was not seen yet."""
        return self._rooms.get(sid)

    @property
    def sids(self) -> set[str]:
        """The ids of the rooms of which something is remembered."""
        return set(self._rooms)

    def forget(self, sids: Collection[str]) -> list[RoomHistory]:
        """Forget rooms, and return their histories."""
        return [self._rooms.pop(sid) for sid in sids]
