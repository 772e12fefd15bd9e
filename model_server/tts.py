"""Kokoro-82M on ONNX Runtime."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from kokoro_onnx import Kokoro
from livekit import blingfire

from model_server.audio import to_pcm16
from model_server.backends import TTS_SAMPLE_RATE, AliasedModel, Audio, BadInputError, SpeechRequest

# Voices that callers ask for by OpenAI's or Kokoro's names. The small package has one woman's and one man's voice;
# with the original voices file Kokoro's own names are found in it, and only OpenAI's are mapped.
# fmt: off
WOMEN = frozenset((
    "alloy", "ballad", "coral", "fable", "nova", "sage", "shimmer",
    "af_heart", "af_alloy", "af_aoede", "af_bella", "af_jessica", "af_kore", "af_nicole", "af_nova", "af_river",
    "af_sarah", "af_sky", "bf_alice", "bf_emma", "bf_isabella", "bf_lily",
))
MEN = frozenset((
    "ash", "echo", "onyx", "verse",
    "am_adam", "am_echo", "am_eric", "am_fenrir", "am_liam", "am_michael", "am_onyx", "am_puck", "am_santa",
    "bm_daniel", "bm_fable", "bm_george", "bm_lewis",
))
# fmt: on

# Kokoro pads each sentence with about 0.25 s of silence before and 0.6 s after. The caller would wait for the first
# and the conversation for the second, so both are cut to what a speaker's breath would leave.
SILENCE_BEFORE = 0.05
SILENCE_AFTER = 0.15
AUDIBLE = 0.01
"""Of the sentence's loudest sample: below that is Kokoro's noise floor."""


class KokoroTTS:
    names = AliasedModel("kokoro-82m", frozenset({"gpt-4o-mini-tts", "tts-1", "kokoro"}))

    def __init__(self, model: Path, voices: Path) -> None:
        options = onnxruntime.SessionOptions()
        # Two threads halve the wait for the first audio. They must not spin while idle, as they do by default:
        # that would slow the other two models on a machine with two cores.
        options.intra_op_num_threads = 2
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._kokoro = Kokoro.from_session(session, str(voices))
        self._voices = frozenset(self._kokoro.get_voices())
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tts")

    async def stream(self, request: SpeechRequest) -> AsyncGenerator[bytes, None]:
        voice = self._voice(request.voice)
        loop = asyncio.get_running_loop()
        for sentence in sentences(request.text):
            yield await loop.run_in_executor(self._thread, self._synthesise, sentence, voice, request.speed)

    def _voice(self, requested: str) -> str:
        if requested in self._voices:
            return requested
        for names, candidates in ((WOMEN, ("jf_alpha", "af_heart")), (MEN, ("jm_kumo", "am_adam"))):
            if requested in names:
                return next(voice for voice in candidates if voice in self._voices)
        known = ", ".join(sorted(self._voices | WOMEN | MEN))
        raise BadInputError(f"Unknown voice '{requested}'. Known voices: {known}", param="voice")

    def _synthesise(self, sentence: str, voice: str, speed: float) -> bytes:
        # Kokoro was trained on half to double speed; OpenAI's range is wider.
        speed = min(max(speed, 0.5), 2.0)
        try:
            audio, _ = self._kokoro.create(sentence, voice, speed, lang="en-us", trim=False)
        except ValueError:
            # Nothing in it can be pronounced, such as '-'. A pause, as callers take no audio at all for a failure.
            return bytes(2 * int(SILENCE_AFTER * TTS_SAMPLE_RATE))
        return to_pcm16(trimmed(audio))


def sentences(text: str) -> list[str]:
    """The text in pieces that are spoken one after the other, so that the first is heard while the rest is made."""
    return [sentence for sentence in blingfire.text_to_sentences(text).split("\n") if sentence.strip()]


def trimmed(audio: Audio) -> Audio:
    """One sentence at `TTS_SAMPLE_RATE` without Kokoro's padding."""
    level = np.abs(audio)
    audible = np.flatnonzero(level > AUDIBLE * level.max(initial=0.0))
    if not audible.size:
        return audio[:0]
    start = max(0, int(audible[0]) - int(SILENCE_BEFORE * TTS_SAMPLE_RATE))
    return audio[start : int(audible[-1]) + int(SILENCE_AFTER * TTS_SAMPLE_RATE)]
