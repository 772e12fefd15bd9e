"""What LiveKit's API says about a room at one moment, as far as the guard has to know it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from livekit import api

from agent_worker.core.dispatch_claim import DispatchClaim
from agent_worker.core.page_room import is_canary_room, is_page_room
from agent_worker.room.topics import (
    ANNOUNCER_ATTRIBUTE,
    DISPATCH_CLAIM_ATTRIBUTE,
    ROLE_ATTRIBUTE,
    SUPERVISOR_ROLE,
)

#: Where livekit-agents writes an agent's name, with or without a claim of ours.
_AGENT_NAME_ATTRIBUTE = "lk.agent.name"
#: As the agent has them (`agent_worker/room/roles.py`).
_CALLER_KINDS = {
    api.ParticipantInfo.Kind.STANDARD,
    api.ParticipantInfo.Kind.SIP,
    api.ParticipantInfo.Kind.CONNECTOR,
}


class Role(Enum):
    """What a participant is for the guard."""

    CALLER = "caller"
    AGENT = "agent"
    ANNOUNCER = "announcer"
    #: Recorders, ingress, supervisors, hidden participants.
    OTHER = "other"


@dataclass(frozen=True)
class Participant:
    """A participant of a room.

    Attributes:
        identity: In the room.
        role: What it is for the guard.
        agent_name: Of an agent: the name that it was dispatched by.
        claim: Of an agent: decides which of two agents stays; the smaller one does.
    """

    identity: str
    role: Role
    agent_name: str = ""
    claim: DispatchClaim | None = None


@dataclass(frozen=True)
class Dispatch:
    """A request for an agent.

    Attributes:
        id: LiveKit's id.
        agent_name: The name of the wanted agent.
        created_at: By LiveKit's clock; only its order counts.
        identities: Of the agents whose workers have accepted it. They stay in the list when the agents have left.
    """

    id: str
    agent_name: str
    created_at: int = 0
    identities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Room:
    """A room.

    Attributes:
        name: By which it is addressed.
        sid: Of this room; a later one of the same name has another.
        participants: Who is there.
        dispatches: The agents that were requested for it.
        is_page_room: Whether the page server made it, or the canary.
        is_canary: Whether the canary made it, whose calls are served and not counted.
    """

    name: str
    sid: str
    participants: tuple[Participant, ...] = ()
    dispatches: tuple[Dispatch, ...] = ()
    is_page_room: bool = False
    is_canary: bool = False

    @property
    def call_id(self) -> str:
        """The id by which the page and the worker's log name the call (``agent_worker/lifecycle/call_identity.py``)."""
        return self.name if self.is_page_room else self.sid

    def agents(self, name: str) -> tuple[Participant, ...]:
        """Return the agents that were dispatched by a name."""
        return tuple(one for one in self.members(Role.AGENT) if one.agent_name == name)

    def members(self, role: Role) -> tuple[Participant, ...]:
        """Return the participants with a role."""
        return tuple(one for one in self.participants if one.role is role)


def read_room(
    room: api.Room,
    participants: Iterable[api.ParticipantInfo],
    dispatches: Iterable[api.AgentDispatch],
    secret: str,
) -> Room:
    """Return the snapshot of a room.

    Args:
        room: As listed.
        participants: All of the room.
        dispatches: All of the room.
        secret: LiveKit's API secret, with which the page server signs its rooms.
    """
    return Room(
        room.name,
        room.sid,
        tuple(map(_participant, participants)),
        tuple(map(_dispatch, dispatches)),
        is_page_room(room.name, room.creation_time, room.metadata, secret),
        is_canary_room(room.metadata),
    )


def _participant(info: api.ParticipantInfo) -> Participant:
    if info.kind == api.ParticipantInfo.Kind.AGENT:
        if ANNOUNCER_ATTRIBUTE in info.attributes:
            return Participant(info.identity, Role.ANNOUNCER)
        claim = DispatchClaim.parse(info.attributes.get(DISPATCH_CLAIM_ATTRIBUTE, ""), info.identity)
        name = claim.agent_name if claim else info.attributes.get(_AGENT_NAME_ATTRIBUTE, "")
        return Participant(info.identity, Role.AGENT, name, claim)
    is_unseen = info.permission.hidden or info.permission.recorder
    is_supervisor = info.attributes.get(ROLE_ATTRIBUTE) == SUPERVISOR_ROLE
    is_caller = info.kind in _CALLER_KINDS and not is_unseen and not is_supervisor
    return Participant(info.identity, Role.CALLER if is_caller else Role.OTHER)


def _dispatch(dispatch: api.AgentDispatch) -> Dispatch:
    identities = (job.state.participant_identity for job in dispatch.state.jobs)
    return Dispatch(dispatch.id, dispatch.agent_name, dispatch.state.created_at, tuple(filter(None, identities)))
