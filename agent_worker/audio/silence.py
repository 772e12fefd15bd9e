"""Trim silence off the edges of synthesised speech: the caller waits for it, and it widens the gap between segments."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

import numpy as np
import numpy.typing as npt
from livekit import rtc

from agent_worker.audio.sound_edges import SYNTHESISED_SPEECH, find_edges

SPLIT_FRAME_S = 0.05


async def trim_silence(frames: AsyncIterable[rtc.AudioFrame], *, trailing: bool) -> AsyncIterator[rtc.AudioFrame]:
    """Yield audio without its leading silence and, on request, without the trailing silence.

    Args:
        frames: 16-bit audio.
        trailing: Trim the end too; silent audio is then held back until more speech follows it.
    """
    userdata: dict[str, Any] = {}
    speaking = False
    held: list[rtc.AudioFrame] = []
    async for frame in frames:
        if not speaking:
            userdata = _merge_userdata(userdata, frame.userdata)
            edges = _edges(frame)
            if edges is None:
                continue
            speaking = True
            frame = slice_frame(frame, edges[0], frame.samples_per_channel)
            frame.userdata.update(userdata)
        if not trailing:
            yield frame
            continue
        edges = _edges(frame)
        if edges is None:
            held.append(frame)
            continue
        for silent in held:
            yield silent
        end = edges[1]
        held = [slice_frame(frame, end, frame.samples_per_channel)] if end < frame.samples_per_channel else []
        yield slice_frame(frame, 0, end)


def trim_frame(frame: rtc.AudioFrame) -> rtc.AudioFrame:
    """Return the frame without silence before and after its speech; unchanged if it has no speech."""
    edges = _edges(frame)
    return slice_frame(frame, *edges) if edges else frame


def split_frame(frame: rtc.AudioFrame, seconds: float = SPLIT_FRAME_S) -> list[rtc.AudioFrame]:
    """Return the frame's audio in frames of at most `seconds`."""
    step = int(frame.sample_rate * seconds)
    return [slice_frame(frame, start, start + step) for start in range(0, frame.samples_per_channel, step)]


def slice_frame(frame: rtc.AudioFrame, begin: int, end: int) -> rtc.AudioFrame:
    """Return the samples from `begin` to before `end`; the frame's userdata goes with its first sample."""
    samples = _samples(frame)[begin:end]
    part = rtc.AudioFrame(samples.tobytes(), frame.sample_rate, frame.num_channels, len(samples))
    if begin == 0:
        part.userdata.update(frame.userdata)
    return part


def _edges(frame: rtc.AudioFrame) -> tuple[int, int] | None:
    return find_edges(_samples(frame), frame.sample_rate, SYNTHESISED_SPEECH)


def _samples(frame: rtc.AudioFrame) -> npt.NDArray[np.int16]:
    """Return the samples, shape (samples, channels)."""
    return np.frombuffer(frame.data, dtype=np.int16).reshape(-1, frame.num_channels)


def _merge_userdata(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Merge what two frames carry: livekit-agents puts timed transcripts and the start of synthesis there."""
    merged = {**second, **first}
    for key in first.keys() & second.keys():
        if isinstance(first[key], list):
            merged[key] = [*first[key], *second[key]]
    return merged
