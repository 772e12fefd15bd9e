"""What the agent tells the room, and what the caller may choose, over a real LiveKit server."""

from __future__ import annotations

from pathlib import Path

import pytest
from livekit import api, rtc

from agent_worker.room.topics import STRATEGY_ATTRIBUTE
from testbed.processes import poll
from testbed.services import API_KEY, API_SECRET, Ports
from tests.e2e.chat import ChatParticipant, simulated_worker

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]


async def test_caller_chooses_the_strategy_and_sees_what_each_turn_says_and_uses(
    livekit: Ports, tmp_path: Path
) -> None:
    async with (
        simulated_worker(tmp_path, livekit, {"PRERESPONSE_STRATEGY": "phrase"}),
        ChatParticipant().joined(livekit.livekit_url, "room-link", "caller") as caller,
    ):
        await caller.agent_strategy("phrase")
        announced, first = await caller.turn("How old are trains?")
        assert announced == {"text": first["preresponse"], "source": "phrase"}
        assert first["usage"]["completion_tokens"] > 0
        assert first["usage"]["tts_characters"] >= len("Trains are old.")
        assert first["usage"]["cost_usd"] > 0

        assert await caller.choose_strategy("off") == "off"
        announced, second = await caller.turn("And how fast are they?")
        assert announced is None
        assert (first["strategy"], second["strategy"]) == ("phrase", "off")
        assert second["usage"]["prompt_tokens"] > first["usage"]["prompt_tokens"]
        await caller.agent_strategy("off")

        with pytest.raises(rtc.RpcError, match="unknown strategy: use one of llm, phrase, hybrid, off"):
            await caller.choose_strategy("loud")
        async with ChatParticipant().joined(livekit.livekit_url, "room-link", "another participant") as other:
            with pytest.raises(rtc.RpcError, match="only the caller"):
                await other.choose_strategy("llm")


async def test_caller_cannot_choose_the_strategy_unless_it_is_allowed(livekit: Ports, tmp_path: Path) -> None:
    async with (
        simulated_worker(tmp_path, livekit, {"CALLERS_CHOOSE_STRATEGY": "0"}),
        ChatParticipant().joined(livekit.livekit_url, "room-link-closed", "caller") as caller,
    ):
        assert STRATEGY_ATTRIBUTE not in (await caller.agent()).attributes
        with pytest.raises(rtc.RpcError, match="not supported"):
            await caller.choose_strategy("off")


async def test_second_agent_in_a_room_leaves_it_to_the_first(livekit: Ports, tmp_path: Path) -> None:
    room = "room-link-two-agents"
    async with (
        simulated_worker(tmp_path, livekit, {}) as (_, worker),
        ChatParticipant().joined(livekit.livekit_url, room, "caller") as caller,
        api.LiveKitAPI(livekit.livekit_url, API_KEY, API_SECRET) as server,
    ):
        first = (await caller.agent()).identity
        await server.agent_dispatch.create_dispatch(api.CreateAgentDispatchRequest(room=room))

        async def second_has_left() -> bool:
            left = "an earlier agent has the room" in worker.output()  # it says so just before
            return left and [*caller.room.remote_participants] == [first]

        await poll(second_has_left)
        assert (await caller.turn("How old are trains?"))[1]["answer"] == "Trains are old."
