from __future__ import annotations

import random
import statistics

import numpy as np
import pytest

from model_server.backends import TTS_SAMPLE_RATE, ChatRequest, Message, SpeechRequest
from model_server.simulation import Jitter, SimulationConfig, simulated_backends


def test_jitter_is_log_normal_about_the_configured_median() -> None:
    rng = random.Random(1)
    factors = sorted(Jitter(p95_over_median=2.0).factor(rng) for _ in range(4000))
    assert statistics.median(factors) == pytest.approx(1.0, rel=0.05)
    assert factors[int(0.95 * len(factors))] == pytest.approx(2.0, rel=0.08)


def test_no_jitter_by_default() -> None:
    assert Jitter().factor(random.Random(1)) == 1.0


async def test_the_same_seed_waits_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async def waits(seed: int) -> list[float]:
        waited: list[float] = []

        async def note(seconds: float) -> None:
            waited.append(seconds)

        monkeypatch.setattr("model_server.simulation.asyncio.sleep", note)
        entry = {"ttft_ms": 100, "tokens_per_second": 50, "replies": ["a b c"], "sigma": 0.5}
        llm = simulated_backends(SimulationConfig.model_validate({"seed": seed, "llm": {"*": entry}})).llm
        for _ in range(2):
            async for _ in llm.stream(ChatRequest("any", (Message("user", "x"),))):
                pass
        monkeypatch.undo()
        return waited

    first, again, other = await waits(1), await waits(1), await waits(2)
    assert first == again
    assert len(first) == 6
    assert first[:3] != first[3:]
    assert first != other


@pytest.mark.parametrize(("text", "hertz"), [("It is nine.", 880), ("At nine or ten.", 880), ("Ten.", 440)])
async def test_a_text_has_the_tone_of_the_first_word_that_it_contains(text: str, hertz: float) -> None:
    config = SimulationConfig.model_validate({"tts": {"*": {"tones": {"nine": 880, "ten": 660}}}})
    stream = simulated_backends(config).tts.stream(SpeechRequest("any", text, "any", 1.0))
    pcm = np.frombuffer(b"".join([chunk async for chunk in stream]), np.int16)
    spectrum = np.abs(np.fft.rfft(pcm))
    assert np.argmax(spectrum) * TTS_SAMPLE_RATE / len(pcm) == pytest.approx(hertz, abs=3)
