"""What a room needs, decided from what is known of it. Pure: no server, no clock.

Two guards see the same rooms and decide alike. Both may request an agent at the same moment: then both see two
requests, and both delete the same one, the later, unless a worker has accepted it. So no guard has to lead. Of two
agents the one whose worker accepted its job first stays, as the agents themselves have it: a guard that went by the
order of the requests could take back the request of the one that stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from call_guard.history import RoomHistory
from call_guard.snapshot import Dispatch, Participant, Role, Room

#: How long workers may take to accept a dispatch: LiveKit asks each registered worker once, within this time.
ACCEPT_TIMEOUT_S = 2.5
#: How long an accepted agent may take to join: a worker may have to start many at the same moment.
START_TIMEOUT_S = 20.0
#: How long two agents may be in a room before the later is removed: it leaves by itself.
_YIELD_TIMEOUT_S = 4.0
#: How much longer than the limit a room may wait: until the announcer has joined, and for its goodbye.
CLOSE_GRACE_S = 20.0

DeleteReason = Literal["late", "double"]


@dataclass(frozen=True)
class Policy:
    """The settings that decide.

    Attributes:
        agent_name: Of the agents that serve callers; empty: of those that join every room.
        page_rooms_only: Whether only rooms of the page server get an agent.
        announce_after_s: How long callers wait until they are told.
        wait_limit_s: How long they may wait until the call is ended.
        with_announcer: Whether callers who wait are told.
    """

    agent_name: str = ""
    page_rooms_only: bool = False
    announce_after_s: float = 3.5
    wait_limit_s: float = 120.0
    with_announcer: bool = True


@dataclass(frozen=True)
class CreateDispatch:
    """Request an agent for the room."""


@dataclass(frozen=True)
class DeleteDispatch:
    """Take a request back; LiveKit removes an agent that came by it."""

    dispatch_id: str
    reason: DeleteReason


@dataclass(frozen=True)
class RemoveAgent:
    """Remove an agent from the room: an earlier one is there."""

    identity: str


@dataclass(frozen=True)
class Announce:
    """Tell the callers that they wait, until an agent is there."""


@dataclass(frozen=True)
class CloseRoom:
    """End a call that nobody has taken."""


Action = CreateDispatch | DeleteDispatch | RemoveAgent | Announce | CloseRoom


def decide(room: Room, history: RoomHistory, policy: Policy, now: float, *, may_dispatch: bool = True) -> list[Action]:
    """Return what a room needs now, in the order in which it is to be done.

    Args:
        room: The room.
        history: What was seen of it, including this snapshot.
        policy: The settings.
        now: Seconds, by the clock of the history.
        may_dispatch: Whether a worker has a free slot for this room.
    """
    agents = _agents(room, policy.agent_name)
    if agents:
        return _later_agents(agents, history, now)
    if history.waiting_since is None or not is_guarded(room, policy):
        return []
    waited_s = now - history.waiting_since
    if waited_s > policy.wait_limit_s + CLOSE_GRACE_S:
        return [CloseRoom()]
    dispatches = _own_dispatches(room, policy.agent_name)
    actions: list[Action] = _request_agent(dispatches, history, now, may_dispatch=may_dispatch)
    if policy.with_announcer and waited_s >= policy.announce_after_s and not room.members(Role.ANNOUNCER):
        actions.append(Announce())
    return actions


def wants_agent(actions: Iterable[Action]) -> bool:
    """Whether a decision holds a request for an agent."""
    return any(isinstance(action, CreateDispatch) for action in actions)


def _agents(room: Room, agent_name: str) -> list[Participant]:
    """Return the agents of the name, those first that stay."""

    def rank(agent: Participant) -> tuple[bool, float, str]:
        return agent.claim is None, agent.claim.accepted_at if agent.claim else 0.0, agent.identity

    return sorted(room.agents(agent_name), key=rank)


def _own_dispatches(room: Room, agent_name: str) -> list[Dispatch]:
    """Return the requests for agents of the name, the earliest first."""
    own = (dispatch for dispatch in room.dispatches if dispatch.agent_name == agent_name)
    return sorted(own, key=lambda dispatch: (dispatch.created_at, dispatch.id))


def is_guarded(room: Room, policy: Policy) -> bool:
    """Whether callers in this room are to get an agent of ours."""
    if room.is_page_room:
        return True
    if policy.page_rooms_only:
        return False
    return not policy.agent_name or bool(_own_dispatches(room, policy.agent_name))


def _later_agents(agents: list[Participant], history: RoomHistory, now: float) -> list[Action]:
    """Remove all but the first agent, unless one has just joined, and will see that it is not alone."""
    newest = max(history.agents_seen_at.get(agent.identity, now) for agent in agents)
    if now - newest < _YIELD_TIMEOUT_S:
        return []
    return [RemoveAgent(agent.identity) for agent in agents[1:]]


def _request_agent(dispatches: list[Dispatch], history: RoomHistory, now: float, *, may_dispatch: bool) -> list[Action]:
    """Have exactly one request from which an agent may come."""
    pending = [dispatch for dispatch in dispatches if _is_pending(dispatch, history, now)]
    if pending:
        kept = next((dispatch for dispatch in pending if dispatch.identities), pending[0])
        surplus = [dispatch for dispatch in pending if not dispatch.identities and dispatch != kept]
        return [DeleteDispatch(dispatch.id, "double") for dispatch in surplus]
    if not may_dispatch:
        return []
    return [*(DeleteDispatch(dispatch.id, "late") for dispatch in dispatches), CreateDispatch()]


def _is_pending(dispatch: Dispatch, history: RoomHistory, now: float) -> bool:
    """Whether an agent may still come of a request."""
    if dispatch.identities:
        if any(identity in history.agents_seen_at for identity in dispatch.identities):
            return False  # it came, and has left
        return now - history.accepted_seen_at.get(dispatch.id, now) < START_TIMEOUT_S
    return now - history.dispatch_seen_at.get(dispatch.id, now) < ACCEPT_TIMEOUT_S
