"""When a caller is greeted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from livekit.agents import AgentSession

from agent_worker.lifecycle.greeting import greet_when_answered
from agent_worker.room.topics import ROLE_ATTRIBUTE, SUPERVISOR_ROLE
from agent_worker.testing import ScriptedTTS
from tests.agent_worker.telephones import KIND, FakeRoom, participant, phone
from tests.agent_worker.test_call_limit import session_with
from tests.waiting import settle, until

GREETING = "Hello! How can I help you?"


@dataclass
class Start:
    session: AgentSession[Any]
    voice: ScriptedTTS
    task: asyncio.Task[None]

    async def is_greeted(self) -> bool:
        await settle()
        return self.voice.texts == [GREETING]


@asynccontextmanager
async def start(room: FakeRoom | None, greeting: str | None = GREETING) -> AsyncIterator[Start]:
    voice = ScriptedTTS()
    async with session_with(voice) as session:
        task = greet_when_answered(session, room, greeting)  # type: ignore[arg-type]
        yield Start(session, voice, task)


@pytest.mark.parametrize("status", ["dialing", "ringing", "automation", "hangup", ""])
async def test_nobody_is_greeted_before_the_phone_is_answered(status: str) -> None:
    called = phone(status=status)
    room = FakeRoom(called)
    async with start(room) as call:
        assert not await call.is_greeted()
        assert not call.session.input.audio_enabled  # ringback tones and announcements of the network
        room.set_status(called, "active")
        await until(lambda: call.voice.texts == [GREETING])
        assert call.session.input.audio_enabled


async def test_phone_that_joins_later_is_greeted_when_it_is_answered() -> None:
    room, called = FakeRoom(), phone(status="dialing")
    async with start(room) as call:
        room.join(called)
        room.set_status(called, "ringing")
        assert not await call.is_greeted()
        room.set_status(called, "active")
        await until(lambda: call.voice.texts == [GREETING])


@pytest.mark.parametrize(
    "caller", [participant("visitor"), phone(status="active"), participant("app", KIND.PARTICIPANT_KIND_CONNECTOR)]
)
async def test_caller_who_is_there_is_greeted_at_once(caller: Any) -> None:
    async with start(FakeRoom(caller)) as call:
        await until(lambda: call.voice.texts == [GREETING])
        assert call.session.input.audio_enabled


@pytest.mark.parametrize(
    "other",
    [
        participant("recorder", KIND.PARTICIPANT_KIND_EGRESS),
        participant("colleague", KIND.PARTICIPANT_KIND_AGENT),
        participant("avatar", **{"lk.publish_on_behalf": "agent"}),
        participant("supervisor", KIND.PARTICIPANT_KIND_STANDARD, **{ROLE_ATTRIBUTE: SUPERVISOR_ROLE}),
    ],
)
async def test_nobody_is_greeted_where_no_caller_is(other: Any) -> None:
    async with start(FakeRoom(other)) as call:
        assert not await call.is_greeted()


async def test_supervisor_who_is_there_first_does_not_answer_for_the_phone() -> None:
    called = phone()
    room = FakeRoom(
        participant("supervisor", KIND.PARTICIPANT_KIND_STANDARD, **{ROLE_ATTRIBUTE: SUPERVISOR_ROLE}), called
    )
    async with start(room) as call:
        assert not await call.is_greeted()
        room.set_status(called, "active")
        await until(lambda: call.voice.texts == [GREETING])


async def test_console_is_greeted_at_once() -> None:
    async with start(None) as call:
        await until(lambda: call.voice.texts == [GREETING])


async def test_without_a_greeting_the_agent_listens_once_the_phone_is_answered() -> None:
    called = phone()
    room = FakeRoom(called)
    async with start(room, None) as call:
        await until(lambda: not call.session.input.audio_enabled)
        room.set_status(called, "active")
        await until(lambda: call.session.input.audio_enabled)
        await call.task
    assert call.voice.texts == []


async def test_phone_that_hangs_up_unanswered_is_not_greeted() -> None:
    called = phone()
    room = FakeRoom(called)
    async with start(room) as call:
        room.leave(called)
        assert not await call.is_greeted()
    await asyncio.wait([call.task])
    assert call.task.cancelled()
