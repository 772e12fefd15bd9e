"""Two agents in a room, with a room of the test's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc

from agent_worker.lifecycle.duplicate_agent import yield_to_earlier_agent
from agent_worker.room.topics import DISPATCH_CLAIM_ATTRIBUTE

AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
CALLER = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD


def participant(asked: str | None, identity: str, kind: int = AGENT) -> Any:
    return SimpleNamespace(
        identity=identity, kind=kind, attributes={} if asked is None else {DISPATCH_CLAIM_ATTRIBUTE: asked}
    )


class Room(rtc.EventEmitter[str]):
    def __init__(self, me: Any, *others: Any) -> None:
        super().__init__()
        self.local_participant = me
        self.remote_participants = {one.identity: one for one in others}

    def comes(self, one: Any) -> None:
        self.remote_participants[one.identity] = one
        self.emit("participant_connected", one)


@dataclass
class Call:
    room: Room
    left: int = 0
    at_once: bool = field(init=False)

    def __post_init__(self) -> None:
        self.at_once = yield_to_earlier_agent(cast("rtc.Room", self.room), self._leave)

    def _leave(self) -> None:
        self.left += 1


@pytest.mark.parametrize(
    ("other", "leaves"),
    [
        pytest.param(participant("50.000 ", "agent-b"), True, id="asked for before"),
        pytest.param(participant("150.000 ", "agent-b"), False, id="asked for later"),
        pytest.param(participant("100.000 ", "agent-0"), True, id="at the same moment, the other's identity is first"),
        pytest.param(participant("100.000 ", "agent-b"), False, id="at the same moment, mine is first"),
        pytest.param(participant("50.000 translator", "agent-b"), False, id="of another name"),
        pytest.param(participant(None, "agent-b"), False, id="another program's agent"),
        pytest.param(participant("soon", "agent-b"), False, id="not an instant"),
        pytest.param(participant("50.000 ", "caller", CALLER), False, id="a caller that claims to be one"),
    ],
)
def test_agent_that_was_asked_for_later_leaves_the_room(other: Any, leaves: bool) -> None:
    there = Call(Room(participant("100.000 ", "agent-a"), other))
    assert (there.at_once, there.left) == (leaves, 0)
    coming = Call(Room(participant("100.000 ", "agent-a")))
    coming.room.comes(other)
    assert (coming.at_once, coming.left) == (False, int(leaves))


def test_agent_leaves_once() -> None:
    call = Call(Room(participant("100.000 ", "agent-a")))
    call.room.comes(participant("50.000 ", "agent-b"))
    call.room.comes(participant("60.000 ", "agent-c"))
    assert call.left == 1


def test_agent_in_a_room_of_callers_stays() -> None:
    call = Call(Room(participant("100.000 ", "agent-a"), participant(None, "caller-1", CALLER)))
    call.room.comes(participant(None, "caller-2", CALLER))
    assert (call.at_once, call.left) == (False, 0)
