"""Whisper tiny.en on CTranslate2, and Silero's voice detection."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel
from faster_whisper.vad import get_vad_model

from model_server.backends import AliasedModel, Audio, Span, Transcript, TurnPause, VoiceActivityDetector, Word

Features = npt.NDArray[np.float32]

SILERO_CONTEXT_SAMPLES = 64
"""Samples of the previous frame that Silero takes in front of each frame."""


#: Feature frames (10 ms each) that the encoder gets at least. Whisper was trained with 3,000, however short the speech.
#: With 1,500 it reads an utterance of 3 s in a quarter of the time and makes no more errors; with 500 it repeats words.
_MIN_FRAMES = 1_500
_FRAMES_STEP = 100


def without_padding(features: Features) -> Features:
    """Return the features of an utterance with as much silence after them as Whisper needs, and no more.

    Args:
        features: Log-mel features, (bands, frames), padded to 30 s with columns of zeros.
    """
    used = int(np.flatnonzero(np.any(features != 0, axis=0))[-1]) + 1 if np.any(features) else 0
    length = max(_MIN_FRAMES, -(-(used + _FRAMES_STEP) // _FRAMES_STEP) * _FRAMES_STEP)
    shorter = features[:, :length].copy()
    shorter[:, used:] = features.min()  # silence, as in training; zeros are a sound
    return shorter


class Whisper:
    """Whisper in one worker thread."""

    names = AliasedModel(
        "whisper-tiny.en",
        frozenset(
            {
                "nova-3",
                "nova-3-general",
                "flux-general-en",
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
        encode = self._model.encode
        self._model.encode = lambda features: encode(without_padding(features))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stt")
        self._pending = 0

    def takes_language(self, model: str, language: str) -> bool:
        """See `model_server.backends.STT`."""
        return language == "en"

    def turn_pause(self, model: str, text: str) -> TurnPause:
        """See `model_server.backends.STT`. Whisper knows nothing of turns: only the silence counts."""
        return TurnPause()

    @property
    def idle(self) -> bool:
        """See `model_server.backends.STT`."""
        return self._pending == 0

    async def transcribe(
        self, model: str, audio: Audio, *, segment: int, final: bool, spans: Sequence[Span] = ()
    ) -> Transcript:
        """See `model_server.backends.STT`."""
        self._pending += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._transcribe, audio)
        finally:
            self._pending -= 1

    def voice_activity_detector(self) -> VoiceActivityDetector:
        """Return Silero's detector for one stream."""
        return SileroVAD()

    def _transcribe(self, audio: Audio) -> Transcript:
        found, _ = self._model.transcribe(
            audio,
            language="en",
            beam_size=1,
            # The default retries at higher temperatures, which makes unclear speech take six times as long.
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            # On silence Whisper invents words ("Thank you."); the filter removes the silence.
            vad_filter=True,
        )
        segments = list(found)
        words = tuple(
            Word(word.word.strip(), float(word.start), float(word.end), float(word.probability))
            for segment in segments
            for word in segment.words or ()
        )
        return Transcript(
            " ".join(word.text for word in words),
            words,
            max((float(segment.no_speech_prob) for segment in segments), default=1.0),
            fmean(float(segment.avg_logprob) for segment in segments) if segments else 0.0,
        )


class SileroVAD:
    """The Silero model of faster-whisper, run frame by frame on a live stream."""

    def __init__(self) -> None:
        self._session = get_vad_model().session
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)
        self._context = np.zeros(SILERO_CONTEXT_SAMPLES, np.float32)

    def probabilities(self, frames: Audio) -> list[float]:
        """See `model_server.backends.VoiceActivityDetector`."""
        result = []
        for frame in frames:
            window = np.concatenate([self._context, frame])[np.newaxis]
            output, self._h, self._c = self._session.run(None, {"input": window, "h": self._h, "c": self._c})
            self._context = frame[-SILERO_CONTEXT_SAMPLES:]
            result.append(float(output.item()))
        return result
