"""Callers whom LiveKit alone leaves without an agent, with two call guards."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from livekit import api, rtc

from agent_worker.room.topics import ANNOUNCER_ATTRIBUTE
from testbed.processes import Child, free_port
from testbed.services import API_KEY, API_SECRET, Ports, call_guard, livekit_server, running, webhook_url
from tests.e2e.chat import ChatParticipant, simulated_worker
from tests.tools import require_binary
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]


@dataclasses.dataclass
class Guarded:
    """A LiveKit server, a worker, and two guards, of which the first gets webhooks."""

    ports: Ports
    worker: Child
    guards: list[Child]
    guard_ports: list[int]

    async def total(self, metric: str) -> float:
        """Return the sum of a metric over the guards."""
        total = 0.0
        async with aiohttp.ClientSession() as http:
            for port in self.guard_ports:
                async with http.get(f"http://127.0.0.1:{port}/metrics") as response:
                    lines = (await response.text()).splitlines()
                total += sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(metric))
        return total

    def livekit(self) -> api.LiveKitAPI:
        return api.LiveKitAPI(self.ports.livekit_url, API_KEY, API_SECRET)

    def accepted(self) -> int:
        """How many jobs the worker was asked for."""
        return self.worker.output().count("received job request")


@contextlib.asynccontextmanager
async def guarded(folder: Path, env: dict[str, str]) -> AsyncIterator[Guarded]:
    require_binary("livekit-server")
    ports = Ports.free()
    other = replace(ports, guard=free_port())
    first_folder, second_folder = folder / "first", folder / "second"
    for each in (first_folder, second_folder):
        each.mkdir()
    worker_port = free_port()
    slots = {"WORKER_URLS": f"http://127.0.0.1:{worker_port}", "GUARD_SWEEP_INTERVAL": "0.5"}
    async with (
        running([livekit_server(ports.livekit, webhooks=[webhook_url(ports)])], folder),
        simulated_worker(folder, ports, {"WORKER_PORT": str(worker_port), **env}) as (_, worker),
        running([call_guard(ports, slots)], first_folder) as first,
        running([call_guard(other, slots)], second_folder) as second,
    ):
        yield Guarded(ports, worker, [*first.values(), *second.values()], [ports.guard, other.guard])


def agents(participant: ChatParticipant) -> list[rtc.RemoteParticipant]:
    others = participant.room.remote_participants.values()
    kind = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    return [one for one in others if one.kind == kind and ANNOUNCER_ATTRIBUTE not in one.attributes]


def announcers(participant: ChatParticipant) -> list[rtc.RemoteParticipant]:
    return [one for one in participant.room.remote_participants.values() if ANNOUNCER_ATTRIBUTE in one.attributes]


async def test_caller_who_comes_back_to_the_room_gets_exactly_one_agent(tmp_path: Path) -> None:
    async with guarded(tmp_path, {}) as system:
        async with (
            system.livekit() as livekit,
            ChatParticipant().joined(system.ports.livekit_url, "rejoin", "keeper") as keeper,
        ):
            first = await keeper.agent()
            # LiveKit tells of one without a track only every few seconds: the next agent would be there by then.
            await until(lambda: first.track_publications)
            await livekit.room.remove_participant(api.RoomParticipantIdentity(room="rejoin", identity=first.identity))
            await until(lambda: not agents(keeper))
        async with ChatParticipant().joined(system.ports.livekit_url, "rejoin", "caller") as caller:
            second = await caller.agent()
            assert second.identity != first.identity
            _, turn = await caller.turn("How old are trains?")
            assert turn["answer"] == "Trains are old."
            assert len(agents(caller)) == 1
        assert await system.total("call_guard_dispatches_total") >= 1
        assert await system.total('call_guard_webhooks_total{result="used"}') >= 1


async def test_caller_of_full_workers_hears_that_and_gets_the_next_free_slot(tmp_path: Path) -> None:
    async with (
        guarded(tmp_path, {"WORKER_MAX_CALLS": "1"}) as system,
        ChatParticipant().joined(system.ports.livekit_url, "waiting", "second") as second,
    ):
        async with ChatParticipant().joined(system.ports.livekit_url, "busy", "first") as first:
            # Either may have been first: LiveKit dispatches to both.
            await until(lambda: agents(first) or agents(second))
            served, waiting = (first, second) if agents(first) else (second, first)
            await served.agent()
            await until(lambda: announcers(waiting))
            await until(lambda: any(track.track for track in announcers(waiting)[0].track_publications.values()))
            assert not agents(waiting)
            await served.room.disconnect()
            await until(lambda: agents(waiting))
            await until(lambda: not announcers(waiting))
            assert len(agents(waiting)) == 1
        assert await system.total('call_guard_announcements_total{end="agent"}') >= 1


async def test_guards_that_are_killed_leave_calls_alone_and_the_other_guard_goes_on(tmp_path: Path) -> None:
    async with (
        guarded(tmp_path, {}) as system,
        ChatParticipant().joined(system.ports.livekit_url, "killed", "caller") as caller,
    ):
        first = await caller.agent()
        system.guards[0].kill()  # that with the webhooks
        await system.guards[0].wait()
        async with system.livekit() as livekit:
            await livekit.room.remove_participant(api.RoomParticipantIdentity(room="killed", identity=first.identity))
        await until(lambda: [one for one in agents(caller) if one.identity != first.identity])
        assert len(agents(caller)) == 1
