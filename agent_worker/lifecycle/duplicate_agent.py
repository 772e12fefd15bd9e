"""Let an agent leave a room in which an earlier agent of the same name is.

When a LiveKit node dies, its agents move their rooms to another node, and LiveKit dispatches an agent there as to any
new room. The caller must not hear two.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from livekit import api, rtc
from livekit.agents import JobRequest

from agent_worker.core.log import logger
from agent_worker.room.topics import DISPATCH_CLAIM_ATTRIBUTE


class DispatchClaim(NamedTuple):
    """An agent's claim to a room. Of two with the same name, the smaller one stays.

    Attributes:
        agent_name: The name that LiveKit dispatches the agent by; may be empty.
        accepted_at: When its worker accepted the job, seconds since 1970.
        identity: The agent's identity in the room; decides between two of the same moment.
    """

    agent_name: str
    accepted_at: float
    identity: str


async def accept(request: JobRequest) -> None:
    """Accept a job, with a claim as an attribute of the agent's token: so it lasts through reconnects."""
    await request.accept(attributes={DISPATCH_CLAIM_ATTRIBUTE: f"{time.time():.3f} {request.agent_name}"})


def dispatch_claim(participant: rtc.Participant | api.ParticipantInfo) -> DispatchClaim | None:
    """Return a participant's claim; ``None`` if it has none that can be read."""
    accepted_at, _, name = participant.attributes.get(DISPATCH_CLAIM_ATTRIBUTE, "").partition(" ")
    try:
        return DispatchClaim(name, float(accepted_at), participant.identity)
    except ValueError:
        return None


def has_earlier_agent(room: rtc.Room) -> bool:
    """Whether an agent of the same name, with an earlier claim than the local participant's, is in the room.

    An agent of another name is meant to be there too.
    """
    own = dispatch_claim(room.local_participant)
    claims = [dispatch_claim(one) for one in room.remote_participants.values() if _is_agent(one)]
    return own is not None and any(claim and claim.agent_name == own.agent_name and claim < own for claim in claims)


def yield_to_earlier_agent(room: rtc.Room, leave: Callable[[], None]) -> None:
    """Call ``leave`` once as soon as an earlier agent joins the room. See :func:`has_earlier_agent`."""

    def check(*_: object) -> None:
        if has_earlier_agent(room):
            room.off("participant_connected", check)
            room.off("participant_attributes_changed", check)
            logger.info("an earlier agent is in the room: this one leaves")
            leave()

    room.on("participant_connected", check)
    room.on("participant_attributes_changed", check)


def _is_agent(participant: rtc.RemoteParticipant) -> bool:
    """Whether the participant's token says so: a caller cannot claim to be an agent."""
    return participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
