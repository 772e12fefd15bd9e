"""A call's process that loses its worker asks for another agent; one whose call ends as calls do does not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest
from livekit import api
from livekit.protocol import agent, models

from agent_worker.lifecycle import redispatch as another_agent
from agent_worker.lifecycle import worker_death as handover
from agent_worker.room.topics import DISPATCH_CLAIM_ATTRIBUTE

CALLER = models.ParticipantInfo(identity="caller")
KIND = models.ParticipantInfo.Kind
Look = list[models.ParticipantInfo] | Exception
RECORDER = models.ParticipantInfo(identity="recorder", kind=KIND.EGRESS)


def guide(identity: str, name: str = "guide") -> models.ParticipantInfo:
    return models.ParticipantInfo(
        identity=identity, kind=KIND.AGENT, attributes={DISPATCH_CLAIM_ATTRIBUTE: f"1.000 {name}"}
    )


ME, ANOTHER, OF_OTHER_NAME = guide("agent-1"), guide("agent-2"), guide("agent-3", "tour guide")


def job(*, connected: bool) -> Any:
    room = Mock(isconnected=Mock(return_value=connected), local_participant=Mock(identity="agent-1"))
    return Mock(room=room, job=agent.Job(room=models.Room(name="museum"), agent_name="guide", metadata="m"))


class LiveKit:
    """Its API. ``present`` are those in the room, at each look; ``accepted`` is whether a worker takes the call."""

    def __init__(self, present: Sequence[Look], *, accepted: bool) -> None:
        self.present = list(present)
        jobs = [agent.Job()] if accepted else []
        dispatch = api.AgentDispatch(id="AD_1", room="museum", state={"jobs": jobs})
        self.dispatches = AsyncMock(
            create_dispatch=AsyncMock(return_value=dispatch), get_dispatch=AsyncMock(return_value=dispatch)
        )
        self.room = AsyncMock(list_participants=AsyncMock(side_effect=self._look))

    def _look(self, _: object) -> api.ListParticipantsResponse:
        present = self.present.pop(0)
        if isinstance(present, Exception):
            raise present
        return api.ListParticipantsResponse(participants=present)

    @property
    def asked(self) -> int:
        return int(self.dispatches.create_dispatch.await_count)

    @property
    def taken_back(self) -> int:
        return int(self.dispatches.delete_dispatch.await_count)


async def end_of_process(
    call: Any,
    monkeypatch: pytest.MonkeyPatch,
    *present: Look,
    accepted: bool = True,
    dispatches: Sequence[api.AgentDispatch | Exception] | None = None,
) -> LiveKit:
    """As livekit-agents ends one: every task is cancelled, and then waited for."""
    server = LiveKit(present, accepted=accepted)
    if dispatches:
        server.dispatches.create_dispatch.side_effect = dispatches
    connected = MagicMock(room=server.room, agent_dispatch=server.dispatches)
    connected.__aenter__.return_value = connected
    monkeypatch.setattr(another_agent, "livekit_api", lambda _: connected)
    monkeypatch.setattr(another_agent, "_LOOK_EVERY", 0.0)
    monkeypatch.setattr(another_agent, "_LONGEST_ANSWER", 0.0)
    handover.redispatch_on_worker_death(call, Mock())
    await asyncio.sleep(0)
    (task,) = (task for task in asyncio.all_tasks() if task.get_name() == "redispatch_on_worker_death")
    task.cancel()
    await asyncio.wait([task])
    return server


async def test_agent_without_a_worker_is_taken_out_of_the_room_and_another_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = await end_of_process(job(connected=True), monkeypatch, [CALLER, ME], [CALLER, ANOTHER])
    assert server.room.remove_participant.await_args.args[0].identity == "agent-1"
    (asked,) = (call.args[0] for call in server.dispatches.create_dispatch.await_args_list)
    assert (asked.room, asked.agent_name, asked.metadata) == ("museum", "guide", "m")


async def test_call_that_has_ended_needs_no_other_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await end_of_process(job(connected=False), monkeypatch)).asked == 0


@pytest.mark.parametrize("present", [[ME], [ME, RECORDER], [ME, OF_OTHER_NAME], [CALLER, ANOTHER]])
async def test_no_agent_is_asked_for_where_there_is_no_caller_or_another_already(
    present: list[models.ParticipantInfo], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await end_of_process(job(connected=True), monkeypatch, present)).asked == 0


async def test_it_is_asked_again_while_no_worker_accepts(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [[CALLER], [CALLER, OF_OTHER_NAME], [CALLER, ANOTHER]]
    server = await end_of_process(job(connected=True), monkeypatch, *looks, accepted=False)
    assert (server.asked, server.taken_back) == (2, 1)  # or two would come at last


async def test_it_is_asked_again_after_livekit_has_failed_to_send_one(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [[CALLER], [CALLER], [CALLER], [CALLER, ANOTHER]]
    dispatch = api.AgentDispatch(id="AD_1", room="museum")
    replies = [dispatch, OSError(), dispatch]
    server = await end_of_process(job(connected=True), monkeypatch, *looks, accepted=False, dispatches=replies)
    assert (server.asked, server.taken_back) == (3, 1)


async def test_agent_of_a_worker_that_has_accepted_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    server = await end_of_process(job(connected=True), monkeypatch, *[[CALLER]] * 5, [CALLER, ANOTHER])
    assert (server.asked, server.taken_back) == (1, 0)


async def test_livekit_that_does_not_answer_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = await end_of_process(job(connected=True), monkeypatch, OSError(), [CALLER], [CALLER, ANOTHER])
    assert server.asked == 1
    assert "no other agent yet: OSError" in capsys.readouterr().err
