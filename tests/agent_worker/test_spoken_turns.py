"""Turns with a voice and a loudspeaker: order of segments, barge-in at every phase, and what the turn record says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from livekit.agents import AgentSession, APIConnectionError, ErrorEvent, UserStateChangedEvent, function_tool, llm

from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.telemetry.record import TurnRecord
from agent_worker.telemetry.recorder import TurnRecorder
from agent_worker.testing import SECONDS_PER_CHAR, ManualAudioOutput, ScriptedLLM, ScriptedTTS, SilentTTS
from agent_worker.text.messages import apology
from tests.agent_worker.museum import PHRASE, museum_agent
from tests.waiting import settle, until

QUESTION = "What time does the museum open?"


@dataclass
class Call:
    session: AgentSession[Any]
    main: ScriptedLLM
    gate: asyncio.Event
    voice: ScriptedTTS
    loudspeaker: ManualAudioOutput
    records: list[TurnRecord] = field(default_factory=list)

    @property
    def said(self) -> list[str | None]:
        return [item.text_content for item in self.session.history.items if item.type == "message"]


@asynccontextmanager
async def call(*answer: Any, voice: ScriptedTTS | None = None, **options: Any) -> AsyncIterator[Call]:
    """A call with a main model that waits for ``gate`` and a loudspeaker that plays when told to."""
    gate = asyncio.Event()
    main = ScriptedLLM(*answer, gate=gate, tool_call=options.pop("tool_call", None))
    voice = voice or ScriptedTTS()
    agent = museum_agent(**options)
    handling: Any = {"turn_detection": None}
    async with AgentSession[Any](llm=main, tts=voice, vad=None, turn_handling=handling) as session:
        records: list[TurnRecord] = []
        recorder = TurnRecorder(session, records.append)
        loudspeaker = ManualAudioOutput()
        session.output.audio = loudspeaker
        recorder.watch_audio(loudspeaker)
        await session.start(agent)
        yield Call(session, main, gate, voice, loudspeaker, records)


def seconds_of(text: str) -> float:
    return round(SECONDS_PER_CHAR * len(text), 3)


async def test_preresponse_is_played_while_the_main_model_thinks_and_the_answer_follows() -> None:
    async with call("It opens at nine.") as now:
        reply = now.session.generate_reply(user_input=QUESTION)
        await now.loudspeaker.wait_until(lambda it: it.is_playing)
        assert not now.gate.is_set()
        now.gate.set()
        await now.loudspeaker.wait_until(lambda it: it.complete == 1)
        await settle()
        assert len(now.loudspeaker.segments) == 1  # the answer waits for its turn
        now.loudspeaker.play()
        await now.loudspeaker.wait_until(lambda it: it.complete == 2)
        now.loudspeaker.play()
        await reply
        assert now.said == [QUESTION, f"{PHRASE} It opens at nine."]
        assert [round(length, 1) for length in now.loudspeaker.segments] == [
            pytest.approx(seconds_of(PHRASE), abs=0.11),
            pytest.approx(seconds_of("It opens at nine."), abs=0.11),
        ]


async def test_phrase_with_cached_audio_is_not_synthesised_again(tmp_path: Path) -> None:
    audio = PhraseAudio(tmp_path, "voice")
    await audio.make([PHRASE], ScriptedTTS())
    async with call("Nine.", phrase_audio=audio) as now:
        now.loudspeaker.automatic = True
        reply = now.session.generate_reply(user_input=QUESTION)
        await now.loudspeaker.wait_until(lambda it: it.is_playing)
        now.gate.set()
        await reply
        assert now.voice.texts == ["Nine."]
        assert len(now.loudspeaker.segments) == 2


async def test_voice_that_fails_only_for_the_fast_models_words_is_replaced_by_a_phrase(tmp_path: Path) -> None:
    audio = PhraseAudio(tmp_path, "voice")
    await audio.make([PHRASE], ScriptedTTS())
    voice = ScriptedTTS(error=RuntimeError("down"))
    fast = ScriptedLLM("Let me look.")
    async with call("Nine.", voice=voice, strategy="llm", fast_llm=fast, phrase_audio=audio) as now:
        now.loudspeaker.automatic = True
        now.session.generate_reply(user_input=QUESTION)
        await now.loudspeaker.wait_until(lambda it: it.is_playing)
        await settle()
        assert now.voice.texts == ["Let me look."]


async def test_fast_models_words_are_spoken_to_their_end_though_the_answer_is_complete_before() -> None:
    voice = ScriptedTTS()
    fast = ScriptedLLM("Let me look.")
    async with call("Nine.", voice=voice, strategy="llm", fast_llm=fast) as now:
        now.loudspeaker.automatic = True
        voice.gate = asyncio.Event()
        reply = now.session.generate_reply(user_input=QUESTION)
        await now.loudspeaker.wait_until(lambda it: it.is_playing)
        now.gate.set()
        await settle()  # the answer is complete while the voice still speaks
        voice.gate.set()
        await reply
        assert round(now.loudspeaker.segments[0], 1) == pytest.approx(seconds_of("Let me look."), abs=0.11)


async def interrupt(now: Call, effect: Callable[[], object]) -> None:
    """Let the caller speak into the reply, and wait for what follows from it."""
    now.session.emit("user_state_changed", UserStateChangedEvent(old_state="listening", new_state="speaking"))
    await now.session.interrupt()
    await until(effect)


async def test_interruption_before_any_audio_keeps_only_the_callers_words() -> None:
    async with call("Nine.", strategy="off") as now:
        now.session.generate_reply(user_input=QUESTION)
        await until(lambda: now.said and now.main.asked.is_set())
        await interrupt(now, lambda: now.main.cancelled)
        assert now.said == [QUESTION]
        assert now.main.cancelled == 1
        assert not now.loudspeaker.segments


async def test_interruption_of_the_preresponse_keeps_no_word_of_the_answer() -> None:
    async with call("Nine.") as now:
        now.session.generate_reply(user_input=QUESTION)
        await now.loudspeaker.wait_until(lambda it: it.is_playing)
        await interrupt(now, lambda: now.main.cancelled and now.records)
        assert now.main.cancelled == 1
        assert "Nine" not in str(now.said)
        assert now.records[-1].interrupted
        assert now.records[-1].answer == ""
        assert now.records[-1].instants.interruption is not None


async def test_interruption_between_the_segments_keeps_the_preresponse_only() -> None:
    async with call("Nine.") as now:
        now.session.generate_reply(user_input=QUESTION)
        await now.loudspeaker.wait_until(lambda it: it.complete == 1)
        now.loudspeaker.play()
        await settle()
        assert not now.loudspeaker.is_playing
        await interrupt(now, lambda: now.main.cancelled and now.records)
        assert [text.strip() for text in now.said if text] == [QUESTION, PHRASE]
        assert now.main.cancelled == 1
        assert (now.records[-1].preresponse, now.records[-1].answer) == (PHRASE, "")


async def test_interruption_of_the_answer_keeps_the_preresponse() -> None:
    async with call("It opens at nine.") as now:
        now.session.generate_reply(user_input=QUESTION)
        await now.loudspeaker.wait_until(lambda it: it.is_playing)
        now.gate.set()
        await now.loudspeaker.wait_until(lambda it: it.complete == 1)
        now.loudspeaker.play()
        await now.loudspeaker.wait_until(lambda it: len(it.segments) == 2)
        await interrupt(now, lambda: now.records)
        assert (now.said[-1] or "").startswith(PHRASE)
        record = now.records[-1]
        assert record.interrupted
        assert record.preresponse == PHRASE
        assert record.instants.answer_start is not None


async def test_caller_who_speaks_on_before_the_reply_begins_has_interrupted_it() -> None:
    async with call("Nine.", strategy="off") as now:
        now.session.generate_reply(user_input=QUESTION)
        await until(lambda: now.said and now.main.asked.is_set())
        await interrupt(now, lambda: now.main.cancelled)
        now.gate.set()
        now.loudspeaker.automatic = True
        await now.session.generate_reply(user_input=QUESTION)
        assert [record.interrupted for record in now.records] == [True, False]


async def test_turn_without_an_answer_because_the_voice_failed_is_no_interruption() -> None:
    async with call("Nine.", strategy="off", voice=ScriptedTTS(error=RuntimeError("down"))) as now:
        now.gate.set()
        await now.session.generate_reply(user_input=QUESTION)
        await now.session.generate_reply(user_input=QUESTION)
    assert [(record.interrupted, record.answer_gap) for record in now.records] == [(False, None)] * 2


async def test_caller_who_hangs_up_in_the_answer_has_not_interrupted_it() -> None:
    async with call("It opens at nine.", strategy="off") as now:
        now.gate.set()
        now.session.generate_reply(user_input=QUESTION)
        await now.loudspeaker.wait_until(lambda it: it.is_playing)
    (record,) = now.records
    assert not record.interrupted


async def test_turn_after_an_interruption_is_answered() -> None:
    async with call("Nine.") as now:
        now.session.generate_reply(user_input=QUESTION)
        await now.loudspeaker.wait_until(lambda it: it.is_playing)
        await interrupt(now, lambda: now.main.cancelled and now.records)
        now.loudspeaker.automatic = True
        now.gate.set()
        await now.session.generate_reply(user_input="When does it close?")
        assert (now.said[-1] or "").endswith("Nine.")


async def test_phrase_fills_the_silence_of_a_slow_tool_when_the_main_model_is_quick() -> None:
    found = asyncio.Event()

    @function_tool
    async def opening_time() -> str:
        """When it opens."""
        await found.wait()
        return "nine"

    tool_call = llm.FunctionToolCall(name="opening_time", arguments="{}", call_id="1")
    async with call("Nine.", tools=[opening_time], tool_call=tool_call, quick_answer=60.0) as now:
        now.loudspeaker.automatic = True
        now.gate.set()
        # The agent has learned in an earlier turn that this model is quick.
        now.main.requests.append(llm.ChatContext.empty())
        await now.session.generate_reply(user_input=QUESTION)
        now.main.requests.clear()
        reply = now.session.generate_reply(user_input="When does it close?")
        await now.loudspeaker.wait_until(lambda it: len(it.segments) == 2)
        found.set()
        await reply
        await until(lambda: len(now.records) == 2)
        assert (now.said[-1] or "").endswith("Nine.")
        record = now.records[-1]
        assert (record.preresponse, record.preresponse_source, record.answer) == (PHRASE, "phrase", "Nine.")


async def test_record_has_every_instant_in_order_on_one_clock() -> None:
    async with call("It opens at nine.") as now:
        now.loudspeaker.automatic = True
        reply = now.session.generate_reply(user_input=QUESTION)
        await now.loudspeaker.wait_until(lambda it: it.is_playing)
        now.gate.set()
        await reply
        await until(lambda: now.records)
        (record,) = now.records
    instants = record.instants
    order = [
        instants.main_request,
        instants.preresponse_start,
        instants.main_first_token,
        instants.main_first_audio,
        instants.answer_start,
        instants.answer_end,
    ]
    assert None not in order
    assert order == sorted(order)  # type: ignore[type-var]
    assert (record.turn, record.strategy, record.kind) == (1, "phrase", "question")
    assert (record.preresponse_source, record.preresponse_outcome) == ("phrase", "spoken")
    assert record.preresponse_move == "look_up"
    assert (record.caller, record.preresponse, record.answer) == (QUESTION, PHRASE, "It opens at nine.")
    assert not record.interrupted


async def test_greeting_is_a_turn_without_a_caller() -> None:
    async with call("Nine.") as now:
        now.loudspeaker.automatic = True
        await now.session.say("Hello!")
        await until(lambda: now.records)
        (record,) = now.records
    assert (record.caller, record.answer, record.preresponse) == (None, "Hello!", None)
    assert record.response_gap is None


@pytest.mark.parametrize("silent", [False, True])
async def test_answer_that_the_voice_does_not_speak_is_replaced_by_the_cached_apology(
    silent: bool, tmp_path: Path
) -> None:
    audio = PhraseAudio(tmp_path, "voice")
    await audio.make([PHRASE, apology("en")], ScriptedTTS())
    voice = SilentTTS() if silent else ScriptedTTS(error=APIConnectionError())
    async with call("Nine.", voice=voice, phrase_audio=audio, voice_timeout=0.05) as now:
        errors: list[ErrorEvent] = []
        now.session.on("error", errors.append)
        now.loudspeaker.automatic = True
        now.gate.set()
        await now.session.generate_reply(user_input=QUESTION)
        await until(lambda: len(now.said) >= 2)
        assert now.said == [QUESTION, apology("en")]  # the answer is there too soon for a phrase
        assert [error.error.type for error in errors] == ["tts_error"]


@pytest.mark.parametrize("silent", [False, True])
async def test_apology_follows_a_preresponse_and_an_answer_that_the_voice_does_not_speak(
    silent: bool, tmp_path: Path
) -> None:
    audio = PhraseAudio(tmp_path, "voice")
    await audio.make([apology("en")], ScriptedTTS())
    voice = SilentTTS() if silent else ScriptedTTS(error=APIConnectionError())
    async with call("Nine.", voice=voice, phrase_audio=audio, voice_timeout=0.05) as now:
        now.loudspeaker.automatic = True
        now.gate.set()
        await now.session.generate_reply(user_input=QUESTION)
        await until(lambda: apology("en") in now.said)


async def test_answer_is_spoken_after_a_preresponse_that_the_voice_did_not_speak() -> None:
    voice = ScriptedTTS(error=APIConnectionError())
    async with call("Nine.", voice=voice) as now:
        now.loudspeaker.automatic = True
        reply = now.session.generate_reply(user_input=QUESTION)
        while not voice.texts:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        voice.error = None
        now.gate.set()
        await reply
        assert voice.texts[-1] == "Nine."
        assert "Nine." in (now.said[-1] or "")
