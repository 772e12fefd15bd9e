"""What a telephone network loses: packets of 20 ms, each concealed by the one before it.

The narrow band and G.711 of both ways are the caller's (``CallOptions.phone``). Packets are lost on the way to the
agent, where a system has to cope with it. The delay of the line is added to what is measured, by
``Profile.line_delay_s``: caller and agent take turns, so a longer way moves every instant and changes nothing else.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from benchmarks.harness.clips import wav_bytes
from caller.audio import SAMPLE_RATE, Pcm, read_wav

_PACKET_SAMPLES = SAMPLE_RATE // 50
_CONCEALED_GAIN = 0.7


def with_loss(pcm: Pcm, share: float, seed: str) -> Pcm:
    """Return audio of which a share of the packets is lost; the same seed loses the same ones."""
    lost = random.Random(seed)
    packets = np.pad(pcm, (0, -len(pcm) % _PACKET_SAMPLES)).reshape(-1, _PACKET_SAMPLES).copy()
    for number in range(1, len(packets)):
        if lost.random() < share:
            packets[number] = packets[number - 1] * _CONCEALED_GAIN
    return packets.reshape(-1)[: len(pcm)]


def lossy_clip(clip: Path, share: float, folder: Path) -> Path:
    """Write a clip as it comes through such a network; return the file."""
    written = folder / f"lossy-{clip.name}"
    written.write_bytes(wav_bytes(with_loss(read_wav(clip), share, clip.name), SAMPLE_RATE))
    return written
