"""`python -m model_server.measure`: measure how fast this machine runs the models, in about 3 s, and print it as JSON.

Run in a process of its own: the models' memory is free again afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeVar

import numpy as np

from model_server import weights
from model_server.backends import (
    LLM,
    STT,
    STT_SAMPLE_RATE,
    TTS,
    TTS_SAMPLE_RATE,
    Audio,
    ChatChunk,
    ChatRequest,
    Message,
    SpeechRequest,
)
from model_server.checksum import WeightsError
from model_server.real import DEFAULT_FAST_MODEL, DEFAULT_VOICE, VOICES, tts_loader

T = TypeVar("T")

SENTENCE = "The quick brown fox jumps over the lazy dog."
PROMPT = (
    "Give helpful advice in one or two short sentences. Start with the first thing the caller should know or do. "
    "My washing machine has been leaking since this morning, and I do not know whom to ask about it."
)
_ANSWER_TOKENS = 12
_PCM_SCALE = 32768


@dataclass(frozen=True)
class MachineFigures:
    """How fast the models run on this machine.

    Attributes:
        cores: CPU cores that this process may use.
        free_memory_mb: Memory that is available.
        tts_realtime_factor: Seconds of synthesis for a second of speech.
        stt_realtime_factor: Seconds of recognition for a second of speech.
        prompt_tokens_per_s: Tokens of a prompt that the measured language model reads in a second.
        tokens_per_s: Tokens that it generates in a second.
        llm_bytes: Size of its file.
    """

    cores: int
    free_memory_mb: float
    tts_realtime_factor: float
    stt_realtime_factor: float
    prompt_tokens_per_s: float
    tokens_per_s: float
    llm_bytes: int


def usable_cores() -> int:
    """Return the number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


async def measure_speech(tts: TTS, stt: STT, clock: Callable[[], float] = time.perf_counter) -> tuple[float, float]:
    """Return the real-time factors of synthesis and recognition; each model has run before."""
    began = clock()
    pcm = b"".join([chunk async for chunk in tts.stream(SpeechRequest("", SENTENCE, "alloy"))])
    spoken = clock()
    duration_s = len(pcm) / 2 / TTS_SAMPLE_RATE
    audio = _resampled(pcm)
    heard = clock()
    await stt.transcribe("", audio, segment=0, final=True)
    return (spoken - began) / duration_s, (clock() - heard) / duration_s


async def measure_llm(llm: LLM, clock: Callable[[], float] = time.perf_counter) -> tuple[float, float]:
    """Return the tokens of the prompt, and those of the answer, that a language model processes in a second.

    Raises:
        WeightsError: If it does not answer.
    """
    (name,) = llm.names.listed
    began, first, last = clock(), None, ChatChunk()
    async for chunk in llm.stream(ChatRequest(name, (Message("user", PROMPT),), _ANSWER_TOKENS)):
        first = first or clock()
        last = chunk
    ended = clock()
    first = first or ended
    if last.completion_tokens < 2:
        raise WeightsError(f"the model {name} gives no answer of more than one token: choose another")
    # The first token belongs to the prompt.
    return last.prompt_tokens / max(first - began, 1e-6), (last.completion_tokens - 1) / max(ended - first, 1e-6)


def _resampled(pcm: bytes) -> Audio:
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / _PCM_SCALE
    positions = np.arange(0, len(samples), TTS_SAMPLE_RATE / STT_SAMPLE_RATE)
    audio: Audio = np.interp(positions, np.arange(len(samples)), samples).astype(np.float32)
    return audio


async def _measure(model: str, voice: str, threads: int) -> MachineFigures:
    import psutil

    name, path = weights.language_model(model)
    whisper_dir, load_tts = weights.whisper(), tts_loader(voice)
    from model_server.llm import LlamaCpp
    from model_server.stt import Whisper

    free_mb = psutil.virtual_memory().available / 1e6
    tts, stt = load_tts(), Whisper(whisper_dir)
    await measure_speech(tts, stt)  # the first run of a model is slower
    tts_factor, stt_factor = await measure_speech(tts, stt)
    llm = LlamaCpp(path, name, frozenset(), threads, slots=1)
    async for _ in llm.stream(ChatRequest(name, (Message("user", "Hello"),), max_tokens=1)):
        pass
    prompt_rate, rate = await measure_llm(llm)
    size = (await asyncio.to_thread(path.stat)).st_size
    return MachineFigures(usable_cores(), free_mb, tts_factor, stt_factor, prompt_rate, rate, size)


def main() -> None:
    """Run the command; exit with 2 and one line if a weight file is missing or wrong."""
    parser = argparse.ArgumentParser(prog="python -m model_server.measure", description=__doc__)
    parser.add_argument("--model", metavar="NAME|PATH", default=DEFAULT_FAST_MODEL)
    parser.add_argument("--voice", choices=VOICES, default=DEFAULT_VOICE)
    parser.add_argument("--llm-threads", type=int, default=1)
    args = parser.parse_args()
    try:
        figures = asyncio.run(_measure(args.model, args.voice, args.llm_threads))
    except WeightsError as error:
        print(f"model_server.measure: {error}", file=sys.stderr)
        sys.exit(2)
    print(json.dumps(asdict(figures)), flush=True)
    os._exit(0)  # llama.cpp's threads have nothing to save


if __name__ == "__main__":
    main()
