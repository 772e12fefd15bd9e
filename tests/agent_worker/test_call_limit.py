from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from livekit.agents import Agent, AgentSession, CloseEvent, CloseReason, UserStateChangedEvent

from agent_worker.lifecycle.call_end import CallEnd
from agent_worker.lifecycle.call_limit import limit_duration, limit_silence, limit_usage
from agent_worker.telemetry.events import UsageEvents
from agent_worker.telemetry.metrics import AGENT_END_REASONS
from agent_worker.telemetry.record import Usage
from agent_worker.testing import ManualAudioOutput, ScriptedTTS
from agent_worker.text.messages import farewell, silence_farewell
from tests.agent_worker.test_session_meter import Changes
from tests.waiting import settle, until

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
async def session_with(voice: ScriptedTTS, **options: Any) -> AsyncIterator[AgentSession[Any]]:
    async with AgentSession[Any](tts=voice, vad=None, turn_handling={"turn_detection": None}, **options) as session:
        session.output.audio = loudspeaker = ManualAudioOutput()
        loudspeaker.automatic = True
        await session.start(Agent(instructions=""))
        yield session


@pytest.mark.parametrize("reason", AGENT_END_REASONS)
async def test_caller_hears_one_farewell_before_the_room_is_closed_and_the_reason_is_counted(reason: Any) -> None:
    sentences = {"goodbye": "", "machine": "", "silence": silence_farewell("en"), "unanswered": silence_farewell("en")}
    voice, room, gained = ScriptedTTS(), Room(), Changes()
    async with session_with(voice) as session:
        end = CallEnd(session, "en-US", room.close, sleep=room.sleep)
        end.begin(reason)
        end.begin("duration")
        await until(lambda: room.closed)
    assert " ".join(voice.texts) == sentences.get(reason, farewell("en"))
    assert room.closed == 1
    assert gained("livekit_calls_ended_total", reason=reason) == 1


async def test_nothing_that_the_caller_says_or_types_during_the_farewell_is_answered() -> None:
    room, stopped = Room(), asyncio.Event()
    async with session_with(ScriptedTTS()) as session:
        CallEnd(session, "en", room.close, stop_text_input=stopped.set, sleep=room.sleep).begin("tokens")
        await until(lambda: room.closed)
        assert not session.input.audio_enabled
        assert stopped.is_set()


async def test_room_is_closed_without_a_farewell_if_the_voice_fails() -> None:
    room = Room()
    async with session_with(ScriptedTTS(error=RuntimeError("no voice"))) as session:
        CallEnd(session, "en-US", room.close, sleep=room.sleep).begin("duration")
        await until(lambda: room.closed)
    assert room.closed == 1


async def test_call_that_is_over_is_not_ended_again() -> None:
    room, gained = Room(), Changes()
    async with session_with(ScriptedTTS()) as session:
        end = CallEnd(session, "en", room.close, sleep=room.sleep)
    end.begin("tokens")
    await settle()
    assert (room.closed, gained("livekit_calls_ended_total", reason="tokens")) == (0, 0)


@pytest.mark.parametrize(
    ("closed_by", "reason"), [(CloseReason.PARTICIPANT_DISCONNECTED, "caller_left"), (CloseReason.ERROR, "error")]
)
async def test_calls_that_the_agent_does_not_end_are_counted_too(closed_by: CloseReason, reason: str) -> None:
    gained = Changes()
    async with session_with(ScriptedTTS()) as session:
        end = CallEnd(session, "en", Room().close)
        session.emit("close", CloseEvent(reason=closed_by))
        end.begin("tokens")
    assert gained("livekit_calls_ended_total", reason=reason) == 1
    assert gained("livekit_calls_ended_total", reason="tokens") == 0


async def test_call_that_a_person_has_taken_is_counted_as_transferred() -> None:
    gained = Changes()
    async with session_with(ScriptedTTS()) as session:
        CallEnd(session, "en", Room().close).expect_transfer()
        session.emit("close", CloseEvent(reason=CloseReason.PARTICIPANT_DISCONNECTED))
    assert gained("livekit_calls_ended_total", reason="transferred") == 1
    assert gained("livekit_calls_ended_total", reason="caller_left") == 0


async def test_session_ends_even_if_the_room_stays_open() -> None:
    room = Room()
    async with session_with(ScriptedTTS()) as session:
        is_over = asyncio.Event()
        session.once("close", lambda _: is_over.set())
        CallEnd(session, "en", room.close, sleep=room.sleep).begin("duration")
        await is_over.wait()


async def test_call_ends_at_its_maximum_duration() -> None:
    room, gained = Room(), Changes()
    async with session_with(ScriptedTTS()) as session:
        end = CallEnd(session, "en", room.close, sleep=room.sleep)
        task = limit_duration(LIMIT_S, session, end, sleep=room.sleep)
        room.time_is_up.set()
        await task
        await until(lambda: room.closed)
    assert gained("livekit_calls_ended_total", reason="duration") == 1


async def test_end_of_the_session_cancels_the_limit_of_its_duration() -> None:
    room = Room()
    async with session_with(ScriptedTTS()) as session:
        end = CallEnd(session, "en", room.close, sleep=room.sleep)
        task = limit_duration(LIMIT_S, session, end, sleep=room.sleep)
    await asyncio.wait([task])
    assert task.cancelled()
    assert room.closed == 0


class Reasons:
    """Stands for the end of a call, and keeps the reasons for it."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def begin(self, reason: str) -> None:
        self.given.append(reason)


@pytest.mark.parametrize(
    ("usage", "reasons"),
    [
        (Usage(prompt_tokens=900, completion_tokens=99, cost_usd=0.99), []),
        (Usage(prompt_tokens=900, completion_tokens=100), ["tokens"]),
        (Usage(cost_usd=1.0), ["cost"]),
    ],
)
def test_call_ends_when_its_budget_is_used(usage: Usage, reasons: list[str]) -> None:
    end, events = Reasons(), UsageEvents()
    limit_usage(1_000, 1.0, events, end)  # type: ignore[arg-type]
    events.emit("usage_changed", usage)
    assert end.given == reasons


def test_cost_does_not_end_a_call_without_a_limit() -> None:
    end, events = Reasons(), UsageEvents()
    limit_usage(1_000, None, events, end)  # type: ignore[arg-type]
    events.emit("usage_changed", Usage(cost_usd=1e6))
    assert end.given == []


async def test_call_of_a_silent_caller_ends() -> None:
    room, voice = Room(), ScriptedTTS()
    async with session_with(voice, user_away_timeout=0.05) as session:
        limit_silence(LIMIT_S, session, CallEnd(session, "en", room.close, sleep=room.sleep), None)
        await until(lambda: room.closed)
    assert " ".join(voice.texts) == silence_farewell("en")


async def test_caller_who_speaks_or_falls_silent_does_not_end_the_call() -> None:
    end, session = Reasons(), AgentSession[Any](vad=None)
    await limit_silence(LIMIT_S, session, end, None)  # type: ignore[arg-type]
    session.emit("user_state_changed", UserStateChangedEvent(old_state="listening", new_state="speaking"))
    session.emit("user_state_changed", UserStateChangedEvent(old_state="speaking", new_state="listening"))
    assert end.given == []


@pytest.mark.parametrize(("received", "reasons"), [(False, ["silence"]), (True, [])])
async def test_call_of_a_caller_who_never_receives_the_agents_audio_ends(received: bool, reasons: list[str]) -> None:
    """The attack: livekit's session counts no silence before somebody has subscribed to the agent's audio."""
    end, room, session = Reasons(), Room(), AgentSession[Any](vad=None)
    audience = asyncio.get_running_loop().create_future()
    task = limit_silence(LIMIT_S, session, end, audience, sleep=room.sleep)  # type: ignore[arg-type]
    if received:
        audience.set_result(None)
    room.time_is_up.set()
    await task
    assert end.given == reasons


async def test_end_of_a_call_of_the_canary_is_not_counted() -> None:
    gained, room = Changes(), Room()
    async with session_with(ScriptedTTS()) as session:
        CallEnd(session, "en", room.close, is_counted=False, sleep=room.sleep).begin("duration")
        await until(lambda: room.closed)
    async with session_with(ScriptedTTS()) as session:
        CallEnd(session, "en", room.close, is_counted=False)
        session.emit("close", CloseEvent(reason=CloseReason.PARTICIPANT_DISCONNECTED))
    assert [gained("livekit_calls_ended_total", reason=reason) for reason in ("duration", "caller_left")] == [0, 0]
