"""Until when an announcer stays in a room."""

from __future__ import annotations

from typing import Any

import pytest

from agent_worker.room.topics import ANNOUNCER_ATTRIBUTE, LANGUAGE_ATTRIBUTE, ROLE_ATTRIBUTE, SUPERVISOR_ROLE
from call_guard.line import RoomLine
from tests.agent_worker.telephones import KIND, FakeRoom, participant, phone

SUPERVISOR = participant("supervisor", KIND.PARTICIPANT_KIND_STANDARD, **{ROLE_ATTRIBUTE: SUPERVISOR_ROLE})


def line_in(room: FakeRoom, agent_name: str = "") -> RoomLine:
    line = RoomLine(room, agent_name)  # type: ignore[arg-type]
    line.check()
    return line


@pytest.mark.parametrize(
    "caller", [participant("visitor"), phone(), participant("app", KIND.PARTICIPANT_KIND_CONNECTOR)]
)
async def test_announcer_stays_while_a_caller_waits(caller: Any) -> None:
    room = FakeRoom(SUPERVISOR, caller)
    line = line_in(room)
    assert not line.over.done()
    room.leave(caller)
    assert line.over.result() == "no_caller"


async def test_announcer_leaves_when_an_agent_of_the_name_comes() -> None:
    room = FakeRoom(participant("visitor"))
    line = line_in(room, "museum")
    room.join(participant("announcer", KIND.PARTICIPANT_KIND_AGENT, **{ANNOUNCER_ATTRIBUTE: "true"}))
    room.join(participant("recorder", KIND.PARTICIPANT_KIND_AGENT, **{"lk.agent.name": "another"}))
    assert not line.over.done()
    room.join(participant("agent", KIND.PARTICIPANT_KIND_AGENT, **{"lk.agent.name": "museum"}))
    assert line.over.result() == "agent"


async def test_language_is_the_callers() -> None:
    room = FakeRoom(SUPERVISOR, participant("visitor", KIND.PARTICIPANT_KIND_STANDARD, **{LANGUAGE_ATTRIBUTE: "pt-br"}))
    assert line_in(room).language == "pt-BR"
