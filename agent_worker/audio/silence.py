"""Cuts the silence off the edges of synthesised speech: a caller waits for it, and it widens the seam."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

import numpy as np
import numpy.typing as npt
from livekit import rtc

#: Root mean square of 16-bit samples under which 10 ms count as silence: -54 dB of full scale.
_SILENCE = 65.0
_BLOCKS_PER_SECOND = 100
#: What is left standing, seconds: speech begins and ends more softly than the threshold shows.
_KEEP_BEFORE = 0.02
_KEEP_AFTER = 0.05


async def trim_silence(frames: AsyncIterable[rtc.AudioFrame], *, trailing: bool) -> AsyncIterator[rtc.AudioFrame]:
    """Pass audio on without its leading silence and, if asked for, without the trailing one.

    Args:
        frames: 16-bit audio.
        trailing: Silent audio is then held back until more speech follows it.
    """
    userdata: dict[str, Any] = {}
    speaking = False
    held: list[rtc.AudioFrame] = []
    async for frame in frames:
        if not speaking:
            userdata = _joined(userdata, frame.userdata)
            begin, end = _speech(frame)
            if begin == end:
                continue
            speaking = True
            frame = _cut(frame, begin, frame.samples_per_channel)
            frame.userdata.update(userdata)
        if not trailing:
            yield frame
            continue
        begin, end = _speech(frame)
        if begin == end:
            held.append(frame)
        else:
            for silent in held:
                yield silent
            held = [_cut(frame, end, frame.samples_per_channel)] if end < frame.samples_per_channel else []
            yield _cut(frame, 0, end)


def trimmed(frame: rtc.AudioFrame) -> rtc.AudioFrame:
    """The frame without silence before and after its speech; unchanged if it has none."""
    begin, end = _speech(frame)
    return _cut(frame, begin, end) if begin < end else frame


def pieces(frame: rtc.AudioFrame, seconds: float = 0.05) -> list[rtc.AudioFrame]:
    """The frame in short ones."""
    step = int(frame.sample_rate * seconds)
    return [_cut(frame, start, start + step) for start in range(0, frame.samples_per_channel, step)]


def _speech(frame: rtc.AudioFrame) -> tuple[int, int]:
    """First and last sample of what is not silence, with a margin; equal if there is nothing."""
    samples = _samples(frame).astype(np.float32)
    block = max(1, frame.sample_rate // _BLOCKS_PER_SECOND)
    loud = [start for start in range(0, len(samples), block) if _rms(samples[start : start + block]) > _SILENCE]
    if not loud:
        return 0, 0
    begin = loud[0] - int(_KEEP_BEFORE * frame.sample_rate)
    end = loud[-1] + block + int(_KEEP_AFTER * frame.sample_rate)
    return max(0, begin), min(len(samples), end)


def _rms(samples: npt.NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


def _samples(frame: rtc.AudioFrame) -> npt.NDArray[np.int16]:
    """One row a sample, one column a channel."""
    return np.frombuffer(frame.data, dtype=np.int16).reshape(-1, frame.num_channels)


def _cut(frame: rtc.AudioFrame, begin: int, end: int) -> rtc.AudioFrame:
    part = _samples(frame)[begin:end]
    cut = rtc.AudioFrame(part.tobytes(), frame.sample_rate, frame.num_channels, len(part))
    if begin == 0:
        cut.userdata.update(frame.userdata)
    return cut


def _joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """What two frames carry: livekit-agents puts timed transcripts and the start of synthesis there."""
    joined = {**second, **first}
    for key in first.keys() & second.keys():
        if isinstance(first[key], list):
            joined[key] = [*first[key], *second[key]]
    return joined
