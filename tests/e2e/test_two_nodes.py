"""Two LiveKit servers on one Redis, each with a worker of its own: one machine of two goes down during calls."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from livekit import api

from agent_worker.room.topics import TURN_TOPIC
from benchmarks.harness.clips import UTTERANCES, clips
from caller import CallError, CallOptions, CallReport, Turn, Wav, call
from testbed.processes import Child, free_port
from testbed.services import (
    API_KEY,
    API_SECRET,
    Ports,
    agent_metrics,
    livekit_server,
    model_server,
    running,
    worker,
    worker_env,
)
from tests.e2e.conftest import scrape
from tests.e2e.redis import redis_server

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

SIMULATION = {
    "llm": {"*": {"ttft_ms": 300, "replies": ["The answer is at nine. That answer is certain."]}},
    "stt": {"*": {"transcripts": list(UTTERANCES)}},
}
CONVERSATIONS = "livekit_conversations_total"
NEW_CALLS = 3
LONG = 100
"""Times that a caller says everything: until they are told to hang up."""
PATIENCE = 120.0  # seconds; two workers on one machine may be slow
ATTEMPTS = 10
"""Of joining after a node has died: for five seconds LiveKit still sends new rooms to it."""


@dataclass(frozen=True)
class Node:
    """One machine."""

    ports: Ports
    server: Child
    worker: Child

    async def total(self, metric: str) -> float:
        return (await scrape(self.ports)).get(metric, 0)

    async def make_room(self) -> str:
        """A room on this node: otherwise LiveKit picks one of all."""
        started = re.search(r'starting LiveKit server.*"nodeID": "(\w+)"', self.server.output())
        assert started
        room = f"room-{free_port()}"
        async with api.LiveKitAPI(self.ports.livekit_url, API_KEY, API_SECRET) as livekit:
            await livekit.room.create_room(api.CreateRoomRequest(name=room, node_id=started[1]))
        return room

    @property
    def jobs(self) -> int:
        """Calls that LiveKit gave to this node's worker."""
        return self.worker.output().count('"received job request"')

    def lose_power(self) -> None:
        self.server.kill()
        self.worker.kill()


class Phone:
    """Somebody who calls, through one node."""

    def __init__(self, node: Node, room: str, recordings: Sequence[Path]) -> None:

        self.turns: list[Turn] = []
        options = CallOptions(
            url=node.ports.livekit_url,
            room=room,
            api_key=API_KEY,
            api_secret=API_SECRET,
            utterances=[Wav(path) for path in recordings],
            topics=[TURN_TOPIC],
            greeting_wait=15,
            connect_timeout=PATIENCE,
            agent_timeout=PATIENCE,
            reply_timeout=PATIENCE,
        )
        self.call = asyncio.create_task(call(options, self.turns.append))

    @property
    def turns_answered(self) -> int:
        return sum(turn.first_heard is not None for turn in self.turns)


@contextlib.asynccontextmanager
async def node(folder: Path, redis: int, models: int) -> AsyncIterator[Node]:
    ports = Ports(free_port(), models, free_port())
    metrics = folder / "metrics"
    metrics.mkdir(parents=True)
    env = {**worker_env(ports, metrics), "PRERESPONSE_AUDIO_DIR": str(folder), "WORKER_MAX_CALLS": "10"}
    services = [
        livekit_server(ports.livekit, redis=f"127.0.0.1:{redis}"),
        agent_metrics(ports.metrics, metrics),
        worker("fast-preresponse.py", env),
    ]
    async with running(services, folder) as children:
        yield Node(ports, children[services[0].name], children[services[-1].name])


@contextlib.asynccontextmanager
async def two_nodes(folder: Path) -> AsyncIterator[tuple[Node, Node]]:
    simulation = folder / "simulation.json"
    simulation.write_text(json.dumps(SIMULATION))
    redis, models = free_port(), free_port()
    async with (
        running([redis_server(redis), model_server(models, "--simulated", str(simulation))], folder),
        node(folder / "first", redis, models) as first,
        node(folder / "second", redis, models) as second,
    ):
        yield first, second


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    while not await condition():
        await asyncio.sleep(0.3)


async def who_served(nodes: tuple[Node, Node], before: Sequence[float]) -> Node:
    """The one whose worker has begun a conversation since ``before``."""
    while True:
        for one, conversations in zip(nodes, before, strict=True):
            if await one.total(CONVERSATIONS) > conversations:
                return one
        await asyncio.sleep(0.3)


async def answered(phones: Sequence[Phone], times: int) -> None:
    """Wait until each of them has been answered so many times from now."""
    goals = [phone.turns_answered + times for phone in phones]
    for phone, goal in zip(phones, goals, strict=True):
        while phone.turns_answered < goal:
            assert not phone.call.done(), phone.call
            await asyncio.sleep(0.3)


async def nobody_talks(nodes: Sequence[Node]) -> bool:
    return not any([await one.total("livekit_active_conversations") for one in nodes])


async def call_anew(node: Node, recordings: Sequence[Path]) -> CallReport:
    """A new call, in a room for which LiveKit picks the node."""
    for attempt in range(ATTEMPTS):
        try:
            return await Phone(node, f"room-{free_port()}", recordings).call
        except CallError:
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError


async def close_all_rooms(node: Node) -> None:
    """LiveKit gives an agent that has come back to a room alone five minutes.

    A room to which nobody came back is still listed, and only the node that is dead could close it.
    """
    async with api.LiveKitAPI(node.ports.livekit_url, API_KEY, API_SECRET) as livekit:
        for room in (await livekit.room.list_rooms(api.ListRoomsRequest())).rooms:
            try:
                await livekit.room.delete_room(api.DeleteRoomRequest(room=room.name))
            except api.ServerError as error:
                if error.code != api.ServerErrorCode.UNAVAILABLE:
                    raise


async def test_calls_spread_over_two_nodes_and_go_on_when_one_dies_and_the_metrics_of_both_add_up(
    tmp_path: Path,
) -> None:
    recordings = (await clips())[:2]
    async with two_nodes(tmp_path) as (first, second):
        both = (first, second)
        stay: list[Phone] = []  # room, signal and worker on the first node
        cut: list[Phone] = []
        served_by: list[Node] = []
        while not stay or not cut or set(served_by) != set(both):
            through = both[len(served_by) % 2]
            before = [await one.total(CONVERSATIONS) for one in both]
            phone = Phone(through, await through.make_room(), recordings * LONG)
            served_by.append(await who_served(both, before))
            (stay if through is first and served_by[-1] is first else cut).append(phone)
        await answered([*stay, *cut], 1)

        second.lose_power()
        new = [await call_anew(first, recordings) for _ in range(NEW_CALLS)]
        await answered(stay, 2)
        for phone in (*stay, *cut):
            phone.call.cancel()
        await asyncio.gather(*(phone.call for phone in (*stay, *cut)), return_exceptions=True)
        await close_all_rooms(first)
        await until(lambda: nobody_talks(both))
        values = [await scrape(one.ports) for one in both]

    assert all(turn.first_heard is not None for report in new for turn in report.turns)
    # More than calls: rooms of the dead node that a living worker's agent takes to the other one are new rooms there.
    # Fewer than jobs: a second agent leaves the room to the first, and one that reaches no node has no conversation.
    conversations = sum(value[CONVERSATIONS] for value in values)
    assert len(served_by) + NEW_CALLS <= conversations <= sum(one.jobs for one in both)
    assert values[1][CONVERSATIONS] == served_by.count(second)  # what its worker had counted is kept
    told = sum(len(report.turns) for report in new) + sum(phone.turns_answered for phone in (*stay, *cut))
    counted = sum(value["livekit_conversation_turns_total"] for value in values)
    assert told <= counted <= told + len(served_by)  # each caller hung up, or was cut off, in a turn
