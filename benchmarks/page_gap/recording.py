"""Response gaps in the recording of both sides that the page exports."""

from __future__ import annotations

import io
import wave
from itertools import pairwise

import numpy as np

from benchmarks.harness.clips import wav_bytes
from caller.audio import Pcm, audible_segments, read_wav
from caller.report import Segment, response_start

_UTTERANCE_PAUSE_S = 1.5
"""Silence of the caller that ends an utterance; those of the benchmark contain no pause."""


def response_gaps(recording: bytes) -> list[float | None]:
    """Return the gap after each utterance, seconds, or None if no reply follows, by the rules of ``caller``. Blocks.

    Args:
        recording: A WAV file with the caller left and the agent right.
    """
    caller, agent = map(audible_segments, channels(recording))
    found: list[float | None] = []
    for utterance, following in pairwise([*_utterances(caller), None]):
        assert utterance is not None
        until = following.start if following else float("inf")
        reply = [segment for segment in agent if segment.start < until]
        start = response_start(reply, utterance.start, utterance.end)
        found.append(None if start is None else start - utterance.end)
    return found


def channels(recording: bytes) -> list[Pcm]:
    """Return caller and agent at the sample rate of ``caller.audio``."""
    with wave.open(io.BytesIO(recording)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, file.getnchannels())
    return [read_wav(io.BytesIO(wav_bytes(np.ascontiguousarray(samples[:, side]), rate))) for side in range(2)]


def _utterances(segments: list[Segment]) -> list[Segment]:
    joined: list[Segment] = []
    for segment in segments:
        if joined and segment.start - joined[-1].end < _UTTERANCE_PAUSE_S:
            joined[-1] = Segment(joined[-1].start, segment.end)
        else:
            joined.append(segment)
    return joined
