"""Who is who in a room, by what LiveKit's API says."""

from __future__ import annotations

import pytest
from livekit import api

from agent_worker.room.topics import ANNOUNCER_ATTRIBUTE, ROLE_ATTRIBUTE, SUPERVISOR_ROLE
from call_guard.snapshot import Role, read_room

KIND = api.ParticipantInfo.Kind


def role_of(participant: api.ParticipantInfo) -> Role:
    (found,) = read_room(api.Room(name="museum"), [participant], [], "secret").participants
    return found.role


@pytest.mark.parametrize("kind", [KIND.STANDARD, KIND.SIP, KIND.CONNECTOR])
def test_person_is_a_caller(kind: KIND.ValueType) -> None:
    assert role_of(api.ParticipantInfo(identity="ann", kind=kind)) is Role.CALLER


@pytest.mark.parametrize(
    "other",
    [
        api.ParticipantInfo(kind=KIND.EGRESS),
        api.ParticipantInfo(kind=KIND.INGRESS),
        api.ParticipantInfo(kind=KIND.BRIDGE),
        api.ParticipantInfo(permission=api.ParticipantPermission(hidden=True)),
        api.ParticipantInfo(permission=api.ParticipantPermission(recorder=True)),
        api.ParticipantInfo(attributes={ROLE_ATTRIBUTE: SUPERVISOR_ROLE}),
    ],
)
def test_who_only_listens_gets_no_agent(other: api.ParticipantInfo) -> None:
    assert role_of(other) is Role.OTHER


def test_announcer_is_no_agent_that_serves_the_caller() -> None:
    assert role_of(api.ParticipantInfo(kind=KIND.AGENT)) is Role.AGENT
    assert role_of(api.ParticipantInfo(kind=KIND.AGENT, attributes={ANNOUNCER_ATTRIBUTE: "1"})) is Role.ANNOUNCER
