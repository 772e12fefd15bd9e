from __future__ import annotations

import random
import re
import statistics

import numpy as np
import pytest

from model_server.backends import TTS_SAMPLE_RATE, ChatRequest, Message, SpeechRequest
from model_server.simulation import ConfigError, Jitter, SimulationConfig, load_config, simulated_backends


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
