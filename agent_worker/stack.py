"""The five parts of a voice agent that a stack chooses."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from livekit.agents import llm, stt, tts, vad
from livekit.plugins import silero


@dataclass(frozen=True)
class VoiceStack:
    """What a conversation runs on. Built anew for each call, in the call's own process."""

    stt: stt.STT[Any]
    fast_llm: llm.LLM[Any]
    main_llm: llm.LLM[Any]
    tts: tts.TTS[Any]
    vad: vad.VAD


@functools.cache
def load_vad() -> vad.VAD:
    """Silero's voice activity detector, loaded once in each process: it takes 0.4 s, too long in a call."""
    return silero.VAD.load()
