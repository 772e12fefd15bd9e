"""Tell who in a room may be the caller."""

from __future__ import annotations

from livekit import rtc
from livekit.agents.types import ATTRIBUTE_PUBLISH_ON_BEHALF

from agent_worker.room.topics import ROLE_ATTRIBUTE, SUPERVISOR_ROLE

#: Kinds of participants that livekit-agents takes for callers.
_CALLERS = frozenset(
    {
        rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
        rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
        rtc.ParticipantKind.PARTICIPANT_KIND_CONNECTOR,
    }
)


def may_be_caller(participant: rtc.RemoteParticipant, room: rtc.Room) -> bool:
    """Whether a participant is a person who calls: no agent, recorder, avatar or supervisor, and not hidden."""
    return (
        participant.kind in _CALLERS
        and not _speaks_for_an_agent(participant, room)
        and participant.attributes.get(ROLE_ATTRIBUTE) != SUPERVISOR_ROLE
        and not participant.permissions.hidden
    )


def _speaks_for_an_agent(participant: rtc.RemoteParticipant, room: rtc.Room) -> bool:
    """Whether it is an avatar. Callers may set the attribute themselves: it counts only with an agent of the room."""
    served = participant.attributes.get(ATTRIBUTE_PUBLISH_ON_BEHALF)
    if served is None:
        return False
    other = room.remote_participants.get(served)
    is_agent = other is not None and other.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    return is_agent or served == room.local_participant.identity
