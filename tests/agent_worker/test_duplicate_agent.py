from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc

from agent_worker.lifecycle.duplicate_agent import has_earlier_agent, yield_to_earlier_agent
from agent_worker.room.topics import DISPATCH_CLAIM_ATTRIBUTE

AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
CALLER = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD


def participant(claim: str | None, identity: str, kind: int = AGENT) -> Any:
    return SimpleNamespace(
        identity=identity, kind=kind, attributes={} if claim is None else {DISPATCH_CLAIM_ATTRIBUTE: claim}
    )


class Room(rtc.EventEmitter[str]):
    def __init__(self, me: Any, *others: Any) -> None:
        super().__init__()
        self.local_participant = me
        self.remote_participants = {one.identity: one for one in others}

    def join(self, one: Any) -> None:
        self.remote_participants[one.identity] = one
        self.emit("participant_connected", one)


class Call:
    """An agent in a room, which yields to an earlier one."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.left = 0
        yield_to_earlier_agent(cast("rtc.Room", room), self._leave)

    def _leave(self) -> None:
        self.left += 1


@pytest.mark.parametrize(
    ("other", "leaves"),
    [
        pytest.param(participant("50.000 ", "agent-b"), True, id="earlier"),
        pytest.param(participant("150.000 ", "agent-b"), False, id="later"),
        pytest.param(participant("100.000 ", "agent-0"), True, id="same moment, smaller identity"),
        pytest.param(participant("100.000 ", "agent-b"), False, id="same moment, larger identity"),
        pytest.param(participant("50.000 translator", "agent-b"), False, id="another name"),
        pytest.param(participant(None, "agent-b"), False, id="no claim"),
        pytest.param(participant("soon", "agent-b"), False, id="invalid claim"),
        pytest.param(participant("50.000 ", "caller", CALLER), False, id="caller with a claim"),
    ],
)
def test_agent_leaves_for_an_earlier_one_of_the_same_name(other: Any, leaves: bool) -> None:
    own = participant("100.000 ", "agent-a")
    assert has_earlier_agent(cast("rtc.Room", Room(own, other))) is leaves
    call = Call(Room(own))
    call.room.join(other)
    assert call.left == int(leaves)


def test_agent_leaves_when_an_agent_claims_the_room_after_it_has_joined() -> None:
    late_claim = participant(None, "agent-b")
    call = Call(Room(participant("100.000 ", "agent-a"), late_claim))
    assert call.left == 0
    late_claim.attributes[DISPATCH_CLAIM_ATTRIBUTE] = "50.000 "
    call.room.emit("participant_attributes_changed", late_claim.attributes, late_claim)
    assert call.left == 1


def test_agent_leaves_once() -> None:
    call = Call(Room(participant("100.000 ", "agent-a")))
    call.room.join(participant("50.000 ", "agent-b"))
    call.room.join(participant("60.000 ", "agent-c"))
    assert call.left == 1
