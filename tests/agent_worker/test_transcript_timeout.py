"""A caller who is not understood is told so, and the connection over which that happened is given up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import APIConnectionError, ErrorEvent, UserInputTranscribedEvent, stt
from livekit.agents.voice.events import UserTranscriptionTimeoutEvent

from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.testing import ScriptedTTS
from agent_worker.text.messages import apology
from agent_worker.turn_taking.transcript_timeout import reconnect_on, watch_transcript_timeouts
from tests.agent_worker.museum import PHRASE
from tests.agent_worker.test_voice_turns import call


class Session(rtc.EventEmitter[str]):
    user_state = "listening"
    agent_state = "listening"


@dataclass
class Watched:
    session: Any = field(default_factory=Session)
    timeouts: int = 0

    def __post_init__(self) -> None:
        watch_transcript_timeouts(self.session, self.count)

    def count(self) -> None:
        self.timeouts += 1

    def speaks(self, seconds: float) -> None:
        event = UserTranscriptionTimeoutEvent(speech_duration=seconds, vad_speech_started_at=0.0)
        self.session.emit("user_transcription_timeout", event)

    def fails(self) -> None:
        error = stt.STTError(timestamp=time.time(), label="", error=APIConnectionError(), recoverable=True)
        self.session.emit("error", ErrorEvent(error=error, source=None))


def test_speech_without_a_transcript_is_reported_and_a_cough_is_not() -> None:
    watched = Watched()
    watched.speaks(0.4)
    assert watched.timeouts == 0
    watched.speaks(1.5)
    assert watched.timeouts == 1


def test_any_sound_counts_while_recognition_is_known_to_fail() -> None:
    watched = Watched()
    watched.fails()
    watched.speaks(0.4)
    assert watched.timeouts == 1
    watched.session.emit("user_input_transcribed", UserInputTranscribedEvent(transcript="Hello.", is_final=True))
    watched.speaks(0.4)
    assert watched.timeouts == 1


@pytest.mark.parametrize(("user", "agent"), [("speaking", "listening"), ("listening", "thinking")])
def test_timeout_is_ignored_while_the_caller_speaks_or_the_agent_thinks(user: str, agent: str) -> None:
    watched = Watched()
    watched.session.user_state, watched.session.agent_state = user, agent
    watched.speaks(1.5)
    assert watched.timeouts == 0


async def test_stream_ends_with_an_error_when_it_is_reconnect() -> None:
    reconnect, closed = asyncio.Event(), asyncio.Event()

    async def events() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.set()

    stream = reconnect_on(reconnect, events())
    assert await anext(stream) == 1
    reconnect.set()
    with pytest.raises(APIConnectionError):
        await anext(stream)
    assert closed.is_set()


@pytest.mark.parametrize("made_beforehand", [True, False])
async def test_caller_hears_an_apology_and_is_understood_the_next_time(made_beforehand: bool, tmp_path: Path) -> None:
    audio = PhraseAudio(tmp_path, "voice")
    await audio.make([PHRASE, *([apology("en")] if made_beforehand else [])], ScriptedTTS())
    async with call(phrase_audio=audio) as now:
        errors: list[ErrorEvent] = []
        now.session.on("error", errors.append)
        now.gate.set()
        now.session.current_agent.on_transcript_timeout()  # type: ignore[attr-defined]
        await now.until_said(1)
        assert now.said == [apology("en")]
        assert [error.error.type for error in errors] == ["stt_error"]
        now.ears.say("When do you open?")
        await now.until_said(3)
        assert now.said[1:] == ["When do you open?", f"{PHRASE} Nine."]
