"""A call as it is put together, in a room without a server."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import AgentSession

from agent_worker.app import call
from agent_worker.core.compat.livekit import RoomHandlers, room_handlers
from agent_worker.core.settings import Settings
from agent_worker.preresponse.factory import build_agent
from agent_worker.room.topics import SET_STRATEGY
from agent_worker.telemetry.pricing import Prices
from agent_worker.telemetry.session_meter import SessionMeter
from agent_worker.testing import ScriptedVAD
from tests.agent_worker.test_session_meter import a_stack


class LocalParticipant:
    """The agent's participant: it keeps what the call registers."""

    identity = "agent"

    def __init__(self) -> None:
        self._rpc_handlers: dict[str, Any] = {}
        self.track_publications: dict[str, Any] = {}

    def register_rpc_method(self, name: str, handler: Any) -> None:
        self._rpc_handlers[name] = handler

    def add_rpc_interceptor(self, *_: Any) -> None:
        pass

    async def set_attributes(self, _: dict[str, str]) -> None:
        pass

    async def stream_text(self, **_: Any) -> Any:
        raise ConnectionError

    async def publish_transcription(self, _: Any) -> None:
        raise ConnectionError


@asynccontextmanager
async def call_in_a_room(
    folder: Path, sessions: list[AgentSession[Any]] | None = None, **settings: Any
) -> AsyncIterator[rtc.Room]:
    """Start a call in a room that is not connected, and close its session at the end.

    Args:
        folder: For the audio of the phrases.
        sessions: Gets the session.
        **settings: Settings of the call.
    """
    given = Settings(
        livekit_url="ws://localhost:7880",
        livekit_api_key="devkey",
        livekit_api_secret="secret",
        preresponse_audio_dir=folder,
        no_greeting=True,
        **settings,
    )
    stack = dataclasses.replace(a_stack(), vad=ScriptedVAD())
    room = rtc.Room()
    room._local_participant = LocalParticipant()  # type: ignore[assignment]
    made = SimpleNamespace(name="console", sid="RM_1", creation_time=0, metadata="")
    job: Any = SimpleNamespace(
        room=room,
        job=SimpleNamespace(room=made),
        is_fake_job=lambda: True,
        shutdown=_ignore,
        delete_room=_ignore,
        _info=SimpleNamespace(received_at=0.0),
    )
    sessions = [] if sessions is None else sessions

    def build_session(*parts: Any) -> AgentSession[Any]:
        sessions.append(_build_session(*parts))
        return sessions[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(call, "build_session", build_session)
        await call.run_call(job, stack, build_agent(stack, given), SessionMeter(stack, Prices.load()), given)
    try:
        yield room
    finally:
        await sessions[0].aclose()


_build_session = call.build_session


def _ignore(**_: Any) -> None:
    pass


async def test_members_of_the_room_reach_nothing_but_these_handlers(tmp_path: Path) -> None:
    async with call_in_a_room(tmp_path, callers_choose_strategy=True) as room:
        assert room_handlers(room) == RoomHandlers(
            text_streams=frozenset({"lk.chat"}),  # BoundedTextInput: from the caller only, bounded
            byte_streams=frozenset(),  # above all not lk.agent.pre-connect-audio-buffer, whose body FFmpeg decodes
            rpc_methods=frozenset({SET_STRATEGY}),  # from the caller only, one of four names
            events=frozenset({"sip_dtmf_received"}),  # from the caller only: it counts as a sign of life
        )


async def test_without_the_choice_of_a_strategy_there_is_no_remote_procedure(tmp_path: Path) -> None:
    async with call_in_a_room(tmp_path) as room:
        assert room_handlers(room).rpc_methods == frozenset()
