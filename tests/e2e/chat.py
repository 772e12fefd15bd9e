"""A participant who types, and a worker with simulated models for it to talk to."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from livekit import api, rtc

from agent_worker.room.topics import PRERESPONSE_TOPIC, SET_STRATEGY, STRATEGY_ATTRIBUTE, TURN_TOPIC
from testbed.processes import Child, free_port
from testbed.services import API_KEY, API_SECRET, LONG_TIMEOUTS, Ports, running, simulated_models, worker, worker_env

SIMULATION = {"llm": {"*": {"ttft_ms": 1500, "replies": ["Trains are old."]}}}


class ChatParticipant:
    """A participant of a room who types, and receives what the agent sends on our topics."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.received: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self._reading: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        for topic in (TURN_TOPIC, PRERESPONSE_TOPIC):
            self.room.register_text_stream_handler(topic, self._on_stream)
        for event in ("participant_connected", "participant_disconnected", "participant_attributes_changed"):
            self.room.on(event, lambda *_: self._changed.set())

    @contextlib.asynccontextmanager
    async def joined(self, url: str, room: str, identity: str) -> AsyncIterator[ChatParticipant]:
        token = api.AccessToken(API_KEY, API_SECRET).with_identity(identity)
        grants = api.VideoGrants(room_join=True, room_create=True, room=room)
        async with self.joined_with(url, token.with_grants(grants).to_jwt()):
            yield self

    @contextlib.asynccontextmanager
    async def joined_with(self, url: str, token: str) -> AsyncIterator[ChatParticipant]:
        await self.room.connect(url, token)
        try:
            yield self
        finally:
            await self.room.disconnect()

    async def agent(self) -> rtc.RemoteParticipant:
        """Return the agent, once it listens."""
        while True:
            self._changed.clear()
            for participant in self.room.remote_participants.values():
                is_agent = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
                if is_agent and participant.attributes.get("lk.agent.state") == "listening":
                    return participant
            await self._changed.wait()

    async def agent_strategy(self, strategy: str) -> None:
        """Wait until the agent says that it uses ``strategy``: LiveKit sends attributes apart from all else."""
        while (await self.agent()).attributes.get(STRATEGY_ATTRIBUTE) != strategy:
            await self._changed.wait()

    async def choose_strategy(self, strategy: str) -> str:
        agent = await self.agent()
        return await self.room.local_participant.perform_rpc(
            destination_identity=agent.identity, method=SET_STRATEGY, payload=strategy
        )

    async def turn(self, text: str) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """Type ``text``. Returns the announced pre-response, and the turn's record."""
        await self.room.local_participant.send_text(text, topic="lk.chat")
        announced = None
        while True:
            topic, content = await self.received.get()
            if topic == TURN_TOPIC and content["caller"] == text:
                return announced, content
            announced = content if topic == PRERESPONSE_TOPIC else announced

    def _on_stream(self, reader: rtc.TextStreamReader, _: str) -> None:
        async def read() -> None:
            self.received.put_nowait((reader.info.topic, json.loads(await reader.read_all())))

        task = asyncio.create_task(read())
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)


@contextlib.asynccontextmanager
async def simulated_worker(
    folder: Path,
    livekit: Ports,
    env: Mapping[str, str],
    simulation: Mapping[str, object] = SIMULATION,
    script: str = "fast-preresponse.py",
) -> AsyncIterator[tuple[Ports, Child]]:
    """A worker of the cloud stack on simulated models, without a greeting; it serves its metrics.

    Args:
        folder: For logs, metrics files and phrases.
        livekit: The LiveKit server.
        env: More settings of the worker.
        simulation: Configuration of the model server.
        script: The worker, relative to the project's folder.
    """
    ports = replace(livekit, models=free_port(), metrics=free_port())
    settings = {
        **worker_env(ports, folder / "metrics"),
        "METRICS_PORT": str(ports.metrics),
        "PRERESPONSE_AUDIO_DIR": str(folder / "phrases"),
        "NO_GREETING": "1",
        **LONG_TIMEOUTS,
        **env,
    }
    services = [simulated_models(ports.models, simulation, folder), worker(script, settings)]
    async with running(services, folder) as children:
        yield ports, children[services[-1].name]
