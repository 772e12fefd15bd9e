"""Read a WAV file that arrives in pieces, as a container in a live transcription."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from model_server.audio import SAMPLE_BYTES, UndecodableAudioError, raw_reader
from model_server.backends import Audio

_MAX_HEADER_BYTES = 65_536
"""Chunks before the audio, such as a title."""
_ENCODINGS = {(1, 16): "linear16", (3, 32): "linear32", (6, 8): "alaw", (7, 8): "mulaw"}
"""By format tag and bits of a sample."""
_EXTENSIBLE = 0xFFFE
_UNKNOWN_LENGTHS = (0, 0xFFFFFFFF)
"""What writers put that do not know yet how long the audio gets."""


class WavReader:
    """Takes the file in pieces of any size; returns its audio at `STT_SAMPLE_RATE`, mono.

    Raises `UndecodableAudioError` for another container, or an encoding without samples of a fixed size.
    """

    def __init__(self) -> None:
        self._data = b""
        self._read: Callable[[bytes], Audio] | None = None
        self._step = 1
        self._left: int | None = None

    def __call__(self, data: bytes) -> Audio:
        """Return the audio that is complete with these bytes."""
        self._data += data
        if self._read is None:
            self._read_header()
        if self._read is None:
            return np.zeros(0, np.float32)
        usable = len(self._data) if self._left is None else min(len(self._data), self._left)
        usable -= usable % self._step
        samples, self._data = self._data[:usable], self._data[usable:]
        if self._left is not None:
            self._left -= usable
            if self._left < self._step:
                self._data = b""  # what follows the audio, such as a title
        return self._read(samples)

    def _read_header(self) -> None:
        if len(self._data) >= 12 and not (self._data[:4] == b"RIFF" and self._data[8:12] == b"WAVE"):
            raise UndecodableAudioError("no WAV file")
        if len(self._data) < 4 and not b"RIFF".startswith(self._data):
            raise UndecodableAudioError("no WAV file")
        at, format = 12, b""
        while at + 8 <= len(self._data):
            kind, size = self._data[at : at + 4], struct.unpack_from("<I", self._data, at + 4)[0]
            if kind == b"data":
                self._begin(format, size)
                self._data = self._data[at + 8 :]
                return
            if kind == b"fmt ":
                format = self._data[at + 8 : at + 8 + size]
            at += 8 + size + size % 2
        if len(self._data) > _MAX_HEADER_BYTES:
            raise UndecodableAudioError("a WAV file without audio")

    def _begin(self, format: bytes, size: int) -> None:
        if len(format) < 16:
            raise UndecodableAudioError("a WAV file without a format")
        tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", format)
        if tag == _EXTENSIBLE and len(format) >= 26:
            tag = struct.unpack_from("<H", format, 24)[0]
        encoding = _ENCODINGS.get((tag, bits))
        if encoding is None or not 8_000 <= rate <= 48_000:
            raise UndecodableAudioError(f"WAV of format {tag} with {bits} bits at {rate} Hz")
        self._read = raw_reader(encoding, rate, channels)
        self._step = SAMPLE_BYTES[encoding] * channels
        self._left = None if size in _UNKNOWN_LENGTHS else size
