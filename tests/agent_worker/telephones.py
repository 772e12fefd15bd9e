"""Rooms with telephones, without a server: participants of kind SIP, their states and their keys."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from livekit import rtc

from agent_worker.room.phone import CALL_STATUS_ATTRIBUTE

KIND = rtc.ParticipantKind


def participant(identity: str, kind: KIND.ValueType = KIND.PARTICIPANT_KIND_STANDARD, **attributes: str) -> Any:
    return SimpleNamespace(
        identity=identity,
        sid="PA_1",
        kind=kind,
        attributes=attributes,
        name="",
        metadata="",
        permissions=SimpleNamespace(hidden=False),
        disconnect_reason=None,
    )


def phone(identity: str = "phone", status: str = "ringing") -> Any:
    return participant(identity, KIND.PARTICIPANT_KIND_SIP, **{CALL_STATUS_ATTRIBUTE: status})


def room_io(room: Any, caller: Any) -> Any:
    """What a session has of a room in which it listens to ``caller``."""
    return SimpleNamespace(room=room, linked_participant=caller, subscribed_fut=None, aclose=_nothing)


async def _nothing() -> None:
    pass


class FakeRoom(rtc.EventEmitter[str]):
    """A room whose members a test lets join, change their attributes and press keys."""

    def __init__(self, *present: Any) -> None:
        super().__init__()
        self.name, self.metadata = "museum", ""
        self.local_participant = participant("agent", KIND.PARTICIPANT_KIND_AGENT)
        self.remote_participants = {one.identity: one for one in present}

    def isconnected(self) -> bool:
        return False  # livekit-agents sends nothing then

    def join(self, one: Any) -> None:
        self.remote_participants[one.identity] = one
        self.emit("participant_connected", one)

    def leave(self, one: Any) -> None:
        del self.remote_participants[one.identity]
        self.emit("participant_disconnected", one)

    def set_status(self, one: Any, status: str) -> None:
        one.attributes[CALL_STATUS_ATTRIBUTE] = status
        self.emit("participant_attributes_changed", {CALL_STATUS_ATTRIBUTE: status}, one)

    def press(self, keys: str, one: Any) -> None:
        for key in keys:
            self.emit("sip_dtmf_received", rtc.SipDTMF(code=0, digit=key, participant=one))
