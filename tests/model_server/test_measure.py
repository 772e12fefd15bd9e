"""Figures of a machine, with models and a clock of the test."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import pytest

from model_server.backends import (
    TTS_SAMPLE_RATE,
    AliasedModel,
    Audio,
    ChatChunk,
    ChatRequest,
    Span,
    SpeechRequest,
    Transcript,
    TurnPause,
    VoiceActivityDetector,
)
from model_server.checksum import WeightsError
from model_server.measure import measure_llm, measure_speech

SPEECH_S = 2


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Models:
    """Speaks 2 s in 0.5 s, recognises them in 0.2 s; reads 50 tokens in 0.5 s and generates one in 0.1 s."""

    names = AliasedModel("model", frozenset())
    idle = True

    def __init__(self) -> None:
        self.clock = Clock()
        self.recognised: list[Audio] = []

    async def transcribe(
        self, model: str, audio: Audio, *, segment: int, final: bool, spans: Sequence[Span] = ()
    ) -> Transcript:
        self.recognised.append(audio)
        self.clock.now += 0.2
        return Transcript("", ())

    def takes_language(self, model: str, language: str) -> bool:
        return True

    def turn_pause(self, model: str, text: str) -> TurnPause:
        raise NotImplementedError

    def voice_activity_detector(self) -> VoiceActivityDetector:
        raise NotImplementedError


class Voice(Models):
    async def stream(self, request: SpeechRequest) -> AsyncGenerator[bytes, None]:
        self.clock.now += 0.5
        yield bytes(2 * TTS_SAMPLE_RATE * SPEECH_S)


class Language(Models):
    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        self.clock.now += 0.5
        yield ChatChunk("Turn")
        for _ in range(4):
            self.clock.now += 0.1
            yield ChatChunk(" off")
        yield ChatChunk("", "length", prompt_tokens=50, completion_tokens=5)


async def test_real_time_factors_are_seconds_of_work_for_a_second_of_speech() -> None:
    models = Voice()
    assert await measure_speech(models, models, models.clock) == pytest.approx((0.25, 0.1))
    assert len(models.recognised[0]) == 16_000 * SPEECH_S


class Silent(Models):
    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        self.clock.now += 0.5
        yield ChatChunk("", "stop", prompt_tokens=50, completion_tokens=1)


async def test_model_that_does_not_answer_is_refused() -> None:
    llm = Silent()
    with pytest.raises(WeightsError, match="gives no answer"):
        await measure_llm(llm, llm.clock)


async def test_tokens_of_the_prompt_and_of_the_answer_are_measured_apart() -> None:
    llm = Language()
    assert await measure_llm(llm, llm.clock) == pytest.approx((100, 10))
