"""Participants that are telephones, by LiveKit's SIP attributes, and when somebody is on the line.

A phone that is called joins the room when it begins to ring. Until it is answered, its audio is the network's: ringback
tones and announcements. Reference: https://docs.livekit.io/sip/sip-participant/
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from livekit import rtc

from agent_worker.room.roles import may_be_caller

#: ``dialing``, ``ringing``, ``automation`` (keys are sent to the other side), ``active``, ``hangup``.
CALL_STATUS_ATTRIBUTE = "sip.callStatus"
_ACTIVE = "active"


def is_phone(participant: rtc.RemoteParticipant) -> bool:
    """Whether a participant is a telephone."""
    return participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP


def is_on_the_line(participant: rtc.RemoteParticipant) -> bool:
    """Whether a caller hears the agent: one in a browser or an app always does, one on the phone after the answer."""
    return not is_phone(participant) or participant.attributes.get(CALL_STATUS_ATTRIBUTE) == _ACTIVE


async def wait_for_answer(room: rtc.Room, on_ringing: Callable[[], None] = lambda: None) -> None:
    """Return when a caller is on the line.

    Args:
        room: The room of the call.
        on_ringing: Called once if a phone is in the room that has not been answered, and nobody else.
    """
    answered = asyncio.Event()
    is_ringing = False

    def check(*_: object) -> None:
        nonlocal is_ringing
        callers = [one for one in room.remote_participants.values() if may_be_caller(one, room)]
        if any(map(is_on_the_line, callers)):
            answered.set()
        elif callers and not is_ringing:
            is_ringing = True
            on_ringing()

    room.on("participant_connected", check)
    room.on("participant_attributes_changed", check)
    try:
        check()
        await answered.wait()
    finally:
        room.off("participant_connected", check)
        room.off("participant_attributes_changed", check)
