"""When the caller was last audible, and in which frames their audio is passed on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice import io

from agent_worker.turn_taking.audio_input import SpeechEndTracker

RATE = 24000
FRAME_S = 0.02


class ScriptedAudio(io.AudioInput):
    """Yields audio in frames; its clock says when the last sample of each has been spoken."""

    def __init__(self, samples: np.ndarray) -> None:
        super().__init__(label="scripted")
        size = int(RATE * FRAME_S)
        self._frames = [samples[start : start + size] for start in range(0, len(samples), size)]
        self.now = 100.0

    async def __anext__(self) -> rtc.AudioFrame:
        if not self._frames:
            raise StopAsyncIteration
        samples = self._frames.pop(0)
        self.now += len(samples) / RATE
        return rtc.AudioFrame(samples.tobytes(), RATE, 1, len(samples))


def noise(seconds: float, dbfs: float) -> np.ndarray:
    return np.random.default_rng(7).standard_normal(int(seconds * RATE)) * 10 ** (dbfs / 20)


def as_int16(*parts: np.ndarray) -> np.ndarray:
    return np.clip(np.concatenate(parts) * 32768, -32768, 32767).astype(np.int16)


async def track(*parts: np.ndarray) -> tuple[SpeechEndTracker, Sequence[rtc.AudioFrame]]:
    source = ScriptedAudio(as_int16(*parts))
    tracker = SpeechEndTracker(source, lambda: source.now)
    return tracker, [frame async for frame in tracker]


async def test_audio_is_passed_on_unchanged() -> None:
    parts = (noise(0.5, -90), noise(0.1, -20), noise(1.5, -60))
    _, frames = await track(*parts)
    assert b"".join(bytes(frame.data) for frame in frames) == as_int16(*parts).tobytes()


async def test_long_silence_is_passed_on_in_longer_frames_and_sound_at_once() -> None:
    _, frames = await track(noise(1, -90), noise(0.2, -20), noise(2, -90))
    lengths = [round(frame.duration, 3) for frame in frames]
    at_once = round((0.2 + 1.0) / FRAME_S)  # the sound, and the second after it
    assert lengths == [0.1] * 10 + [FRAME_S] * at_once + [0.1] * 10


@pytest.mark.parametrize(
    ("parts", "last_audible"),
    [
        pytest.param([(1, -90), (1, -20), (0.5, -90)], 102.0, id="last sound before the VAD's end of speech"),
        pytest.param([(1, -90), (1, -20), (0.05, -90), (0.02, -48), (0.5, -90)], 102.0, id="too soft to start a sound"),
        pytest.param([(1, -90), (1, -20), (0.05, -48), (0.5, -90)], 102.05, id="fading speech goes on"),
        pytest.param([(1, -45), (1, -20), (0.5, -45)], 102.0, id="steady noise is not the voice"),
    ],
)
async def test_last_sound_is_found(parts: Sequence[tuple[float, float]], last_audible: float) -> None:
    tracker, _ = await track(*(noise(seconds, dbfs) for seconds, dbfs in parts))
    assert tracker.last_audible(102.15) == pytest.approx(last_audible, abs=0.011)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([(2.5, -30)], id="noise as loud as a voice"),
        pytest.param([(1, -20), (2, -90)], id="the last sound is long ago"),
        pytest.param([(1, -90), (0.8, -42), (0.2, -47), (0.5, -90)], id="a soft voice"),
    ],
)
async def test_end_of_speech_of_the_vad_is_kept_where_levels_do_not_tell(parts: Sequence[tuple[float, float]]) -> None:
    tracker, _ = await track(*(noise(seconds, dbfs) for seconds, dbfs in parts))
    assert tracker.last_audible(102.12) == pytest.approx(102.12, abs=0.011)
