"""An agent whose process has died is taken out of its room, and another is asked for."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest
from livekit import api
from livekit.agents.job import JobAcceptArguments, RunningJobInfo
from livekit.protocol import agent, models

from agent_worker.lifecycle import process_death as replacement
from agent_worker.lifecycle.process_death import redispatch_if_dead


def job() -> RunningJobInfo:
    room = models.Room(name="museum", sid="RM_1")
    accepted = JobAcceptArguments(name="", identity="agent-1", metadata="")
    return RunningJobInfo(accepted, agent.Job(id="AJ_1", room=room, agent_name="guide"), "", "", "", False)


class Rooms:
    """What is asked of LiveKit. ``present`` are those in the room, at each look; an exception is raised."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *present: Sequence[str] | Exception) -> None:
        self.present = list(present)
        self.room = Mock(list_participants=AsyncMock(side_effect=self._look), remove_participant=AsyncMock())
        connected = MagicMock(room=self.room)
        connected.__aenter__.return_value = connected
        self.redispatch_agent = AsyncMock()
        monkeypatch.setattr(replacement, "livekit_api", lambda _: connected)
        monkeypatch.setattr(replacement, "redispatch_agent", self.redispatch_agent)
        monkeypatch.setattr(replacement, "_LOOK_EVERY", 0.0)

    def _look(self, _: object) -> api.ListParticipantsResponse:
        present = self.present.pop(0)
        if isinstance(present, Exception):
            raise present
        return api.ListParticipantsResponse(participants=[models.ParticipantInfo(identity=name) for name in present])

    @property
    def asked(self) -> int:
        return self.redispatch_agent.await_count

    @property
    def removed(self) -> int:
        return int(self.room.remove_participant.await_count)


async def test_agent_that_left_its_room_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = Rooms(monkeypatch, ["caller"])
    await redispatch_if_dead(job(), Mock(), Counter())
    assert rooms.asked == rooms.removed == 0


async def test_agent_that_stands_in_its_room_without_a_process_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = Rooms(monkeypatch, ["caller", "agent-1"])
    await redispatch_if_dead(job(), Mock(), Counter())
    _, wanted, gone, _ = rooms.redispatch_agent.await_args.args  # type: ignore[union-attr]
    assert (wanted.room.name, wanted.agent_name, gone) == ("museum", "guide", "agent-1")


async def test_room_that_is_gone_needs_no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = Rooms(monkeypatch, api.ServerError(api.ServerErrorCode.NOT_FOUND, "no such room", status=404))
    await redispatch_if_dead(job(), Mock(), Counter())
    assert rooms.asked == 0


async def test_livekit_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = Rooms(monkeypatch, OSError(), TimeoutError(), ["caller", "agent-1"])
    await redispatch_if_dead(job(), Mock(), Counter())
    assert rooms.asked == 1


@pytest.mark.parametrize(("times", "asked"), [(3, 3), (4, 3)])
async def test_room_in_which_agents_go_on_dying_gets_no_more(
    times: int, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms, replaced = Rooms(monkeypatch, *[["agent-1"]] * times), Counter[str]()
    for _ in range(times):
        await redispatch_if_dead(job(), Mock(), replaced)
    assert rooms.asked == asked
    assert rooms.removed == times - asked  # those that are replaced are removed by what asks for another


async def test_processes_that_end_are_noticed_while_another_is_looked_after(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = job(), job()
    second.job.id = "AJ_2"
    running: list[list[Any]] = [[first, second], [second], []]
    looked_after: list[str] = []
    both = asyncio.Event()

    async def look_after(info: RunningJobInfo, *_: object) -> None:
        looked_after.append(info.job.id)
        if len(looked_after) == 2:
            both.set()
        await asyncio.Event().wait()

    class Server:
        @property
        def active_jobs(self) -> list[RunningJobInfo]:
            return running.pop(0) if len(running) > 1 else running[0]

    monkeypatch.setattr(replacement, "redispatch_if_dead", look_after)
    monkeypatch.setattr(replacement, "_LOOK_EVERY", 0.0)
    watching = asyncio.create_task(replacement._watch(Server(), Mock()))  # type: ignore[arg-type]
    await asyncio.wait_for(both.wait(), 60)
    watching.cancel()
    assert looked_after == ["AJ_1", "AJ_2"]
