"""A caller who is not understood is told so once; sounds without words are no turns."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import (
    APIConnectionError,
    ConversationItemAddedEvent,
    ErrorEvent,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
    llm,
    stt,
)
from livekit.agents.voice.events import UserTranscriptionTimeoutEvent

from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.testing import ScriptedTTS
from agent_worker.text.messages import apology
from agent_worker.turn_taking.transcript_timeout import TranscriptTimeouts, reconnect_on
from tests.agent_worker.museum import PHRASE
from tests.agent_worker.test_voice_turns import call


class Session(rtc.EventEmitter[str]):
    user_state = "listening"
    agent_state = "listening"


@dataclass
class Watched:
    """A session whose recogniser says nothing; `levels` are those of the caller's audio, if it is measured."""

    session: Any = field(default_factory=Session)
    levels: list[float] = field(default_factory=list)
    now: float = 0.0
    apologies: int = 0
    connections: int = 1
    spoken_s: float = 0.0

    def __post_init__(self) -> None:
        self.timeouts = TranscriptTimeouts(
            self.session, self.ask_to_repeat, self.reconnect, lambda: self.levels, lambda: self.now
        )

    def ask_to_repeat(self) -> None:
        self.apologies += 1

    def reconnect(self) -> None:
        self.connections += 1

    def starts(self) -> None:
        self.session.emit("user_state_changed", UserStateChangedEvent(old_state="listening", new_state="speaking"))

    def ends(self, seconds: float, level: float | None = None) -> None:
        if level is not None:
            self.levels = [*[-65.0] * 200, *[level] * round(seconds * 100), *[-65.0] * 50]
        self.spoken_s += seconds
        self.session.emit("user_state_changed", UserStateChangedEvent(old_state="speaking", new_state="listening"))

    def sounds(self, *durations: float, level: float | None = None) -> None:
        """Sounds that follow each other faster than the timeout, which comes after the last."""
        for seconds in durations:
            self.starts()
            self.ends(seconds, level)
        self.times_out()

    def times_out(self) -> None:
        # livekit-agents adds up all sounds until a turn is committed
        event = UserTranscriptionTimeoutEvent(speech_duration=self.spoken_s, vad_speech_started_at=0.0)
        self.session.emit("user_transcription_timeout", event)

    def fails(self) -> None:
        error = stt.STTError(timestamp=time.time(), label="", error=APIConnectionError(), recoverable=True)
        self.session.emit("error", ErrorEvent(error=error, source=None))

    def says(self, words: str) -> None:
        self.session.emit("user_input_transcribed", UserInputTranscribedEvent(transcript=words, is_final=True))
        message = llm.ChatMessage(role="user", content=[words])
        self.session.emit("conversation_item_added", ConversationItemAddedEvent(item=message))
        self.spoken_s = 0.0


@pytest.mark.parametrize("level", [None, -25.0])
@pytest.mark.parametrize("coughs", [[0.45] * 5, [0.3] * 9, [0.6, 0.2, 0.7, 0.5], [0.9, 0.9]])
def test_nothing_is_said_to_coughs_however_many(coughs: list[float], level: float | None) -> None:
    watched = Watched()
    watched.sounds(*coughs, level=level)
    for seconds in coughs:
        watched.sounds(seconds, level=level)
    assert (watched.apologies, watched.connections) == (0, 1)


@pytest.mark.parametrize("level", [None, -25.0])
@pytest.mark.parametrize("noise", [[1.4] * 3, [6.0, 2.0, 1.1, 3.0], [1.5] * 20])
def test_caller_is_asked_to_repeat_once_and_the_recogniser_is_not_reopened_each_time(
    noise: list[float], level: float | None
) -> None:
    watched = Watched()
    for seconds in noise:
        watched.sounds(seconds, level=level)
        watched.now += 5
    assert watched.apologies == 1
    assert watched.connections <= 1 + 1 + 5 * len(noise) // 60


def test_timeout_five_times_for_one_sound_is_one_apology() -> None:
    watched = Watched()
    watched.sounds(1.4)
    for _ in range(4):
        watched.times_out()
    assert (watched.apologies, watched.connections) == (1, 2)


def test_cough_after_long_noise_is_still_a_cough() -> None:
    watched = Watched()
    watched.sounds(1.4)
    watched.says("Hello?")
    watched.sounds(0.4)
    watched.sounds(0.4, 0.4, 0.4)
    assert watched.apologies == 1


def test_after_words_the_caller_may_be_asked_again_and_the_connection_replaced() -> None:
    watched = Watched()
    watched.sounds(1.4)
    watched.says("Hello?")
    watched.sounds(2.0)
    assert (watched.apologies, watched.connections) == (2, 3)


@pytest.mark.parametrize(("seconds", "level"), [(1.4, -55.0), (4.0, -48.0), (9.0, -60.0)])
def test_nothing_is_said_to_noise_that_is_quieter_than_a_voice(seconds: float, level: float) -> None:
    watched = Watched()
    watched.sounds(seconds, level=level)
    assert (watched.apologies, watched.connections) == (0, 1)


@pytest.mark.parametrize("level", [None, -25.0])
def test_nothing_is_said_if_the_recogniser_has_answered_that_there_are_no_words(level: float | None) -> None:
    watched = Watched()
    watched.starts()
    watched.ends(3.0, level)
    watched.timeouts.on_wordless()
    watched.times_out()
    assert (watched.apologies, watched.connections) == (0, 1)
    watched.sounds(0.4, level=level)
    assert watched.apologies == 0
    watched.sounds(2.0, level=level)
    assert watched.apologies == 1


def test_any_sound_counts_while_recognition_is_known_to_fail_and_the_caller_is_told_each_time() -> None:
    watched = Watched()
    watched.fails()
    watched.sounds(0.4)
    watched.sounds(0.4)
    assert watched.apologies == 2
    watched.says("Hello.")
    watched.sounds(0.4)
    assert watched.apologies == 2


@pytest.mark.parametrize(("user", "agent"), [("speaking", "listening"), ("listening", "thinking")])
def test_timeout_is_ignored_while_the_caller_speaks_or_the_agent_thinks(user: str, agent: str) -> None:
    watched = Watched()
    watched.session.user_state, watched.session.agent_state = user, agent
    watched.sounds(1.5)
    assert watched.apologies == 0


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
        now.agent.reconnect_stt()
        now.agent.ask_to_repeat()
        await now.until_said(1)
        assert now.said == [apology("en")]
        assert [error.error.type for error in errors] == ["stt_error"]
        now.ears.say("When do you open?")
        await now.loudspeaker.wait_until(lambda it: len(it.segments) == 2)
        now.gate.set()
        await now.until_said(3)
        assert now.said[1:] == ["When do you open?", f"{PHRASE} Nine."]
