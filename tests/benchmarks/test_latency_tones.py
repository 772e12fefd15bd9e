from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.harness.simulation import ANSWER_HZ, PRERESPONSE_HZ
from benchmarks.harness.tones import Frame
from benchmarks.latency.calls import reply_edges
from caller.audio import FRAME_SAMPLES, SAMPLE_RATE

Sound = NDArray[np.float64]
TOLERANCE_S = 0.006


def tone(hertz: float, seconds: float) -> Sound:
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)


def silence(seconds: float) -> Sound:
    return np.random.default_rng(1).normal(0, 0.001, round(seconds * SAMPLE_RATE))


def frames(*parts: Sound, begin: float = 10.0) -> list[Frame]:
    pcm = (np.concatenate(parts) * 32767).astype(np.int16)
    pcm = np.pad(pcm, (0, -len(pcm) % FRAME_SAMPLES))
    return [(begin + i / SAMPLE_RATE, pcm[i : i + FRAME_SAMPLES]) for i in range(0, len(pcm), FRAME_SAMPLES)]


@pytest.mark.parametrize("gap", [0.0, 0.04, 0.5])
def test_edges_of_both_segments_are_found(gap: float) -> None:
    start, end = reply_edges(
        frames(silence(0.3), tone(PRERESPONSE_HZ, 0.8), silence(gap), tone(ANSWER_HZ, 0.6), silence(0.2))
    )
    assert end == pytest.approx(11.1, abs=TOLERANCE_S)
    assert start == pytest.approx(11.1 + gap, abs=TOLERANCE_S)


def test_answer_without_preresponse() -> None:
    start, end = reply_edges(frames(silence(0.5), tone(ANSWER_HZ, 0.6), silence(0.2)))
    assert start == pytest.approx(10.5, abs=TOLERANCE_S)
    assert end is None


def test_tone_after_the_answer_is_no_preresponse() -> None:
    _, end = reply_edges(frames(tone(ANSWER_HZ, 0.5), silence(0.1), tone(PRERESPONSE_HZ, 0.5)))
    assert end is None


def test_last_of_two_preresponses_counts() -> None:
    _, end = reply_edges(
        frames(tone(PRERESPONSE_HZ, 0.3), silence(0.2), tone(PRERESPONSE_HZ, 0.3), tone(ANSWER_HZ, 0.3), silence(0.1))
    )
    assert end == pytest.approx(10.8, abs=TOLERANCE_S)


def test_preresponse_without_answer() -> None:
    start, end = reply_edges(frames(tone(PRERESPONSE_HZ, 0.3), silence(0.2)))
    assert start is None
    assert end == pytest.approx(10.3, abs=TOLERANCE_S)


def test_click_and_lost_packet_are_ignored() -> None:
    answer = tone(ANSWER_HZ, 0.4)
    answer[4800:5760] = 0  # 20 ms lost
    start, _ = reply_edges(frames(silence(0.1), tone(ANSWER_HZ, 0.01), silence(0.3), answer, silence(0.1)))
    assert start == pytest.approx(10.41, abs=TOLERANCE_S)


def test_late_frame_is_heard_late() -> None:
    on_time = frames(silence(0.2), tone(ANSWER_HZ, 0.3))
    late = [(at + 0.05 if at >= 10.2 - 1e-6 else at, pcm) for at, pcm in on_time]
    assert reply_edges(late)[0] == pytest.approx(10.25, abs=TOLERANCE_S)


@pytest.mark.parametrize("sound", [[], frames(silence(0.5))])
def test_silence_has_no_tones(sound: list[Frame]) -> None:
    assert reply_edges(sound) == (None, None)
