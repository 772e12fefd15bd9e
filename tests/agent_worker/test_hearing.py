"""When was the caller last audible?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice import io

from agent_worker.turn_taking import audio_input as hearing
from agent_worker.turn_taking.audio_input import SpeechEndTracker

RATE = 24000
FRAME = 0.02


class Line(io.AudioInput):
    """Hands out audio in frames that each arrive as their last sample has been spoken."""

    def __init__(self, samples: np.ndarray, clock: Clock) -> None:
        super().__init__(label="line")
        size = int(RATE * FRAME)
        self._frames = [samples[start : start + size] for start in range(0, len(samples), size)]
        self._clock = clock

    async def __anext__(self) -> rtc.AudioFrame:
        if not self._frames:
            raise StopAsyncIteration
        samples = self._frames.pop(0)
        self._clock.now += len(samples) / RATE
        return rtc.AudioFrame(samples.tobytes(), RATE, 1, len(samples))


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


def level(seconds: float, dbfs: float) -> np.ndarray:
    noise = np.random.default_rng(7).standard_normal(int(seconds * RATE))
    return noise * 10 ** (dbfs / 20)


def as_int16(*parts: np.ndarray) -> np.ndarray:
    return np.clip(np.concatenate(parts) * 32768, -32768, 32767).astype(np.int16)


async def heard(
    monkeypatch: pytest.MonkeyPatch, *parts: np.ndarray
) -> tuple[SpeechEndTracker, Sequence[rtc.AudioFrame]]:
    clock = Clock()
    monkeypatch.setattr(hearing, "time", clock)
    audio = SpeechEndTracker(Line(as_int16(*parts), clock))
    return audio, [frame async for frame in audio]


async def test_audio_passes_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = (level(0.5, -90), level(0.1, -20), level(1.5, -60))
    _, frames = await heard(monkeypatch, *parts)
    assert b"".join(bytes(frame.data) for frame in frames) == as_int16(*parts).tobytes()


async def test_silence_that_lasts_comes_in_longer_frames_and_what_is_heard_in_it_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, frames = await heard(monkeypatch, level(1, -90), level(0.2, -20), level(2, -90))
    lengths = [round(frame.duration, 3) for frame in frames]
    attentive = round((0.2 + 1.0) / FRAME)  # the sound, and the second after it
    assert lengths == [0.1] * 10 + [FRAME] * attentive + [0.1] * 10


async def test_last_sound_lies_before_what_the_detector_takes_for_the_last_voice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    audio, _ = await heard(monkeypatch, level(1, -90), level(1, -20), level(0.5, -90))
    assert audio.last_audible(102.12) == pytest.approx(102.0, abs=0.011)


async def test_sound_too_soft_to_begin_with_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    audio, _ = await heard(
        monkeypatch, level(1, -90), level(1, -20), level(0.05, -90), level(0.02, -48), level(0.5, -90)
    )
    assert audio.last_audible(102.15) == pytest.approx(102.0, abs=0.011)


async def test_speech_that_fades_is_heard_longer_than_it_could_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    audio, _ = await heard(monkeypatch, level(1, -90), level(1, -20), level(0.05, -48), level(0.5, -90))
    assert audio.last_audible(102.15) == pytest.approx(102.05, abs=0.011)


async def test_steady_noise_behind_the_voice_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    audio, _ = await heard(monkeypatch, level(1, -45), level(1, -20), level(0.5, -45))
    assert audio.last_audible(102.12) == pytest.approx(102.0, abs=0.011)


async def test_detector_is_believed_when_nothing_louder_than_the_noise_was_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    audio, _ = await heard(monkeypatch, level(2.5, -30))
    assert audio.last_audible(102.12) == pytest.approx(102.12, abs=0.011)


async def test_detector_is_believed_when_the_last_sound_is_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    audio, _ = await heard(monkeypatch, level(1, -20), level(2, -90))
    assert audio.last_audible(102.12) == 102.12


async def test_detector_is_believed_about_a_soft_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    audio, _ = await heard(monkeypatch, level(1, -90), level(0.8, -42), level(0.2, -47), level(0.5, -90))
    assert audio.last_audible(102.12) == 102.12
