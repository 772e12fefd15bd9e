"""Each segment of a reply gets its audio: ready, cached, or from the voice."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path

import pytest
from livekit import rtc
from livekit.agents import APIConnectionError, APIError

from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.preresponse.pending_speech import PendingSpeech
from agent_worker.preresponse.replies import Reply
from agent_worker.preresponse.speech_router import SpeechRouter, TextTee
from agent_worker.preresponse.strategies import Preresponse
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.testing import ScriptedTTS, tone

PHRASE = "Let me see."


class Voice:
    """Speaks every text as one tone, and remembers the texts; with ``error`` it fails after the text."""

    def __init__(self, error: APIError | None = None) -> None:
        self.texts: list[str] = []
        self.error = error

    async def __call__(self, text: AsyncIterable[str]) -> AsyncIterator[rtc.AudioFrame]:
        self.texts.append("".join([piece async for piece in text]))
        if self.error:
            raise self.error
        yield tone(0.3)


async def text(*pieces: str) -> AsyncIterator[str]:
    for piece in pieces:
        yield piece


async def duration(frames: AsyncIterator[rtc.AudioFrame]) -> float:
    return round(sum([frame.duration async for frame in frames]), 3)


@pytest.fixture
async def cached(tmp_path: Path) -> PhraseAudio:
    audio = PhraseAudio(tmp_path, "voice")
    await audio.make([PHRASE], ScriptedTTS())
    return audio


def router(audio: PhraseAudio | None = None, errors: list[APIError] | None = None) -> SpeechRouter:
    return SpeechRouter(audio, (errors if errors is not None else []).append, clock=lambda: 7.0)


async def test_preresponse_with_cached_audio_does_not_reach_the_voice(cached: PhraseAudio) -> None:
    voice, trace = Voice(), TurnTrace()
    frames = router(cached).preresponse(Preresponse(PHRASE, "phrase"), text(f"{PHRASE} "), trace, voice)
    assert await duration(frames) == cached.duration(PHRASE)
    assert not voice.texts
    assert trace.fast_first_audio == 7.0


async def test_preresponse_whose_synthesis_has_begun_is_spoken_from_it() -> None:
    async def frames() -> AsyncIterator[rtc.AudioFrame]:
        yield tone(0.2)

    voice, trace = Voice(), TurnTrace()
    speech = PendingSpeech("Let me look.", frames(), trace, clock=lambda: 3.0)
    preresponse = Preresponse("Let me look.", "llm", speech)
    assert await duration(router().preresponse(preresponse, text("Let me look. "), trace, voice)) == 0.2
    assert not voice.texts
    assert trace.fast_first_audio == 3.0


async def test_preresponse_without_audio_is_synthesised_from_the_text_of_its_segment() -> None:
    voice = Voice()
    frames = router().preresponse(Preresponse(PHRASE, "phrase"), text("Let me ", "see. "), TurnTrace(), voice)
    assert await duration(frames) == 0.3
    assert voice.texts == ["Let me see. "]


async def test_failure_of_the_voice_in_a_preresponse_is_reported_and_not_raised() -> None:
    errors: list[APIError] = []
    error = APIConnectionError()
    preresponse = Preresponse(PHRASE, "phrase")
    assert await duration(router(errors=errors).preresponse(preresponse, text(PHRASE), TurnTrace(), Voice(error))) == 0
    assert errors == [error]


async def test_cached_sentence_in_small_pieces_is_found_and_the_rest_is_synthesised(cached: PhraseAudio) -> None:
    voice, trace = Voice(), TurnTrace(main_first_token=1.0)
    frames = router(cached).sentence_or_answer(text("Let ", "me ", "see.", " It opens."), trace, voice)
    assert await duration(frames) == round((cached.duration(PHRASE) or 0) + 0.3, 3)
    assert voice.texts == [" It opens."]
    assert trace.main_first_audio == 7.0


async def test_text_that_only_begins_like_a_cached_sentence_is_synthesised_whole(cached: PhraseAudio) -> None:
    voice = Voice()
    frames = router(cached).sentence_or_answer(text("Let me ", "think."), None, voice)
    assert await duration(frames) == 0.3
    assert voice.texts == ["Let me think."]


async def test_segment_without_text_has_no_audio() -> None:
    voice = Voice()
    assert await duration(router().sentence_or_answer(text(), None, voice)) == 0
    assert not voice.texts


async def test_failure_of_the_voice_in_an_answer_is_raised_and_its_text_is_known() -> None:
    spoken = TextTee(text("It opens ", "at nine."))
    with pytest.raises(APIConnectionError):
        await duration(router().sentence_or_answer(spoken, None, Voice(APIConnectionError())))
    assert spoken.text == "It opens at nine."


def test_only_the_first_segment_of_a_reply_is_the_preresponse() -> None:
    reply = Reply(TurnTrace(), "1", Preresponse(PHRASE, "phrase"))
    assert reply.take_preresponse() == Preresponse(PHRASE, "phrase")
    assert reply.take_preresponse() is None
