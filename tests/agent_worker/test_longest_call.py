"""A call ends when it has lasted long enough, and not without a word."""

from __future__ import annotations

import asyncio
from typing import Any

from livekit.agents import Agent, AgentSession

from agent_worker.lifecycle.call_limit import end_call_after
from agent_worker.text.messages import farewell
from tests.scripted_voice import Loudspeaker, ScriptedTTS


async def hold(voice: ScriptedTTS, seconds: float) -> tuple[list[bool], asyncio.Task[None]]:
    closed: list[bool] = []

    async def close_room() -> None:
        closed.append(True)

    loudspeaker = Loudspeaker()
    loudspeaker.automatic = True
    async with AgentSession[Any](tts=voice, vad=None, turn_handling={"turn_detection": None}) as session:
        session.output.audio = loudspeaker
        await session.start(Agent(instructions=""))
        task = end_call_after(seconds, session, "en-US", close_room)
        if seconds < 1:
            await task
    await asyncio.wait([task])
    return closed, task


async def test_caller_hears_a_farewell_and_then_the_room_is_closed() -> None:
    voice = ScriptedTTS()
    closed, _ = await hold(voice, 0.01)
    assert " ".join(voice.texts) == farewell("en")
    assert closed == [True]


async def test_call_ends_without_a_voice_too() -> None:
    closed, _ = await hold(ScriptedTTS(error=RuntimeError("no voice")), 0.01)
    assert closed == [True]


async def test_call_that_is_over_before_closes_no_room() -> None:
    closed, task = await hold(ScriptedTTS(), 3600.0)
    assert not closed
    assert task.cancelled()


async def test_session_ends_even_where_the_room_cannot_be_closed() -> None:
    async with AgentSession[Any](tts=ScriptedTTS(), vad=None, turn_handling={"turn_detection": None}) as session:
        session.output.audio = loudspeaker = Loudspeaker()
        loudspeaker.automatic = True
        ended = asyncio.Event()
        session.once("close", lambda _: ended.set())
        await session.start(Agent(instructions=""))
        end_call_after(0.01, session, "en", lambda: asyncio.sleep(0))
        await ended.wait()
