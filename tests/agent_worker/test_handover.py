"""A call's process that loses its worker asks for another agent; one whose call ends as calls do does not."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest
from livekit import api
from livekit.protocol import agent, models

from agent_worker import handover
from agent_worker.topics import ASKED_ATTRIBUTE

CALLER = models.ParticipantInfo(identity="caller")
GUIDE = models.ParticipantInfo(
    identity="agent-2", kind=models.ParticipantInfo.Kind.AGENT, attributes={ASKED_ATTRIBUTE: "1.000 guide"}
)
OBSERVER = models.ParticipantInfo(identity="observer", kind=models.ParticipantInfo.Kind.AGENT)


def job(*, connected: bool) -> Any:
    room = Mock(isconnected=Mock(return_value=connected), disconnect=AsyncMock())
    return Mock(room=room, job=agent.Job(room=models.Room(name="museum"), agent_name="guide", metadata="m"))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    """LiveKit's API. ``present`` are those in the room, at each look."""
    monkeypatch.setattr(handover, "_JOINED_AFTER", 0.0)
    livekit = MagicMock(present=[[CALLER, GUIDE]], agent_dispatch=AsyncMock(), room=AsyncMock())
    livekit.__aenter__.return_value = livekit
    livekit.agent_dispatch.create_dispatch.return_value = api.AgentDispatch(id="AD_1")
    livekit.room.list_participants.side_effect = lambda _: api.ListParticipantsResponse(
        participants=livekit.present.pop(0)
    )
    monkeypatch.setattr(handover, "livekit_api", lambda _: livekit)
    return livekit


async def end_of_process(of: Any) -> None:
    """As livekit-agents ends one: every task is cancelled, and then waited for."""
    handover.hand_over_when_the_worker_dies(of, Mock())
    await asyncio.sleep(0)
    (task,) = (task for task in asyncio.all_tasks() if task.get_name() == "hand_over_when_the_worker_dies")
    task.cancel()
    await asyncio.wait([task])


async def test_agent_without_a_worker_leaves_the_room_to_another_that_it_asks_for(server: Any) -> None:
    call = job(connected=True)
    await end_of_process(call)
    call.room.disconnect.assert_awaited_once()
    (asked,) = (call.args[0] for call in server.agent_dispatch.create_dispatch.await_args_list)
    assert (asked.room, asked.agent_name, asked.metadata) == ("museum", "guide", "m")


async def test_call_that_has_ended_needs_no_other_agent(server: Any) -> None:
    await end_of_process(job(connected=False))
    server.agent_dispatch.create_dispatch.assert_not_awaited()


async def test_it_is_asked_again_until_one_comes(server: Any) -> None:
    server.present = [[CALLER], [CALLER, OBSERVER], [CALLER, GUIDE]]
    await end_of_process(job(connected=True))
    assert server.agent_dispatch.create_dispatch.await_count == 3
    assert server.agent_dispatch.delete_dispatch.await_count == 2  # or two would come at last


async def test_it_is_not_asked_again_when_nobody_is_left(server: Any) -> None:
    server.present = [[OBSERVER]]
    await end_of_process(job(connected=True))
    server.agent_dispatch.create_dispatch.assert_awaited_once()


async def test_livekit_that_does_not_answer_is_asked_again(server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    server.agent_dispatch.create_dispatch.side_effect = [OSError, api.AgentDispatch(id="AD_1")]
    await end_of_process(job(connected=True))
    assert server.agent_dispatch.create_dispatch.await_count == 2
    assert "no other agent yet: OSError" in capsys.readouterr().err
