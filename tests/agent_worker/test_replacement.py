"""An agent whose process has died is taken out of its room, and another is asked for."""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from livekit import api
from livekit.agents.job import JobAcceptArguments, RunningJobInfo
from livekit.protocol import agent, models

from agent_worker.replacement import replace_if_dead


def job() -> RunningJobInfo:
    room = models.Room(name="museum", sid="RM_1")
    accepted = JobAcceptArguments(name="", identity="agent-1", metadata="")
    return RunningJobInfo(
        accepted, agent.Job(id="AJ_1", room=room, agent_name="guide", metadata="m"), "", "", "", False
    )


def livekit(*present: str) -> Any:
    there = api.ListParticipantsResponse(participants=[models.ParticipantInfo(identity=name) for name in present])
    return Mock(room=AsyncMock(list_participants=AsyncMock(return_value=there)), agent_dispatch=AsyncMock())


async def test_agent_that_left_its_room_is_not_replaced() -> None:
    server = livekit("caller")
    await replace_if_dead(server, job(), Counter())
    server.room.remove_participant.assert_not_awaited()
    server.agent_dispatch.create_dispatch.assert_not_awaited()


async def test_agent_that_stands_in_its_room_without_a_process_is_replaced() -> None:
    server = livekit("caller", "agent-1")
    await replace_if_dead(server, job(), Counter())
    assert server.room.remove_participant.await_args.args[0].identity == "agent-1"
    request = server.agent_dispatch.create_dispatch.await_args.args[0]
    assert (request.room, request.agent_name, request.metadata) == ("museum", "guide", "m")


@pytest.mark.parametrize(("times", "asked"), [(3, 3), (4, 3)])
async def test_room_in_which_agents_go_on_dying_gets_no_more(times: int, asked: int) -> None:
    server, replaced = livekit("agent-1"), Counter[str]()
    for _ in range(times):
        await replace_if_dead(server, job(), replaced)
    assert server.agent_dispatch.create_dispatch.await_count == asked
