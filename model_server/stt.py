"""Whisper tiny.en on CTranslate2, and Silero's voice detection."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.vad import get_vad_model

from model_server.backends import AliasedModel, Audio, Transcript, VoiceDetector, Word

SILERO_CONTEXT = 64
"""Samples of the frame before that Silero wants in front of each frame."""


class Whisper:
    names = AliasedModel(
        "whisper-tiny.en",
        frozenset(
            {
                "nova-3",
                "nova-3-general",
                "whisper-1",
                "gpt-4o-mini-transcribe",
                "Systran/faster-whisper-small.en",
                "Systran/faster-distil-whisper-small.en",
                "Systran/faster-whisper-tiny.en",
            }
        ),
    )

    def __init__(self, path: Path) -> None:
        # A second thread makes Whisper tiny no faster, and would take a core from the voice.
        self._model = WhisperModel(str(path), device="cpu", compute_type="int8", cpu_threads=1)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stt")
        self._waiting = 0

    @property
    def idle(self) -> bool:
        return self._waiting == 0

    async def transcribe(self, model: str, audio: Audio, *, utterance: int, final: bool) -> Transcript:
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._transcribe, audio)
        finally:
            self._waiting -= 1

    def voice_detector(self) -> VoiceDetector:
        return SileroDetector()

    def _transcribe(self, audio: Audio) -> Transcript:
        segments, _ = self._model.transcribe(
            audio,
            language="en",
            beam_size=1,
            # Whisper's habit of trying again at higher temperatures makes a mumbled utterance take six times as long.
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            # On silence Whisper invents words ("Thank you."); the filter leaves it nothing to invent from.
            vad_filter=True,
        )
        words = tuple(
            Word(word.word.strip(), float(word.start), float(word.end), float(word.probability))
            for segment in segments
            for word in segment.words or ()
        )
        return Transcript(" ".join(word.text for word in words), words)


class SileroDetector:
    """The Silero model that ships with faster-whisper, run frame by frame on a live stream."""

    def __init__(self) -> None:
        self._session = get_vad_model().session
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)
        self._context = np.zeros(SILERO_CONTEXT, np.float32)

    def probabilities(self, frames: Audio) -> list[float]:
        result = []
        for frame in frames:
            window = np.concatenate([self._context, frame])[np.newaxis]
            output, self._h, self._c = self._session.run(None, {"input": window, "h": self._h, "c": self._c})
            self._context = frame[-SILERO_CONTEXT:]
            result.append(float(output.item()))
        return result
