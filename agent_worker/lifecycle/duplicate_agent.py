"""Two agents in a room: the one that was asked for later leaves.

When a LiveKit node dies, its agents take their rooms to another node, and LiveKit asks for an agent there as for any
new room. The caller shall not hear two.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from livekit import api, rtc
from livekit.agents import JobRequest

from agent_worker.core.log import logger
from agent_worker.room.topics import DISPATCH_CLAIM_ATTRIBUTE


async def accept(request: JobRequest) -> None:
    """Take the call. The attribute is in the agent's token, so that it lasts through reconnects."""
    await request.accept(attributes={DISPATCH_CLAIM_ATTRIBUTE: f"{time.time():.3f} {request.agent_name}"})


def yield_to_earlier_agent(room: rtc.Room, leave: Callable[[], None]) -> bool:
    """Whether another agent of this name was in the room first; else ``leave`` is called once if one comes back to it.

    An agent of another name is meant to be there too.
    """
    if _is_late(room):
        return True

    def look(*_: object) -> None:
        if _is_late(room):
            room.off("participant_connected", look)
            room.off("participant_attributes_changed", look)
            leave()

    room.on("participant_connected", look)
    room.on("participant_attributes_changed", look)
    return False


def _is_late(room: rtc.Room) -> bool:
    mine = asked(room.local_participant)
    others = [asked(one) for one in room.remote_participants.values() if _is_agent(one)]
    late = mine is not None and any(other is not None and other[0] == mine[0] and other < mine for other in others)
    if late:
        logger.info("another agent was in the room first: leaving it to that one")
    return late


def _is_agent(participant: rtc.RemoteParticipant) -> bool:
    """LiveKit's word for it, from the token: a caller cannot claim to be one."""
    return participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


def asked(participant: rtc.Participant | api.ParticipantInfo) -> tuple[str, float, str] | None:
    """The agent's name, when it was asked for, and what decides between two at once; ``None`` without the attribute."""
    at, _, name = participant.attributes.get(DISPATCH_CLAIM_ATTRIBUTE, "").partition(" ")
    try:
        return name, float(at), participant.identity
    except ValueError:
        return None
