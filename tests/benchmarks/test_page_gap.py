from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from benchmarks.page_gap.recording import response_gaps
from benchmarks.page_gap.report import Results, Row, markdown


def recording(rate: int, caller: list[tuple[float, float]], agent: list[tuple[float, float]]) -> bytes:
    """A WAV with tones from and to these seconds, the caller left and the agent right."""
    samples = np.zeros((20 * rate, 2), np.int16)
    for side, tones in enumerate((caller, agent)):
        for start, end in tones:
            times = np.arange(round(start * rate), round(end * rate))
            samples[times, side] = 8000 * np.sin(2 * np.pi * 440 * times / rate)
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(2)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        wav.writeframes(samples.tobytes())
    return file.getvalue()


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_gap_is_from_the_callers_last_sound_to_the_agents_first(rate: int) -> None:
    caller = [(1.0, 1.6), (2.0, 3.0), (9.0, 10.0), (15.0, 16.0)]  # the first two are one utterance
    agent = [(3.7, 4.2), (4.3, 7.0), (10.5, 12.0)]  # nothing comes after the last
    gaps = response_gaps(recording(rate, caller, agent))
    assert gaps[:2] == [pytest.approx(0.7, abs=0.005), pytest.approx(0.5, abs=0.005)]
    assert gaps[2:] == [None]


def results(caller: list[float | None], browser: list[float | None]) -> Results:
    """Turns whose recorded gap is 1 s; the values are what was heard beyond it."""
    rows = [("caller", beyond) for beyond in caller] + [("browser", beyond) for beyond in browser]
    return Results("a machine", "abc", [Row(by, 1, "Hello.", None if b is None else 1 + b, 1.0) for by, b in rows])


@pytest.mark.parametrize(
    ("browsers", "difference", "verdict"), [(0.1, "+30 ms (+30 to +30)", ": met.**"), (0.2, "+130 ms", "NOT met")]
)
def test_difference_is_of_what_both_heard_beyond_the_record(browsers: float, difference: str, verdict: str) -> None:
    page = markdown(results([0.07, 0.07, None], [browsers, browsers]))
    assert difference in page
    assert verdict in page
    assert "1 of 5 turns do not count" in page


def test_wide_interval_is_reported_as_a_busy_machine() -> None:
    page = markdown(results([0.0, 0.1, 0.2], [0.0, 0.1, 0.3]))
    assert "too busy" in page


def test_caller_that_heard_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="browser"):
        markdown(results([0.07], [None]))
