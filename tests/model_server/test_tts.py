"""How texts become sentences of PCM, with a model that takes no time."""

from __future__ import annotations

import numpy as np
import pytest

from agent_worker.audio.sound_edges import MODEL_OUTPUT
from model_server.backends import TTS_SAMPLE_RATE, Audio, BadInputError, SpeechRequest
from model_server.tts import FEMALE_VOICES, MALE_VOICES, SentenceTTS

SPEECH_S, PADDING_S = 0.5, 0.4


class PaddedTone(SentenceTTS):
    """Speaks each sentence as a tone between two silences, as the real models do; nothing for '-'."""

    def __init__(self) -> None:
        super().__init__(frozenset({"jane", "john"}), female="jane", male="john")
        self.synthesised: list[tuple[str, str, float]] = []

    def _synthesise(self, sentence: str, voice: str, speed: float) -> Audio:
        self.synthesised.append((sentence, voice, speed))
        if sentence == "-":
            return np.zeros(0, np.float32)
        times = np.arange(round(SPEECH_S * TTS_SAMPLE_RATE)) / TTS_SAMPLE_RATE
        tone = 0.3 * np.sin(2 * np.pi * 300 * times)
        return np.pad(tone, round(PADDING_S * TTS_SAMPLE_RATE)).astype(np.float32)


async def speak(text: str, voice: str = "jane", speed: float = 1.0) -> tuple[PaddedTone, list[bytes]]:
    tts = PaddedTone()
    return tts, [pcm async for pcm in tts.stream(SpeechRequest("any", text, voice, speed))]


async def test_each_sentence_is_yielded_by_itself_without_its_padding() -> None:
    tts, chunks = await speak("This is the first. And this is the second.")
    assert [sentence for sentence, _, _ in tts.synthesised] == ["This is the first.", "And this is the second."]
    seconds = [len(pcm) / 2 / TTS_SAMPLE_RATE for pcm in chunks]
    trimmed = MODEL_OUTPUT.margin_before_s + SPEECH_S + MODEL_OUTPUT.margin_after_s
    assert seconds == pytest.approx([trimmed, trimmed], abs=0.01)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Call 4155550123.", "Call four one five, five five five, zero one two three."),
        ("It costs $7667.47.", "It costs seven thousand six hundred sixty-seven dollars and forty-seven cents."),
        ("Come at 09:08 AM.", "Come at nine oh eight AM."),
        ("In 45 minutes.", "In 45 minutes."),
    ],
)
async def test_numbers_are_read_as_people_say_them(written: str, spoken: str) -> None:
    tts, _ = await speak(written)
    assert [sentence for sentence, _, _ in tts.synthesised] == [spoken]


async def test_text_without_words_is_a_pause() -> None:
    _, chunks = await speak("-")
    assert [set(pcm) for pcm in chunks] == [{0}]
    assert len(chunks[0]) == 2 * round(MODEL_OUTPUT.margin_after_s * TTS_SAMPLE_RATE)


@pytest.mark.parametrize(
    ("requested", "voice"),
    [
        ("john", "john"),
        *((name, "jane") for name in sorted(FEMALE_VOICES)),
        *((name, "john") for name in sorted(MALE_VOICES)),
    ],
)
async def test_voice_names_of_openai_and_kokoro_are_aliases(requested: str, voice: str) -> None:
    tts, _ = await speak("Hello.", requested)
    assert tts.synthesised == [("Hello.", voice, 1.0)]


async def test_unknown_voice_is_refused_before_the_first_chunk() -> None:
    with pytest.raises(BadInputError, match=r"Unknown voice 'nobody'\. Known voices: .*alloy"):
        await speak("Hello.", "nobody")


@pytest.mark.parametrize(("requested", "speed"), [(0.25, 0.5), (1.5, 1.5), (4.0, 2.0)])
async def test_speed_stays_within_the_range_of_the_models(requested: float, speed: float) -> None:
    tts, _ = await speak("Hello.", speed=requested)
    assert tts.synthesised == [("Hello.", "jane", speed)]
