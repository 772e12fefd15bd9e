from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest
from livekit import api
from livekit.protocol import agent, models

from agent_worker.lifecycle.redispatch import redispatch_agent
from agent_worker.room.topics import DISPATCH_CLAIM_ATTRIBUTE

KIND = models.ParticipantInfo.Kind
Poll = list[models.ParticipantInfo] | Exception
CALLER = models.ParticipantInfo(identity="caller")
RECORDER = models.ParticipantInfo(identity="recorder", kind=KIND.EGRESS)


def guide(identity: str, name: str = "guide") -> models.ParticipantInfo:
    claim = {DISPATCH_CLAIM_ATTRIBUTE: f"1.000 {name}"}
    return models.ParticipantInfo(identity=identity, kind=KIND.AGENT, attributes=claim)


DEAD, NEW, OTHER_NAME = guide("agent-1"), guide("agent-2"), guide("agent-3", "tour guide")
JOB = agent.Job(room=models.Room(name="museum"), agent_name="guide", metadata="m")


class FakeLiveKit:
    """LiveKit's API, and a clock that only advances while the code under test sleeps.

    Args:
        polls: The participants at each poll; an exception is raised.
        accepted: Whether a worker accepts a dispatch.
        dispatches: The replies to requests for a dispatch; an exception is raised.
    """

    def __init__(
        self, polls: Sequence[Poll], *, accepted: bool = True, dispatches: Sequence[Any] | None = None
    ) -> None:
        self.polls = list(polls)
        dispatch = api.AgentDispatch(id="AD_1", room="museum", state={"jobs": [agent.Job()] if accepted else []})
        self.agent_dispatch = AsyncMock(
            create_dispatch=AsyncMock(side_effect=dispatches, return_value=dispatch),
            get_dispatch=AsyncMock(return_value=dispatch),
        )
        self.room = AsyncMock(list_participants=AsyncMock(side_effect=self._list_participants))
        self.now_s = 0.0
        self.log: list[str] = []

    def _list_participants(self, _: object) -> api.ListParticipantsResponse:
        participants = self.polls.pop(0) if len(self.polls) > 1 else self.polls[0]
        if isinstance(participants, Exception):
            raise participants
        return api.ListParticipantsResponse(participants=participants)

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    async def redispatch(self) -> None:
        connection = contextlib.nullcontext(cast("api.LiveKitAPI", self))
        clock = lambda: self.now_s  # noqa: E731
        await redispatch_agent(lambda: connection, JOB, "agent-1", self.log.append, sleep=self.sleep, clock=clock)

    @property
    def requests(self) -> list[Any]:
        return [call.args[0] for call in self.agent_dispatch.create_dispatch.await_args_list]

    @property
    def deleted(self) -> int:
        return int(self.agent_dispatch.delete_dispatch.await_count)


async def test_dead_agent_is_removed_and_another_dispatched_with_its_name_and_metadata() -> None:
    livekit = FakeLiveKit([[CALLER, DEAD], [CALLER, NEW]])
    await livekit.redispatch()
    assert livekit.room.remove_participant.await_args.args[0].identity == "agent-1"
    (request,) = livekit.requests
    assert (request.room, request.agent_name, request.metadata) == ("museum", "guide", "m")


@pytest.mark.parametrize(
    "participants",
    [
        pytest.param([DEAD], id="no caller"),
        pytest.param([DEAD, RECORDER], id="a recorder is no caller"),
        pytest.param([DEAD, OTHER_NAME], id="an agent of another name is no caller"),
        pytest.param([CALLER, NEW], id="another agent is there"),
    ],
)
async def test_no_agent_is_dispatched_without_need(participants: list[models.ParticipantInfo]) -> None:
    livekit = FakeLiveKit([participants])
    await livekit.redispatch()
    assert livekit.requests == []


async def test_agent_of_another_name_does_not_stand_in() -> None:
    livekit = FakeLiveKit([[CALLER, OTHER_NAME], [CALLER, OTHER_NAME, NEW]])
    await livekit.redispatch()
    assert len(livekit.requests) == 1


async def test_dispatch_that_no_worker_accepts_is_replaced_after_3_seconds() -> None:
    livekit = FakeLiveKit([*[[CALLER]] * 4, [CALLER, NEW]], accepted=False)
    await livekit.redispatch()
    assert (len(livekit.requests), livekit.deleted) == (2, 1)


async def test_dispatch_that_a_worker_accepted_is_waited_for() -> None:
    livekit = FakeLiveKit([*[[CALLER]] * 19, [CALLER, NEW]])
    await livekit.redispatch()
    assert (len(livekit.requests), livekit.deleted) == (1, 0)


async def test_accepted_dispatch_without_an_agent_is_replaced_after_20_seconds() -> None:
    livekit = FakeLiveKit([*[[CALLER]] * 21, [CALLER, NEW]])
    await livekit.redispatch()
    assert (len(livekit.requests), livekit.deleted) == (2, 1)


async def test_failed_request_for_a_dispatch_is_repeated() -> None:
    dispatch = api.AgentDispatch(id="AD_1", room="museum")
    livekit = FakeLiveKit([*[[CALLER]] * 5, [CALLER, NEW]], accepted=False, dispatches=[dispatch, OSError(), dispatch])
    await livekit.redispatch()
    assert (len(livekit.requests), livekit.deleted) == (3, 1)
    assert livekit.log == ["cannot dispatch another agent yet: OSError"]


async def test_failed_poll_is_repeated() -> None:
    livekit = FakeLiveKit([OSError(), [CALLER], [CALLER, NEW]])
    await livekit.redispatch()
    assert len(livekit.requests) == 1
    assert livekit.log == ["cannot dispatch another agent yet: OSError"]


async def test_redispatch_gives_up_at_the_timeout() -> None:
    livekit = FakeLiveKit([[CALLER]])

    async def forever(_: float) -> None:
        await asyncio.Event().wait()

    connection = contextlib.nullcontext(cast("api.LiveKitAPI", livekit))
    await redispatch_agent(lambda: connection, JOB, "agent-1", livekit.log.append, timeout_s=0.001, sleep=forever)
    assert len(livekit.requests) <= 1
