from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, cast
from unittest.mock import AsyncMock, Mock

import pytest
from livekit import api
from livekit.agents.job import JobAcceptArguments, RunningJobInfo
from livekit.protocol import agent, models

from agent_worker.lifecycle.process_death import DeadJobWatch, Redispatch


def job(job_id: str = "AJ_1") -> RunningJobInfo:
    room = models.Room(name="museum", sid="RM_1")
    accepted = JobAcceptArguments(name="", identity="agent-1", metadata="")
    return RunningJobInfo(accepted, agent.Job(id=job_id, room=room, agent_name="guide"), "", "", "", False)


class FakeLiveKit:
    """LiveKit's API. Each poll returns the next identities of ``polls``; an exception is raised."""

    def __init__(self, *polls: Sequence[str] | Exception, redispatch: Redispatch | None = None) -> None:
        self.polls = list(polls)
        self.room = Mock(list_participants=AsyncMock(side_effect=self._list), remove_participant=AsyncMock())
        self.redispatch = AsyncMock()
        self.sleeps: list[float] = []
        connection = contextlib.nullcontext(cast("api.LiveKitAPI", self))
        self.watch = DeadJobWatch(lambda: connection, redispatch=redispatch or self.redispatch, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        await asyncio.sleep(0)

    def _list(self, _: object) -> api.ListParticipantsResponse:
        participants = self.polls.pop(0) if len(self.polls) > 1 else self.polls[0]
        if isinstance(participants, Exception):
            raise participants
        return api.ListParticipantsResponse(participants=[models.ParticipantInfo(identity=one) for one in participants])

    @property
    def removed(self) -> int:
        return int(self.room.remove_participant.await_count)


async def test_agent_that_left_its_room_is_not_replaced() -> None:
    livekit = FakeLiveKit(["caller"])
    await livekit.watch.redispatch_if_dead(job())
    assert livekit.redispatch.await_count == livekit.removed == 0


async def test_agent_that_is_still_in_its_room_is_replaced() -> None:
    livekit = FakeLiveKit(["caller", "agent-1"])
    await livekit.watch.redispatch_if_dead(job())
    _, dispatched, dead_identity, _ = livekit.redispatch.await_args.args  # type: ignore[union-attr]
    assert (dispatched.room.name, dispatched.agent_name, dead_identity) == ("museum", "guide", "agent-1")


async def test_room_that_does_not_exist_any_more_gets_no_agent() -> None:
    livekit = FakeLiveKit(api.ServerError(api.ServerErrorCode.NOT_FOUND, "no such room", status=404))
    await livekit.watch.redispatch_if_dead(job())
    assert livekit.redispatch.await_count == 0
    assert livekit.sleeps == []


async def test_failed_request_is_repeated_after_a_second() -> None:
    livekit = FakeLiveKit(OSError(), TimeoutError(), ["caller", "agent-1"])
    await livekit.watch.redispatch_if_dead(job())
    assert livekit.redispatch.await_count == 1
    assert livekit.sleeps == [1.0, 1.0]


async def test_requests_end_after_a_minute_of_failures(caplog: pytest.LogCaptureFixture) -> None:
    livekit = FakeLiveKit(OSError())
    await livekit.watch.redispatch_if_dead(job())
    assert livekit.redispatch.await_count == 0
    assert caplog.messages == ["cannot ask LiveKit whether a call lost its agent: OSError"] * 60


async def test_room_whose_agents_die_again_and_again_gets_no_fourth() -> None:
    livekit = FakeLiveKit(["caller", "agent-1"])
    for deaths, redispatches, removed in [(1, 1, 0), (2, 2, 0), (3, 3, 0), (4, 3, 1)]:
        await livekit.watch.redispatch_if_dead(job())
        assert (livekit.redispatch.await_count, livekit.removed) == (redispatches, removed), deaths


async def test_death_is_noticed_while_another_room_waits_for_its_agent() -> None:
    dispatched: asyncio.Queue[str] = asyncio.Queue()

    async def never_done(_: object, dead: api.Job, *__: object) -> None:
        dispatched.put_nowait(dead.id)
        await asyncio.Event().wait()

    class Server:
        """Loses one job after the other."""

        def __init__(self) -> None:
            self._active: list[list[Any]] = [[job("AJ_1"), job("AJ_2")], [job("AJ_2")], []]

        @property
        def active_jobs(self) -> list[RunningJobInfo]:
            return self._active.pop(0) if len(self._active) > 1 else self._active[0]

    livekit = FakeLiveKit(["agent-1"], redispatch=never_done)
    watching = asyncio.create_task(livekit.watch.run(Server()))  # type: ignore[arg-type]
    assert [await dispatched.get(), await dispatched.get()] == ["AJ_1", "AJ_2"]
    watching.cancel()
