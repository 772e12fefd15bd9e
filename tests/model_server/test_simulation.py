from __future__ import annotations

import random
import re
import statistics
from typing import Any

import numpy as np
import pytest

from model_server.backends import TTS_SAMPLE_RATE, ChatRequest, Message, Span, SpeechRequest
from model_server.simulation import (
    ConfigError,
    Jitter,
    SimulationConfig,
    TimedUtterance,
    load_config,
    simulated_backends,
    timed_words,
)


def test_jitter_is_log_normal_about_the_configured_median() -> None:
    rng = random.Random(1)
    factors = sorted(Jitter(p95_over_median=2.0).factor(rng) for _ in range(4000))
    assert statistics.median(factors) == pytest.approx(1.0, rel=0.05)
    assert factors[int(0.95 * len(factors))] == pytest.approx(2.0, rel=0.08)


@pytest.mark.parametrize("source", ["missing.json", "."])
def test_unreadable_config_is_reported_in_one_line(source: str) -> None:
    with pytest.raises(ConfigError, match=f"^cannot read {re.escape(source)}: [^\n]+$"):
        load_config(source)


def test_no_jitter_by_default() -> None:
    assert Jitter().factor(random.Random(1)) == 1.0


async def waits(seed: int) -> list[float]:
    """Return how long the model waits in two requests with jitter, seconds."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    entry = {"ttft_ms": 100, "tokens_per_second": 50, "replies": ["a b c"], "sigma": 0.5}
    llm = simulated_backends(SimulationConfig.model_validate({"seed": seed, "llm": {"*": entry}}), sleep).llm
    for _ in range(2):
        async for _ in llm.stream(ChatRequest("any", (Message("user", "x"),))):
            pass
    return waited


async def test_latencies_depend_on_the_seed_alone() -> None:
    first, again, other = await waits(1), await waits(1), await waits(2)
    assert first == again
    assert len(first) == 6
    assert first[:3] != first[3:]
    assert first != other


@pytest.mark.parametrize(("text", "hertz"), [("It is nine.", 880), ("At nine or ten.", 880), ("Ten.", 440)])
async def test_text_has_the_tone_of_the_first_word_that_it_contains(text: str, hertz: float) -> None:
    config = SimulationConfig.model_validate({"tts": {"*": {"tones": {"nine": 880, "ten": 660}}}})
    stream = simulated_backends(config).tts.stream(SpeechRequest("any", text, "any", 1.0))
    pcm = np.frombuffer(b"".join([chunk async for chunk in stream]), np.int16)
    spectrum = np.abs(np.fft.rfft(pcm))
    assert np.argmax(spectrum) * TTS_SAMPLE_RATE / len(pcm) == pytest.approx(hertz, abs=3)


PHONE = TimedUtterance.model_validate(
    {
        "seconds": 4.2,
        "words": [{"text": "four one five", "start": 0, "end": 1.2}, {"text": "oh one two", "start": 3.0, "end": 4.2}],
    }
)
THANKS = TimedUtterance.model_validate({"seconds": 1.0, "words": [{"text": "thank you", "start": 0, "end": 1.0}]})


def texts(*spans: Span) -> list[str]:
    """Return the text of each segment; its times are those of the sound, so its audio begins earlier."""
    stream = [(10 + start - 0.224, 10 + end + 0.2) for start, end in spans]
    found = (timed_words([PHONE, THANKS], stream[: number + 1])[1] for number in range(len(stream)))
    return [" ".join(word.text for word in words) for words in found]


def test_timed_words_follow_the_sound_however_pauses_cut_it() -> None:
    assert texts((0, 4.2)) == ["four one five oh one two"]
    assert texts((0, 1.2), (3.0, 4.2)) == ["four one five", "oh one two"]
    assert texts((0, 0.4), (0.8, 1.2), (3.0, 4.2)) == ["four", "one five", "oh one two"]


def test_next_utterance_begins_with_the_first_sound_after_the_end_of_the_one_before() -> None:
    assert texts((0, 1.2), (3.0, 4.2), (4.6, 5.6)) == ["four one five", "oh one two", "thank you"]
    assert texts((0, 4.2), (60.0, 61.0), (70.0, 71.0)) == ["four one five oh one two", "thank you", ""]


async def test_tool_is_called_once_in_a_reply() -> None:
    llm = simulated_backends(SimulationConfig.model_validate({"llm": {"*": {"calls_tool": True}}})).llm

    async def tools_called(**options: Any) -> list[str]:
        request = ChatRequest("any", (Message("user", "x"),), **options)
        return [chunk.tool for chunk in [chunk async for chunk in llm.stream(request)] if chunk.tool]

    assert await tools_called(tools=("book",)) == ["book"]
    assert await tools_called(tools=("book",), answers_tool=True) == []
    assert await tools_called() == []
