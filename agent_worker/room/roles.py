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


def may_be_caller(participant: rtc.RemoteParticipant) -> bool:
    """Whether a participant is a person who calls: no agent, recorder, avatar or supervisor, and not hidden."""
    return (
        participant.kind in _CALLERS
        and ATTRIBUTE_PUBLISH_ON_BEHALF not in participant.attributes  # an avatar speaks for an agent
        and participant.attributes.get(ROLE_ATTRIBUTE) != SUPERVISOR_ROLE
        and not participant.permissions.hidden
    )
