from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.latency.profiles import ANSWER_HZ, PRERESPONSE_HZ
from benchmarks.latency.tones import Frame, hear_tones
from caller.audio import FRAME_SAMPLES, SAMPLE_RATE

Sound = NDArray[np.float64]


def tone(hertz: float, seconds: float) -> Sound:
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)


def silence(seconds: float) -> Sound:
    return np.random.default_rng(1).normal(0, 0.001, round(seconds * SAMPLE_RATE))


def frames(*parts: Sound, begin: float = 10.0) -> list[Frame]:
    pcm = (np.concatenate(parts) * 32767).astype(np.int16)
    pcm = np.pad(pcm, (0, -len(pcm) % FRAME_SAMPLES))
    return [(begin + i / SAMPLE_RATE, pcm[i : i + FRAME_SAMPLES]) for i in range(0, len(pcm), FRAME_SAMPLES)]


@pytest.mark.parametrize("gap", [0.0, 0.04, 0.5])
def test_seam_is_the_silence_between_the_two_tones(gap: float) -> None:
    heard = hear_tones(
        frames(silence(0.3), tone(PRERESPONSE_HZ, 0.8), silence(gap), tone(ANSWER_HZ, 0.6), silence(0.2))
    )
    assert heard.preresponse_end == pytest.approx(11.1, abs=0.006)
    assert heard.answer_start == pytest.approx(11.1 + gap, abs=0.006)
    assert heard.seam == pytest.approx(gap, abs=0.008)


def test_answer_without_pre_response_has_no_seam() -> None:
    heard = hear_tones(frames(silence(0.5), tone(ANSWER_HZ, 0.6), silence(0.2)))
    assert heard.answer_start == pytest.approx(10.5, abs=0.006)
    assert (heard.preresponse_end, heard.seam) == (None, None)


def test_what_follows_the_answer_is_no_pre_response() -> None:
    heard = hear_tones(frames(tone(ANSWER_HZ, 0.5), silence(0.1), tone(PRERESPONSE_HZ, 0.5)))
    assert heard.preresponse_end is None


def test_of_two_pre_responses_the_last_one_counts() -> None:
    heard = hear_tones(
        frames(tone(PRERESPONSE_HZ, 0.3), silence(0.2), tone(PRERESPONSE_HZ, 0.3), tone(ANSWER_HZ, 0.3), silence(0.1))
    )
    assert heard.preresponse_end == pytest.approx(10.8, abs=0.006)


def test_pre_response_without_answer() -> None:
    heard = hear_tones(frames(tone(PRERESPONSE_HZ, 0.3), silence(0.2)))
    assert heard.answer_start is None
    assert heard.preresponse_end == pytest.approx(10.3, abs=0.006)


def test_click_and_lost_packet_change_nothing() -> None:
    answer = tone(ANSWER_HZ, 0.4)
    answer[4800:5760] = 0  # 20 ms lost
    heard = hear_tones(frames(silence(0.1), tone(ANSWER_HZ, 0.01), silence(0.3), answer, silence(0.1)))
    assert heard.answer_start == pytest.approx(10.41, abs=0.006)


def test_late_frame_is_heard_late() -> None:
    on_time = frames(silence(0.2), tone(ANSWER_HZ, 0.3))
    late = [(at + 0.05 if at >= 10.2 - 1e-6 else at, pcm) for at, pcm in on_time]
    assert hear_tones(late).answer_start == pytest.approx(10.25, abs=0.006)


@pytest.mark.parametrize("sound", [[], frames(silence(0.5))])
def test_silence_has_no_tones(sound: list[Frame]) -> None:
    heard = hear_tones(sound)
    assert (heard.answer_start, heard.preresponse_end) == (None, None)
