"""Whole sessions with a voice activity detector: coughs and noise, as livekit-agents reports them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from livekit.agents import AgentSession

from agent_worker.app import call as call_module
from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.core.settings import Settings
from agent_worker.testing import (
    ManualAudioOutput,
    ScriptedLLM,
    ScriptedSTT,
    ScriptedTTS,
    ScriptedVAD,
    SilentMicrophone,
    tone,
)
from agent_worker.text.messages import apology, backchannel
from tests.agent_worker.museum import museum_agent
from tests.waiting import settle, until


@dataclass
class Heard:
    session: AgentSession[Any]
    ears: ScriptedSTT
    voice_detector: ScriptedVAD
    agent: Any
    timeouts: list[Any] = field(default_factory=list)
    reconnections: int = 0

    @property
    def said(self) -> list[str]:
        return [item.text_content or "" for item in self.session.history.items if item.type == "message"]

    async def sound(self, seconds: float) -> None:
        """A sound without a transcript; returns when livekit-agents has given up waiting for one."""
        before = len(self.timeouts)
        self.voice_detector.start_speech()
        self.voice_detector.end_speech(duration_s=seconds)
        await until(lambda: len(self.timeouts) > before)


def settings(**changes: Any) -> Settings:
    return Settings(livekit_url="ws://localhost", livekit_api_key="k", livekit_api_secret="s", **changes)


@asynccontextmanager
async def heard(monkeypatch: pytest.MonkeyPatch, agent: Any = None, source: Any = None) -> AsyncIterator[Heard]:
    """A call wired as `run_call` does it, that waits for a transcript for a moment only."""
    monkeypatch.setattr(call_module, "room_audio_source", lambda _: source)
    ears, detector = ScriptedSTT(), ScriptedVAD()
    agent = agent or museum_agent(strategy="off")
    session = AgentSession[Any](
        stt=ears,
        llm=ScriptedLLM("Nine."),
        tts=ScriptedTTS(),
        vad=detector,
        transcription_timeout=0.6,  # the detector reports the end of speech after 0.5 s
        turn_handling={"turn_detection": "vad", "endpointing": {"min_delay": 0.05, "max_delay": 0.05}},
    )
    async with session:
        session.output.audio = ManualAudioOutput(automatic=True)
        session.input.audio = SilentMicrophone()
        await session.start(agent)
        now = Heard(session, ears, detector, agent)
        session.on("user_transcription_timeout", now.timeouts.append)
        session.on("error", lambda _: setattr(now, "reconnections", now.reconnections + 1))
        call_module.take_turns(session, agent, settings())
        yield now


@pytest.mark.parametrize("coughs", [[0.45] * 5, [0.3, 0.9, 0.2, 0.8], [0.7] * 6])
async def test_nothing_is_said_to_coughs(coughs: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    async with heard(monkeypatch) as now:
        for seconds in coughs:
            await now.sound(seconds)
        await settle()
        assert now.said == []
        assert now.reconnections == 0


@pytest.mark.parametrize("noise", [[1.4] * 3, [1.4] * 5, [2.5, 1.1, 6.0, 1.3]])
async def test_caller_is_asked_to_repeat_noise_once_and_then_answered(
    noise: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with heard(monkeypatch) as now:
        for seconds in noise:
            await now.sound(seconds)
            await until(lambda: now.session.agent_state == "listening")
        await settle()
        assert now.said == [apology("en")]
        assert now.reconnections == 1
        now.voice_detector.start_speech()
        now.ears.final("When do you open?")
        now.voice_detector.end_speech()
        await until(lambda: len(now.said) == 3)
        assert now.said[1:] == ["When do you open?", "Nine."]


@pytest.mark.parametrize("invented", ["Thanks for watching!", "[BLANK_AUDIO]", "Subtitles by nobody", "(dog barking)"])
async def test_nothing_is_said_to_a_sound_of_which_words_were_invented(
    invented: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with heard(monkeypatch) as now:
        now.voice_detector.start_speech()
        now.ears.final(invented)
        await settle()
        now.voice_detector.end_speech(duration_s=3.0)
        await until(lambda: now.timeouts)
        await settle()
        assert now.said == []
        assert now.reconnections == 0


class Source:
    """What the room hears."""

    sample_rate = 16_000

    def __init__(self) -> None:
        self.heard_s = 0.0

    async def capture_frame(self, frame: Any) -> None:
        self.heard_s += frame.duration

    async def wait_for_playout(self) -> None:
        """Return at once."""

    def clear_queue(self) -> None:
        """There is none."""


async def test_listeners_sound_is_heard_in_a_dictation_and_is_no_turn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    audio, source = PhraseAudio(tmp_path, "voice"), Source()
    await audio.make([backchannel("en")], ScriptedTTS())
    agent = museum_agent(strategy="off", phrase_audio=audio)
    async with heard(monkeypatch, agent, source) as now:
        sounds: list[tuple[str, float]] = []
        agent.events.on("backchannel_started", lambda text, seconds: sounds.append((text, seconds)))
        await now.session.say("What's your phone number?")
        now.voice_detector.start_speech()
        now.ears.final("four one five")
        await asyncio.sleep(0)
        now.voice_detector.end_speech()
        await until(lambda: source.heard_s)
        ((text, seconds),) = sounds
        assert text == backchannel("en")
        assert seconds == pytest.approx(audio.duration(backchannel("en")))
        assert source.heard_s == pytest.approx(seconds, abs=0.05)
        assert now.said == ["What's your phone number?"]
        assert now.session.agent_state == "listening"


async def test_complete_question_is_answered_without_a_listeners_sound_however_late_its_words_are_final(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    audio, source = PhraseAudio(tmp_path, "voice"), Source()
    await audio.make([backchannel("en")], ScriptedTTS())
    async with heard(monkeypatch, museum_agent(strategy="off", phrase_audio=audio), source) as now:
        now.voice_detector.start_speech()
        now.ears.interim("Please tell me about the history of")
        await until(lambda: now.agent.caller_transcript.text)
        now.voice_detector.end_speech()
        await asyncio.sleep(1.0)  # longer than the silence before a listener's sound
        now.ears.final("Please tell me about the history of trains.")
        await until(lambda: "Nine." in now.said)
        assert not source.heard_s


def test_voice_that_spells_the_listeners_sound_is_not_used(tmp_path: Any) -> None:
    audio = PhraseAudio(tmp_path, "voice")
    agent = museum_agent(phrase_audio=audio)
    assert not agent.backchannel_clip()
    audio._audio[backchannel("en")] = tone(0.4)
    assert agent.backchannel_clip()
    audio._audio[backchannel("en")] = tone(1.6)
    assert not agent.backchannel_clip()
