"""A LiveKit server's rooms and workers in memory, and a clock that advances only while the guard sleeps."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from livekit import api

from agent_worker.core.dispatch_claim import DispatchClaim
from call_guard.snapshot import Dispatch, Participant, Role, Room

CALLER = Participant("caller", Role.CALLER)


def agent(identity: str = "agent-1", name: str = "", accepted_at: float = 1.0) -> Participant:
    return Participant(identity, Role.AGENT, name, DispatchClaim(name, accepted_at, identity))


class Clock:
    """Seconds since the start of the test."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)  # the other guard's turn


@dataclass
class FakeLiveKit:
    """Rooms whose dispatches are accepted by workers with free slots when the test says so.

    Attributes:
        rooms: By name.
        free_slots: Of all workers.
        created: The rooms of the dispatches that were created, in order.
        is_down: Whether each request fails.
        silent: Participants in the rooms that no longer answer.
        unknown: Participants of which LiveKit cannot tell.
        late: Whether it lists rooms as they were before anybody joined.
        during_list: Called while the list of rooms is on its way.
    """

    rooms: dict[str, Room] = field(default_factory=dict)
    free_slots: int = 100
    created: list[str] = field(default_factory=list)
    is_down: bool = False
    silent: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    late: bool = False
    during_list: Callable[[], object] = lambda: None
    _refused: set[str] = field(default_factory=set)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def add(
        self,
        *participants: Participant,
        name: str = "room",
        dispatches: tuple[Dispatch, ...] = (),
        is_canary: bool = False,
    ) -> None:
        self.rooms[name] = Room(name, f"RM_{name}", participants, dispatches, is_canary=is_canary)

    def change(self, name: str, *, join: Participant | None = None, leave: str = "") -> None:
        room = self.rooms[name]
        participants = tuple(one for one in room.participants if one.identity != leave)
        self.rooms[name] = replace(room, participants=(*participants, join) if join else participants)

    def agents_join(self) -> None:
        """Let workers accept dispatches, and the agents of all accepted ones join that have not been there yet."""
        for name in self.rooms:
            self._accept(name)
        for room in list(self.rooms.values()):
            for dispatch in room.dispatches:
                for identity in dispatch.identities:
                    if identity not in [one.identity for one in self.rooms[room.name].participants]:
                        self.change(room.name, join=agent(identity, dispatch.agent_name, dispatch.created_at))

    def _accept(self, name: str) -> None:
        for dispatch in self.rooms[name].dispatches:
            if dispatch.identities or dispatch.id in self._refused:
                continue
            if self.free_slots <= 0:
                self._refused.add(dispatch.id)  # LiveKit asks the workers once
                continue
            self.free_slots -= 1
            accepted = replace(dispatch, identities=(f"agent-of-{dispatch.id.removeprefix('AD_')}",))
            kept = tuple(accepted if one is dispatch else one for one in self.rooms[name].dispatches)
            self.rooms[name] = replace(self.rooms[name], dispatches=kept)

    async def all(self) -> list[api.Room]:
        await self._answer()
        rooms = [
            api.Room(name=room.name, sid=room.sid, num_participants=0 if self.late else len(room.members(Role.CALLER)))
            for room in self.rooms.values()
        ]
        self.during_list()
        await asyncio.sleep(0)
        return rooms

    async def read(self, name: str, listed: api.Room | None = None, *, with_dispatches: bool = True) -> Room | None:
        await self._answer()
        room = self.rooms.get(name)
        return room if room is None or with_dispatches else replace(room, dispatches=())

    async def create_dispatch(self, room: str, agent_name: str) -> str:
        await self._answer()
        number = next(self._ids)
        self.created.append(room)
        dispatch = Dispatch(f"AD_{number}", agent_name, number)
        self.rooms[room] = replace(self.rooms[room], dispatches=(*self.rooms[room].dispatches, dispatch))
        return dispatch.id

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        await self._answer()
        for dispatch in self.rooms[room].dispatches:
            if dispatch.id == dispatch_id:
                for identity in dispatch.identities:
                    self.change(room, leave=identity)
        kept = tuple(one for one in self.rooms[room].dispatches if one.id != dispatch_id)
        self.rooms[room] = replace(self.rooms[room], dispatches=kept)

    async def remove(self, room: str, identity: str) -> None:
        await self._answer()
        self.change(room, leave=identity)

    async def answers(self, room: str, identity: str) -> bool | None:
        await self._answer()
        return None if identity in self.unknown else identity not in self.silent

    async def close(self, room: str) -> None:
        await self._answer()
        self.rooms.pop(room, None)

    async def _answer(self) -> None:
        await asyncio.sleep(0)  # the other guard's turn
        if self.is_down:
            raise ConnectionError("LiveKit is restarted")
