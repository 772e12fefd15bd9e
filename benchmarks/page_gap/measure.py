"""What did the caller wait, by the recording of both sides that the page makes?"""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from livekit import rtc

from caller.audio import SAMPLE_RATE, Pcm, audible_segments, read_wav
from caller.report import Segment, response_start

_PAUSE = 1.5
"""Seconds of the caller's silence that end an utterance: those of the benchmark have no pause in them."""


@dataclass(frozen=True)
class Heard:
    """An utterance and the reply to it. Seconds since the recording began."""

    last_sent: float
    first_heard: float | None

    @property
    def response_gap(self) -> float | None:
        return None if self.first_heard is None else self.first_heard - self.last_sent


def heard_in(recording: bytes) -> list[Heard]:
    """By the caller package's own rules, of a WAV with the caller left and the agent right. Blocks."""
    caller, agent = (audible_segments(side) for side in sides(recording))
    utterances = _utterances(caller)
    found = []
    for utterance, following in pairwise([*utterances, None]):
        assert utterance is not None
        until = following.start if following else float("inf")
        reply = [segment for segment in agent if segment.start < until]
        found.append(Heard(utterance.end, response_start(reply, utterance.start, utterance.end)))
    return found


def sides(recording: bytes) -> list[Pcm]:
    """Caller and agent, at the caller package's rate."""
    with wave.open(io.BytesIO(recording)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, file.getnchannels())
    return [_at_our_rate(np.ascontiguousarray(samples[:, side]), rate) for side in range(2)]


def _at_our_rate(side: Pcm, rate: int) -> Pcm:
    if rate == SAMPLE_RATE:
        return side
    mono = rtc.AudioFrame(side.tobytes(), rate, 1, len(side)).to_wav_bytes()
    return read_wav(io.BytesIO(mono))


def _utterances(segments: list[Segment]) -> list[Segment]:
    joined: list[Segment] = []
    for segment in segments:
        if joined and segment.start - joined[-1].end < _PAUSE:
            joined[-1] = Segment(joined[-1].start, segment.end)
        else:
            joined.append(segment)
    return joined
