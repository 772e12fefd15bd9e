"""Text to speech: Hibari, which is fast, and Kokoro-82M, both on ONNX Runtime."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from livekit import blingfire

from agent_worker.audio.sound_edges import MODEL_OUTPUT, find_edges
from agent_worker.text.spoken_numbers import numbers_as_words
from model_server.audio import to_pcm16
from model_server.backends import TTS_SAMPLE_RATE, AliasedModel, Audio, BadInputError, SpeechRequest

MODEL_ALIASES = frozenset({"gpt-4o-mini-tts", "tts-1", "kokoro"})

# The voices that clients ask for by OpenAI's or Kokoro's names. Each is mapped to a voice that the model has.
# fmt: off
FEMALE_VOICES = frozenset((
    "alloy", "ballad", "coral", "fable", "nova", "sage", "shimmer",
    "af_heart", "af_alloy", "af_aoede", "af_bella", "af_jessica", "af_kore", "af_nicole", "af_nova", "af_river",
    "af_sarah", "af_sky", "bf_alice", "bf_emma", "bf_isabella", "bf_lily",
))
MALE_VOICES = frozenset((
    "ash", "echo", "onyx", "verse",
    "am_adam", "am_echo", "am_eric", "am_fenrir", "am_liam", "am_michael", "am_onyx", "am_puck", "am_santa",
    "bm_daniel", "bm_fable", "bm_george", "bm_lewis",
))
# fmt: on

_LANGUAGE = "en"
"""The language that both models speak."""

MIN_SPEED, MAX_SPEED = 0.5, 2.0
"""The speeds that both models were trained on; OpenAI's range is wider."""

_PAUSE = bytes(2 * int(MODEL_OUTPUT.margin_after_s * TTS_SAMPLE_RATE))


class SentenceTTS(ABC):
    """Synthesises a text sentence by sentence, so that the first is heard while the rest is synthesised.

    Args:
        voices: The names of the model's own voices.
        female: The own voice that stands in for `FEMALE_VOICES`.
        male: The own voice that stands in for `MALE_VOICES`.
    """

    def __init__(self, voices: frozenset[str], female: str, male: str) -> None:
        self._voices = {
            **dict.fromkeys(FEMALE_VOICES, female),
            **dict.fromkeys(MALE_VOICES, male),
            **{voice: voice for voice in voices},
        }
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tts")

    async def stream(self, request: SpeechRequest) -> AsyncGenerator[bytes, None]:
        """Yield the PCM of each sentence. See `model_server.backends.TTS`."""
        if request.voice not in self._voices:
            known = ", ".join(sorted(self._voices))
            raise BadInputError(f"Unknown voice '{request.voice}'. Known voices: {known}", param="voice")
        voice, speed = self._voices[request.voice], min(max(request.speed, MIN_SPEED), MAX_SPEED)
        loop = asyncio.get_running_loop()
        # Both models read "4155550123" as four billion, and nothing of "$7667.47" right.
        for sentence in split_sentences(numbers_as_words(request.text, _LANGUAGE)):
            audio = await loop.run_in_executor(self._thread, self._synthesise, sentence, voice, speed)
            # Both models pad each sentence with about 0.25 s of silence before and up to 0.6 s after: the caller would
            # wait for the first and the conversation for the second.
            edges = find_edges(audio, TTS_SAMPLE_RATE, MODEL_OUTPUT)
            # A text without anything to pronounce, such as '-', becomes a pause: clients take no audio for a failure.
            yield to_pcm16(audio[slice(*edges)]) if edges else _PAUSE

    @abstractmethod
    def _synthesise(self, sentence: str, voice: str, speed: float) -> Audio:
        """Return one sentence at `TTS_SAMPLE_RATE`, empty if nothing in it can be pronounced. Blocks."""


class HibariTTS(SentenceTTS):
    """Hibari's voice `heart`: Kokoro's `af_heart`, distilled to a model that needs 4 % of real time on a slow core."""

    names = AliasedModel("hibari-heart", MODEL_ALIASES)

    def __init__(self, model: Path) -> None:
        from hibari import Hibari  # type: ignore[import-untyped]

        super().__init__(frozenset({"heart"}), female="heart", male="heart")
        self._hibari = Hibari(model=str(model))

    def _synthesise(self, sentence: str, voice: str, speed: float) -> Audio:
        audio: Audio = self._hibari(sentence, speed, seed=0)  # the same text always gives the same samples
        return audio


class KokoroTTS(SentenceTTS):
    """Kokoro-82M, with the small package of two voices or with the original file of all voices."""

    names = AliasedModel("kokoro-82m", MODEL_ALIASES)

    def __init__(self, model: Path, voices: Path) -> None:
        # Imported here, because Kokoro is loaded only on request.
        import onnxruntime
        from kokoro_onnx import Kokoro

        options = onnxruntime.SessionOptions()
        # Two threads halve the wait for the first audio. They must not spin while idle, as they do by default:
        # that would slow the other two models on a machine with two cores.
        options.intra_op_num_threads = 2
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._kokoro = Kokoro.from_session(session, str(voices))
        names = frozenset(self._kokoro.get_voices())
        female, male = ("jf_alpha", "jm_kumo") if "jf_alpha" in names else ("af_heart", "am_adam")
        super().__init__(names, female, male)

    def _synthesise(self, sentence: str, voice: str, speed: float) -> Audio:
        try:
            audio, _ = self._kokoro.create(sentence, voice, speed, lang="en-us", trim=False)
        except ValueError:  # nothing to pronounce
            return np.zeros(0, np.float32)
        return np.asarray(audio, np.float32)


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text, without empty ones."""
    return [sentence for sentence in blingfire.text_to_sentences(text).split("\n") if sentence.strip()]
