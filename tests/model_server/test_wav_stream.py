"""A WAV file that arrives in pieces."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from model_server.audio import UndecodableAudioError
from model_server.wav_stream import WavReader
from tests.model_server import sounds

SPEECH = sounds.tone(0.5)


def read(file: bytes, piece: int) -> np.ndarray:
    reader = WavReader()
    return np.concatenate([reader(file[start : start + piece]) for start in range(0, len(file), piece)])


@pytest.mark.parametrize("piece", [1, 3, 44, 45, 1_000, 100_000])
def test_pieces_of_any_size_give_the_same_audio(piece: int) -> None:
    assert len(read(sounds.wav(SPEECH), piece)) == 8_000
    assert np.array_equal(read(sounds.wav(SPEECH), piece), read(sounds.wav(SPEECH), 100_000))


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_unknown_length_means_until_the_end(length: int) -> None:
    file = bytearray(sounds.wav(SPEECH))
    file[40:44] = struct.pack("<I", length)
    assert len(read(bytes(file), 1_000)) == 8_000


def test_chunks_before_and_after_the_audio_are_no_audio() -> None:
    file = sounds.wav(SPEECH)
    title = b"LIST" + struct.pack("<I", 5) + b"title\0"
    assert len(read(file[:36] + title + file[36:] + title, 1_000)) == 8_000


@pytest.mark.parametrize(
    "file",
    [
        b"OggS" + bytes(100),
        b"RIFF\0\0\0\0AVI " + bytes(100),
        b"RIFF\0\0\0\0WAVEdata" + bytes(100),
        b"RIFF\0\0\0\0WAVE" + (b"junk" + struct.pack("<I", 1_000) + bytes(1_000)) * 70,
        sounds.wav(SPEECH).replace(struct.pack("<HH", 2, 16), struct.pack("<HH", 3, 24)),
        sounds.wav(SPEECH, rate=4_000),
    ],
    ids=["ogg", "avi", "no format", "no audio", "24 bits", "4 kHz"],
)
def test_other_files_are_refused(file: bytes) -> None:
    with pytest.raises(UndecodableAudioError):
        read(file, 1_000)
