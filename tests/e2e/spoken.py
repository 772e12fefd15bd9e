"""What a caller says, piece by piece: the sound, and the script by which the simulated recogniser follows it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from livekit import rtc

from caller.audio import SAMPLE_RATE, Pcm, audible_part, read_wav
from testbed.speech import Speaker


@dataclass(frozen=True)
class Piece:
    """A stretch of sound and the pause after it.

    Attributes:
        text: What is spoken.
        words: What the recogniser hears; None: what is spoken; empty: a sound without words.
        at_most_s: Only so much of the sound.
        pause_s: Silence behind it.
    """

    text: str
    words: str | None = None
    at_most_s: float | None = None
    pause_s: float = 0.0


@dataclass
class Spoken:
    """One clip of the caller.

    Attributes:
        path: Its WAV file.
        script: A ``utterances`` entry of the simulated recogniser.
    """

    path: Path
    script: dict[str, Any] = field(default_factory=dict)


_numbers = itertools.count()


async def speak(speaker: Speaker, folder: Path, pieces: Sequence[Piece], **script: Any) -> Spoken:
    """Speak pieces one after the other; ``script`` are more fields of the recogniser's script."""
    sounds: list[Pcm] = []
    words: list[dict[str, Any]] = []
    position = end = 0.0
    for piece in pieces:
        pcm = read_wav(await speaker.wav(piece.text))
        edges = audible_part(pcm)
        assert edges is not None
        pcm = pcm[round(edges.start * SAMPLE_RATE) : round(edges.end * SAMPLE_RATE)]
        pcm = pcm[: round(piece.at_most_s * SAMPLE_RATE)] if piece.at_most_s else pcm
        end = position + len(pcm) / SAMPLE_RATE
        if heard := piece.text if piece.words is None else piece.words:
            words.append({"text": heard, "start": position, "end": end})
        sounds += [pcm, np.zeros(round(piece.pause_s * SAMPLE_RATE), np.int16)]
        position = end + piece.pause_s
    path = folder / f"spoken-{next(_numbers)}.wav"
    samples = np.concatenate(sounds)
    path.write_bytes(rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, len(samples)).to_wav_bytes())
    return Spoken(path, {"seconds": end, "words": words, **script})
