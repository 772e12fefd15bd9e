"""The detector of sounds, on the vectors that `web/tests/sound_edges.test.ts` checks too."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent_worker.audio.sound_edges import (
    BLOCKS_PER_S,
    MICROPHONE,
    MODEL_OUTPUT,
    NOISE_HISTORY_BLOCKS,
    RECEIVED_SPEECH,
    SYNTHESISED_SPEECH,
    find_edges,
    find_sounds,
    level_dbfs,
)

VECTORS = json.loads((Path(__file__).parent.parent / "sound_edges.json").read_text())
RATE = VECTORS["sample_rate"]


def tone(seconds: float, dbfs: float | None) -> np.ndarray:
    """A tone of this RMS level, or digital silence."""
    times = np.arange(round(seconds * RATE)) / RATE
    amplitude = 0.0 if dbfs is None else 10 ** (dbfs / 20) * np.sqrt(2)
    return amplitude * np.sin(2 * np.pi * VECTORS["hertz"] * times)


def clip(parts: Sequence[tuple[float, float | None]]) -> np.ndarray:
    return np.concatenate([tone(*part) for part in parts]).astype(np.float32)


def test_parameters_of_the_microphone_are_those_of_the_vectors() -> None:
    assert asdict(MICROPHONE) == VECTORS["microphone"]
    assert VECTORS["noise_history_blocks"] == NOISE_HISTORY_BLOCKS


@pytest.mark.parametrize("case", VECTORS["cases"], ids=[case["name"] for case in VECTORS["cases"]])
def test_sounds_are_found_where_the_vectors_say(case: dict[str, Any]) -> None:
    found = find_sounds(clip(case["parts"]), RATE, MICROPHONE)
    edges = [edge for sound in found for edge in (sound.start, sound.end)]
    assert edges == pytest.approx([edge for sound in case["sounds"] for edge in sound], abs=0.002)


def test_level_of_a_tone_is_its_rms() -> None:
    assert level_dbfs(tone(0.01, -20)) == pytest.approx(-20, abs=0.5)
    assert level_dbfs(np.zeros(480, np.int16)) == -100


def test_quiet_sources_are_measured_without_a_noise_floor() -> None:
    soft = [(1.0, -44.0), (0.3, None)]
    assert len(find_sounds(clip(soft), RATE, RECEIVED_SPEECH)) == 1
    assert find_sounds(clip(soft), RATE, MICROPHONE) == []  # steady, so it is taken for noise


def test_trimming_leaves_the_margins() -> None:
    speech = clip([(0.5, None), (0.2, -53), (0.5, None)])
    for levels in (SYNTHESISED_SPEECH, MODEL_OUTPUT):
        edges = find_edges(speech, RATE, levels)
        assert edges is not None
        assert edges[0] / RATE == pytest.approx(0.5 - levels.margin_before_s, abs=0.002)
        assert edges[1] / RATE == pytest.approx(0.7 + levels.margin_after_s, abs=0.002)


def test_margins_end_with_the_clip() -> None:
    assert find_edges(clip([(0.2, -20)]), RATE, MODEL_OUTPUT) == (0, round(0.2 * RATE))


def test_silence_has_no_edges() -> None:
    assert find_edges(np.zeros(RATE, np.int16), RATE, SYNTHESISED_SPEECH) is None
    assert find_edges(np.zeros(0, np.int16), RATE, SYNTHESISED_SPEECH) is None


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [50, 8_000, 11_025, 44_100])
def test_every_rate_and_number_of_channels_is_taken(rate: int, channels: int) -> None:
    samples = np.zeros((rate, channels), np.int16)
    samples[rate // 2 :, channels - 1] = 8_000
    edges = find_edges(samples, rate, SYNTHESISED_SPEECH)
    assert edges is not None
    assert edges[0] == pytest.approx(rate // 2 - 0.02 * rate, abs=rate / BLOCKS_PER_S)


def test_detector_can_be_imported_without_livekit() -> None:
    """The caller and the model server import it, and livekit-agents takes seconds to import."""
    code = "import sys, agent_worker.audio.sound_edges; sys.exit('livekit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
