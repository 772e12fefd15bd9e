"""Let an agent leave a room in which an earlier agent of the same name is.

When a LiveKit node dies, its agents move their rooms to another node, and LiveKit dispatches an agent there as to any
new room. The caller must not hear two.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from livekit import api, rtc
from livekit.agents import JobRequest

from agent_worker.core.dispatch_claim import DispatchClaim
from agent_worker.core.log import logger
from agent_worker.room.topics import DISPATCH_CLAIM_ATTRIBUTE


async def accept(request: JobRequest) -> None:
    """Accept a job, with a claim as an attribute of the agent's token: so it lasts through reconnects."""
    claim = DispatchClaim(request.agent_name, time.time(), "")  # LiveKit adds the identity
    await request.accept(attributes={DISPATCH_CLAIM_ATTRIBUTE: claim.text()})


def dispatch_claim(participant: rtc.Participant | api.ParticipantInfo) -> DispatchClaim | None:
    """Return a participant's claim; ``None`` if it has none that can be read."""
    return DispatchClaim.parse(participant.attributes.get(DISPATCH_CLAIM_ATTRIBUTE, ""), participant.identity)


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
