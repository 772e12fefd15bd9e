from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from livekit.agents import Agent, AgentSession

from agent_worker.lifecycle.call_limit import end_call_after
from agent_worker.testing import ManualAudioOutput, ScriptedTTS
from agent_worker.text.messages import farewell

LIMIT_S = 3600.0


class Room:
    """A room that counts how often it was closed, and a clock that a test advances."""

    def __init__(self) -> None:
        self.closed = 0
        self.time_is_up = asyncio.Event()

    async def close(self) -> None:
        self.closed += 1

    async def sleep(self, seconds: float) -> None:
        if seconds == LIMIT_S:
            await self.time_is_up.wait()


@asynccontextmanager
async def session_with(voice: ScriptedTTS) -> AsyncIterator[AgentSession[Any]]:
    async with AgentSession[Any](tts=voice, vad=None, turn_handling={"turn_detection": None}) as session:
        session.output.audio = loudspeaker = ManualAudioOutput()
        loudspeaker.automatic = True
        await session.start(Agent(instructions=""))
        yield session


async def test_caller_hears_a_farewell_before_the_room_is_closed() -> None:
    voice, room = ScriptedTTS(), Room()
    async with session_with(voice) as session:
        task = end_call_after(LIMIT_S, session, "en-US", room.close, sleep=room.sleep)
        room.time_is_up.set()
        await task
    assert " ".join(voice.texts) == farewell("en")
    assert room.closed == 1


async def test_room_is_closed_without_a_farewell_if_the_voice_fails() -> None:
    room = Room()
    async with session_with(ScriptedTTS(error=RuntimeError("no voice"))) as session:
        task = end_call_after(LIMIT_S, session, "en-US", room.close, sleep=room.sleep)
        room.time_is_up.set()
        await task
    assert room.closed == 1


async def test_end_of_the_session_cancels_the_limit() -> None:
    room = Room()
    async with session_with(ScriptedTTS()) as session:
        task = end_call_after(LIMIT_S, session, "en-US", room.close, sleep=room.sleep)
    await asyncio.wait([task])
    assert task.cancelled()
    assert room.closed == 0


async def test_session_ends_even_if_the_room_stays_open() -> None:
    room = Room()
    async with session_with(ScriptedTTS()) as session:
        ended = asyncio.Event()
        session.once("close", lambda _: ended.set())
        end_call_after(LIMIT_S, session, "en", room.close, sleep=room.sleep)
        room.time_is_up.set()
        await ended.wait()
