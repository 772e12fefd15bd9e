"""Turns that begin with the caller's voice: preemptive attempts, and recognisers that change their mind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livekit.agents import AgentSession, APIConnectionError

from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.testing import ManualAudioOutput, ScriptedLLM, ScriptedSTT, ScriptedTTS, SilentMicrophone
from agent_worker.text.messages import apology
from tests.agent_worker.museum import PHRASE, museum_agent
from tests.waiting import settle, until


@dataclass
class Call:
    session: AgentSession[Any]
    agent: PreResponseAgent
    ears: ScriptedSTT
    main: ScriptedLLM
    gate: asyncio.Event
    loudspeaker: ManualAudioOutput

    @property
    def said(self) -> list[str]:
        return [item.text_content or "" for item in self.session.history.items if item.type == "message"]

    async def until_said(self, count: int) -> None:
        await until(lambda: len(self.said) >= count)

    async def finish_turn(self, words: str) -> None:
        """The words are final, the pre-response is heard, then the main model answers."""
        self.ears.final(words)
        self.ears.end_speech()
        await self.loudspeaker.wait_until(lambda it: len(it.segments) == 1)
        self.gate.set()
        await self.until_said(2)

    async def until_asked(self, times: int) -> None:
        await until(lambda: len(self.main.requests) >= times)


@asynccontextmanager
async def call(voice: ScriptedTTS | None = None, **options: Any) -> AsyncIterator[Call]:
    gate = asyncio.Event()
    main, ears, loudspeaker = ScriptedLLM("Nine.", gate=gate), ScriptedSTT(), ManualAudioOutput(automatic=True)
    agent = museum_agent(**options)
    handling: Any = {
        "turn_detection": "stt",
        "endpointing": {"min_delay": 0.05, "max_delay": 0.05},
        "preemptive_generation": {"enabled": True, "preemptive_tts": True},
    }
    session = AgentSession[Any](stt=ears, llm=main, tts=voice or ScriptedTTS(), vad=None, turn_handling=handling)
    async with session:
        session.output.audio = loudspeaker
        session.input.audio = SilentMicrophone()
        await session.start(agent)
        yield Call(session, agent, ears, main, gate, loudspeaker)


async def test_models_are_asked_before_the_end_of_the_turn_and_nothing_is_spoken_before_it() -> None:
    async with call() as now:
        now.ears.start_speech()
        now.ears.preflight("When does it open?")
        await now.until_asked(1)
        await settle()
        assert not now.loudspeaker.segments
        await now.finish_turn("When does it open?")
        assert now.said == ["When does it open?", f"{PHRASE} Nine."]
        assert len(now.main.requests) == 1


async def test_preemptive_attempt_on_a_changed_transcript_is_discarded_with_its_phrase() -> None:
    async with call() as now:
        now.ears.start_speech()
        now.ears.preflight("When does it")
        await now.until_asked(1)
        await now.finish_turn("When does it open?")
        assert now.said == ["When does it open?", f"{PHRASE} Nine."]
        assert now.main.cancelled == 1


async def test_apology_for_a_voice_that_fails_in_a_pause_waits_for_the_end_of_the_turn(
    tmp_path: Path,
) -> None:
    sentence, audio = apology("en"), PhraseAudio(tmp_path, "voice")
    await audio.make([sentence], ScriptedTTS())
    voice = ScriptedTTS(error=APIConnectionError())
    async with call(voice, strategy="off", phrase_audio=audio) as now:
        now.gate.set()
        now.ears.start_speech()
        now.ears.preflight("When does it open?")
        await voice.asked.wait()
        await settle()
        assert sentence not in now.said
        now.ears.final("When does it open?")
        now.ears.end_speech()
        await until(lambda: sentence in now.said)


async def test_utterance_that_is_finalised_twice_does_not_silence_the_agent() -> None:
    async with call() as now:
        now.gate.set()
        for _ in range(2):
            now.ears.say("When does it open?")
            await asyncio.sleep(0.5)
        now.ears.say("When does it close?")
        while "When does it close?" not in now.said or now.said[-1] == "When does it close?":
            await asyncio.sleep(0.01)
        assert "Nine." in now.said[-1]
        await asyncio.sleep(0.05)
        assert now.session.agent_state == "listening"


async def test_agent_in_state_speaking_is_heard() -> None:
    """After an interruption too: 'speaking' without audio would leave the caller in silence."""
    async with call() as now:
        states: list[str] = []
        now.session.on("agent_state_changed", lambda event: states.append(event.new_state))
        now.gate.set()
        for number, question in enumerate(("When does it open?", "When does it close?"), 1):
            before = len(now.loudspeaker.segments)
            now.ears.say(question)
            await now.until_said(2 * number)
            assert len(now.loudspeaker.segments) > before
            await now.session.interrupt()
        assert states.count("speaking") <= len(now.loudspeaker.segments)
