"""What the room is told of a call, and what its caller may choose, over a real LiveKit server."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from livekit import api, rtc

from agent_worker.room.topics import PRERESPONSE_TOPIC, SET_STRATEGY, STRATEGY_ATTRIBUTE, TURN_TOPIC
from testbed.processes import free_port
from testbed.services import API_KEY, API_SECRET, Ports, model_server, running, worker, worker_env

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.real_models, pytest.mark.asyncio(loop_scope="session")]

PATIENCE = 60.0  # seconds
SIMULATION = {"llm": {"*": {"ttft_ms": 1500, "replies": ["Trains are old."]}}}


class Visitor:
    """Somebody in the room who types, and sees what the agent sends."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.received: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self._reading: set[asyncio.Task[None]] = set()
        for topic in (TURN_TOPIC, PRERESPONSE_TOPIC):
            self.room.register_text_stream_handler(topic, self._on_stream)

    @contextlib.asynccontextmanager
    async def joined(self, url: str, room: str, identity: str) -> AsyncIterator[Visitor]:
        token = api.AccessToken(API_KEY, API_SECRET).with_identity(identity)
        await self.room.connect(url, token.with_grants(api.VideoGrants(room_join=True, room=room)).to_jwt())
        try:
            yield self
        finally:
            await self.room.disconnect()

    async def agent(self) -> rtc.RemoteParticipant:
        """The agent, once it listens."""
        for _ in range(int(PATIENCE / 0.1)):
            for participant in self.room.remote_participants.values():
                if participant.attributes.get("lk.agent.state") == "listening":
                    return participant
            await asyncio.sleep(0.1)
        raise TimeoutError("no agent came")

    async def ask_for(self, strategy: str) -> str:
        agent = await self.agent()
        return await self.room.local_participant.perform_rpc(
            destination_identity=agent.identity, method=SET_STRATEGY, payload=strategy
        )

    async def next_turn(self, text: str) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """What comes of a typed turn: the announced pre-response, and the turn's record."""
        await self.room.local_participant.send_text(text, topic="lk.chat")
        announced = None
        while True:
            topic, content = await asyncio.wait_for(self.received.get(), PATIENCE)
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
async def agent_in(folder: Path, livekit: int, **env: str) -> AsyncIterator[Ports]:
    simulation = folder / "simulation.json"
    simulation.write_text(json.dumps(SIMULATION))
    ports = Ports(livekit, free_port(), free_port())
    settings = {**worker_env(ports, folder), "PRERESPONSE_AUDIO_DIR": str(folder), "NO_GREETING": "1", **env}
    services = [
        model_server(ports.models, "--simulated", str(simulation)),
        worker("fast-preresponse.py", settings),
    ]
    async with running(services, folder):
        yield ports


async def test_caller_chooses_the_strategy_and_sees_what_each_turn_says_and_uses(
    real_models: Ports, tmp_path: Path
) -> None:
    async with (
        agent_in(tmp_path, real_models.livekit, PRERESPONSE_STRATEGY="phrase") as ports,
        Visitor().joined(ports.livekit_url, "room-link", "caller") as caller,
    ):
        assert (await caller.agent()).attributes[STRATEGY_ATTRIBUTE] == "phrase"
        announced, first = await caller.next_turn("How old are trains?")
        assert announced == {"text": first["preresponse"], "source": "phrase"}
        assert first["usage"]["completion_tokens"] > 0
        assert first["usage"]["tts_characters"] >= len("Trains are old.")
        assert first["usage"]["cost_usd"] > 0

        assert await caller.ask_for("off") == "off"
        announced, second = await caller.next_turn("And how fast are they?")
        assert announced is None
        assert (first["strategy"], second["strategy"]) == ("phrase", "off")
        assert second["usage"]["prompt_tokens"] > first["usage"]["prompt_tokens"]
        assert (await caller.agent()).attributes[STRATEGY_ATTRIBUTE] == "off"

        with pytest.raises(rtc.RpcError, match="no such strategy: use one of llm, phrase, hybrid, off"):
            await caller.ask_for("loud")
        async with Visitor().joined(ports.livekit_url, "room-link", "somebody else") as other:
            with pytest.raises(rtc.RpcError, match="only the caller"):
                await other.ask_for("llm")


async def test_caller_chooses_nothing_where_that_is_not_allowed(real_models: Ports, tmp_path: Path) -> None:
    async with (
        agent_in(tmp_path, real_models.livekit, CALLERS_CHOOSE_STRATEGY="0") as ports,
        Visitor().joined(ports.livekit_url, "room-link-closed", "caller") as caller,
    ):
        assert STRATEGY_ATTRIBUTE not in (await caller.agent()).attributes
        with pytest.raises(rtc.RpcError, match="not supported"):
            await caller.ask_for("off")


async def logged(log: Path, words: str) -> None:
    while words not in await asyncio.to_thread(log.read_text):
        await asyncio.sleep(0.1)


async def test_second_agent_leaves_the_room_to_the_first(real_models: Ports, tmp_path: Path) -> None:
    room = "room-link-two-agents"
    async with (
        agent_in(tmp_path, real_models.livekit) as ports,
        Visitor().joined(ports.livekit_url, room, "caller") as caller,
        api.LiveKitAPI(ports.livekit_url, API_KEY, API_SECRET) as livekit,
    ):
        first = (await caller.agent()).identity
        await livekit.agent_dispatch.create_dispatch(api.CreateAgentDispatchRequest(room=room))
        await asyncio.wait_for(logged(tmp_path / "worker.log", "an earlier agent has the room"), PATIENCE)
        assert [*caller.room.remote_participants] == [first]
        assert (await caller.next_turn("How old are trains?"))[1]["answer"] == "Trains are old."
