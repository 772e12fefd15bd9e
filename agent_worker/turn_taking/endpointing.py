"""Configure when livekit-agents takes the caller's turn to have ended, and what interrupts the agent."""

from __future__ import annotations

from livekit.agents import NOT_GIVEN, TurnHandlingOptions, inference
from livekit.agents.voice import room_io

from agent_worker.core.settings import Settings

#: 20 ms are the packets of the network: the default of 50 ms would let the end of the caller's voice be heard up to
#: 50 ms later. 16 kHz is the rate of the voice activity detector, the turn detector and the recogniser: each would
#: resample every frame of the default, 24 kHz. Pre-connect audio, which is on by default, takes a byte stream from
#: every participant and lets FFmpeg guess its format: an SDP file in it opens sockets and threads.
AUDIO_INPUT = room_io.AudioInputOptions(sample_rate=16_000, frame_size_ms=20, pre_connect_audio=False)

_NEVER_S = 86_400.0


def turn_handling(settings: Settings) -> TurnHandlingOptions:
    """Return the session's turn handling. docs/benchmarks/endpointing.md shows what the delays cost and bring."""
    return {
        # Models that run in this process: the default ones need a LiveKit Cloud account.
        "turn_detection": inference.TurnDetector(
            version="v1-mini", unlikely_threshold=settings.endpointing_threshold or NOT_GIVEN
        ),
        "endpointing": {"min_delay": settings.endpointing_min_delay, "max_delay": settings.endpointing_max_delay},
        # The floor decides which sounds silence the agent; livekit-agents ends its speech for words that reach it.
        "interruption": {"mode": "vad", "min_duration": _NEVER_S},
        # The answer may be requested and synthesised before the end of the turn is certain; its audio waits for it.
        "preemptive_generation": {"enabled": True, "preemptive_tts": True},
    }
