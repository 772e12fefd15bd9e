from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from benchmarks.page_gap.measure import heard_in
from benchmarks.page_gap.report import Row, report

ABOUT = {"machine": "a machine", "commit": "abc"}


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
    gaps = [heard.response_gap for heard in heard_in(recording(rate, caller, agent))]
    assert gaps[:2] == [pytest.approx(0.7, abs=0.005), pytest.approx(0.5, abs=0.005)]
    assert gaps[2:] == [None]


def rows(by: str, *beyond: float | None) -> list[Row]:
    """Of turns in which the worker took a second."""
    return [Row(by, 1, "Hello.", None if more is None else 1 + more, 1.0) for more in beyond]


@pytest.mark.parametrize(
    ("browsers", "difference", "verdict"), [(0.1, "+30 ms (+30 to +30)", ": met.**"), (0.2, "+130 ms", "NOT met")]
)
def test_report_compares_what_both_heard_beyond_the_record(browsers: float, difference: str, verdict: str) -> None:
    page = report([*rows("caller", 0.07, 0.07, None), *rows("browser", browsers, browsers)], 1, ABOUT)
    assert difference in page
    assert verdict in page
    assert "1 of 5 turns do not count" in page


def test_a_difference_that_may_as_well_be_larger_is_no_proof() -> None:
    page = report([*rows("caller", 0.0, 0.1, 0.2), *rows("browser", 0.0, 0.1, 0.3)], 1, ABOUT)
    assert "too busy" in page


def test_a_caller_who_heard_nothing_is_no_agreement() -> None:
    with pytest.raises(ValueError, match="browser"):
        report([*rows("caller", 0.07), *rows("browser", None)], 1, ABOUT)
